import { sha256 } from '#lib/domain/ids.ts';
import type { JsonObject } from '#lib/domain/json.ts';
import type { Log } from '#lib/domain/ports.ts';
import { type Issue, known } from '#lib/domain/schema.ts';
import { creditsIn } from '#lib/domain/send/part.ts';
import type { Recipient } from '#lib/domain/send/recipient.ts';
import { type Accepted, type AcceptPorts, accept, findEarlier, type Idempotency } from '#lib/sender/accept.ts';
import type { SendingConfig } from '#lib/sender/config.ts';
import { keptThread, type Thread } from '#lib/sender/sent-event.ts';
import { retrying } from '#lib/store/retry.ts';
import { type Store, StoreUnavailable } from '#lib/store/store.ts';
import { type Attempt, noteAttempt } from '#lib/tenants/attempts.ts';
import { constantTime404, type Webhook, webhookFinder } from '#lib/tenants/webhooks.ts';
import { findWorkspace } from '#lib/tenants/workspaces.ts';
import { type CheckedRequest, type RequestRules, readBody, readRequest } from './request.ts';
import { misfits, NO_ACCOUNT, type Reach, type Reaches, type Resolved, resolve } from './resolve.ts';

export interface SendAnswer {
  readonly status: 200 | 400 | 402 | 404 | 409 | 413 | 422 | 429 | 503;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object;
}

/** What is answered, and what the owner reads of it in the log of attempts. */
export interface SendVerdict {
  readonly answer: SendAnswer;
  readonly outcome: Attempt['outcome'];
  readonly id?: string;
  readonly message?: string;
  /** What is wrong with the request, field by field; of a replayed one, what would be by now. */
  readonly issues?: readonly Issue[];
}

/** `status` is a word on success and a number on failure, as in the format that this endpoint follows. */
function accepted(kind: 'accepted' | 'replayed', messageId: string): SendVerdict {
  const body = { status: 'success', data: { message_id: messageId } };
  const headers = kind === 'replayed' ? { headers: { 'idempotent-replayed': 'true' } } : {};
  return { answer: { status: 200, ...headers, body }, outcome: kind, id: messageId };
}

function refused(
  status: SendAnswer['status'],
  message: string,
  outcome: Attempt['outcome'] = 'refused',
  headers: Readonly<Record<string, string>> = {},
): SendVerdict {
  return { answer: { status, headers, body: { status, data: {}, message } }, outcome, message };
}

/** All faults at once, each with its field. */
const invalid = (issues: readonly Issue[]): SendVerdict => ({
  ...refused(400, issues.map(({ path, message }) => (path === '' ? message : `${path} ${message}`)).join('; ')),
  issues,
});

/** One answer for all who may not know; the reason stands in the owner's log. */
function notFound(webhook: Webhook | undefined): SendVerdict {
  return { ...refused(404, 'Webhook not found', 'not_found'), message: whyNotFound(webhook) };
}

function whyNotFound(webhook: Webhook | undefined): string {
  if (webhook?.rotated) return 'This URL was replaced by a newer one';
  if (webhook && !webhook.enabled) return 'The webhook is switched off';
  return 'The URL belongs to receiving';
}

/** An id of the provider's may be the chat's of each of two accounts; those of the hub are one each. */
const several = (field: string, chats: readonly string[]): SendVerdict =>
  refused(409, `${field} matches several chats: give the hub's chat_id of one of them: ${chats.join(', ')}`);

/** What the core said, to a request that needed so many credits. */
function ofAccepted(result: Accepted, credits: number): SendVerdict {
  switch (result.kind) {
    case 'accepted':
    case 'replayed':
      return accepted(result.kind, result.messageId);
    case 'mismatch':
      return KEY_REUSED;
    case 'no credit':
      return refused(402, `Not enough credits: this message needs ${credits}, so have some granted first`);
    case 'account gone':
    case 'changed':
      return refused(404, NO_ACCOUNT);
    case 'queue full':
      return QUEUE_FULL;
  }
}

