import { known } from '#lib/domain/known.ts';
import type { Message, Person } from '#lib/domain/message.ts';
import { type Phone, toPhone } from '#lib/domain/phone.ts';
import type { Delivery } from './schema.ts';

/** The Cooby user's own number. Who sent a message is the user, should the user not be named. */
export function userPhone(delivery: Delivery): Phone | undefined {
  return toPhone(delivery.user_phone) ?? (delivery.direction === 'sent' ? toPhone(delivery.sender?.phone) : undefined);
}

/** Whom the user talks with in an individual chat: the author of what came in, else whoever is not the user. */
export function otherPhone(delivery: Delivery): Phone | undefined {
  const author = delivery.direction === 'received' ? toPhone(delivery.sender?.phone) : undefined;
  if (author) return author;
  const phones = [...membersOf(delivery).map((member) => member.phone), ...phonesInChatId(delivery.chat_id)];
  const user = userPhone(delivery);
  // Somebody who writes to themselves is alone in the chat.
  return phones.find((phone) => phone !== user) ?? phones[0];
}

/** The members of the chat, the user included; in an individual chat its id names the two where the list does not. */
export function participantsOf(delivery: Delivery): Message['participants'] {
  const listed = membersOf(delivery);
  const members = listed.length > 0 ? listed : phonesInChatId(delivery.chat_id).map((phone) => ({ phone }));
  return members.length > 0 ? members : undefined;
}

export function senderOf(delivery: Delivery, isGroup: boolean): Person {
  const phone = toPhone(delivery.sender?.phone) ?? impliedSender(delivery, isGroup);
  return known({
    id: phone ? undefined : delivery.sender?.phone,
    phone,
    name: delivery.sender?.wa_name,
    contactName: delivery.direction === 'received' && !isGroup ? savedName(delivery) : undefined,
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

function impliedSender(delivery: Delivery, isGroup: boolean): Phone | undefined {
  if (delivery.direction === 'sent') return userPhone(delivery);
  return isGroup ? undefined : otherPhone(delivery);
}

function membersOf(delivery: Delivery) {
  return (delivery.participants ?? []).flatMap((member) => {
    const phone = toPhone(member.phone);
    return phone ? [known({ phone, name: member.wa_name })] : [];
  });
}

/** `<digits>_<digits>@c.us` names both parties, in no order that is promised; `<digits>@c.us` only one. */
function phonesInChatId(chatId: string | undefined): Phone[] {
  const numbers = /^(\d+)(?:_(\d+))?@c\.us$/.exec(chatId ?? '')?.slice(1) ?? [];
  return numbers.flatMap((digits) => toPhone(digits) ?? []);
}
