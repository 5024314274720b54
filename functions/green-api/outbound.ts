import * as v from 'valibot';
import { kindOfFile, typeByName } from '#lib/domain/file.ts';
import { isSamePhone, normaliseJid, type Phone, phoneOfJid, toPhone } from '#lib/domain/person.ts';
import { ifValid, known } from '#lib/domain/schema.ts';
import { type Meaning, meaningOf, outcomeOfBreakdown, type SendOutcome, withId } from '#lib/domain/send/outcome.ts';
import { recipientOf, whatsappChatOf } from '#lib/domain/send/recipient.ts';
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
import { hostOf, type Instance, lineOf, StoredInstance } from './account.ts';

/** The URL is a secret: the token is a part of its path. */
function methodUrl(instance: Instance, method: string, host: 'api' | 'media' = 'api'): string {
  const base = host === 'media' ? (instance.mediaUrl ?? instance.apiUrl) : instance.apiUrl;
  return `${hostOf(base)}/waInstance${instance.idInstance}/${method}/${instance.apiTokenInstance}`;
}

const Text = ifValid(v.string());

const Queue = v.array(
  v.looseObject({
    messageID: Text,
    body: ifValid(v.looseObject({ chatId: Text, message: Text, fileName: Text })),
  }),
);

const Journal = v.array(
  v.looseObject({
    type: Text,
    idMessage: Text,
    timestamp: ifValid(v.union([v.number(), v.pipe(v.string(), v.digits(), v.transform(Number))])),
    typeMessage: Text,
    chatId: Text,
    textMessage: Text,
    extendedTextMessage: ifValid(v.looseObject({ text: Text })),
    fileName: Text,
    statusMessage: Text,
    sendByApi: ifValid(v.boolean()),
  }),
);
type Entry = v.InferOutput<typeof Journal>[number];

const JOURNAL_ENTRIES = 100;

/** An instance, and what it is called with. */
type Line = OutboundTools & { readonly instance: Instance };

/** What may be this attempt: still in the instance's queue, or in the chat's journal, which is up to 2 minutes behind. */
async function findSent(line: Line, attempted: Attempted, deadline: number): Promise<readonly Candidate[]> {
  const recipient = recipientOf(attempted.recipient);
  const chatId = recipient && whatsappChatOf(recipient);
  if (chatId === undefined) return [];
  const inQueue = { method: 'GET', url: methodUrl(line.instance, 'showMessagesQueue') } as const;
  const queue = await ask(line, inQueue, Queue, deadline);
  const inJournal = {
    method: 'POST',
    url: methodUrl(line.instance, 'getChatHistory'),
    body: { kind: 'json', value: { chatId, count: JOURNAL_ENTRIES } },
  } as const;
  const journal = queue && (await ask(line, inJournal, Journal, deadline));
  // A second message that fits may stand in the list that did not come.
  if (!journal) return [];
  const waiting = queue.flatMap((entry) => waitingIn(entry, chatId, attempted));
  const known = new Set(waiting.map(({ providerId }) => providerId));
  const told = journal.flatMap((entry) => toldIn(entry, chatId, attempted));
  return [...waiting, ...told.filter(({ providerId }) => !known.has(providerId))];
}

function waitingIn({ messageID, body }: v.InferOutput<typeof Queue>[number], chatId: string, { content }: Attempted) {
  const same = content.kind === 'text' ? body?.message === content.text : body?.fileName === content.name;
  return messageID && same && body?.chatId === chatId ? [{ providerId: messageID }] : [];
}

function toldIn(entry: Entry, chatId: string, attempted: Attempted): Candidate[] {
  const { idMessage: providerId, chatId: told, statusMessage } = entry;
  if (!providerId || told === undefined || !isOfChat(told, chatId) || !fits(entry, attempted)) return [];
  const { content } = attempted;
  return [
    {
      providerId,
      ...(content.kind === 'file' && isPlayable(content.name) && { isNameless: true }),
      ...(statusMessage && FAILURES.has(statusMessage) && { failed: statusMessage }),
    },
  ];
}

/** The journal of a person's chat may call it by the id that hides the number, or by its other spelling. */
function isOfChat(told: string, asked: string): boolean {
  const jid = normaliseJid(told);
  return (
    jid === asked ||
    isSamePhone(phoneOfJid(jid), phoneOfJid(asked)) ||
    (jid.endsWith('@lid') && asked.endsWith('@c.us'))
  );
}

