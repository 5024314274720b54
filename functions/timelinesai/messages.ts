import { type Draft, type EventReader, reader } from '#lib/app/receiving/provider.ts';
import { derivedId } from '#lib/domain/ids.ts';
import type { Issue } from '#lib/domain/issue.ts';
import { isRecord } from '#lib/domain/json.ts';
import { anyKnown, known } from '#lib/domain/known.ts';
import type { Message } from '#lib/domain/message.ts';
import { contentsOf } from './content.ts';
import { chatIdOf, chatPhoneOf, toAccount, toChat, toPerson, whereabouts } from './parties.ts';
import type * as theirs from './schema.ts';
import { BundleBody, EnvelopeBody, MessageBody } from './schema.ts';
import { fromBundle, fromEnvelope, fromMessage, type Told, type ToldMessage } from './shapes.ts';
import { instantOf } from './timestamp.ts';

type Direction = 'sent' | 'received';

/** Reads messages in any shape. `named` is the direction that the event's name gives, for a message that gives none. */
export function messages(named?: Direction): EventReader {
  const single = reader(MessageBody, (body) => toDrafts(fromMessage(body), named));
  const envelope = reader(EnvelopeBody, (body) => toDrafts(fromEnvelope(body), named));
  const bundle = reader(BundleBody, (body) => toDrafts(fromBundle(body), named));
  return (body, type) => {
    if (!isRecord(body) || isRecord(body.message)) return single(body, type);
    if (Array.isArray(body.messages)) return bundle(body, type);
    return (isRecord(body.data) ? envelope : single)(body, type);
  };
}

/** A bundle is understood whole or not at all: nothing of it may get lost beside what was understood. */
function toDrafts(told: Told, named: Direction | undefined): readonly [Draft, ...Draft[]] | Issue {
  const drafts: Draft[] = [];
  for (const entry of told.messages) {
    const read = draftsOf(told, entry, named);
    if ('path' in read) return read;
    drafts.push(...read);
  }
  const [first, ...others] = drafts;
  return first === undefined ? { path: 'messages', message: 'is empty' } : [first, ...others];
}

/** Several attachments are several messages of one id, told apart by their place: each is a bubble of its own. */
function draftsOf(told: Told, { message, path }: ToldMessage, named: Direction | undefined): Draft[] | Issue {
  const chatId = chatIdOf(told.chat);
  if (chatId === undefined) return { path: told.chatPath, message: 'is missing' };
  const direction = directionOf(told, message, named);
  if (direction === undefined) return { path: `${path}.direction`, message: 'must be "received" or "sent"' };
  const contents = contentsOf(message);
  const id = message.message_uid ?? message.message_id;
  if (contents.length === 0) {
    if (id === undefined) return { path: `${path}.message_uid`, message: 'is missing' };
    contents.push({ type: 'unsupported', providerType: message.message_type ?? 'empty' });
  }
  const common = commonOf(told, message, direction, chatId);
  const occurredAt = instantOf(message.timestamp);
  return contents.map((content, index) => ({
    identity: {
      type: 'message',
      ...whereabouts(common.account, chatId),
      ...known({ id, edit: index === 0 ? undefined : `attachment ${index}` }),
    },
    payload: { kind: 'message', message: { ...common, id: id ?? ownIdFor(chatId, message, direction), content } },
    ...known({ occurredAt }),
  }));
}

function commonOf(told: Told, message: theirs.TheirMessage, direction: Direction, chatId: string) {
  const chat = toChat(chatId, told.chat);
  const received = direction === 'received';
  return {
    chat,
    direction: received ? 'inbound' : 'outbound',
    via: viaOf(message.origin),
    channel: 'whatsapp',
    sender: senderOf(told, message, chat, received),
    account: toAccount(told.account, told.chat, ownPhoneIn(message, received, chat)),
    ...known({
      recipient: message.recipient && anyKnown(toPerson(message.recipient)),
      quoted: message.reply_to_uid === undefined ? undefined : { id: message.reply_to_uid },
    }),
  } satisfies Omit<Message, 'id' | 'content'>;
}

/**
 * The message's own word counts before the event's name. Without either, who sent it tells: the account or the other
 * side of the chat.
 */
function directionOf(told: Told, message: theirs.TheirMessage, named: Direction | undefined): Direction | undefined {
  const stated = message.direction?.toLowerCase();
  if (stated === 'sent' || stated === 'received') return stated;
  if (named !== undefined) return named;
  const sender = toPerson(message.sender ?? {}).phone;
  if (sender !== undefined && sender === toAccount(told.account, told.chat).phone) return 'sent';
  if (sender !== undefined && sender === chatPhoneOf(told.chat)) return 'received';
  return told.otherwise;
}

/** Our account is the sender of what was sent, and in a chat of two the recipient of what was received. */
function ownPhoneIn(message: theirs.TheirMessage, received: boolean, chat: Message['chat']): string | undefined {
  if (!received) return toPerson(message.sender ?? {}).phone;
  return chat.kind === 'individual' ? toPerson(message.recipient ?? {}).phone : undefined;
}

/** Everything but the API leaves open who wrote a message; "WhatsApp" is the app, on the phone or a linked device. */
function viaOf(origin = ''): Message['via'] {
  const name = origin.toLowerCase();
  if (name === 'public api') return 'api';
  return name === 'whatsapp' ? 'phone' : 'unknown';
}

/** Where no sender is named, an individual chat has only two sides. */
function senderOf(
  told: Told,
  message: theirs.TheirMessage,
  chat: Message['chat'],
  received: boolean,
): Message['sender'] {
  const named = anyKnown(toPerson(message.sender ?? {}));
  if (named !== undefined) return named;
  if (!received) return toPerson(told.account);
  return chat.kind === 'individual' ? known({ phone: chat.phone, name: chat.title }) : {};
}

/** Deliveries of the first generation may come without ids; a repeated one must get the same. */
function ownIdFor(chatId: string, message: theirs.TheirMessage, direction: Direction): string {
  const { timestamp, sender, text, attachment, attachments } = message;
  const fileName = attachments?.[0]?.filename ?? attachment?.filename;
  return derivedId('msg', [chatId, direction, timestamp, sender?.phone, text, fileName]);
}
