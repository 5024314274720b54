import * as v from 'valibot';
import { type Attempted, bodyOf, type Candidate, type OutboundTools } from '#lib/app/sending/outbound.ts';
import { normaliseJid } from '#lib/domain/jid.ts';
import { mimeTypes } from '#lib/domain/mime-types.ts';
import { recipientOf, whatsappChatOf } from '#lib/domain/sending/recipient.ts';
import { type Instance, methodUrl } from './outbound-instance.ts';

const Text = v.fallback(v.optional(v.string()), undefined);

const Queue = v.array(
  v.looseObject({
    messageID: Text,
    body: v.fallback(v.optional(v.looseObject({ chatId: Text, message: Text, fileName: Text })), undefined),
  }),
);

const Journal = v.array(
  v.looseObject({
    type: Text,
    idMessage: Text,
    timestamp: v.fallback(v.optional(v.number()), undefined),
    typeMessage: Text,
    chatId: Text,
    textMessage: Text,
    fileName: Text,
    statusMessage: Text,
    sendByApi: v.fallback(v.optional(v.boolean()), undefined),
  }),
);
type Entry = v.InferOutput<typeof Journal>[number];

/** Clocks differ, and the journal's seconds are rounded down. */
const SKEW_MS = 5_000;
const JOURNAL_ENTRIES = 100;

/** What may be this attempt: still in the instance's queue, or in the chat's journal, which is up to 2 minutes behind. */
export async function findSent(
  instance: Instance,
  tools: OutboundTools,
  attempted: Attempted,
  deadline: number,
): Promise<readonly Candidate[]> {
  const recipient = recipientOf(attempted.recipient);
  const chatId = recipient && whatsappChatOf(recipient);
  if (chatId === undefined) return [];
  const waiting = await queued(instance, tools, chatId, attempted, deadline);
  const told = waiting && (await journalled(instance, tools, chatId, attempted, deadline));
  // A second message that fits may stand in the list that did not come.
  if (!told) return [];
  const known = new Set(waiting.map(({ providerId }) => providerId));
  return [...waiting, ...told.filter(({ providerId }) => !known.has(providerId))];
}

async function queued(
  instance: Instance,
  { http }: OutboundTools,
  chatId: string,
  { content }: Attempted,
  deadline: number,
): Promise<readonly Candidate[] | undefined> {
  const reply = await http.call({ method: 'GET', url: methodUrl(instance, 'showMessagesQueue') }, deadline);
  const queue = reply.kind === 'answered' && reply.status === 200 ? bodyOf(Queue, reply) : undefined;
  return queue?.flatMap(({ messageID, body }) => {
    const same = content.kind === 'text' ? body?.message === content.text : body?.fileName === content.name;
    return messageID && same && body?.chatId === chatId ? [{ providerId: messageID }] : [];
  });
}

async function journalled(
  instance: Instance,
  { http }: OutboundTools,
  chatId: string,
  attempted: Attempted,
  deadline: number,
): Promise<readonly Candidate[] | undefined> {
  const body = { kind: 'json', value: { chatId, count: JOURNAL_ENTRIES } } as const;
  const reply = await http.call({ method: 'POST', url: methodUrl(instance, 'getChatHistory'), body }, deadline);
  const journal = reply.kind === 'answered' && reply.status === 200 ? bodyOf(Journal, reply) : undefined;
  return journal?.flatMap((entry) =>
    entry.idMessage && entry.chatId !== undefined && normaliseJid(entry.chatId) === chatId && fits(entry, attempted)
      ? [{ providerId: entry.idMessage, ...namelessness(attempted), ...failure(entry) }]
      : [],
  );
}

function fits(entry: Entry, { content, since }: Attempted): boolean {
  if (entry.type !== 'outgoing' || entry.sendByApi === false) return false;
  if (entry.timestamp === undefined || entry.timestamp * 1000 < since - SKEW_MS) return false;
  if (content.kind === 'text') return entry.textMessage === content.text;
  // Names of files other than documents are made up, so a picture is known by being one.
  if (!isPlayable(content.name)) return entry.typeMessage === 'documentMessage' && entry.fileName === content.name;
  return /^(?:image|video|audio|sticker)Message$/.test(entry.typeMessage ?? '');
}

const namelessness = ({ content }: Attempted) =>
  content.kind === 'file' && isPlayable(content.name) ? { isNameless: true } : {};

/** GREEN-API, too, tells by the extension what WhatsApp shows as it is. */
function isPlayable(name: string): boolean {
  return /^(?:image|video|audio)\//.test(mimeTypes[/\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''] ?? '');
}

const FAILURES = new Set(['failed', 'noAccount', 'notInGroup', 'noActiveSession', 'yellowCard']);

function failure({ statusMessage }: Entry) {
  return statusMessage && FAILURES.has(statusMessage) ? { failed: statusMessage } : {};
}
