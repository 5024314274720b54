import type * as v from 'valibot';
import type { Content } from '#lib/domain/content.ts';
import type { Chat, Message, OwnAccount, Person } from '#lib/domain/event.ts';
import { typeByName } from '#lib/domain/file.ts';
import { derivedId } from '#lib/domain/ids.ts';
import { type ChatKind, chatKindOfJid, chatKindOfWord, normaliseJid, phoneOfJid, toPhone } from '#lib/domain/person.ts';
import { anyKnown, type Issue, known } from '#lib/domain/schema.ts';
import { toInstant } from '#lib/domain/time.ts';
import { type Draft, type EventReader, reader } from '#lib/inbox/provider.ts';
import { fileIn } from '#lib/inbox/received-file.ts';
import { spelledOut } from '#lib/inbox/relayed.ts';
import type * as theirs from './schema.ts';
import { chatIn, Messages, type ReactionBody, type Told } from './schema.ts';

/** TimelinesAI's own id of a chat, which belongs to one account; else whatever tells the chat from others. */
export function chatIdOf(chat: theirs.Chat | undefined): string | undefined {
  const id = chat?.chat_id ?? chat?.id ?? idInUrl(chat?.chat_url);
  if (id !== undefined) return id.includes('@') ? normaliseJid(id) : id;
  return (chat && jidOf(chat)) ?? toPhone(chat?.phone);
}

/** WhatsApp's own id of the chat, which may stand where a number would. */
function jidOf(chat: theirs.Chat): string | undefined {
  const jid = [chat.jid, chat.phone, chat.chat_id, chat.id].find((id) => id?.includes('@'));
  return jid === undefined ? undefined : normaliseJid(jid);
}

