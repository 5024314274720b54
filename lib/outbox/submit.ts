import { sha256 } from '#lib/domain/ids.ts';
import { isRecord, type Json, type JsonObject, NOT_UTF8, parseJson } from '#lib/domain/json.ts';
import type { Log } from '#lib/domain/ports.ts';
import { type Issue, known } from '#lib/domain/schema.ts';
import { creditsIn } from '#lib/domain/send/part.ts';
import type { Recipient } from '#lib/domain/send/recipient.ts';
import { type Accepted, type AcceptPorts, accept, findEarlier, type Idempotency } from '#lib/sender/accept.ts';
import type { SendingConfig } from '#lib/sender/config.ts';
import { keptThread, type Thread } from '#lib/sender/sent-event.ts';
import { retrying } from '#lib/store/retry.ts';
import { type Store, StoreUnavailable } from '#lib/store/store.ts';
import { noteAttempt } from '#lib/tenants/attempts.ts';
import { constantTime404, type Webhook, webhookFinder } from '#lib/tenants/webhooks.ts';
import { findWorkspace } from '#lib/tenants/workspaces.ts';
import { misfits, type Reach, type Reaches } from './accounts.ts';
import * as answers from './answers.ts';
import { accepted, KEY_REUSED, type SendVerdict } from './answers.ts';
import { type CheckedRequest, type RequestRules, readRequest } from './request.ts';
import { type Resolved, resolve } from './resolve.ts';

type ReadBody =
  | { readonly ok: true; readonly fields: JsonObject }
  | { readonly ok: false; readonly issues: readonly Issue[] };

const refused = (message: string, path = ''): ReadBody => ({ ok: false, issues: [{ path, message }] });

