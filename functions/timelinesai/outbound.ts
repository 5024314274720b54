import * as v from 'valibot';
import { isRecord } from '#lib/domain/json.ts';
import { isSamePhone, normaliseJid, toPhone } from '#lib/domain/person.ts';
import { ifValid, known } from '#lib/domain/schema.ts';
import { type Meaning, meaningOf, outcomeOfBreakdown, type SendOutcome, withId } from '#lib/domain/send/outcome.ts';
import { type Recipient, recipientOf, whatsappChatOf } from '#lib/domain/send/recipient.ts';
import { toInstant } from '#lib/domain/time.ts';
import {
  type Answer,
  type Attachment,
  type Attempted,
  answered,
  ask,
  bodyOf,
  type Candidate,
  isSince,
  type OpenAccount,
  type OutboundAccount,
  type OutboundProvider,
  type OutboundTools,
  type Outgoing,
  type ProbeResult,
  type ProviderRequest,
  type Reply,
  stateWord,
  withCredentials,
} from '#lib/sender/provider.ts';
import { apiUrl, lineOf, StoredWorkspace, type Workspace } from './account.ts';

/** An account in a workspace, and what it is called with. */
type Line = OutboundTools & { readonly account: OutboundAccount; readonly workspace: Workspace };

function request({ workspace }: Line, path: string, body?: ProviderRequest['body']): ProviderRequest {
  const headers = { authorization: `Bearer ${workspace.apiToken}` };
  return { method: body ? 'POST' : 'GET', url: apiUrl(workspace, path), headers, ...known({ body }) };
}

const Text = ifValid(v.string());
const Line = v.looseObject({ phone: Text, status: Text });
const Numbers = v.looseObject({ status: v.literal('ok'), data: v.unknown() });

const CONNECTED = /^(?:active|connected|online)$/i;

/** Whether the number, or any where it is not known which, is connected. */
async function probe(line: Line, deadline: number): Promise<ProbeResult> {
  const { phone } = line.account;
  const reply = await line.http.call(request(line, 'whatsapp_accounts'), deadline);
  if (reply.kind === 'broken') return { kind: 'unknown' };
  if (reply.status === 401)
    return { kind: 'held', reason: 'http 401: give the token that TimelinesAI shows under Integrations, Public API' };
  const body = reply.status === 200 ? bodyOf(Numbers, reply) : undefined;
  const numbers = body && listIn(body.data, Line);
  if (!numbers) return { kind: 'unknown', answers: reply.status < 500 };
  const ours = phone === undefined ? numbers : numbers.filter((number) => isSamePhone(toPhone(number.phone), phone));
  const connected = ours.find(({ status }) => CONNECTED.test(status ?? ''));
  const shown = connected ?? (ours.length === 1 ? ours[0] : undefined);
  const told = known({ state: stateWord(shown?.status), phone: toPhone(shown?.phone) });
  if (connected) return { kind: 'ok', ...told };
  return { kind: 'held', reason: ours.length === 0 ? NOT_THERE : NOT_CONNECTED, ...told };
}

const NOT_THERE = 'the number is not in the workspace of the token: give the account the phone of one that is';
const NOT_CONNECTED = 'the number is not connected: connect it in TimelinesAI';

/** The list itself, or under whatever name it has. */
function listIn<Schema extends v.GenericSchema>(data: unknown, schema: Schema) {
  const list = Array.isArray(data) ? data : isRecord(data) && Object.values(data).find(Array.isArray);
  return list ? v.parse(v.fallback(v.array(schema), []), list) : undefined;
}

type What = { readonly text: string } | { readonly file_uid: string };

/** The call that sends something to this recipient; undefined where TimelinesAI has none for it. */
function messageRequest(
  line: Line,
  { recipient: kept, quoted }: Pick<Outgoing, 'recipient' | 'quoted'>,
): ((what: What) => ProviderRequest) | undefined {
  const recipient = recipientOf(kept);
  const way = recipient && wayTo(recipient);
  if (!way) return undefined;
  // A chat belongs to one number already; for the rest, a workspace has several.
  const from = known({ whatsapp_account_phone: way.hasAccount ? undefined : line.account.phone });
  const quote = known({ reply_to: quoted });
  return (what) => request(line, way.path, { kind: 'json', value: { ...way.to, ...from, ...what, ...quote } });
}

