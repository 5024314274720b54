import * as v from 'valibot';
import { isSamePhone, normaliseJid, phoneOfJid, toPhone } from '#lib/domain/person.ts';
import { ifValid, known } from '#lib/domain/schema.ts';
import { type Meaning, meaningOf, outcomeOfBreakdown, type SendOutcome, withId } from '#lib/domain/send/outcome.ts';
import { type Recipient, recipientOf, whatsappChatOf } from '#lib/domain/send/recipient.ts';
import { toInstant } from '#lib/domain/time.ts';
import { fileIn, isNone } from '#lib/inbox/received-file.ts';
import {
  type Answer,
  type Attempted,
  answered,
  ask,
  bodyOf,
  type Candidate,
  isSince,
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

/**
 * Zender takes `{one|two}` for a choice, and drops the braces of `{one}`; there is no escape. Where a brace is closed, all
 * braces are therefore written with the ornaments that look like them.
 */
export function withoutSpintax(text: string): string {
  const open = text.indexOf('{');
  return open >= 0 && text.includes('}', open) ? text.replaceAll('{', '\u2774').replaceAll('}', '\u2775') : text;
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

/** A copy of Zender, and what it is called with. */
type Line = OutboundTools & { readonly host: Host };

/** Asks for the list in which the account's sender stands: WhatsApp accounts, phones, or the credits that pay. */
async function probe({ host, http }: Line, deadline: number): Promise<ProbeResult> {
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

const MEDIA = new Set(['jpg', 'png', 'gif', 'mp4', 'mp3', 'ogg']);
const DOCUMENTS = new Set(['pdf', 'xml', 'xls', 'xlsx', 'doc', 'docx']);

/** Why there is no request for a message. */
interface Refused {
  readonly refused: string;
}

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

/** What may be this attempt: sent, or still waiting. An empty list is answered with `status` 404. */
async function findSent(line: Line, attempted: Attempted, deadline: number): Promise<readonly Candidate[]> {
  const { host } = line;
  if (attempted.providerId !== undefined) return rowOf(line, attempted.providerId, deadline);
  const to = addressOf(host, attempted.recipient);
  const rows: Row[] = [];
  for (const list of ['pending', 'sent']) {
    const url = listUrl(host, `get/${kindOf(host)}.${list}`, { limit: ROWS, page: '1' });
    const body = await ask(line, { method: 'GET', url }, Rows, deadline);
    // A second message that fits may stand in the list that is not there.
    if (!body) return [];
    rows.push(...body.data.filter((row) => row !== null));
  }
  // A row may move from the one list to the other between the two looks; the later look counts.
  const found = new Map(rows.filter((row) => fits(row, to, attempted)).map((row) => [row.id, row]));
  const isNameless = attempted.content.kind === 'file';
  return [...found.values()].map((row) => ({ ...candidate(row), ...(isNameless && { isNameless }) }));
}

const kindOf = (host: Host) => (host.mode === undefined ? 'wa' : 'sms');

const candidate = ({ id, status }: Row): Candidate => ({
  providerId: id,
  ...(status === 'failed' && { failed: 'Zender says that it failed' }),
});

const Found = v.looseObject({ data: Row });

/** By its id, whatever they have made of its words. */
async function rowOf(line: Line, id: string, deadline: number): Promise<Candidate[]> {
  const url = listUrl(line.host, `get/${kindOf(line.host)}.message`, { type: 'sent', id });
  const row = (await ask(line, { method: 'GET', url }, Found, deadline))?.data;
  return row?.id === id ? [candidate(row)] : [];
}

function isAt(address: string, to: string): boolean {
  const phone = toPhone(address);
  return phone === undefined ? normaliseJid(address) === to : isSamePhone(phone, to);
}

function fits(row: Row, to: string | undefined, attempted: Attempted): boolean {
  const { content } = attempted;
  const address = row.recipient ?? row.phone;
  if (to === undefined || address === undefined || !isAt(address, to)) return false;
  if (!isSince(toInstant(row.created), attempted)) return false;
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
  sms: withCredentials(SmsCopy, (_account, host, tools) => openLine({ ...tools, host })),
  whatsapp: withCredentials(WhatsappCopy, (_account, host, tools) => openLine({ ...tools, host })),
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

function openLine(line: Line): OpenAccount {
  return {
    send: (message, deadline) => send(line, message, deadline),
    probe: (deadline) => probe(line, deadline),
    find: (attempted, deadline) => findSent(line, attempted, deadline),
  };
}

/** Where an answer has none, PHP has a word for that. */
const Id = ifValid(
  v.pipe(
    v.union([v.pipe(v.string(), v.trim(), v.regex(/^[\w.:@+-]{1,200}$/)), v.number()]),
    v.transform(String),
    v.check((id) => !isNone(id)),
  ),
);
const Envelope = v.looseObject({
  // Without one, that of HTTP counts; a word that nobody knows says nothing.
  status: v.optional(v.fallback(Code, 0)),
  message: ifValid(v.string()),
  data: ifValid(v.looseObject({ messageId: Id, id: Id })),
});

async function send(line: Line, message: Outgoing, deadline: number): Promise<SendOutcome> {
  const request = requestFor(line.host, message);
  if (!('url' in request)) return { kind: 'rejected', reason: request.refused };
  const reply = await line.http.call(request, deadline);
  return reply.kind === 'broken' ? outcomeOfBreakdown(reply.breakdown) : judge(line, reply, textOf(message));
}

/** Errors come with HTTP 200 and the true code in the body; what stands before the script may answer by HTTP alone. */
function judge({ host, clock }: Line, reply: Answer, text = ''): SendOutcome {
  const body = bodyOf(Envelope, reply);
  const status = reply.status === 200 ? (body?.status ?? 200) : reply.status;
  const id = body?.data?.messageId ?? body?.data?.id;
  if (status === 200 && id !== undefined) return { kind: 'accepted', providerId: id };
  const said = { ...answered(reply, body?.message, clock.now()), status };
  // The row was made before it failed: it may wait and go out later, also where the account is disconnected now.
  return withId(meaningOf(ANSWERS, said, [host.secret], withoutSpintax(text)), id);
}
