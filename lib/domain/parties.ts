import type { Chat, Event, Message, OwnAccount, Payload, Person } from './event.ts';
import { chatKindOfJid, isSamePhone, phoneOfJid, toPhone } from './person.ts';
import { known } from './schema.ts';

/**
 * Who talks with whom in a message, where what a provider says of it cannot be. Asked once for all providers, before an
 * event is stored; what makes the event itself stays in the provider's words.
 */
export function withParties(payload: Payload, ownPhone?: string): Payload {
  switch (payload.kind) {
    case 'message':
      return { ...payload, message: partiesOf(payload.message, ownPhone) };
    case 'reaction':
      return { ...payload, reaction: reactionOf(payload.reaction, ownPhone) };
    case 'chat': {
      const { title, ...chat } = payload.chat;
      return { ...payload, chat: known({ ...chat, title: titleIn(payload.chat, [payload.chat.account?.name]) }) };
    }
    default:
      return payload;
  }
}

type Reaction = Extract<Payload, { kind: 'reaction' }>['reaction'];

/** It stands where the message stands to which it is, and is whose it would be as a message. */
function reactionOf(told: Reaction, ownPhone: string | undefined): Reaction {
  const { direction, account = {}, sender } = told;
  if (direction === undefined) return told;
  const own = ownOf(account, ownPhone);
  const chat = shownIn({ ...told, direction }, own);
  const reaction = { ...told, chat, direction: directionOf({ chat, direction, sender }, own) };
  const isTheirs = reaction.direction === 'inbound' && isOfTwo(chat.kind);
  return isTheirs ? { ...reaction, sender: otherParty(reaction, own, undefined) } : reaction;
}

function partiesOf(told: Message, ownPhone: string | undefined): Message {
  const own = ownOf(told.account, ownPhone);
  const shown = shownIn(told, own);
  const found = shown === told.chat ? told : { ...told, chat: shown, broadcastList: told.chat.id };
  const direction = directionOf(found, own);
  const isOurs = direction === 'outbound' && found.chat.kind === 'individual';
  const message = isOurs ? turnedRound(found, own) : found;
  const isTheirs = direction === 'inbound' && isOfTwo(message.chat.kind);
  const title = titleIn(message.chat, namesBeside(message, direction), numbersBeside(message, own));
  const { title: _title, ...chat } = message.chat;
  const sender = isTheirs ? otherParty(message, own, title) : message.sender;
  return { ...message, direction, chat: known({ ...chat, title }), sender, ...(isTheirs && ourselves(message, own)) };
}

/** What came in did not go to whom it came from: where the two are told the wrong way round, the one called its sender is us. */
function ourselves({ chat, sender, recipient }: Message, own: string | undefined): Pick<Message, 'recipient'> {
  const isSwapped =
    recipient !== undefined && isOwn(sender, own) && isOwn(recipient, phoneIn(chat)) && !isOwn(recipient, own);
  return isSwapped ? { recipient: sender } : {};
}

/** Our number, as the message tells it or else as the hub knows the account. */
const ownOf = (account: OwnAccount, ownPhone: string | undefined): string | undefined =>
  account.phone ?? phoneOfJid(account.instance) ?? ownPhone;

const isOfTwo = (kind: Chat['kind']): boolean => kind === 'individual' || kind === 'bot';

type Said = Pick<Message, 'chat' | 'direction' | 'sender'>;

/** WhatsApp shows what somebody sent to a list of theirs in the chat with them, and that is where an answer goes. */
function shownIn({ chat, direction, sender }: Said, own: string | undefined): Chat {
  const id = sender.id ?? sender.phone;
  if (chat.kind !== 'broadcast' || direction !== 'inbound' || id === undefined || isOwn(sender, own)) return chat;
  // The list itself is no writer.
  if (chatKindOfJid(id) !== 'individual') return chat;
  return known({ id, kind: 'individual' as const, title: chat.title, phone: sender.phone });
}

/** What we wrote to many ourselves did not come in, whatever it is called. In a chat of two the sender is wrong instead. */
function directionOf({ chat, direction, sender }: Said, own: string | undefined): Message['direction'] {
  return !isOfTwo(chat.kind) && isOwn(sender, own) ? 'outbound' : direction;
}