interface Way {
  readonly path: string;
  readonly to: object;
  readonly hasAccount?: true;
  /** The call takes the id of a message that is answered. */
  readonly canQuote?: true;
}

function wayTo(recipient: Recipient): Way | undefined {
  switch (recipient.kind) {
    case 'phone':
      return { path: 'messages', to: { phone: recipient.phone } };
    case 'chat_name':
      return { path: 'messages/to_chat_name', to: { chat_name: recipient.name } };
    case 'jid':
      return whatsappChatOf(recipient) === undefined
        ? undefined
        : { path: 'messages/to_jid', to: { jid: theirJid(recipient.jid) }, canQuote: true };
    case 'chat_id':
      return wayToChat(recipient.id);
  }
}

/** Events that do not tell the chat's number name it by its JID or phone. */
function wayToChat(id: string): Way | undefined {
  if (/^\d{1,20}$/.test(id)) return { path: `chats/${id}/messages`, to: {}, hasAccount: true, canQuote: true };
  const phone = toPhone(id);
  if (phone !== undefined) return { path: 'messages', to: { phone } };
  return id.includes('@') ? { path: 'messages/to_jid', to: { jid: theirJid(id) }, canQuote: true } : undefined;
}

/** A person's id as their page spells it. */
const theirJid = (jid: string): string => normaliseJid(jid).replace(/@c\.us$/, '@s.whatsapp.net');

const Message = v.looseObject({
  uid: Text,
  message_uid: Text,
  timestamp: Text,
  from_me: ifValid(v.boolean()),
  text: Text,
  origin: Text,
  status: Text,
  attachment_filename: Text,
});
type Message = v.InferOutput<typeof Message>;
const History = v.looseObject({ status: v.literal('ok'), data: v.unknown() });

/**
 * What may be this attempt, in the last 50 messages of its chat. Without the chat's number there is nothing to ask for:
 * then only the message's echo tells.
 */
async function findSent(line: Line, attempted: Attempted, deadline: number): Promise<readonly Candidate[]> {
  const { chat_id: asked, provider_chat: known } = attempted.recipient;
  const id = [asked, known].find((one) => one !== undefined && /^\d{1,20}$/.test(one));
  if (id === undefined) return [];
  const history = await ask(line, request(line, `chats/${id}/messages`), History, deadline);
  return (listIn(history?.data, Message) ?? []).flatMap((message) => {
    const id = message.uid ?? message.message_uid;
    return id && fits(message, attempted) ? [candidate(id, message)] : [];
  });
}

function fits({ from_me, origin, timestamp, text, attachment_filename }: Message, attempted: Attempted): boolean {
  const { content } = attempted;
  if (from_me !== true || (origin !== undefined && origin !== 'Public API')) return false;
  if (!isSince(toInstant(timestamp), attempted)) return false;
  return content.kind === 'text' ? text === content.text : attachment_filename === content.name;
}

function candidate(providerId: string, { status }: Message): Candidate {
  return /^(?:failed|error)$/i.test(status ?? '')
    ? { providerId, failed: 'TimelinesAI says that it failed' }
    : { providerId };
}

const OF_THE_ACCOUNT =
  /\b(?:account|workspace|subscription|token)\b.*\b(?:disconnected|not connected|not authorized|not found|expired|suspended|deleted|inactive)\b|\bquota\b/i;

/**
 * The one place that says what an answer of TimelinesAI without a message id means. 200 is listed because a failure may
 * come under it, and then has words.
 */
const ANSWERS: readonly Meaning[] = [
  // Their firewall's throttle, which goes away after seconds; the third in a row is something else.
  { status: 403, is: 'retry', holdAfter: 3 },
  { status: 200, says: OF_THE_ACCOUNT, is: 'hold' },
  { status: 200, says: /./, is: 'rejected' },
  { status: 400, says: OF_THE_ACCOUNT, is: 'hold' },
  { status: 404, says: OF_THE_ACCOUNT, is: 'hold' },
  // A page: the base URL is wrong.
  { status: 404, says: 'nothing', is: 'hold' },
];