const KEY_REUSED = refused(422, 'The Idempotency-Key was used with another body: give each message a key of its own');
const BAD_KEY = refused(400, 'Idempotency-Key must have 1 to 255 characters');
/** At two seconds a message there is room again soon, for one. */
const QUEUE_FULL = refused(429, "The account's queue is full: send it again when some of it has gone out", 'refused', {
  'retry-after': '60',
});
const TOO_LARGE = refused(413, 'The body is larger than 256 KB: give a link to a file as file_url', 'too_large');
/** An answer of the table may be lost after it has done what was asked: only a key makes a repeat safe for certain. */
export const UNAVAILABLE = refused(
  503,
  'The message could not be queued now; send it again, with an Idempotency-Key so that it cannot go out twice',
  'unavailable',
  { 'retry-after': '5' },
);

/** The answer that a key was given before; undefined where it is new, or so old that it counts as new. */
async function replayOf(
  store: Store,
  workspace: string,
  idempotency: Idempotency,
  now: number,
): Promise<SendVerdict | undefined> {
  const earlier = await findEarlier(store, workspace, idempotency, now);
  if (!earlier) return undefined;
  return earlier.kind === 'replayed' ? accepted('replayed', earlier.messageId) : KEY_REUSED;
}

export interface SendPorts extends AcceptPorts {
  readonly log: Log;
  readonly reaches: Reaches;
  readonly config: SendingConfig;
  readonly rules: RequestRules;
}

/** What makes a request the same as an earlier one. */
export interface Once {
  readonly key?: string;
  /** Instead of the hash of the body. */
  readonly hash?: string;
  readonly keptSeconds?: number;
}

type SendWebhook = Pick<Webhook, 'workspace' | 'webhookId' | 'accountId'>;

/** Finds out who is meant, and charges and queues the message. `store` is for looking things up. */
async function submit(
  ports: SendPorts,
  store: Store,
  webhook: SendWebhook,
  request: CheckedRequest,
  once: Once,
): Promise<SendVerdict> {
  const { workspace, webhookId } = webhook;
  const { key, hash: requestHash = request.hash, keptSeconds } = once;
  const idempotency =
    key === undefined ? undefined : { webhook: webhookId, key, requestHash, ...known({ keptSeconds }) };
  const resolved = await resolve(store, workspace, request, ports.reaches, {
    tied: webhook.accountId,
    ofWorkspace: async () => (await findWorkspace(store, workspace))?.defaultAccountId,
  });
  const issues = resolved.kind === 'resolved' ? faults(ports, request, resolved) : [];
  if (resolved.kind === 'resolved' && issues.length === 0) {
    return charge(ports, webhook, request, resolved, idempotency);
  }
  // A key that has its message already gets the same answer, whatever has become of account and chat since.
  const replayed = idempotency && (await replayOf(store, workspace, idempotency, ports.clock.now()));
  if (replayed) return issues.length > 0 ? { ...replayed, issues } : replayed;
  if (resolved.kind === 'resolved') return invalid(issues);
  return resolved.kind === 'several' ? several(resolved.field, resolved.chats) : refused(404, resolved.reason);
}

/**
 * The same for who is known already, a rule or a program with a key of the API: `body` as `/send/<token>` takes it. With a
 * key it is accepted once, whatever `body` is the second time, if `hash` says that it is the same.
 */
export async function submitBody(
  ports: SendPorts,
  origin: Pick<Webhook, 'workspace' | 'webhookId'>,
  body: JsonObject,
  once: Once = {},
): Promise<SendVerdict> {
  const { clock, random, config } = ports;
  if (!isUsableKey(once.key)) return BAD_KEY;
  const store = retrying(ports.store, clock, random, clock.monotonic() + config.requestMs);
  const read = await readRequest(body, ports.rules, () => countryOf(store, origin));
  if (!read.ok) return invalid(read.issues);
  return submit(ports, store, origin, read.request, once);
}

/** Of a key that came as `Idempotency-Key`, if one did. */
export const isUsableKey = (key: string | undefined): boolean => key === undefined || (key !== '' && key.length <= 255);

type Meant = Extract<Resolved, { kind: 'resolved' }>;