function fits(entry: Entry, attempted: Attempted): boolean {
  const { content } = attempted;
  if (entry.type !== 'outgoing' || entry.sendByApi === false) return false;
  if (!isSince(entry.timestamp && entry.timestamp * 1000, attempted)) return false;
  if (content.kind === 'text') return (entry.textMessage || entry.extendedTextMessage?.text) === content.text;
  // Names of files other than documents are made up, so a picture is known by being one.
  if (!isPlayable(content.name)) return entry.typeMessage === 'documentMessage' && entry.fileName === content.name;
  return /^(?:image|video|audio|sticker)Message$/.test(entry.typeMessage ?? '');
}

/** GREEN-API, too, tells by the extension what WhatsApp shows as it is. */
const isPlayable = (name: string): boolean => kindOfFile(typeByName(name)) !== 'document';

const FAILURES = new Set(['failed', 'noAccount', 'notInGroup', 'noActiveSession', 'yellowCard']);

/** The one place that says what an answer of GREEN-API without a message id means. */
const ANSWERS: readonly Meaning[] = [
  { status: 400, says: /validation failed|unexpected token|bad request data/i, is: 'rejected' },
  // It may be starting, or waiting for somebody to scan its code: they do not say which.
  { status: 400, says: /starting or not authorized/i, is: 'retry', holdAfter: 5 },
  { status: 400, says: /starting/i, is: 'retry' },
  { status: 400, says: /not authorized|expired|deleted/i, is: 'hold' },
  { status: 404, says: /not authorized|expired|deleted|cannot (?:get|post)|path|not found/i, is: 'hold' },
  // Not from their API at all: the instance's host or path is wrong.
  { status: 404, says: 'nothing', is: 'hold' },
  // A quota of the month, and neither of calls nor of chats as far as it tells.
  { status: 466, is: 'retry', holdAfter: 5 },
  // Too many number checks, says a sister product; later is better.
  { status: 469, is: 'retry' },
];

/** What is shorter, they answer with 400. */
const SHORTEST_QUOTED = 16;

export const greenApiOutbound: OutboundProvider = {
  name: 'green-api',
  longestText: () => 20_000,
  recipients: () => ['phone', 'jid', 'chat_id'],
  takesFiles: () => true,
  canQuote: (quoted) => quoted.length >= SHORTEST_QUOTED,
  canReach: (recipient) => whatsappChatOf(recipient) !== undefined,
  chatOf: (phone) => `${phone.slice(1)}@c.us`,
  lineOf,
  open: withCredentials(StoredInstance, (_account, instance, tools) => openInstance({ ...tools, instance })),
};

function openInstance(line: Line): OpenAccount {
  return {
    send: (message, deadline) => send(line, message, deadline),
    probe: (deadline) => probe(line, deadline),
    phone: (deadline) => linkedPhone(line, deadline),
    find: (attempted, deadline) => findSent(line, attempted, deadline),
  };
}

const Sent = v.looseObject({ idMessage: v.pipe(v.string(), v.nonEmpty()) });

async function send(line: Line, message: Outgoing, deadline: number): Promise<SendOutcome> {
  const recipient = recipientOf(message.recipient);
  const chatId = recipient && whatsappChatOf(recipient);
  if (chatId === undefined) return { kind: 'rejected', reason: 'the recipient is no chat id that GREEN-API knows' };
  const reply = await line.http.call(requestFor(line.instance, chatId, message), deadline);
  if (reply.kind === 'broken') return outcomeOfBreakdown(reply.breakdown);
  const id = bodyOf(Sent, reply)?.idMessage;
  if (reply.status === 200 && id !== undefined) return { kind: 'accepted', providerId: id };
  return withId(meaning(line, reply, textOf(message)), id);
}

