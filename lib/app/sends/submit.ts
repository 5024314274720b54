import type { Recipient } from '#lib/domain/sending/recipient.ts';
import type { Log } from '../ports.ts';
import { type Accepted, type AcceptPorts, accept } from '../sending/accept.ts';
import type { SendingConfig } from '../sending/config.ts';
import type { Idempotency } from '../sending/idempotency.ts';
import { keptThread, type Thread } from '../sending/thread.ts';
import type { Store } from '../store.ts';
import type { Webhook } from '../webhooks/webhook.ts';
import type { Reaches } from './accounts.ts';
import * as answers from './answers.ts';
import { misfits } from './fit.ts';
import { replayOf } from './replay.ts';
import type { CheckedRequest, RequestRules } from './request.ts';
import { type Resolved, resolve } from './resolve.ts';
import { threadOf } from './thread.ts';

export interface SendPorts extends AcceptPorts {
  readonly log: Log;
  readonly reaches: Reaches;
  readonly config: SendingConfig;
  readonly rules: RequestRules;
}

/** Finds out who is meant, and charges and queues the message. `store` is for looking things up. */
export async function submit(
  ports: SendPorts,
  store: Store,
  webhook: Pick<Webhook, 'workspace' | 'webhookId'>,
  request: CheckedRequest,
  key: string | undefined,
): Promise<answers.SendVerdict> {
  const { workspace, webhookId } = webhook;
  const idempotency = key === undefined ? undefined : { webhook: webhookId, key, requestHash: request.hash };
  const resolved = await resolve(store, workspace, request, ports.reaches);
  const issues = resolved.kind === 'resolved' ? faults(ports, request, resolved) : [];
  if (resolved.kind === 'resolved' && issues.length === 0) {
    return charge(ports, store, webhook, request, resolved, idempotency);
  }
  // A key that has its message already gets the same answer, whatever has become of account and chat since.
  const replayed = idempotency && (await replayOf(store, workspace, idempotency, ports.clock.now()));
  if (replayed) return replayed;
  if (resolved.kind === 'resolved') return answers.invalid(issues);
  return resolved.kind === 'several' ? answers.several(resolved.chats) : answers.refused(404, resolved.reason);
}

type Meant = Extract<Resolved, { kind: 'resolved' }>;

function faults({ reaches }: SendPorts, request: CheckedRequest, { account, recipient }: Meant) {
  const reach = reaches.get(account.provider);
  return reach ? misfits(request, recipient, account, reach) : [];
}

async function charge(
  ports: SendPorts,
  store: Store,
  { workspace, webhookId: webhook }: Pick<Webhook, 'workspace' | 'webhookId'>,
  { parts }: CheckedRequest,
  { account, recipient, chat }: Meant,
  idempotency: Idempotency | undefined,
): Promise<answers.SendVerdict> {
  const thread =
    recipient.kind === 'phone' || recipient.kind === 'jid'
      ? await threadOf(store, account, recipient, ports.reaches.get(account.provider))
      : undefined;
  const request = { workspace, webhook, account: account.id, recipient: kept(recipient, thread ?? chat), parts };
  const result = await accept({ ...request, ...(idempotency && { idempotency }) }, ports, ports.config);
  tell(ports, result, account.id);
  return answers.ofAccepted(result, parts.length);
}

/** The send's id is what its lines are found by, from here to the call of the provider. */
function tell({ log, metrics }: SendPorts, result: Accepted, account: string): void {
  if (result.kind === 'no credit') metrics.count('CreditsMissing');
  if (!('messageId' in result)) return;
  const fields = { correlationId: result.messageId, account };
  log.info(`${result.kind} a message`, fields);
  if (result.startFailed !== undefined) {
    log.error('a queue could not be started; the watchdog will', result.startFailed, fields);
  }
}

/** As a send keeps its recipient: `recipientOf` reads it, and `threadIn` the chat in which the message will stand. */
function kept(recipient: Recipient, thread: Thread | undefined): Record<string, string> {
  return { ...addressOf(recipient), ...(thread && keptThread(thread)) };
}

function addressOf(recipient: Recipient): Record<string, string> {
  switch (recipient.kind) {
    case 'phone':
      return { phone: recipient.phone };
    case 'jid':
      return { jid: recipient.jid };
    case 'chat_id':
      return { chat_id: recipient.id };
    case 'chat_name':
      return { chat_name: recipient.name };
  }
}
