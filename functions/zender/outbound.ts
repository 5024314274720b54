import * as v from 'valibot';
import { isSamePhone, normaliseJid, phoneOfJid, toPhone } from '#lib/domain/person.ts';
import { ifValid, known } from '#lib/domain/schema.ts';
import { type Meaning, meaningOf, outcomeOfBreakdown, type SendOutcome, withId } from '#lib/domain/send/outcome.ts';
import { type Recipient, recipientOf, whatsappChatOf } from '#lib/domain/send/recipient.ts';
import { toInstant } from '#lib/domain/time.ts';
import { fileIn } from '#lib/inbox/received-file.ts';
import {
  type Answer,
  type Attempted,
  answered,
  bodyOf,
  type Candidate,
  type OpenAccount,
  type OutboundProvider,
  type OutboundTools,
  type Outgoing,
  type ProbeResult,
  type ProviderRequest,
  stateWord,
  textOf,
  withCredentials,
} from '#lib/sender/provider.ts';
import type { Channel } from '#lib/tenants/account.ts';
import { apiUrl, type Host, lineOf, SmsCopy, WhatsappCopy } from './account.ts';

const LOOKALIKE: Readonly<Record<string, string>> = { '{': '\u2774', '}': '\u2775' };

/**
 * Zender takes `{one|two}` for a choice, and drops the braces of `{one}`; there is no escape. Braces that it would
 * take for its own are therefore written with the ornaments that look like them. One that has no partner stays.
 */
export function withoutSpintax(text: string): string {
  const paired = new Set<number>();
  const open: number[] = [];
  for (const { index, 0: brace } of text.matchAll(/[{}]/g)) {
    if (brace === '{') open.push(index);
    else {
      const partner = open.pop();
      if (partner !== undefined) paired.add(partner).add(index);
    }
  }
  return text.replace(/[{}]/g, (brace, at: number) => (paired.has(at) ? (LOOKALIKE[brace] ?? brace) : brace));
}

/** Lists take the secret in their address: it is never to be shown. */
function listUrl(host: Host, path: string, more: Readonly<Record<string, string>> = {}): string {
  return `${apiUrl(host, path)}?${new URLSearchParams({ secret: host.secret, ...more })}`;
}

const Word = ifValid(v.pipe(v.union([v.string(), v.number(), v.boolean()]), v.transform(String)));
/** Their codes, which some copies write as texts, and success as a word or a flag. */
const Code = v.pipe(
  v.union([v.number(), v.string(), v.boolean()]),
  v.transform((raw) => {
    const word = String(raw).trim();
    const digits = /^(\d{3})(?:\s.*)?$/.exec(word)?.[1];
    return /^(?:success|ok|true)$/i.test(word) ? 200 : Number(digits ?? Number.NaN);
  }),
  v.number(),
  v.integer(),
);
const List = v.looseObject({
  status: Code,
  data: v.fallback(v.array(v.looseObject({ unique: Word, status: Word, phone: Word })), []),
});

const CONNECTED = /^(?:connected|active|online|1|true)$/i;
const DISCONNECTED = /disconnect|inactive|expired|offline|^(?:0|false)$/i;

/** Asks for the list in which the account's sender stands: WhatsApp accounts, phones, or the credits that pay. */
async function probe(host: Host, { http }: OutboundTools, deadline: number): Promise<ProbeResult> {
  const reply = await http.call({ method: 'GET', url: urlOf(host) }, deadline);
  return reply.kind === 'broken' ? { kind: 'unknown' } : probeResultOf(host, reply);
}

function urlOf(host: Host): string {
  if (host.mode === 'credits') return listUrl(host, 'get/credits');
  return listUrl(host, host.mode === 'devices' ? 'get/devices' : 'get/wa.accounts', { limit: '250', page: '1' });
}

