import type { Payload } from './event.ts';
import type { Chat, Message, OwnAccount, Person } from './message.ts';
import { isSamePhone, phoneOfJid, toPhone } from './person.ts';
import { known } from './schema.ts';

/**
 * Who talks with whom in a message, where what a provider says of it cannot be. Asked once for all providers, before an
 * event is stored; what makes the event itself stays in the provider's words.
 */
export function withParties(payload: Payload): Payload {
  if (payload.kind === 'message') return { ...payload, message: partiesOf(payload.message) };
  if (payload.kind !== 'chat') return payload;
  const { title, ...chat } = payload.chat;
  return { ...payload, chat: known({ ...chat, title: titleIn(payload.chat, [payload.chat.account?.name]) }) };
}

function partiesOf(told: Message): Message {
  const found = throughList(told);
  const direction = directionOf(found);
  const isOurs = direction === 'outbound' && found.chat.kind === 'individual';
  const message = isOurs ? turnedRound(found) : found;
  const isTheirs = direction === 'inbound' && message.chat.kind === 'individual';
  const title = titleIn(message.chat, namesBeside(message, direction), numbersBeside(message));
  const { title: _title, ...chat } = message.chat;
  const sender = isTheirs ? otherParty(message, title) : message.sender;
  return { ...message, direction, chat: known({ ...chat, title }), sender };
}

/** WhatsApp shows what somebody sent to a list of theirs in the chat with them, and that is where an answer goes. */
function throughList(message: Message): Message {
  const { chat, direction, sender } = message;
  const id = sender.id ?? sender.phone;
  if (chat.kind !== 'broadcast' || direction !== 'inbound' || id === undefined || isOwn(sender, message.account)) {
    return message;
  }
  const { phone } = sender;
  return {
    ...message,
    chat: known({ id, kind: 'individual' as const, title: chat.title, phone }),
    broadcastList: chat.id,
  };
}

/** What we wrote to a group ourselves did not come in, whatever it is called. In a chat of two the sender is wrong instead. */
function directionOf({ chat, direction, sender, account }: Message): Message['direction'] {
  return chat.kind === 'group' && isOwn(sender, account) ? 'outbound' : direction;
}

/** In a chat of two, what came in is the other one's. A first message may tell their name as the chat's alone. */
function otherParty({ chat, sender, account }: Message, title: string | undefined): Person {
  const phone = phoneIn(chat);
  const isWrong = isOwn(sender, account) && !isOwn({ id: chat.id, ...known({ phone }) }, account);
  if (isWrong) return known({ id: chat.id.includes('@') ? chat.id : undefined, phone, name: title });
  return known({ ...sender, name: sender.name ?? (sender.contactName === undefined ? title : undefined) });
}

/** In a chat of two, what went out is ours: whoever is called its sender is the one to whom it went. */
function turnedRound(message: Message): Message {
  const { chat, sender, account } = message;
  const phone = phoneIn(chat);
  const isTheirs = phone !== undefined && isOwn(sender, { phone }) && !isOwn(sender, account);
  if (!isTheirs || account.phone === undefined) return message;
  return { ...message, sender: known({ phone: account.phone, name: account.name }), recipient: sender };
}

const phoneIn = ({ id, phone }: Pick<Chat, 'id' | 'phone'>): string | undefined =>
  phone ?? phoneOfJid(id) ?? toPhone(id);

function isOwn({ id, phone }: Person, account: OwnAccount): boolean {
  const own = account.phone ?? phoneOfJid(account.instance);
  return isSamePhone(phone ?? phoneOfJid(id), own);
}

/** Names that providers put in the place of a title: in a group its writer's, in what we wrote our own. */
function namesBeside({ chat, sender, account, broadcastList }: Message, direction: Message['direction']) {
  if (broadcastList !== undefined) return [account.name];
  const writer = [sender.name, sender.contactName];
  if (chat.kind === 'individual') return direction === 'outbound' ? [account.name, ...writer] : [account.name];
  return writer;
}

/** Where a provider knows no name of the writer, it may put their number there. */
const numbersBeside = ({ sender, account }: Message) => [sender.phone ?? phoneOfJid(sender.id), account.phone];

/** Undefined for what is no title: a number, a name that is somebody else's, or anything on what has none. */
function titleIn(
  { id, kind, phone, title }: Pick<Chat, 'id' | 'kind' | 'phone' | 'title'>,
  names: readonly (string | undefined)[],
  numbers: readonly (string | undefined)[] = [],
): string | undefined {
  const words = title?.trim() ?? '';
  if (title === undefined || words === '' || kind === 'status') return undefined;
  if (names.some((name) => name?.trim() === words)) return undefined;
  const digits = words.replace(/[\s()+.\-\u00a0\u2010-\u2015\u2022\u2219]/g, '');
  const isItsOwn = [id.replace(/@.*$/, ''), phone, ...numbers].some((own) => own?.replace(/^\+/, '') === digits);
  const isNumber = kind === 'individual' && /^\d{7,}$/.test(digits);
  return isItsOwn || isNumber || words.toLowerCase() === id.toLowerCase() ? undefined : title;
}
