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
import { deliveriesIn, readAll } from '#lib/inbox/relayed.ts';
import type { Provider } from '#lib/tenants/account.ts';
import { zenderAccount } from './account.ts';
import { isFlat, isOfZender, partsOf, wrapped } from './body.ts';
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

/** What came by WhatsApp. */
function whatsappContent(data: v.InferOutput<typeof Whatsapp>['data']): Content {
  const message = data.message || data.caption;
  // Older versions report a picture as a message without words.
  return (
    fileContent(data, message) ??
    (message ? { type: 'text', text: message } : { type: 'unsupported', providerType: 'whatsapp' })
  );
}

/** An SMS may be empty, but not without a text at all. Some phones hand on a picture that came with it. */
function smsContent(data: Pick<v.InferOutput<typeof Sms>['data'], 'message'>): Content {
  const { message } = data;
  return (
    fileContent(data, message) ??
    (message === undefined ? { type: 'unsupported', providerType: 'sms' } : { type: 'text', text: message })
  );
}

function fileContent(data: object, words: string | undefined): Content | undefined {
  const found = fileIn(data, 0);
  return found?.file.url === undefined ? undefined : { ...found, ...(words && { caption: words }) };
}

/** What came with nothing in it may come again with what it says. */
function emptyIn({ type }: Content): { placeholder?: true } {
  return type === 'unsupported' ? { placeholder: true } : {};
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
  return readAll(deliveriesIn(body, wrapped), (delivery) =>
    readAll(
      partsOf(delivery).map((part) => ({ delivery: part, path: '' })),
      readPart,
    ),
  );
}

/** A type that nobody knows stays as it was written: quarantine shows it so. */
function inSmallLetters(delivery: unknown): unknown {
  if (!isOfZender(delivery)) return delivery;
  return { ...delivery, type: delivery.type.trim().toLowerCase() };
}

function readPart(part: unknown): Reading {
  return isFlat(part) ? readFlat(part, 'flat') : readEvent(inSmallLetters(part));
}

function toSms({ data }: v.InferOutput<typeof Sms>): Draft {
  const chat = chatAt(data.phone);
  const content = smsContent(data);
  const onDevice = data.device !== undefined && data.rid !== undefined ? `${data.device}:${data.rid}` : undefined;
  const id = data.id ?? onDevice;
  return {
    identity: { type: 'sms', chat: chat.id, ...known({ instance: data.device, id }) },
    ...timeOf(data),
    ...emptyIn(content),
    payload: {
      kind: 'message',
      message: {
        id: id ?? derivedId('msg', ['sms', chat.id, data.device, data.timestamp, data.message]),
        chat,
        direction: 'inbound',
        via: 'unknown',
        channel: 'sms',
        sender: senderAt(chat),
        account: known({ device: data.device, sim: slotOf(data.sim) }),
        content,
        ...known({ deviceMessageId: data.rid }),
      },
    },
  };
}

function toWhatsapp({ data }: v.InferOutput<typeof Whatsapp>): Draft {
  const chat = chatAt(data.phone);
  const account = accountAt(data.wid);
  const content = whatsappContent(data);
  return {
    identity: {
      type: 'whatsapp',
      chat: chat.id,
      ...known({ instance: account.phone ?? account.instance, id: data.id }),
    },
    ...timeOf(data),
    ...emptyIn(content),
    payload: {
      kind: 'message',
      message: {
        id: data.id ?? derivedId('msg', ['whatsapp', chat.id, data.wid, data.timestamp, data.message]),
        chat,
        direction: 'inbound',
        via: 'unknown',
        channel: 'whatsapp',
        sender: senderAt(chat),
        account,
        content,
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

/** The first versions were for SMS alone, and gave a message no id. */
function toFlat(body: v.InferOutput<typeof Flat>): Draft {
  const chat = chatAt(body.phone);
  const id = derivedId('msg', [chat.id, body.name, body.receive_date, body.message]);
  return {
    identity: { type: 'flat', chat: chat.id, id },
    ...timeOf({ timestamp: body.receive_date }),
    payload: {
      kind: 'message',
      message: {
        id,
        chat: { ...chat, ...known({ title: body.name }) },
        direction: 'inbound',
        via: 'unknown',
        channel: 'sms',
        sender: { ...senderAt(chat), ...known({ contactName: body.name }) },
        account: {},
        content: smsContent(body),
      },
    },
  };
}

/** `wid` is our own account's number, not the sender's. */
function accountAt(wid: string | undefined): OwnAccount {
  if (wid === undefined) return {};
  const { id, phone } = chatAt(wid);
  return phone === undefined ? { instance: id } : { phone };
}

/** `1`, but also `SIM 1` and `1 (Vodafone)`. */
function slotOf(sim: string | undefined): number | undefined {
  const slot = /^\s*(?:sim[\s_-]*)?(\d)\b/i.exec(sim ?? '')?.[1];
  return slot === undefined ? undefined : Number(slot);
}

function timeOf(data: { readonly timestamp?: string | undefined }): { occurredAt?: number } {
  return known({ occurredAt: toInstant(data.timestamp) });
}