const FORM = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data';
const BOUNDARY = /^\s*--([^\r\n"]{1,70})\r?\ncontent-disposition:/i;

/**
 * The fields of a body in JSON or as a form. Many tools say that they send a form, or nothing, and send JSON: what begins
 * like JSON is JSON, and what begins like a form of several parts is one.
 */
async function readBody(body: Uint8Array, contentType = ''): Promise<ReadBody> {
  const type = contentType.split(';')[0]?.trim().toLowerCase();
  const beginning = Buffer.from(body.subarray(0, 1024)).toString('latin1');
  const boundary = BOUNDARY.exec(beginning)?.[1];
  if (boundary !== undefined && !(type === MULTIPART && /boundary=/i.test(contentType)))
    return readMultipart(body, `${MULTIPART}; boundary="${boundary}"`);
  if (type === MULTIPART && !/^(?:\xef\xbb\xbf)?\s*[[{"]/.test(beginning)) return readMultipart(body, contentType);
  const text = textOf(body);
  if (text === undefined) return refused(NOT_UTF8);
  const isForm = /^[\w%.+ [\]-]+=/.test(text) || (type === FORM && text.includes('='));
  return isForm && !/^\s*[[{"]/.test(text) ? readForm(text) : readJson(body, text);
}

/** Undefined where it is none. UTF-16 without its mark is full of zeros. */
function textOf(body: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

function readJson(body: Uint8Array, text: string): ReadBody {
  const parsed = parseJson(body);
  if (!parsed.ok) {
    const kind = kindOf(text);
    return kind === undefined ? { ok: false, issues: [parsed.issue] } : refused(neither(kind));
  }
  const { value } = parsed;
  if (isObject(value)) return fieldsIn(value);
  if (Array.isArray(value))
    return refused('the body must be an object, and is a list: send it without the [ ] around it');
  const isWrapped = typeof value === 'string' && value.trimStart().startsWith('{');
  return refused(
    isWrapped
      ? 'the body must be an object, and is a text that holds one: send it without the quotes around it'
      : 'the body must be an object, as {"action": "send", "phone": "+14155550123", "text": "Hello"}',
  );
}

const EXAMPLE = '{"action": "send", "phone": "+14155550123", "text": "Hello"}';
const neither = (kind: string) => `the body must be a JSON object or a form, and is ${kind}: send it as ${EXAMPLE}`;

/** What begins with a letter of any script is none of the words of JSON here: those can be read. */
function kindOf(text: string): string | undefined {
  if (text.trim() === '') return 'empty';
  if (/^\s*\p{L}/u.test(text)) return 'plain text';
  return /^\s*</.test(text) ? 'XML or HTML' : undefined;
}

/** Tools for automation put what they are given below a name of their own, alone or beside what else they know. */
const WRAPPER = /^(?:data|body|payload|json|message|params|request|fields|input)$/i;

function fieldsIn(body: JsonObject): ReadBody {
  const names = Object.keys(body);
  const around = names.some((name) => /^action$/i.test(name))
    ? undefined
    : names.flatMap((name) => wrapping(body, name));
  const [first] = around ?? [];
  return first === undefined ? { ok: true, fields: body } : refused(first);
}

/** What is wrong with a body whose fields stand below this name. */
function wrapping(body: JsonObject, name: string): string[] {
  const inner = body[name];
  const isAlone = Object.keys(body).length === 1;
  if (isAlone && name.startsWith('{')) return ['the form has JSON for the name of a field: send the JSON as it stands'];
  // Below any other name, what says `action` is meant.
  if (!WRAPPER.test(name) && !(isRecord(inner) && Object.hasOwn(inner, 'action'))) return [];
  const marks = marksAround(inner, isAlone);
  if (marks === undefined) return [];
  return [`the fields must stand in the body itself: send it without "${name}": ${marks} around them`];
}

function marksAround(inner: Json | undefined, isAlone: boolean): string | undefined {
  if (isRecord(inner)) return isAlone || Object.hasOwn(inner, 'action') ? '{ }' : undefined;
  if (Array.isArray(inner)) return inner.some(isRecord) ? '[ ]' : undefined;
  return typeof inner === 'string' && inner.trimStart().startsWith('{') ? '" "' : undefined;
}

const isObject = (value: Json): value is JsonObject => isRecord(value);

function readForm(text: string): ReadBody {
  const parts = text.trim().split('&');
  // The end of a text would be lost without a word.
  if (parts.some((part) => part !== '' && !part.includes('=')))
    return refused('a part of the form has no "=": write & inside a value as %26');
  const decoded = [...new URLSearchParams(text.trim())];
  if (areBroken(decoded, /\ufffd|%ef%bf%bd/i.test(text))) return refused(NOT_UTF8);
  return fieldsOf(decoded.map(([name, value]) => [name, withPlus(name, value)]));
}

/** Decoders put a mark in the place of what is no UTF-8; somebody may have written that mark. */
const areBroken = (entries: readonly (readonly [string, string])[], isWritten: boolean): boolean =>
  !isWritten && entries.some((entry) => entry.join('').includes('\ufffd'));

/** A plus sign that nobody has encoded is a blank in a form. */
const withPlus = (name: string, value: string): string =>
  /phone$/.test(name) && /^ ?\s*\d/.test(value) && value.startsWith(' ') ? `+${value.trimStart()}` : value;

async function readMultipart(body: Uint8Array, contentType: string): Promise<ReadBody> {
  let form: FormData;
  try {
    const headers = { 'content-type': contentType };
    form = await new Response(new Uint8Array(body), { headers }).formData();
  } catch {
    // Of what is wrong the parser tells nothing.
    return refused(
      'the body is not the multipart form that its Content-Type says; its boundary must be the same in both, and its lines end in CR LF',
    );
  }
  const entries: [string, string][] = [];
  for (const [name, value] of form) {
    // A field for a file in which somebody has chosen none.
    if (typeof value !== 'string' && value.name === '' && value.size === 0) continue;
    if (typeof value !== 'string')
      return refused('is a file: give a link to it as file_url, and its name as file_name', name);
    entries.push([name, value]);
  }
  if (areBroken(entries, Buffer.from(body).includes('\ufffd'))) return refused(NOT_UTF8);
  return fieldsOf(entries);
}

/** A name twice with two values: nobody can tell which one counts. An empty one is as good as none. */
function fieldsOf(entries: readonly (readonly [string, string])[]): ReadBody {
  const fields = new Map<string, string>();
  for (const [name, value] of entries) {
    const other = fields.get(name) ?? '';
    if (other !== '' && value !== '' && other !== value) return refused('is given twice: give it once', name);
    fields.set(name, value === '' ? other : value);
  }
  return fieldsIn(Object.fromEntries(fields));
}

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
): Promise<answers.SendVerdict> {
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
  if (resolved.kind === 'resolved') return answers.invalid(issues);
  return resolved.kind === 'several'
    ? answers.several(resolved.field, resolved.chats)
    : answers.refused(404, resolved.reason);
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
): Promise<answers.SendVerdict> {
  const { clock, random, config } = ports;
  if (!isUsableKey(once.key)) return answers.BAD_KEY;
  const store = retrying(ports.store, clock, random, clock.monotonic() + config.requestMs);
  const read = await readRequest(body, ports.rules, () => countryOf(store, origin));
  if (!read.ok) return answers.invalid(read.issues);
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
): Promise<answers.SendVerdict> {
  const parts = withCaption(asked, account, ports.reaches.get(account.provider));
  const request = { workspace, webhook, account: account.id, recipient: kept(recipient, chat), parts };
  const result = await accept({ ...request, ...(idempotency && { idempotency }) }, ports, ports.config);
  tell(ports, result, account.id);
  return answers.ofAccepted(result, creditsIn(parts));
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
    if (verdict.outcome === 'not_found') await constantTime404(ports.clock, since);
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
  if (!isUsableKey(key)) return answers.BAD_KEY;
  const fields = await readBody(body, headers['content-type']);
  if (!fields.ok) return answers.invalid(fields.issues);
  try {
    const read = await readRequest(fields.fields, ports.rules, () => countryOf(store, webhook));
    if (!read.ok) return answers.invalid(read.issues);
    return await submit(ports, store, webhook, read.request, known({ key }));
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    ports.log.error('the table did not take a send', error, { webhook: webhook.webhookId });
    return answers.UNAVAILABLE;
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
  { answer, outcome, id, message }: answers.SendVerdict,
  since: number,
): Promise<void> {
  const withBody = outcome !== 'accepted' && outcome !== 'replayed';
  const noted = { status: answer.status, outcome, withBody, ...(id && { id }), ...(message && { message }) };
  await noteAttempt(ports, webhook, { ...call, token }, noted, since);
}