export const timelinesAiOutbound: OutboundProvider = {
  name: 'timelinesai',
  longestText: () => 2_000,
  recipients: () => ['phone', 'jid', 'chat_id', 'chat_name'],
  takesFiles: () => true,
  canQuote: (_quoted, recipient) => wayTo(recipient)?.canQuote === true,
  canReach: (recipient) => wayTo(recipient) !== undefined,
  lineOf,
  isNamedByPhone: true,
  open: withCredentials(StoredWorkspace, (account, workspace, tools) => openLine({ ...tools, account, workspace })),
};

function openLine(line: Line): OpenAccount {
  return {
    send: (message, deadline) => send(line, message, deadline),
    probe: (deadline) => probe(line, deadline),
    find: (attempted, deadline) => findSent(line, attempted, deadline),
  };
}

/** Time that the message needs after its file: with less, its outcome would likely stay unknown for nothing. */
const MESSAGE_MS = 2_000;

/** A file goes first, on its own; until the message that names it is called, nothing has been sent. */
async function send(line: Line, message: Outgoing, deadline: number): Promise<SendOutcome> {
  const { content } = message;
  const requestWith = messageRequest(line, message);
  if (!requestWith) return { kind: 'rejected', reason: 'the recipient is none that TimelinesAI can reach' };
  if (content.kind === 'text')
    return judge(line, await line.http.call(requestWith({ text: content.text }), deadline), content.text);
  const uploaded = await upload(line, content, deadline - MESSAGE_MS);
  if ('kind' in uploaded) return uploaded;
  return judge(line, await line.http.call(requestWith({ file_uid: uploaded.uid }), deadline));
}

const Uploaded = v.looseObject({
  status: v.literal('ok'),
  data: v.looseObject({ uid: v.pipe(v.string(), v.nonEmpty()) }),
});

async function upload(
  line: Line,
  { name, mimeType, bytes }: Attachment,
  deadline: number,
): Promise<{ readonly uid: string } | SendOutcome> {
  const fields = { filename: name, content_type: mimeType };
  const body = { kind: 'multipart', fields, file: { field: 'file', name, mimeType, bytes } } as const;
  const reply = await line.http.call(request(line, 'files_upload', body), deadline);
  const uploaded = reply.kind === 'answered' && reply.status === 200 ? bodyOf(Uploaded, reply) : undefined;
  if (uploaded) return uploaded.data;
  const outcome = judge(line, reply);
  // An upload that may have arrived has still reached nobody.
  return outcome.kind === 'unknown'
    ? { kind: 'retry', reason: `the file could not be uploaded: ${outcome.reason}` }
    : outcome;
}

const Id = ifValid(v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.nonEmpty()));
const Named = v.looseObject({ status: v.string(), data: v.looseObject({ message_uid: Id, uid: Id }) });
const Fault = v.looseObject({
  status: v.literal('error'),
  message: Text,
  error_code: Text,
  errors: v.fallback(v.array(v.looseObject({ msg: v.fallback(v.string(), '') })), []),
});

function judge({ workspace, clock }: Line, reply: Reply, text?: string): SendOutcome {
  if (reply.kind === 'broken') return outcomeOfBreakdown(reply.breakdown);
  const named = bodyOf(Named, reply);
  const id = named?.data.message_uid ?? named?.data.uid;
  const isTaken = reply.status === 200 && /^(?:ok|success)$/i.test(named?.status ?? '');
  if (isTaken && id !== undefined) return { kind: 'accepted', providerId: id };
  return withId(meaningOf(ANSWERS, answered(reply, wordsOf(reply), clock.now()), [workspace.apiToken], text), id);
}

function wordsOf(reply: Answer): string | undefined {
  const fault = bodyOf(Fault, reply);
  if (!fault) return undefined;
  const words = [fault.message, fault.error_code, ...fault.errors.map(({ msg }) => msg)].filter(Boolean).join(' ');
  return words === '' ? 'an error without words' : words;
}