/** As `https://app.timelines.ai/chat/510234/messages/`. */
function idInUrl(url: string | undefined): string | undefined {
  return /\/chats?\/(\d{1,20})(?:[/?#]|$)/i.exec(url ?? '')?.[1];
}

export function chatKindOf(chat: theirs.Chat): ChatKind {
  const jid = jidOf(chat);
  const ofJid = jid === undefined ? 'individual' : chatKindOfJid(jid);
  if (ofJid !== 'individual') return ofJid;
  if (chat.is_group === true) return 'group';
  return chatKindOfWord(chat.chat_type) ?? 'individual';
}

export function toChat(id: string, chat: theirs.Chat): Chat {
  const title = chat.full_name ?? chat.name;
  return { id, kind: chatKindOf(chat), ...known({ title, phone: chatPhoneOf(chat), url: chat.chat_url }) };
}

/** A group has no number, whatever stands in the field. */
export function chatPhoneOf(chat: theirs.Chat): string | undefined {
  return chatKindOf(chat) === 'individual' ? (toPhone(chat.phone) ?? phoneOfJid(jidOf(chat))) : undefined;
}

/** Where no number can be read under `phone`, what stands there still tells one member of a group from another. */
export function toPerson(person: theirs.Person): Person {
  const phone = toPhone(person.phone) ?? phoneOfJid(person.phone);
  const id = person.phone === undefined || toPhone(person.phone) ? undefined : normaliseJid(person.phone);
  return known({ id, phone, name: person.full_name });
}

/**
 * Our own account, by its number: every shape and event tells that, if any. Its JID, which only some of them have,
 * says no more and stands in where the number is missing. `phone` is what the message itself lets conclude.
 */
export function toAccount(account: theirs.Account = {}, chat: theirs.Chat = {}, phone?: string): OwnAccount {
  const wid = account.whatsapp_account_wid ?? account.id ?? chat.whatsapp_account_id;
  const number = toPhone(account.phone) ?? phoneOfJid(wid) ?? phone;
  return known({
    phone: number,
    // A chat has one id, by whichever name its account is told: one that hides the number would make a second chat.
    instance:
      number !== undefined || wid === undefined || (isHidden(wid) && hasOwnId(chat)) ? undefined : normaliseJid(wid),
    name: account.account_name,
    owner: anyKnown({
      name: account.owner_name ?? account.full_name,
      email: account.owner_email ?? account.email,
    }),
  });
}

const hasOwnId = (chat: theirs.Chat): boolean => /^\d+$/.test(chatIdOf(chat) ?? '');

const isHidden = (jid: string): boolean => normaliseJid(jid).endsWith('@lid');

/** With the id that hides the number of the other one in a chat of two: the chat has an id of its own. */
function withHidden(person: Person, { kind }: Chat, chat: theirs.Chat): Person {
  const jid = kind === 'individual' ? jidOf(chat) : undefined;
  return jid === undefined || !isHidden(jid) || person.id !== undefined ? person : { ...person, id: jid };
}

/** What an event's identity says about where it happened. */
export function whereabouts(account: OwnAccount, chat?: string): { instance?: string; chat?: string } {
  return known({ instance: account.phone ?? account.instance, chat });
}

/**
 * What a message says, one content per attachment as WhatsApp itself would show them; the text is the first one's
 * caption. None at all where the message says nothing that is passed on.
 */
function contentsOf(message: theirs.Message): Content[] {
  const [first, ...others] = filesOf(message);
  if (first) return [{ ...first, ...known({ caption: message.text }) }, ...others];
  return message.text === undefined ? [] : [{ type: 'text', text: message.text }];
}

/** Some payloads have one `attachment`, some a list, some its link beside the text; the list has what the others say. */
function filesOf(message: theirs.Message) {
  const listed = [spelledOut(message.attachments)].flat().flatMap((one) => fileIn(one) ?? []);
  const beside = Object.entries(message).filter(([name]) => /^(?:attachment|file|media)/i.test(name));
  const files = listed.length > 0 ? listed : [fileIn(Object.fromEntries(beside))].filter((file) => file !== undefined);
  return files.map(({ type, file }) => {
    const mimeType = file.mimeType ?? typeByName(file.name) ?? typeByName(file.url) ?? '';
    // WhatsApp records voice messages in Opus, as `audio/ogg; codecs=opus`.
    return { type: type === 'audio' && /ogg|opus/i.test(mimeType) ? ('voice' as const) : type, file };
  });
}

/** One person may set, clear and set again: who, what and when belong to the identity. */
export function toReaction(body: v.InferOutput<typeof ReactionBody>): Draft | Issue {
  const { reaction } = body;
  const chat = chatIn(body);
  const chatId = chatIdOf(chat);
  if (chatId === undefined) return { path: 'chat.chat_id', message: 'is missing' };
  const messageId = reaction.message_uid;
  if (messageId === undefined) return { path: 'reaction.message_uid', message: 'is missing' };
  const account = toAccount(body.whatsapp_account, chat);
  const sender = toPerson(reaction.reactor ?? {});
  const occurredAt = toInstant(reaction.timestamp);
  const action = reaction.action?.toLowerCase();
  const removed = action === 'clear' || (action !== 'set' && reaction.emoji === undefined);
  return {
    identity: {
      type: 'message:reaction',
      ...whereabouts(account, chatId),
      id: messageId,
      ...known({ isUnique: isTheirOwn(chatId, messageId) }),
      status: removed ? 'clear' : 'set',
      edit: JSON.stringify([sender.phone ?? sender.id ?? sender.name, reaction.emoji, occurredAt]),
    },
    payload: {
      kind: 'reaction',
      reaction: {
        messageId,
        chat: toChat(chatId, chat),
        sender,
        removed,
        ...known({ emoji: reaction.emoji, account: anyKnown(account), tally: tallyOf(reaction.reactions) }),
      },
    },
    ...known({ occurredAt }),
  };
}

function tallyOf(reactions: Readonly<Record<string, number | undefined>> | undefined) {
  const counted = Object.entries(reactions ?? {});
  const tally = counted.flatMap(([emoji, count]) => (count === undefined ? [] : [{ emoji, count }]));
  return reactions === undefined ? undefined : tally;
}

type Direction = 'sent' | 'received';

/** Reads messages in any shape. `named` is the direction that the event's name gives, for a message that gives none. */
export function messages(named?: Direction): EventReader {
  return reader(Messages, (told) => {
    const chatId = chatIdOf(told.chat);
    if (chatId === undefined || told.messages.length === 0) return { path: told.chatPath, message: 'is missing' };
    return told.messages.flatMap((entry) => draftsOf(told, chatId, entry, named));
  });
}

/** Several attachments are several messages of one id, told apart by their place: each is a bubble of its own. */
function draftsOf(
  told: Told,
  chatId: string,
  { message, path }: Told['messages'][number],
  named: Direction | undefined,
): readonly (Draft | Issue)[] {
  const direction = directionOf(told, message, named);
  if (direction === undefined) return [{ path: `${path}.direction`, message: 'must be "received" or "sent"' }];
  const contents = contentsOf(message);
  const { id } = message;
  const placeholder = contents.length === 0 ? true : undefined;
  if (placeholder) {
    if (id === undefined) return [{ path: `${path}.message_uid`, message: 'is missing' }];
    contents.push({ type: 'unsupported', providerType: message.message_type ?? 'empty' });
  }
  const common = commonOf(told, message, direction, chatId);
  const occurredAt = toInstant(message.timestamp);
  return contents.map((content, index) => ({
    identity: {
      type: 'message',
      ...whereabouts(common.account, chatId),
      ...known({ id, isUnique: isTheirOwn(chatId, id), edit: index === 0 ? undefined : `attachment ${index}` }),
    },
    payload: { kind: 'message', message: { ...common, id: id ?? ownIdFor(chatId, message, direction), content } },
    // What came empty may come again with what it says.
    ...known({ occurredAt, placeholder }),
  }));
}

/** Their own ids of chats and messages are unique in all of a workspace, be its account told or not. */
export const isTheirOwn = (chatId: string | undefined, id: string | undefined): true | undefined =>
  id !== undefined && /^\d{1,20}$/.test(chatId ?? '') ? true : undefined;

function commonOf(told: Told, message: theirs.Message, direction: Direction, chatId: string) {
  const chat = toChat(chatId, told.chat);
  const received = direction === 'received';
  const sender = senderOf(told, message, chat, received);
  const recipient = toPerson(message.recipient ?? {});
  return {
    chat,
    direction: received ? 'inbound' : 'outbound',
    via: viaOf(message.origin),
    channel: 'whatsapp',
    sender: received ? withHidden(sender, chat, told.chat) : sender,
    account: toAccount(told.account, told.chat, ownPhoneIn(message, received, chat)),
    ...known({
      recipient: anyKnown(received ? recipient : withHidden(recipient, chat, told.chat)),
      quoted: message.reply_to_uid === undefined ? undefined : { id: message.reply_to_uid },
    }),
  } satisfies Omit<Message, 'id' | 'content'>;
}

/**
 * The message's own word counts before the event's name. Without either, who sent it tells: the account or the other
 * side of the chat.
 */
function directionOf(told: Told, message: theirs.Message, named: Direction | undefined): Direction | undefined {
  const stated = statedDirection(message.direction) ?? named;
  if (stated !== undefined) return stated;
  const sender = toPerson(message.sender ?? {}).phone;
  if (sender !== undefined && sender === toAccount(told.account, told.chat).phone) return 'sent';
  if (sender !== undefined && sender === chatPhoneOf(told.chat)) return 'received';
  return told.otherwise;
}

/** By their words, of which messages and calls have different ones. */
export const statedDirection = (word: string | undefined): Direction | undefined => DIRECTIONS.get(word?.toLowerCase());

const DIRECTIONS: ReadonlyMap<string | undefined, Direction> = new Map([
  ['sent', 'sent'],
  ['outgoing', 'sent'],
  ['outbound', 'sent'],
  ['out', 'sent'],
  ['received', 'received'],
  ['incoming', 'received'],
  ['inbound', 'received'],
  ['in', 'received'],
]);

/** Our account is the sender of what was sent, and in a chat of two the recipient of what was received. */
function ownPhoneIn(message: theirs.Message, received: boolean, chat: Message['chat']): string | undefined {
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
function senderOf(told: Told, message: theirs.Message, chat: Message['chat'], received: boolean): Message['sender'] {
  const named = anyKnown(toPerson(message.sender ?? {}));
  if (named !== undefined) return named;
  if (!received) return toPerson(told.account);
  return chat.kind === 'individual' ? known({ phone: chat.phone, name: chat.title }) : {};
}

/** Deliveries of the first generation may come without ids; a repeated one must get the same. */
function ownIdFor(chatId: string, message: theirs.Message, direction: Direction): string {
  const { timestamp, sender, text } = message;
  return derivedId('msg', [chatId, direction, timestamp, sender?.phone, text, filesOf(message)[0]?.file.name]);
}