/** In a chat of two, what came in is the other one's. A first message may tell their name as the chat's alone. */
function otherParty(
  { chat, sender }: Pick<Said, 'chat' | 'sender'>,
  own: string | undefined,
  title: string | undefined,
): Person {
  const phone = phoneIn(chat);
  const isWrong = isOwn(sender, own) && !isOwn({ id: chat.id, ...known({ phone }) }, own);
  if (isWrong) return known({ id: chat.id.includes('@') ? chat.id : undefined, phone, name: title });
  return known({ ...sender, name: sender.name ?? (sender.contactName === undefined ? title : undefined) });
}

/** In a chat of two, what went out is ours: whoever is called its sender is the one to whom it went. */
function turnedRound(message: Message, own: string | undefined): Message {
  const { chat, sender, account } = message;
  const phone = phoneIn(chat);
  const isTheirs = phone !== undefined && isOwn(sender, phone) && !isOwn(sender, own);
  if (!isTheirs || own === undefined) return message;
  return { ...message, sender: known({ phone: own, name: account.name }), recipient: sender };
}

const phoneIn = ({ id, phone }: Pick<Chat, 'id' | 'phone'>): string | undefined =>
  phone ?? phoneOfJid(id) ?? toPhone(id);

const isOwn = ({ id, phone }: Person, own: string | undefined): boolean => isSamePhone(phone ?? phoneOfJid(id), own);

/** Names that providers put in the place of a title: in a group its writer's, in what we wrote our own. */
function namesBeside({ chat, sender, account, broadcastList }: Message, direction: Message['direction']) {
  const own = direction === 'outbound' ? [account.name, account.owner?.name] : [account.name];
  if (broadcastList !== undefined) return own;
  // What a channel or a bot writes, it writes itself.
  const isItself = sender.id === chat.id || (direction === 'inbound' && isOfTwo(chat.kind));
  return isItself ? own : [...own, ...namesOf(sender)];
}

const namesOf = ({ name, contactName }: Person) => [name, contactName];

/** Where a provider knows no name of the writer, it may put their number there. */
const numbersBeside = ({ sender, account }: Message, own: string | undefined) => [
  sender.phone ?? phoneOfJid(sender.id),
  account.phone,
  own,
];

/** As two providers, or one twice, may write one name: a leading ~ marks who is not in the address book. */
const asName = (name = ''): string =>
  name
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .replace(/^\s*~/, '')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();

/** Undefined for what is no title: a number, a name that is somebody else's, or anything on what has none. */
function titleIn(
  { id, kind, phone, title }: Pick<Chat, 'id' | 'kind' | 'phone' | 'title'>,
  names: readonly (string | undefined)[],
  numbers: readonly (string | undefined)[] = [],
): string | undefined {
  const words = title?.trim() ?? '';
  if (title === undefined || words === '' || kind === 'status') return undefined;
  if (names.some((name) => asName(name) === asName(words))) return undefined;
  const digits = words.normalize('NFKC').replace(/[\s\p{Cf}\p{Pd}()[\]+./~\u2022\u2219]/gu, '');
  const isItsOwn = [id.split('@', 1)[0], phone, ...numbers].some((own) => own?.replace(/^\+/, '') === digits);
  const isNumber = kind === 'individual' && /^\d{7,}$/.test(digits);
  return isItsOwn || isNumber || words.toLowerCase() === id.toLowerCase() ? undefined : title;
}

/** Which of our accounts an event names, in the provider's words. */
export function ownAccountOf(payload: Payload | Event): OwnAccount {
  switch (payload.kind) {
    case 'message':
      return payload.message.account;
    case 'status':
      return payload.status.account ?? {};
    case 'reaction':
      return payload.reaction.account ?? {};
    case 'call':
      return payload.call.account ?? {};
    case 'connection':
      return payload.connection.account ?? {};
    case 'device':
      return payload.device.account ?? {};
    case 'chat':
      return payload.chat.account ?? {};
    case 'quota':
      return payload.quota.account ?? {};
    // What phones and the hub itself tell of is no account's.
    default:
      return {};
  }
}