function probeResultOf(host: Host, reply: Answer): ProbeResult {
  const list = bodyOf(List, reply);
  const status = reply.status === 200 ? list?.status : reply.status;
  if (status === 401 || status === 403) return { kind: 'held', reason: `http ${status}: ${KEY}` };
  const unclear = { kind: 'unknown', answers: reply.status < 500 && (status ?? 0) < 500 } as const;
  if (!list || (status !== 200 && status !== 404)) return unclear;
  if (host.mode === 'credits') return status === 200 ? { kind: 'ok' } : unclear;
  const wanted = host.mode === 'devices' ? host.device : host.account;
  const found = list.data.find(({ unique }) => unique === wanted);
  if (!found) return { kind: 'held', reason: host.mode === 'devices' ? NO_DEVICE : NO_ACCOUNT };
  const told = known({ state: stateWord(found.status), phone: toPhone(found.phone) });
  // A phone that is off takes its messages once it is back.
  if (host.mode === 'devices' || CONNECTED.test(found.status ?? '')) return { kind: 'ok', ...told };
  if (!DISCONNECTED.test(found.status ?? '')) return { ...unclear, ...told };
  return { kind: 'held', reason: 'the account is disconnected: link it again in the panel', ...told };
}

const KEY = 'give an API key of the panel that may send and read these lists';
const NO_ACCOUNT = 'the account is not there: give the unique id that stands in the list of WhatsApp accounts';
const NO_DEVICE = 'the device is not there: give the unique id that stands in the list of devices';

interface Refused {
  readonly refused: string;
}

const MEDIA = new Set(['jpg', 'png', 'gif', 'mp4', 'mp3', 'ogg']);
const DOCUMENTS = new Set(['pdf', 'xml', 'xls', 'xlsx', 'doc', 'docx']);

/** Files need a multipart body; texts get one as well, so that there is one way. */
function requestFor(host: Host, { recipient, content }: Outgoing): ProviderRequest | Refused {
  const to = addressOf(host, recipient);
  if (to === undefined) return { refused: 'the recipient is neither a phone number nor a group that Zender can reach' };
  if (host.mode !== undefined) {
    if (content.kind === 'file') return { refused: 'an SMS carries no file' };
    return post(host, 'send/sms', { ...wayOf(host), phone: to, message: withoutSpintax(content.text) });
  }
  const fields = { account: host.account, recipient: to };
  if (content.kind === 'text') {
    return post(host, 'send/whatsapp', { ...fields, type: 'text', message: withoutSpintax(content.text) });
  }
  return fileRequest(host, fields, content);
}

/** Hosted copies refuse a file whose message is empty; they send none for a blank. */
const NO_WORDS = ' ';

function fileRequest(
  host: Host,
  fields: Readonly<Record<string, string>>,
  { name, mimeType, bytes, caption = '' }: Extract<Outgoing['content'], { kind: 'file' }>,
): ProviderRequest | Refused {
  const message = withoutSpintax(caption) || NO_WORDS;
  // They know the one spelling only.
  const known = name.replace(/\.jpeg$/i, '.jpg');
  const extension = /\.([^.]+)$/.exec(known)?.[1]?.toLowerCase() ?? '';
  const attachment = { name: known, mimeType, bytes };
  if (MEDIA.has(extension)) {
    // Any other word than these, even `image`, would be taken for a text, and the picture lost.
    const file = { field: 'media_file', ...attachment };
    return post(host, 'send/whatsapp', { ...fields, type: 'media', message }, file);
  }
  if (DOCUMENTS.has(extension)) {
    const file = { field: 'document_file', ...attachment };
    return post(host, 'send/whatsapp', { ...fields, type: 'document', message, document_name: known }, file);
  }
  const taken = [...MEDIA, ...DOCUMENTS].join(', ');
  return { refused: `Zender takes files of the types ${taken} only` };
}

type File = NonNullable<Extract<ProviderRequest['body'], { kind: 'multipart' }>['file']>;

function post(host: Host, path: string, fields: Readonly<Record<string, string>>, file?: File): ProviderRequest {
  const body = { kind: 'multipart', fields: { secret: host.secret, ...fields }, ...(file && { file }) } as const;
  return { method: 'POST', url: apiUrl(host, path), body };
}

function wayOf(host: Exclude<Host, { mode?: undefined }>): Record<string, string> {
  if (host.mode === 'credits') return { mode: 'credits', gateway: host.gateway };
  return { mode: 'devices', device: host.device, sim: String(host.sim ?? 1) };
}

