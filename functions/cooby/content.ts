import { type Content, cardsIn, type File } from '#lib/domain/content.ts';
import type { Chat, Message, Person } from '#lib/domain/event.ts';
import { derivedId } from '#lib/domain/ids.ts';
import {
  type ChatKind,
  chatKindOfJid,
  chatKindOfWord,
  normaliseJid,
  type Phone,
  phoneOfJid,
  toPhone,
} from '#lib/domain/person.ts';
import { anyKnown, known } from '#lib/domain/schema.ts';
import type { Delivery, Content as Sent } from './schema.ts';

type ContentReader = (sent: Sent) => Content;

/**
 * What each type of Cooby's list becomes. Most types come without anything but their name (where a place is, what a
 * poll asks, which message a reaction is to): those are `unsupported`, so that the chat still shows that they came.
 */
const contents: Readonly<Record<string, ContentReader>> = {
  chat: (sent) => ({ type: 'text', text: wordsOf(sent) ?? '', ...known({ file: fileOf(sent) }) }),
  image: media('image'),
  video: media('video'),
  audio: media('audio'),
  sticker: media('sticker'),
  document: media('document'),
  payment: (sent) => ({ type: 'payment', ...wordsAndFile(sent) }),
  product: (sent) => ({ type: 'product', ...wordsAndFile(sent) }),
  order: (sent) => ({ type: 'order', ...wordsAndFile(sent) }),
  buttons_response: (sent) => ({ type: 'reply', source: 'button', ...known({ text: wordsOf(sent) }) }),
  list_response: (sent) => ({ type: 'reply', source: 'list', ...known({ text: wordsOf(sent) }) }),
  template_button_reply: (sent) => ({ type: 'reply', source: 'template', ...known({ text: wordsOf(sent) }) }),
  vcard: contacts,
  multi_vcard: contacts,
  revoked: () => ({ type: 'delete' }),
  call_log: system,
  keep_in_chat: system,
  pin_message: system,
  request_phone_number: system,
  'biz-cover-photo': system,
};

export function contentOf(sent: Sent): Content {
  const type = sent.type.toLowerCase();
  // `constructor` is a name, too.
  const read = Object.hasOwn(contents, type) ? contents[type] : undefined;
  if (read) return read(sent);
  return isFileKind(sent) ? media('document')(sent) : unsupported(sent);
}

/** A failure concerns the file alone: the rest of the message stands. */
export function errorOf(sent: Sent): Message['error'] {
  if (sent.is_error !== true && sent.error_code === undefined) return undefined;
  const code = sent.error_code ?? 'unknown_error';
  return { code, message: sent.error_message ?? sent.error_messages ?? code };
}

/** With an attachment, `text` and `caption` say the same: never both. */
function wordsOf(sent: Sent): string | undefined {
  return sent.text ?? sent.caption;
}

function wordsAndFile(sent: Sent): { text?: string; file?: File } {
  return known({ text: wordsOf(sent), file: fileOf(sent) });
}

function media(type: 'image' | 'video' | 'audio' | 'sticker' | 'document'): ContentReader {
  return (sent) => {
    // A file that Cooby could not fetch is a file still; `error` says why it is empty.
    const file = fileOf(sent) ?? (errorOf(sent) && {});
    return file ? { type, file, ...known({ caption: wordsOf(sent) }) } : unsupported(sent);
  };
}

/** The cards themselves, where it tells them. */
function contacts(sent: Sent): Content {
  const text = wordsOf(sent) ?? '';
  return /^\s*BEGIN:VCARD\b/i.test(text) ? { type: 'contacts', contacts: [...cardsIn(text)] } : unsupported(sent);
}

function fileOf({ file_url: url, file_name: name }: Sent): File | undefined {
  return anyKnown({ url, name, nameGenerated: name !== undefined && isGenerated(name) ? true : undefined });
}

/** `Cooby Image 2023-07-12 at 11.13.32 AM`: type, date, a word that is translated, time. Never an extension. */
function isGenerated(name: string): boolean {
  return /^Cooby \S+ \d{4}-\d\d-\d\d \S+ \d{1,2}\.\d\d\.\d\d( [AP]M)?$/i.test(name);
}

/** `pdf`, `csv`, `doc`: for such files the original kind stands in the place of the type. */
function isFileKind(sent: Sent): boolean {
  const kind = sent.type.toLowerCase();
  return ['pdf', 'csv', 'doc', 'docx'].includes(kind) || sent.file_name?.toLowerCase().endsWith(`.${kind}`) === true;
}

function system(sent: Sent): Content {
  return { type: 'system', event: sent.type, ...known({ text: wordsOf(sent) }) };
}

function unsupported(sent: Sent): Content {
  return { type: 'unsupported', providerType: sent.type, ...wordsAndFile(sent) };
}

/** Undefined where nothing tells which chat a message belongs to. */
export function chatOf(delivery: Delivery): Chat | undefined {
  const kind = kindOf(delivery);
  const id = delivery.chat_id === undefined ? inferredId(delivery, kind) : inOneOrder(delivery, delivery.chat_id);
  const phone = kind === 'individual' ? otherPhone(delivery) : undefined;
  return id === undefined ? undefined : { id, kind, ...known({ title: delivery.chat_title, phone }) };
}

/** The two numbers in a chat's id come in either order: the user's own goes last, as in Cooby's samples. */
function inOneOrder(delivery: Delivery, chatId: string): string {
  const [first, second] = phonesInChatId(chatId);
  const user = userPhone(delivery);
  if (first === undefined || second === undefined || (first !== user && second !== user)) return normaliseJid(chatId);
  const [other, own] = first === user ? [second, first] : [first, second];
  return `${other.slice(1)}_${own.slice(1)}@c.us`;
}

