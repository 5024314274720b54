import type { Content } from '#lib/domain/content.ts';
import { checked } from '#lib/domain/issue.ts';
import { isRecord } from '#lib/domain/json.ts';
import { known } from '#lib/domain/known.ts';
import type { Message } from '#lib/domain/message.ts';
import { contentOf, unsupported } from './content.ts';
import { Contents, type Quoted } from './message-schema.ts';
import { personOf } from './people.ts';

/** The keys under which a message of its own would hold what a quoted one holds flat. */
const KEYS: ReadonlyMap<string | undefined, string> = new Map([
  ['imageMessage', 'fileMessageData'],
  ['videoMessage', 'fileMessageData'],
  ['documentMessage', 'fileMessageData'],
  ['audioMessage', 'fileMessageData'],
  ['stickerMessage', 'fileMessageData'],
  ['buttonsMessage', 'buttonsMessage'],
  ['listMessage', 'listMessage'],
  ['templateMessage', 'templateMessage'],
  ['interactiveButtons', 'interactiveButtons'],
  ['interactiveButtonsReply', 'interactiveButtonsReply'],
  ['buttonsResponseMessage', 'buttonsResponseMessage'],
  ['listResponseMessage', 'listResponseMessage'],
  ['templateButtonsReplyMessage', 'templateButtonReplyMessage'],
  ['templateButtonReplyMessage', 'templateButtonReplyMessage'],
]);

/**
 * The message that this one answers. GREEN-API names it in an object of its own and again beside the text, not always
 * alike: the object wins, the other pair is kept as what was stated.
 */
export function quotedOf(data: Contents): Message['quoted'] {
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
  const key = KEYS.get(flat.typeMessage);
  const isText = textMessage !== undefined || isRecord(extendedTextMessage);
  return {
    ...flat,
    ...(key === undefined || isRecord(flat[key]) ? {} : { [key]: flat }),
    extendedTextMessageData: isText ? Object.assign({}, extendedTextMessage, { text: textMessage }) : undefined,
    locationMessageData: location,
    contactMessageData: contact,
  };
}