/** A number with `+`; by WhatsApp also a group. SMS knows no JIDs, not even those that hold a number. */
function addressOf(host: Host, kept: Outgoing['recipient']): string | undefined {
  const recipient = recipientOf(kept);
  return recipient && addressFor(host.mode === undefined ? 'whatsapp' : 'sms', recipient);
}

function addressFor(channel: Channel, recipient: Recipient): string | undefined {
  if (channel === 'sms' && recipient.kind === 'jid') return undefined;
  const chat = whatsappChatOf(recipient);
  return phoneOfJid(chat) ?? (channel === 'whatsapp' && chat?.endsWith('@g.us') ? chat : undefined);
}

const Text = ifValid(v.string());
const Row = v.looseObject({
  id: v.pipe(v.union([v.string(), v.number()]), v.transform(String)),
  status: Text,
  recipient: Text,
  phone: Text,
  message: Text,
  created: ifValid(v.union([v.string(), v.number()])),
});
type Row = v.InferOutput<typeof Row>;
const Rows = v.looseObject({ data: v.fallback(v.array(v.fallback(v.nullable(Row), null)), []) });

const ROWS = '100';
/** Clocks differ, and their seconds are rounded down. */
const SKEW_MS = 5_000;

/** What may be this attempt: sent, or still waiting. An empty list is answered with `status` 404. */
async function findSent(
  host: Host,
  { http }: OutboundTools,
  attempted: Attempted,
  deadline: number,
): Promise<readonly Candidate[]> {
  if (attempted.providerId !== undefined) return rowOf(host, http, attempted.providerId, deadline);
  const to = addressOf(host, attempted.recipient);
  const kind = host.mode === undefined ? 'wa' : 'sms';
  const rows: Row[] = [];
  for (const list of [`get/${kind}.pending`, `get/${kind}.sent`]) {
    const url = listUrl(host, list, { limit: ROWS, page: '1' });
    const reply = await http.call({ method: 'GET', url }, deadline);
    const body = reply.kind === 'answered' && reply.status === 200 ? bodyOf(Rows, reply) : undefined;
    // A second message that fits may stand in the list that is not there.
    if (!body) return [];
    rows.push(...body.data.filter((row) => row !== null));
  }
  // A row may move from the one list to the other between the two looks; the later look counts.
  const found = new Map(rows.filter((row) => fits(row, to, attempted)).map((row) => [row.id, row]));
  const isNameless = attempted.content.kind === 'file';
  return [...found.values()].map((row) => ({ ...candidate(row), ...(isNameless && { isNameless }) }));
}

const candidate = ({ id, status }: Row): Candidate => ({
  providerId: id,
  ...(status === 'failed' && { failed: 'Zender says that it failed' }),
});

const Found = v.looseObject({ data: Row });

/** By its id, whatever they have made of its words. */
async function rowOf(host: Host, http: OutboundTools['http'], id: string, deadline: number): Promise<Candidate[]> {
  const url = listUrl(host, `get/${host.mode === undefined ? 'wa' : 'sms'}.message`, { type: 'sent', id });
  const reply = await http.call({ method: 'GET', url }, deadline);
  const row = reply.kind === 'answered' && reply.status === 200 ? bodyOf(Found, reply)?.data : undefined;
  return row?.id === id ? [candidate(row)] : [];
}

function isAt(address: string, to: string): boolean {
  const phone = toPhone(address);
  return phone === undefined ? normaliseJid(address) === to : isSamePhone(phone, to);
}

function fits(row: Row, to: string | undefined, { content, since }: Attempted): boolean {
  const address = row.recipient ?? row.phone;
  if (to === undefined || address === undefined || !isAt(address, to)) return false;
  const created = toInstant(row.created);
  if (created === undefined || created < since - SKEW_MS) return false;
  const words = withoutBreaks(row.message ?? '');
  if (content.kind === 'text') return words === withoutBreaks(withoutSpintax(content.text));
  return words === withoutBreaks(withoutSpintax(content.caption ?? '')) && fileIn(row, 0)?.file.url !== undefined;
}

/** Whatever their copy does to line breaks and to blanks at the ends. */
const withoutBreaks = (text: string) => text.replace(/\r\n?/g, '\n').trim();