function faults({ reaches }: SendPorts, request: CheckedRequest, { account, recipient }: Meant) {
  const reach = reaches.get(account.provider);
  return reach ? misfits(request, recipient, account, reach) : [];
}

async function charge(
  ports: SendPorts,
  { workspace, webhookId: webhook }: Pick<Webhook, 'workspace' | 'webhookId'>,
  { parts: asked }: CheckedRequest,
  { account, recipient, chat }: Meant,
  idempotency: Idempotency | undefined,
): Promise<SendVerdict> {
  const parts = withCaption(asked, account, ports.reaches.get(account.provider));
  const request = { workspace, webhook, account: account.id, recipient: kept(recipient, chat), parts };
  const result = await accept({ ...request, ...(idempotency && { idempotency }) }, ports, ports.config);
  tell(ports, result, account.id);
  return ofAccepted(result, creditsIn(parts));
}

/** A text goes with its file in one call where the provider takes it so; what it costs stays the same. */
function withCaption(
  parts: CheckedRequest['parts'],
  { channel }: Meant['account'],
  reach: Reach | undefined,
): CheckedRequest['parts'] {
  const [file, text] = parts;
  if (file.kind !== 'file' || text?.kind !== 'text') return parts;
  const longest = reach?.longestCaption?.(channel) ?? 0;
  return text.text.length > longest ? parts : [{ ...file, caption: text.text, credits: creditsIn(parts) }];
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

/** A request as the function received it. Header names are in lower case. */
interface SendCall {
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
  return async (token: string, call: SendCall): Promise<SendAnswer> => {
    const since = ports.clock.now();
    const until = ports.clock.monotonic() + ports.config.requestMs;
    const store = retrying(ports.store, ports.clock, ports.random, until);
    const found = await find(store, sha256(token));
    // What the table said some time ago is no reason to charge anybody.
    if (found.kind === 'unreachable' || found.kind === 'remembered') return UNAVAILABLE.answer;
    const webhook = found.kind === 'found' ? found.webhook : undefined;
    const verdict = await judge(ports, store, webhook, call);
    if (found.kind === 'none') ports.metrics.count('UnknownTokens');
    if (webhook) await note(ports, webhook, token, call, verdict, since);
    if (verdict.outcome === 'not_found') await constantTime404(ports.clock, since);
    return verdict.answer;
  };
}

async function judge(
  ports: SendPorts,
  store: Store,
  webhook: Webhook | undefined,
  { headers, body }: SendCall,
): Promise<SendVerdict> {
  if (!webhook?.enabled || webhook.rotated || webhook.kind !== 'send') return notFound(webhook);
  if (body.length > MOST_BYTES) return TOO_LARGE;
  const key = headers['idempotency-key'];
  if (!isUsableKey(key)) return BAD_KEY;
  const fields = await readBody(body, headers['content-type']);
  if (!fields.ok) return invalid(fields.issues);
  try {
    const read = await readRequest(fields.fields, ports.rules, () => countryOf(store, webhook));
    if (!read.ok) return invalid(read.issues);
    return await submit(ports, store, webhook, read.request, known({ key }));
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    ports.log.error('the table did not take a send', error, { webhook: webhook.webhookId });
    return UNAVAILABLE;
  }
}

const countryOf = async (
  store: Store,
  { workspace, defaultCountry }: Pick<Webhook, 'workspace' | 'defaultCountry'>,
): Promise<string | undefined> => defaultCountry ?? (await findWorkspace(store, workspace))?.defaultCountry;

/** What was accepted can be read as a send; of everything else the body is kept with the attempt. */
async function note(
  ports: SendPorts,
  webhook: Webhook,
  token: string,
  call: SendCall,
  { answer, outcome, id, message }: SendVerdict,
  since: number,
): Promise<void> {
  const withBody = outcome !== 'accepted' && outcome !== 'replayed';
  const noted = { status: answer.status, outcome, withBody, ...(id && { id }), ...(message && { message }) };
  await noteAttempt(ports, webhook, { ...call, token }, noted, since);
}