function kindOf({ chat_id: id, chat_type: type, participants }: Delivery): ChatKind {
  const kind = id === undefined ? 'individual' : chatKindOfJid(id);
  if (kind !== 'individual') return kind;
  const named = chatKindOfWord(type);
  if (named !== undefined) return named;
  return id === undefined && type === undefined && (participants ?? []).length > 2 ? 'group' : 'individual';
}

/**
 * Older deliveries do not name the chat. An individual one is named as Cooby's samples do today, so that old and new
 * messages meet in one chat; a group by its title, as members come and go, and per user, so that two groups of one
 * title never mix.
 */
function inferredId(delivery: Delivery, kind: ChatKind): string | undefined {
  const user = userPhone(delivery);
  const other = kind === 'individual' ? otherPhone(delivery) : undefined;
  if (other !== undefined)
    return `${[other, user ?? []]
      .flat()
      .map((phone) => phone.slice(1))
      .join('_')}@c.us`;
  return delivery.chat_title === undefined ? undefined : derivedId('chat', [kind, user, delivery.chat_title]);
}

/** The Cooby user's own number. Where it is not told, it is that of who sent, or of the two in a chat the one who did not write. */
export function userPhone({ user_phone: told, direction, sender, chat_id: chatId }: Delivery): Phone | undefined {
  const own = phoneIn(told);
  const author = phoneIn(sender?.phone);
  if (own !== undefined || direction === 'sent') return own ?? author;
  const both = phonesInChatId(chatId);
  return both.length === 2 && both.some((phone) => phone === author)
    ? both.find((phone) => phone !== author)
    : undefined;
}

/** Whom the user talks with in an individual chat: the author of what came in, else whoever is not the user. */
function otherPhone(delivery: Delivery): Phone | undefined {
  const { direction, sender, participants = [], chat_id: chatId } = delivery;
  const user = userPhone(delivery);
  const author = shownPhone(delivery, sender?.phone);
  // Whoever wrote hides their number: of those whose numbers are told it is none.
  if (direction === 'received' && sender?.phone !== undefined && (author === undefined || author !== user))
    return author;
  const members = membersOf(delivery);
  const phones = [...members.map(({ phone }) => phone), ...phonesInChatId(chatId)];
  const isHidden = normaliseJid(chatId ?? '').endsWith('@lid') || members.length < participants.length;
  // Somebody who writes to themselves is alone in the chat.
  return phones.find((phone) => phone !== user) ?? (isHidden ? undefined : phones[0]);
}

/** The members of the chat, the user included; in an individual chat its id names the two where the list does not. */
export function participantsOf(delivery: Delivery): Message['participants'] {
  const listed = membersOf(delivery);
  const members = listed.length > 0 ? listed : phonesInChatId(delivery.chat_id).map((phone) => ({ phone }));
  return members.length > 0 ? members : undefined;
}

/** `isOfMany`: the title is the chat's own, and says nothing of who writes. */
export function senderOf(delivery: Delivery, isOfMany: boolean): Person {
  const phone = shownPhone(delivery, delivery.sender?.phone) ?? impliedSender(delivery, isOfMany);
  return known({
    id: phone ? undefined : delivery.sender?.phone,
    phone,
    name: delivery.sender?.wa_name,
    contactName: delivery.direction === 'received' && !isOfMany ? savedName(delivery) : undefined,
  });
}

/** To whom the user wrote in an individual chat, as far as that is told. */
export function recipientOf(delivery: Delivery): Person | undefined {
  const phone = delivery.direction === 'sent' ? otherPhone(delivery) : undefined;
  const name = membersOf(delivery).find((member) => member.phone === phone)?.name;
  return phone && known({ phone, name, contactName: savedName(delivery) });
}

/** The title of an individual chat is the saved contact's name, or else only the number again. */
function savedName({ chat_title: title }: Delivery): string | undefined {
  return toPhone(title) ? undefined : title;
}

function impliedSender(delivery: Delivery, isOfMany: boolean): Phone | undefined {
  if (delivery.direction === 'sent') return userPhone(delivery);
  return isOfMany ? undefined : otherPhone(delivery);
}

/** A number, or WhatsApp's id of who has it. */
const phoneIn = (raw: string | undefined): Phone | undefined => toPhone(raw) ?? phoneOfJid(raw);

/** In the chat with somebody who hides their number, the digits of that chat's id stand in its place. */
function shownPhone({ chat_id: chatId }: Delivery, raw: string | undefined): Phone | undefined {
  const phone = phoneIn(raw);
  return phone !== undefined && normaliseJid(chatId ?? '') === `${phone.slice(1)}@lid` ? undefined : phone;
}

function membersOf(delivery: Delivery) {
  return (delivery.participants ?? []).flatMap((member) => {
    const phone = shownPhone(delivery, member.phone);
    return phone ? [known({ phone, name: member.wa_name })] : [];
  });
}

/** `<digits>_<digits>@c.us` names both parties, in no order that is promised; `<digits>@c.us` only one. */
function phonesInChatId(chatId = ''): Phone[] {
  const numbers = /^\+?(\d+)(?:[_-]\+?(\d+))?@c\.us$/.exec(normaliseJid(chatId))?.slice(1) ?? [];
  return numbers.flatMap((digits) => toPhone(digits) ?? []);
}
