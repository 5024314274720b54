import { sha256 } from '#lib/domain/ids.ts';
import { noteAttempt } from '../attempts/note.ts';
import { retrying } from '../retrying-store.ts';
import { type Store, StoreUnavailable } from '../store.ts';
import { answerAlike } from '../webhooks/alike.ts';
import { webhookFinder } from '../webhooks/find.ts';
import type { Webhook } from '../webhooks/webhook.ts';
import * as answers from './answers.ts';
import { readRequest } from './request.ts';
import { type SendPorts, submit } from './submit.ts';

/** A request as the function received it. Header names are in lower case. */
export interface SendCall {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  readonly sourceIp?: string;
}

const MOST_BYTES = 256 * 1024;

/**
 * Takes in one request to send: find the webhook, check the request, find out who is meant, charge and queue, answer.
 * Nothing is charged unless the answer is 200, and every activation stands in the owner's log.
 */
export function sendApp(ports: SendPorts) {
  const find = webhookFinder();
  return async (token: string, call: SendCall): Promise<answers.SendAnswer> => {
    const since = ports.clock.now();
    const until = ports.clock.monotonic() + ports.config.requestMs;
    const store = retrying(ports.store, ports.clock, ports.random, until);
    const found = await find(store, sha256(token));
    // What the table said some time ago is no reason to charge anybody.
    if (found.kind === 'unreachable' || found.kind === 'remembered') return answers.UNAVAILABLE.answer;
    const webhook = found.kind === 'found' ? found.webhook : undefined;
    const verdict = await judge(ports, store, webhook, call);
    if (found.kind === 'none') ports.metrics.count('UnknownTokens');
    if (webhook) await note(ports, webhook, token, call, verdict, since);
    if (verdict.outcome === 'not_found') await answerAlike(ports.clock, since);
    return verdict.answer;
  };
}

async function judge(
  ports: SendPorts,
  store: Store,
  webhook: Webhook | undefined,
  { headers, body }: SendCall,
): Promise<answers.SendVerdict> {
  if (!webhook?.enabled || webhook.rotated || webhook.kind !== 'send') return answers.notFound(webhook);
  if (body.length > MOST_BYTES) return answers.TOO_LARGE;
  const key = headers['idempotency-key'];
  if (key !== undefined && (key === '' || key.length > 255)) return answers.BAD_KEY;
  const read = readRequest(body, ports.rules);
  if (!read.ok) return answers.invalid(read.issues);
  try {
    return await submit(ports, store, webhook, read.request, key);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    ports.log.error('the table did not take a send', error, { webhook: webhook.webhookId });
    return answers.UNAVAILABLE;
  }
}

/** What was accepted can be read as a send; of everything else the body is kept with the attempt. */
async function note(
  ports: SendPorts,
  webhook: Webhook,
  token: string,
  call: SendCall,
  { answer, outcome, id, message }: answers.SendVerdict,
  since: number,
): Promise<void> {
  const withBody = outcome !== 'accepted' && outcome !== 'replayed';
  const noted = { status: answer.status, outcome, withBody, ...(id && { id }), ...(message && { message }) };
  await noteAttempt(ports, webhook, { ...call, token }, noted, since);
}
