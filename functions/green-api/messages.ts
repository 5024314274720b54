import type { Draft } from '#lib/app/receiving/provider.ts';
import type { Content } from '#lib/domain/content.ts';
import type { Payload } from '#lib/domain/event.ts';
import { checked } from '#lib/domain/issue.ts';
import { isRecord } from '#lib/domain/json.ts';
import { known } from '#lib/domain/known.ts';
import type { Chat, Message, Person } from '#lib/domain/message.ts';
import { contentOf, unsupported } from './content.ts';
import { toDraft } from './draft.ts';
import { type Fault, faultOf, markerIn } from './markers.ts';
import { type Contents, Forwarding } from './message-schema.ts';
import { accountOf, chatOf, personOf } from './people.ts';
import { quotedOf } from './quoted.ts';
import type { MessageEvent } from './schema.ts';

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
  const content = contentOf(data);
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
    quoted: quotedOf(data),
    forwarded: forwardedOf(data),
    error: unreadable ?? markerIn(data.fileMessageData?.downloadUrl),
  });
  return { payload: { kind: 'message' as const, message }, placeholder: unreadable && true };
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
  const jid = senderData.sender ?? (type === INCOMING ? other : instanceData.wid);
  // A leading ~ marks somebody who is not in the address book; it is no part of the name.
  const name = senderData.senderName?.replace(/^~\s*/, '') || undefined;
  return personOf(jid, known({ name, contactName: senderData.senderContactName }));
}

function forwardedOf({ quotedMessage, ...data }: Contents): Message['forwarded'] {
  for (const part of [data, ...Object.values(data)].filter(isRecord)) {
    const { isForwarded, forwardingScore: score } = checked(Forwarding, part, () => 'a part of a message');
    if (isForwarded ?? (score ?? 0) > 0) return known({ score });
  }
  return undefined;
}
