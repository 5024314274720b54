import type * as v from 'valibot';
import type { Content } from '#lib/domain/content.ts';
import type { Chat, OwnAccount, Person } from '#lib/domain/event.ts';
import { derivedId } from '#lib/domain/ids.ts';
import { chatKindOfJid, normaliseJid, phoneOfJid, toPhone } from '#lib/domain/person.ts';
import { known } from '#lib/domain/schema.ts';
import { toInstant } from '#lib/domain/time.ts';
import { parseBody } from '#lib/inbox/body.ts';
import { type Draft, type Reading, type ReceivingProvider, readByName, reader } from '#lib/inbox/provider.ts';
import { fileIn } from '#lib/inbox/received-file.ts';
import { deliveriesIn, readAll, spelledOut } from '#lib/inbox/relayed.ts';
import type { Channel, Provider } from '#lib/tenants/account.ts';
import { zenderAccount } from './account.ts';
import { isDelivery, isFlat, isOfZender } from './body.ts';
import { Flat, Notification, Sms, Ussd, Whatsapp } from './schema.ts';
import { proofOf, withoutSecret } from './secret.ts';

/**
 * Whom an address names: a number with or without `+`, a short code or a name (service messages), or an id of
 * WhatsApp's (a group has one). A device suffix, as in `+15550100001:12`, is dropped.
 */
function chatAt(address: string): Chat {
  if (address.includes('@')) {
    const id = normaliseJid(address);
    return { id, kind: chatKindOfJid(id), ...known({ phone: phoneOfJid(id) }) };
  }
  const bare = address.replace(/(?<=.):\d+$/, '');
  const phone = toPhone(bare);
  return { id: phone ?? bare, kind: 'individual', ...known({ phone }) };
}

/** In a group the author is not told. */
function senderAt({ id, kind, phone }: Chat): Person {
  if (kind !== 'individual') return {};
  return phone === undefined ? { id } : { phone };
}

/** An SMS may be empty, but not without a text at all. Of WhatsApp, older versions report a picture as a message without words. */
function contentOf(channel: Channel, data: { readonly message?: string | undefined }): Content {
  const { message } = data;
  const found = fileIn(data, 0);
  if (found?.file.url !== undefined) return { ...found, ...(message && { caption: message }) };
  const isText = message !== undefined && (message !== '' || channel === 'sms');
  return isText ? { type: 'text', text: message } : { type: 'unsupported', providerType: channel };
}

const readNotification = reader(Notification, toNotification);
const readEvent = readByName('type', {
  sms: reader(Sms, toSms),
  whatsapp: reader(Whatsapp, toWhatsapp),
  ussd: reader(Ussd, toUssd),
  // The documentation says the singular, some versions the plural.
  notification: readNotification,
  notifications: readNotification,
});
const readFlat = reader(Flat, toFlat);

export const zender: ReceivingProvider = { name: 'zender', parse: parseBody, proofOf, withoutSecret, read };

export const provider: Provider = { account: zenderAccount, receiving: zender };

function read(body: unknown): Reading {
  return readAll(deliveriesIn(body, isDelivery), readOne);
}

/** A type that nobody knows stays as it was written: quarantine shows it so. */
function readOne(delivery: unknown): Reading {
  if (isFlat(delivery)) return readFlat(delivery, 'flat');
  if (!isOfZender(delivery)) return readEvent(delivery);
  return readEvent({ ...delivery, type: delivery.type.trim().toLowerCase(), data: spelledOut(delivery.data) });
}

function toSms({ data }: v.InferOutput<typeof Sms>): Draft {
  const { device, rid } = data;
  const onDevice = device !== undefined && rid !== undefined ? `${device}:${rid}` : undefined;
  const account = known({ device, sim: slotOf(data.sim) });
  return toMessage('sms', data, { account, instance: device, id: data.id ?? onDevice, told: device, rid });
}

function toWhatsapp({ data }: v.InferOutput<typeof Whatsapp>): Draft {
  const account = accountAt(data.wid);
  const instance = account.phone ?? account.instance;
  return toMessage('whatsapp', data, { account, instance, id: data.id, told: data.wid });
}

/** The first versions were for SMS alone, and gave a message no id. */
function toFlat(body: v.InferOutput<typeof Flat>): Draft {
  const { name, message, receive_date: timestamp } = body;
  const id = derivedId('msg', [chatAt(body.phone).id, name, timestamp, message]);
  return toMessage('flat', { ...body, timestamp }, { account: {}, id, name });
}

interface Facts {
  readonly account: OwnAccount;
  readonly instance?: string | undefined;
  readonly id?: string | undefined;
  /** How our account was told, of a message without an id. */
  readonly told?: string | undefined;
  readonly name?: string | undefined;
  readonly rid?: string | undefined;
}

function toMessage(
  type: 'sms' | 'whatsapp' | 'flat',
  data: { readonly phone: string; readonly message?: string | undefined; readonly timestamp?: string | undefined },
  { account, instance, id, told, name, rid }: Facts,
): Draft {
  const chat = chatAt(data.phone);
  const channel = type === 'whatsapp' ? 'whatsapp' : 'sms';
  const content = contentOf(channel, data);
  return {
    identity: { type, chat: chat.id, ...known({ instance, id }) },
    ...timeOf(data),
    // What came with nothing in it may come again with what it says.
    ...(content.type === 'unsupported' && { placeholder: true }),
    payload: {
      kind: 'message',
      message: {
        id: id ?? derivedId('msg', [type, chat.id, told, data.timestamp, data.message]),
        chat: { ...chat, ...known({ title: name }) },
        direction: 'inbound',
        via: 'unknown',
        channel,
        sender: { ...senderAt(chat), ...known({ contactName: name }) },
        account,
        content,
        ...known({ deviceMessageId: rid }),
      },
    },
  };
}

function toUssd({ data }: v.InferOutput<typeof Ussd>): Draft {
  const { device, code, response = '' } = data;
  return {
    identity: { type: 'ussd', instance: device, ...known({ id: data.id }) },
    ...timeOf(data),
    payload: { kind: 'ussd', ussd: { device, code, response, ...known({ sim: slotOf(data.sim) }) } },
  };
}

function toNotification({ data }: v.InferOutput<typeof Notification>): Draft {
  const { device, title, content } = data;
  return {
    identity: { type: 'notification', instance: device, ...known({ id: data.id }) },
    ...timeOf(data),
    payload: { kind: 'notification', notification: { device, package: data.package, ...known({ title, content }) } },
  };
}

/** `wid` is our own account's number, not the sender's. */
function accountAt(wid: string | undefined): OwnAccount {
  if (wid === undefined) return {};
  const { id, phone } = chatAt(wid);
  return phone === undefined ? { instance: id } : { phone };
}

const slotOf = (sim: string | undefined): number | undefined => (/^\d$/.test(sim ?? '') ? Number(sim) : undefined);

function timeOf(data: { readonly timestamp?: string | undefined }): { occurredAt?: number } {
  return known({ occurredAt: toInstant(data.timestamp) });
}
