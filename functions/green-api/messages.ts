import type { Content } from '#lib/domain/content.ts';
import type { Chat, Message, OwnAccount, Payload, Person } from '#lib/domain/event.ts';
import type { Identity } from '#lib/domain/identity.ts';
import { isRecord } from '#lib/domain/json.ts';
import { chatKindOfJid, normaliseJid, phoneOfJid, toPhone } from '#lib/domain/person.ts';
import { checked, known } from '#lib/domain/schema.ts';
import type { Draft } from '#lib/inbox/provider.ts';
import { contentOf, type Fault, faultOf, isFileType, markerIn, unsupported } from './content.ts';
import { Contents, type Envelope, Forwarding, isContentKey, type MessageEvent, type Quoted } from './schema.ts';

/** An event of its instance at its time; `identity` tells it from the others of its type. */
export function toDraft(event: Envelope, type: string, payload: Payload, identity: Omit<Identity, 'type'> = {}): Draft {
  const instance = event.instanceData.idInstance;
  return known({ identity: { instance, type, ...identity }, payload, occurredAt: event.timestamp });
}

export function personOf(jid: string | undefined, names: { name?: string; contactName?: string } = {}): Person {
  return known({ id: jid === undefined ? undefined : normaliseJid(jid), phone: phoneOfJid(jid), ...names });
}

export function chatOf(jid: string, title?: string): Chat {
  return known({ id: normaliseJid(jid), kind: chatKindOfJid(jid), title });
}

/** `wid` is empty while the instance is not authorised. */
export function accountOf({ instanceData }: Envelope): OwnAccount {
  return known({ instance: instanceData.idInstance, phone: phoneOfJid(instanceData.wid) });
}

/** The key under which a message of its own would hold what a quoted one of this type holds flat. */
function keyOf(type = ''): string | undefined {
  if (isFileType(type)) return 'fileMessageData';
  return isContentKey(type) ? type : undefined;
}

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

/** The quoted message as it would stand in an event of its own. Without its id: a tap's is that of the buttons. */
function unflattened({ stanzaId, participant, textMessage, extendedTextMessage, location, contact, ...flat }: Quoted) {
  const key = keyOf(flat.typeMessage);
  // It may stand whole under the name of its type.
  const named = flat[flat.typeMessage ?? ''];
  const isText = textMessage !== undefined || isRecord(extendedTextMessage);
  return {
    ...flat,
    ...(key !== undefined && !isRecord(flat[key]) && { [key]: isRecord(named) ? named : flat }),
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
export function toMessage(event: MessageEvent, type: string): Draft {
  const { chatId, chatName } = event.senderData;
  const chat = chatOf(chatId, chatName);
  const reaction = reactionOf(event, type, chat);
  const { payload, placeholder } = reaction ? { payload: reaction } : messageOf(event, type, chat);
  const edit = payload.kind === 'message' ? laterVersion(payload.message.content, event.timestamp) : undefined;
  return known({
    ...toDraft(event, type, payload, known({ chat: chat.id, id: event.idMessage, edit })),
    placeholder,
  });
}

/** An edit and a deletion have an id of their own, as far as known; each event on a poll is its whole tally anew. */
function laterVersion(content: Content, occurredAt: number | undefined): string | undefined {
  if (content.type === 'poll_vote') return `poll_vote ${occurredAt}`;
  return content.type === 'edit' || content.type === 'delete' ? content.type : undefined;
}

function messageOf(event: MessageEvent, type: string, chat: Chat) {
  const data = event.messageData;
  const quoted = quotedOf(data);
  const content = withTarget(contentOf(data) ?? flatContent(data), quoted?.id);
  const unreadable = content ? undefined : unreadableText(data);
  const message: Message = known({
    id: event.idMessage,
    chat,
    direction: directionOf(type),
    via: VIA.get(type) ?? 'unknown',
    channel: 'whatsapp' as const,
    sender: senderOf(event, type, chat),
    account: accountOf(event),
    content: content ?? unsupported(data),
    quoted,
    forwarded: forwardedOf(data),
    error: unreadable ?? markerIn(data.fileMessageData?.downloadUrl),
  });
  const isUnread = unreadable !== undefined || (content === undefined && isBare(data));
  return { payload: { kind: 'message' as const, message }, placeholder: isUnread ? true : undefined };
}

/** What tells that there is any: the rest may stand beside every content. */
const FLAT = [
  ...['textMessage', 'extendedTextMessage', 'downloadUrl', 'fileName', 'location', 'contact', 'contentText'],
  ...['selectedId', 'selectedButtonId', 'selectedDisplayText', 'selectedButtonText', 'singleSelectReply'],
  ...['contacts', 'productId', 'orderId'],
];

/**
 * The content as records of the journal have it: beside its type, as in a quoted message. Or under a key that follows
 * from the type by rule, as `imageMessageData`.
 */
function flatContent(message: Contents): Content | undefined {
  const own = message[`${message.typeMessage}Data`];
  const data: Contents = isRecord(own) ? { ...message, ...own } : message;
  if (!FLAT.some((field) => data[field] !== undefined)) return undefined;
  const key = keyOf(data.typeMessage);
  const spread = { ...unflattened(data), ...(key !== undefined && !isRecord(data[key]) && { [key]: data }) };
  return contentOf(checked(Contents, spread, () => 'a flat message'));
}

/** A tap answers the message with the buttons, which may be named as quoted alone. */
function withTarget(content: Content | undefined, quoted: string | undefined): Content | undefined {
  return content?.type === 'reply' ? known({ ...content, of: content.of ?? quoted }) : content;
}

/** A message of which nothing but its type is told may come again with what it says. */
function isBare(data: Contents): boolean {
  return (
    keyOf(data.typeMessage) !== undefined && !Object.values(data).some((part) => isRecord(part) || Array.isArray(part))
  );
}

/** In the place of a text that GREEN-API could not read stands a mark or, in older payloads, nothing. */
function unreadableText(data: Contents): Fault | undefined {
  const text = data.textMessageData?.textMessage ?? data.extendedTextMessageData?.text;
  return markerIn(text) ?? (data.typeMessage === 'textMessage' && text === undefined ? faultOf('SWE999') : undefined);
}

/** The emoji stands where a text would, and is empty when the reaction was taken back. */
function reactionOf(event: MessageEvent, type: string, chat: Chat): Extract<Payload, { kind: 'reaction' }> | undefined {
  const { typeMessage, extendedTextMessageData: text, textMessageData: plain } = event.messageData;
  const target = quotedOf(event.messageData);
  if (typeMessage !== 'reactionMessage' || !(text ?? plain) || !target) return undefined;
  const emoji = text?.text ?? plain?.textMessage;
  const reaction = known({
    id: event.idMessage,
    messageId: target.id,
    messageSender: target.sender,
    chat,
    direction: directionOf(type),
    sender: senderOf(event, type, chat),
    account: accountOf(event),
    emoji,
    removed: emoji === undefined,
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

function forwardedOf({ quotedMessage, ...data }: Contents): Message['forwarded'] {
  const parts = [data, ...Object.values(data)].filter(isRecord);
  for (const part of [...parts, ...parts.map((each) => each.fileMessageData)].filter(isRecord)) {
    const { isForwarded, forwardingScore: score } = checked(Forwarding, part, () => 'a part of a message');
    if (isForwarded ?? (score ?? 0) > 0) return known({ score });
  }
  return undefined;
}
