import * as v from 'valibot';
import type { Content } from '#lib/domain/content.ts';
import type { Chat, Message, Payload, Person } from '#lib/domain/event.ts';
import { isRecord } from '#lib/domain/json.ts';
import { normaliseJid, phoneOfJid, toPhone } from '#lib/domain/person.ts';
import { checked, type Issue, known } from '#lib/domain/schema.ts';
import type { Draft } from '#lib/inbox/provider.ts';
import { Contents, contentOf, type Fault, faultOf, isFileType, markerIn, type Quoted, unsupported } from './content.ts';
import { accountOf, chatOf, envelope, personOf, toDraft } from './schema.ts';
import { flag, jid, name, neededJid, neededLabel, number, words } from './values.ts';

export const MessageEvent = v.looseObject({
  ...envelope,
  idMessage: neededLabel,
  senderData: v.looseObject({
    chatId: neededJid,
    sender: jid,
    chatName: name,
    senderName: name,
    senderContactName: name,
    senderPhoneNumber: words,
  }),
  messageData: Contents,
});
type MessageEvent = v.InferOutput<typeof MessageEvent>;

/**
 * The message that this one answers. GREEN-API names it in an object of its own and again beside the text, not always
 * alike: the object wins, the other pair is kept as what was stated.
 */
function quotedOf(data: Contents): Message['quoted'] {
  const outer = pair(data.extendedTextMessageData);
  const inner = pair(data.quotedMessage);
  const id = inner?.id ?? outer?.id;
  if (id === undefined) return undefined;
  return known({
    id,
    sender: inner?.sender ?? outer?.sender,
    content: data.quotedMessage && quotedContent(data.quotedMessage),
    stated: inner?.id === undefined ? undefined : outer,
  });
}

function pair(named: { stanzaId?: string | undefined; participant?: string | undefined } | undefined) {
  if (named?.stanzaId === undefined && named?.participant === undefined) return undefined;
  const { stanzaId: id, participant } = named;
  return known({ id, sender: participant === undefined ? undefined : personOf(participant) });
}

/** Undefined where the message is only named, as reactions do. */
function quotedContent(quoted: Quoted): Content | undefined {
  const data = checked(Contents, unflattened(quoted), () => 'a quoted message');
  return contentOf(data) ?? (data.typeMessage === undefined ? undefined : unsupported(data));
}

/**
 * The quoted message as it would stand in an event of its own, or whole under the name of its type. Without its id: a
 * tap's is that of the buttons.
 */
function unflattened({ stanzaId, participant, textMessage, extendedTextMessage, location, contact, ...flat }: Quoted) {
  const type = flat.typeMessage ?? '';
  const own = isRecord(flat[type]) ? flat[type] : flat;
  const isText = textMessage !== undefined || isRecord(extendedTextMessage);
  return {
    [type]: own,
    ...(isFileType(type) && { fileMessageData: own }),
    ...flat,
    extendedTextMessageData: isText
      ? Object.assign({}, extendedTextMessage, textMessage !== undefined && { text: textMessage })
      : undefined,
    locationMessageData: location,
    contactMessageData: contact,
  };
}

const INCOMING = 'incomingMessageReceived';
const VIA: ReadonlyMap<string, Message['via']> = new Map([
  ['outgoingMessageReceived', 'phone'],
  ['outgoingAPIMessageReceived', 'api'],
]);

/** A message or, where somebody put an emoji on another message, a reaction. */
export function toMessage(event: MessageEvent, type: string): Draft | Issue {
  const { typeMessage, ...data } = event.messageData;
  const { chatId, chatName } = event.senderData;
  const chat = chatOf(chatId, chatName);
  const reaction = reactionOf(event, type, chat);
  const content = contentOf(event.messageData);
  // What is neither named nor under a key that we know says nothing at all.
  if (typeMessage === undefined && content === undefined)
    return { path: 'messageData.typeMessage', message: 'is missing' };
  const unreadable = content ? undefined : unreadableText(event.messageData);
  const payload = reaction ?? messageOf(event, type, chat, content, unreadable);
  // A file of which nothing but its type is told may come again with what it says.
  const isBare = isFileType(typeMessage) && !Object.values(data).some(isRecord);
  const isUnread = !reaction && (unreadable !== undefined || isBare);
  const edit = laterVersion(content, event.timestamp);
  return known({
    ...toDraft(event, type, payload, known({ chat: chat.id, id: event.idMessage, edit })),
    placeholder: isUnread ? (true as const) : undefined,
  });
}

