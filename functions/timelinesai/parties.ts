import { chatKindOfJid, normaliseJid, phoneOfJid } from '#lib/domain/jid.ts';
import { anyKnown, known } from '#lib/domain/known.ts';
import type { Chat, OwnAccount, Person } from '#lib/domain/message.ts';
import { toPhone } from '#lib/domain/phone.ts';
import type * as theirs from './schema.ts';

/** TimelinesAI's own id of a chat, which belongs to one account; else whatever tells the chat from others. */
export function chatIdOf(chat: theirs.Chat | undefined): string | undefined {
  const jid = chat?.jid === undefined ? undefined : normaliseJid(chat.jid);
  return chat?.chat_id ?? chat?.id ?? jid ?? toPhone(chat?.phone);
}

export function chatKindOf(chat: theirs.Chat): 'individual' | 'group' | 'status' | 'broadcast' {
  if (chat.is_group === true || chat.chat_type?.toLowerCase() === 'group') return 'group';
  return chat.jid === undefined ? 'individual' : chatKindOfJid(chat.jid);
}

export function toChat(id: string, chat: theirs.Chat): Chat {
  const title = chat.full_name ?? chat.name;
  return { id, kind: chatKindOf(chat), ...known({ title, phone: chatPhoneOf(chat), url: chat.chat_url }) };
}

/** A group has no number, whatever stands in the field. */
export function chatPhoneOf(chat: theirs.Chat): string | undefined {
  return chatKindOf(chat) === 'individual' ? (toPhone(chat.phone) ?? phoneOfJid(chat.jid)) : undefined;
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
    instance: number !== undefined || wid === undefined ? undefined : normaliseJid(wid),
    name: account.account_name,
    owner: anyKnown({
      name: account.owner_name ?? account.full_name,
      email: account.owner_email ?? account.email,
    }),
  });
}

/** What an event's identity says about where it happened. */
export function whereabouts(account: OwnAccount, chat?: string): { instance?: string; chat?: string } {
  return known({ instance: account.phone ?? account.instance, chat });
}