/** Fields beyond these, and even known ones without a value, are answered with 400. */
function requestFor(instance: Instance, chatId: string, { content, quoted }: Outgoing): ProviderRequest {
  const quote = known({ quotedMessageId: quoted });
  if (content.kind === 'text') {
    const body = { kind: 'json', value: { chatId, message: content.text, ...quote } } as const;
    return { method: 'POST', url: methodUrl(instance, 'sendMessage'), body };
  }
  const { name, mimeType, bytes } = content;
  const file = { field: 'file', name, mimeType, bytes };
  const body = { kind: 'multipart', fields: { chatId, fileName: name, ...quote }, file } as const;
  return { method: 'POST', url: methodUrl(instance, 'sendFileByUpload', 'media'), body };
}

// Some bodies are plain text. `path` in theirs repeats the token, so nothing but `message` is ever read.
const Fault = v.looseObject({ message: v.string() });

const Figure = ifValid(v.pipe(v.union([v.string(), v.number()]), v.transform(Number)));
const Quota = ifValid(v.looseObject({ status: Text, used: Figure, total: Figure }));
const Quotas = v.looseObject({ invokeStatus: Quota, correspondentsStatus: Quota });

/** By their word for it; where they give none, by the figures. */
const isExhausted = ({ status, used, total }: NonNullable<v.InferOutput<typeof Quota>>): boolean =>
  status === undefined ? used !== undefined && total !== undefined && used >= total : /exceeded/i.test(status);

/**
 * Which quota is used up: that of calls stops the account, that of chats only those that are not yet among them. Where
 * calls are allowed it can be nothing but the chat. Their own words name the other chats, and are not repeated.
 */
function quotaOutcome(reply: Answer): SendOutcome | undefined {
  const { invokeStatus, correspondentsStatus } = (reply.status === 466 && bodyOf(Quotas, reply)) || {};
  if (invokeStatus && isExhausted(invokeStatus))
    return { kind: 'hold', reason: "http 466: the plan's calls of the month are used up" };
  if (!invokeStatus && !(correspondentsStatus && isExhausted(correspondentsStatus))) return undefined;
  const reason = "http 466: the plan's number of chats is used up, and this one is not among them";
  return { kind: 'rejected', reason };
}

function meaning({ instance, clock }: Line, reply: Answer, text?: string): SendOutcome {
  const quota = quotaOutcome(reply);
  if (quota) return quota;
  const words = bodyOf(Fault, reply)?.message ?? plainText(reply);
  return meaningOf(ANSWERS, answered(reply, words, clock.now()), [instance.apiTokenInstance], text);
}

function plainText({ headers, text }: Answer): string | undefined {
  return /^text\/plain/i.test(headers['content-type'] ?? '') && text !== '' ? text : undefined;
}

const State = v.looseObject({ stateInstance: v.string() });

async function probe(line: Line, deadline: number): Promise<ProbeResult> {
  const reply = await line.http.call({ method: 'GET', url: methodUrl(line.instance, 'getStateInstance') }, deadline);
  if (reply.kind === 'broken') return { kind: 'unknown' };
  const state = reply.status === 200 ? bodyOf(State, reply)?.stateInstance : undefined;
  if (state !== undefined) return stateResult(state);
  const outcome = meaning(line, reply);
  return outcome.kind === 'hold'
    ? { kind: 'held', reason: `${outcome.reason}: take all four credentials from the instance's page in their console` }
    : { kind: 'unknown', answers: reply.status < 500 };
}

function stateResult(state: string): ProbeResult {
  const word = known({ state: stateWord(state) });
  if (state === 'authorized') return { kind: 'ok', ...word };
  if (state === 'starting') return { kind: 'unknown', ...word };
  const remedy = REMEDIES.get(state) ?? 'look at the instance in their console';
  return { kind: 'held', reason: `the instance is ${word.state ?? 'not authorized'}: ${remedy}`, ...word };
}

const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['notAuthorized', 'link the phone by the QR code in their console'],
  ['blocked', 'WhatsApp has banned the number, so ask WhatsApp'],
  ['sleepMode', 'switch the phone on'],
  ['yellowCard', 'WhatsApp suspects spam, so wait, and reboot the instance in their console'],
]);

const Linked = v.looseObject({ phone: v.pipe(v.union([v.string(), v.number()]), v.transform(String)) });

async function linkedPhone(line: Line, deadline: number): Promise<Phone | undefined> {
  const request = { method: 'GET', url: methodUrl(line.instance, 'getWaSettings') } as const;
  return toPhone((await ask(line, request, Linked, deadline))?.phone);
}
