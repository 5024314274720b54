import { namesOfRecipient, phoneOfRecipient, sightChat } from '#lib/chats/people.ts';
import type { Content } from '#lib/domain/content.ts';
import type { MessageEvent } from '#lib/domain/event.ts';
import { kindOfFile, typeByName } from '#lib/domain/file.ts';
import { derivedId, sha256 } from '#lib/domain/ids.ts';
import { canonicalJson } from '#lib/domain/json.ts';
import { chatKindOfJid } from '#lib/domain/person.ts';
import { known, shortly } from '#lib/domain/schema.ts';
import { recipientOf } from '#lib/domain/send/recipient.ts';
import { toIso } from '#lib/domain/time.ts';
import { eventItems } from '#lib/inbox/event-item.ts';
import { feedRow, ownEventId, ownEventWrites, placedInTime } from '#lib/inbox/event-store.ts';
import type { StorePorts } from '#lib/store/retry.ts';
import { newTransaction, type Put, put, type Store, type Transacted, type Write } from '#lib/store/store.ts';
import type { Part, Send } from './items.ts';
import { stateOfPart } from './items.ts';

/** The chat in whose history a message stands. */
export interface Thread {
  /** The hub's id. */
  readonly chat: string;
  readonly providerChatId: string;
  /** Whom else its other side is known as: an id that hides the number, and the number. */
  readonly lid?: string;
  readonly number?: string;
}

/** As a send keeps it, beside whom the message is for. */
export const keptThread = ({ chat, providerChatId, lid, number }: Thread): Record<string, string> => ({
  chat,
  provider_chat: providerChatId,
  ...known({ lid, number }),
});

/** Undefined for a send whose chat nobody has made out. */
export function threadIn(recipient: Readonly<Record<string, string>>): Thread | undefined {
  const { chat, provider_chat: providerChatId } = recipient;
  return chat === undefined || providerChatId === undefined ? undefined : { chat, providerChatId };
}

/** The id under which a part that was sent stands in the history of its chat. */
export const sentEventId = (messageId: string, part: number): string =>
  derivedId('evt', ['send', messageId, String(part)]);

/**
 * A part's place in the history of its chat. It is written in the transaction that says that it was sent, so that there
 * is neither without the other; the provider's echo of the message is told from it on reading (lib/inbox/events.ts).
 */
export function sentEvent(send: Send, index: number, providerId: string, settledAt: number): readonly Put[] {
  const part = send.parts[index];
  // Evidence may come hours later; the message went out when it was tried.
  const at = part?.intentAt ?? settledAt;
  const thread = threadIn(send.recipient);
  if (!part || !thread) return [];
  const event = eventOf(send, index, part, thread, providerId, at);
  const { messageId, recipient } = send;
  const said = { messageId, part: index, recipient, ...contentOf(part), ...known({ quoted: part.quoted }) };
  const raw = Buffer.from(canonicalJson(said));
  const { head, chunks } = eventItems({
    event,
    raw,
    contentType: 'application/json',
    contentHash: sha256(raw),
    placeholder: false,
    orderedAt: at,
    receipt: send.messageId,
    stateKey: stateOfPart(send, index, providerId).pk,
    storedAt: settledAt,
  });
  return [put(head), feedRow(head), ...chunks];
}

/**
 * Who the recipient of a message is, with all names that are known of him, and when he was last written to. `event`: a
 * message that went out, which brings its chat to the top of the list. Should this get lost, the next message of the chat
 * makes up for it.
 */
export async function sightRecipient(
  store: Store,
  { workspace, provider, accountId, scope, recipient }: Send,
  at: number,
  { event, names = [] }: { readonly event?: string; readonly names?: readonly string[] },
): Promise<void> {
  const thread = threadIn(recipient);
  if (!thread) return;
  const { chat, providerChatId } = thread;
  const kind = chatKindOfJid(providerChatId);
  const account = { workspace, provider, accountId, accountKey: accountId, accountNames: [scope] };
  const all = [...namesOfRecipient(recipient), ...names];
  const phone = phoneOfRecipient(recipient);
  const sighting = { ...account, providerChatId, kind, isInferred: true, names: all, at };
  await sightChat(store, { ...sighting, ...known({ event, phone }) }, chat);
}

