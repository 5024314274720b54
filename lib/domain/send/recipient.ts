import { normaliseJid, type Phone, toPhone } from '../person.ts';

/** Whom a send is for, once the hub has made out which chat or number that is. */
export type Recipient =
  | { readonly kind: 'phone'; readonly phone: Phone }
  /** As the caller gave it: nobody has seen yet that there is such a chat. */
  | { readonly kind: 'jid'; readonly jid: string }
  /** The provider's own id of a chat from which something has come in. */
  | { readonly kind: 'chat_id'; readonly id: string }
  /** The exact title, where the provider looks chats up by it. */
  | { readonly kind: 'chat_name'; readonly name: string };

export type RecipientKind = Recipient['kind'];

/** Reads what a send keeps of its recipient; undefined if that is none of the four forms, or not one alone. */
export function recipientOf(kept: Readonly<Record<string, string>>): Recipient | undefined {
  const { phone, jid, chat_id: id, chat_name: name } = kept;
  if ([phone, jid, id, name].filter((form) => form !== undefined).length !== 1) return undefined;
  if (jid !== undefined) return { kind: 'jid', jid };
  if (id !== undefined) return { kind: 'chat_id', id };
  if (name !== undefined) return { kind: 'chat_name', name };
  const number = toPhone(phone);
  return number === undefined ? undefined : { kind: 'phone', phone: number };
}

const PERSON = /^[1-9]\d{6,14}@c\.us$/;
const GROUP = /^[1-9]\d{4,19}(-\d{6,12})?@g\.us$/;
const HIDDEN = /^[1-9]\d{4,19}@lid$/;

/**
 * The chat in WhatsApp's own words, as `12025550142@c.us`; undefined where there is none. A hidden number (`@lid`)
 * counts only where a chat under it is known: one that nobody has seen may block an account's whole queue.
 */
export function whatsappChatOf(recipient: Recipient): string | undefined {
  if (recipient.kind === 'phone') return `${recipient.phone.slice(1)}@c.us`;
  if (recipient.kind === 'chat_name') return undefined;
  const raw = recipient.kind === 'jid' ? recipient.jid : recipient.id;
  const phone = toPhone(raw);
  const chat = phone === undefined ? normaliseJid(raw.trim()) : `${phone.slice(1)}@c.us`;
  const isChat = PERSON.test(chat) || GROUP.test(chat) || (recipient.kind === 'chat_id' && HIDDEN.test(chat));
  return isChat ? chat : undefined;
}