/** The one place that says what an answer of a Zender without a message id means: by the status in the body. */
const ANSWERS: readonly Meaning[] = [
  { status: 400, is: 'rejected' },
  // API key; permission, package, quota or credit; account, device or gateway.
  { status: 401, is: 'hold' },
  { status: 403, is: 'hold' },
  { status: 404, is: 'hold' },
  { status: 500, says: /disconnected|not connected/i, is: 'hold' },
  // The row may have been made before it failed.
  { status: 500, is: 'unknown' },
];

/** Credentials of the one channel open no account of the other. */
const openBy: Readonly<Record<Channel, OutboundProvider['open']>> = {
  sms: withCredentials(SmsCopy, (_account, host, tools) => openHost(host, tools)),
  whatsapp: withCredentials(WhatsappCopy, (_account, host, tools) => openHost(host, tools)),
};

export const zenderOutbound: OutboundProvider = {
  name: 'zender',
  // They state no limit; these are WhatsApp's own, and that of ten parts of a long SMS.
  longestText: (channel) => (channel === 'sms' ? 1_530 : 65_536),
  // WhatsApp's own limit of a caption.
  longestCaption: (channel) => (channel === 'sms' ? 0 : 1_024),
  recipients: (channel) => (channel === 'sms' ? ['phone', 'chat_id'] : ['phone', 'jid', 'chat_id']),
  takesFiles: (channel) => channel === 'whatsapp',
  canReach: (recipient, channel) => addressFor(channel, recipient) !== undefined,
  chatOf: (phone) => phone,
  lineOf,
  open: (account, credentials, tools) => openBy[account.channel](account, credentials, tools),
};

function openHost(host: Host, tools: OutboundTools): OpenAccount {
  return {
    send: (message, deadline) => send(host, tools, message, deadline),
    probe: (deadline) => probe(host, tools, deadline),
    find: (attempted, deadline) => findSent(host, tools, attempted, deadline),
  };
}

/** Where an answer has none, some say so in a word. */
const NO_ID = /^(?:true|false|null|none|undefined|error|failed|0)$/i;
const Id = v.pipe(
  v.union([v.pipe(v.string(), v.trim(), v.regex(/^[\w.:@+-]{1,200}$/)), v.number()]),
  v.check((id) => !NO_ID.test(String(id))),
  v.transform(String),
);
const MaybeId = ifValid(Id);
const WithId = v.looseObject({ messageId: MaybeId, message_id: MaybeId, messageid: MaybeId, id: MaybeId });
const idOf = ({ messageId, message_id, messageid, id }: v.InferOutput<typeof WithId>) =>
  messageId ?? message_id ?? messageid ?? id;

/** In an object, the first of a list, or bare. */
const Identified = v.pipe(
  v.unknown(),
  v.transform((data) => (Array.isArray(data) ? data[0] : data)),
  v.union([Id, v.pipe(WithId, v.transform(idOf))]),
);
const Envelope = v.looseObject({
  // Without one, that of HTTP counts; a word that nobody knows says nothing.
  status: v.optional(v.fallback(Code, 0)),
  message: ifValid(v.string()),
  data: ifValid(Identified),
  messageId: MaybeId,
});

async function send(host: Host, tools: OutboundTools, message: Outgoing, deadline: number): Promise<SendOutcome> {
  const request = requestFor(host, message);
  if (!('url' in request)) return { kind: 'rejected', reason: request.refused };
  const reply = await tools.http.call(request, deadline);
  return reply.kind === 'broken' ? outcomeOfBreakdown(reply.breakdown) : judge(host, tools, reply, textOf(message));
}

/** Errors come with HTTP 200 and the true code in the body; what stands before the script may answer by HTTP alone. */
function judge(host: Host, { clock }: OutboundTools, reply: Answer, text = ''): SendOutcome {
  const body = bodyOf(Envelope, reply);
  const status = reply.status === 200 ? (body?.status ?? 200) : reply.status;
  const id = body?.data ?? body?.messageId;
  if (status === 200 && id !== undefined) return { kind: 'accepted', providerId: id };
  const said = { ...answered(reply, body?.message, clock.now()), status };
  // The row was made before it failed: it may wait and go out later, also where the account is disconnected now.
  return withId(meaningOf(ANSWERS, said, [host.secret], withoutSpintax(text)), id);
}