/** An edit and a deletion have an id of their own, as far as known; each event on a poll is its whole tally anew. */
function laterVersion(content: Content | undefined, occurredAt: number | undefined): string | undefined {
  if (content?.type === 'poll_vote') return `poll_vote ${occurredAt}`;
  return content?.type === 'edit' || content?.type === 'delete' ? content.type : undefined;
}

function messageOf(
  event: MessageEvent,
  type: string,
  chat: Chat,
  content: Content | undefined,
  unreadable: Fault | undefined,
): Extract<Payload, { kind: 'message' }> {
  const data = event.messageData;
  const quoted = quotedOf(data);
  const message: Message = known({
    id: event.idMessage,
    chat,
    direction: directionOf(type),
    via: VIA.get(type) ?? 'unknown',
    channel: 'whatsapp' as const,
    sender: senderOf(event, type, chat),
    account: accountOf(event),
    content: withTarget(content, quoted?.id) ?? unsupported(data),
    quoted,
    forwarded: forwardedOf(data),
    error: unreadable ?? markerIn(data.fileMessageData?.downloadUrl),
  });
  return { kind: 'message', message };
}

/** A tap answers the message with the buttons, which may be named as quoted alone. */
function withTarget(content: Content | undefined, quoted: string | undefined): Content | undefined {
  return content?.type === 'reply' ? known({ ...content, of: content.of ?? quoted }) : content;
}

/** In the place of a text that GREEN-API could not read stands a mark or, in older payloads, nothing. */
function unreadableText(data: Contents): Fault | undefined {
  const text = data.textMessageData?.textMessage ?? data.extendedTextMessageData?.text;
  return markerIn(text) ?? (data.typeMessage === 'textMessage' && text === undefined ? faultOf('SWE999') : undefined);
}

/** The emoji stands where a text would, and is empty when the reaction was taken back. */
function reactionOf(event: MessageEvent, type: string, chat: Chat): Extract<Payload, { kind: 'reaction' }> | undefined {
  const { typeMessage, extendedTextMessageData: text } = event.messageData;
  const target = quotedOf(event.messageData);
  if (typeMessage !== 'reactionMessage' || !text || !target) return undefined;
  const reaction = known({
    id: event.idMessage,
    messageId: target.id,
    messageSender: target.sender,
    chat,
    direction: directionOf(type),
    sender: senderOf(event, type, chat),
    account: accountOf(event),
    emoji: text.text,
    removed: text.text === undefined,
  });
  return { kind: 'reaction', reaction };
}

function directionOf(type: string): Message['direction'] {
  return type === INCOMING ? 'inbound' : 'outbound';
}

/** Where the sender is left out, it is the account itself or, in a chat of two, the other one. */
function senderOf({ senderData, instanceData }: MessageEvent, type: string, chat: Chat): Person {
  const other = chat.kind === 'individual' ? chat.id : undefined;
  const named = senderData.sender && normaliseJid(senderData.sender);
  // A group or channel is nobody: its own notices name it, and its name there is its title.
  const isChat = other === undefined && named === chat.id;
  const jid = isChat ? undefined : (senderData.sender ?? (type === INCOMING ? other : instanceData.wid));
  // A leading ~ marks somebody who is not in the address book; it is no part of the name.
  const told = senderData.senderName?.replace(/^~\s*/, '') || undefined;
  const name = isChat && told === senderData.chatName ? undefined : told;
  // Told beside an id that hides it, as sister products do.
  const phone = phoneOfJid(jid) ?? toPhone(senderData.senderPhoneNumber);
  return known({ ...personOf(jid, known({ name, contactName: senderData.senderContactName })), phone });
}

/** How often a message was passed on stands in the object that holds the content, whatever its type, or within that. */
const Forwarding = v.looseObject({ forwardingScore: number, isForwarded: flag });

function forwardedOf({ quotedMessage, ...data }: Contents): Message['forwarded'] {
  const parts = [data, ...Object.values(data)].filter(isRecord);
  for (const part of [...parts, ...parts.map((each) => each.fileMessageData)].filter(isRecord)) {
    const { isForwarded, forwardingScore: score } = checked(Forwarding, part, () => 'a part of a message');
    if (isForwarded ?? (score ?? 0) > 0) return known({ score });
  }
  return undefined;
}