/** How a send can end, or hang, otherwise than by being sent. */
const REPORTED = ['failed', 'expired', 'unknown', 'cancelled'] as const;
type Reported = (typeof REPORTED)[number];

/** A part comes to each of these states once. */
const identityOf = ({ messageId }: Pick<Send, 'messageId'>, state: Reported, part: number | undefined): string[] => [
  ...[messageId, state],
  ...(part === undefined ? [] : [String(part)]),
];

/** What is told of parts that come to such a state together: an event of the hub's own, in the transaction that says so. */
export function sendReport(
  send: Send,
  parts: readonly number[],
  state: Reported,
  at: number,
  reason?: string,
): readonly Put[] {
  const { workspace, accountId, messageId } = send;
  // What was erased is told to nobody.
  if (send.erased) return [];
  const part = parts.length === send.parts.length ? undefined : parts[0];
  const about = known({ part, reason: reason === undefined ? undefined : shortly(reason) });
  const payload = {
    kind: 'send',
    send: { messageId, state, ...about, ...known({ recipient: addressOf(send.recipient) }) },
  } as const;
  return ownEventWrites({ workspace, accountId, payload, identity: identityOf(send, state, part) }, at);
}

/** The ids of all that may have been told of a send so. */
export const sendReportIds = (send: Send): string[] =>
  REPORTED.flatMap((state) =>
    [undefined, ...send.parts.keys()].map((part) => ownEventId(send.workspace, 'send', identityOf(send, state, part))),
  );

/** A send keeps it under the name of its kind. */
function addressOf(recipient: Send['recipient']): { readonly kind: string; readonly address: string } | undefined {
  const kind = recipientOf(recipient)?.kind;
  const address = kind && recipient[kind];
  return kind === undefined || address === undefined ? undefined : { kind, address };
}

/** One transaction; what it tells is in its place in the feed then. */
export async function transactTold(
  { store, clock, random }: StorePorts,
  writes: readonly Write[],
): Promise<Transacted> {
  const transacted = await store.transact(writes, newTransaction(random));
  if (transacted.done) await placedAsTold({ store, clock }, writes);
  return transacted;
}

/** After these were written: see `placedInTime`. */
export async function placedAsTold(
  { store, clock }: Pick<StorePorts, 'store' | 'clock'>,
  writes: readonly Write[],
): Promise<void> {
  for (const write of writes) {
    if (write.kind === 'put' && write.item.storedAt !== undefined) await placedInTime(store, clock, write.item);
  }
}

function eventOf(send: Send, index: number, part: Part, thread: Thread, providerId: string, at: number): MessageEvent {
  const { workspace, provider, accountId, messageId, recipient, webhook = '', channel = 'whatsapp' } = send;
  return {
    id: sentEventId(messageId, index),
    workspace,
    provider,
    webhookId: webhook,
    accountId,
    occurredAt: toIso(at),
    receivedAt: toIso(at),
    kind: 'message',
    chatId: thread.chat,
    sendId: messageId,
    message: {
      id: providerId,
      chat: { id: thread.providerChatId, kind: chatKindOfJid(thread.providerChatId) },
      direction: 'outbound',
      via: 'api',
      channel,
      sender: known({ phone: send.sender }),
      account: {},
      content: contentOf(part),
      ...known({
        recipient: recipient.phone === undefined ? undefined : { phone: recipient.phone },
        quoted: part.quoted === undefined ? undefined : { id: part.quoted },
      }),
    },
  };
}

/** The link that the caller gave is left out: it may be signed, and it may lead elsewhere tomorrow. */
function contentOf({ kind, text = '', name = '', caption }: Part): Content {
  if (kind === 'text') return { type: 'text', text };
  const mimeType = typeByName(name);
  return { type: kindOfFile(mimeType), file: known({ name, mimeType }), ...known({ caption }) };
}
