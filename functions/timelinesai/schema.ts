import * as v from 'valibot';
import { isRecord } from '#lib/domain/json.ts';
import { toPhone } from '#lib/domain/person.ts';
import { anyKnown, ifValid, known } from '#lib/domain/schema.ts';
import { toInstant, toIso } from '#lib/domain/time.ts';
import { spelledOut } from '#lib/inbox/relayed.ts';

/** When something was, as the hub shows it. */
export function isoOf(raw: string | undefined): string | undefined {
  const instant = toInstant(raw);
  return instant === undefined ? undefined : toIso(instant);
}

/** What a delivery says about messages of one chat, whichever of the three shapes it came in. */
export interface Told {
  readonly chat: Chat;
  readonly account: Account;
  readonly messages: readonly ToldMessage[];
  /** Where the chat's id would have stood in the body. */
  readonly chatPath: string;
  /** The direction of a message that names none, neither itself nor through its event. */
  readonly otherwise?: 'received';
}
export interface ToldMessage {
  readonly message: TheirMessage;
  /** Where the body tells none that all its messages stand in. */
  readonly chat?: Chat;
  /** Where it stood in the body, as `messages.0`. */
  readonly path: string;
}

export function fromMessage(body: v.InferOutput<typeof MessageBody>): Told {
  const messages = [{ message: body.message, path: 'message' }];
  return { chat: chatIn(body), account: accountIn(body), messages, chatPath: 'chat.chat_id' };
}

/** Under `chat`, or beside what happened in it. */
export function chatIn({ chat = {}, chat_id, chat_url, jid, phone, is_group, chat_name: full_name }: WithChat): Chat {
  return { ...known({ chat_id, chat_url, jid, phone, is_group, full_name }), ...known(chat) };
}
type WithChat = { readonly chat?: Chat | undefined; readonly chat_name?: string | undefined } & Partial<
  Pick<Chat, 'chat_id' | 'chat_url' | 'jid' | 'phone' | 'is_group'>
>;

export function fromEnvelope({ data }: v.InferOutput<typeof EnvelopeBody>): Told {
  // An id without more to it may be the event's.
  const { id: _, name: _name, chat = {}, chat_name, ...beside } = data;
  return {
    chat: { ...known(chat), ...known({ ...beside, full_name: chat_name }) },
    account: {
      whatsapp_account_wid: data.whatsapp_account_id,
      phone: data.whatsapp_account_phone,
      ...known(accountIn(data)),
    },
    messages: [{ message: { ...data, id: undefined }, path: 'data' }],
    chatPath: 'data.chat_id',
    // The vendor's receivers take a message for the customer's unless `from_me` is true.
    otherwise: 'received',
  };
}

export function fromBundle(body: v.InferOutput<typeof BundleBody>): Told {
  const { chat = {}, messages, chat_name, ...beside } = body;
  return {
    chat: { ...beside, full_name: beside.full_name ?? chat_name, ...known(chat) },
    account: accountIn(body),
    chatPath: 'chat_id',
    messages: messages.map((message, index) => ({
      message,
      path: `messages.${index}`,
      chat: { chat_id: message.chat_id, ...known(message.chat ?? {}) },
    })),
  };
}

interface WithAccount {
  readonly whatsapp_account?: Account | undefined;
  readonly account?: Account | undefined;
}
const accountIn = (body: WithAccount): Account => body.whatsapp_account ?? body.account ?? {};

// TimelinesAI publishes no schema. What is of another type than expected therefore counts as not said:
// an event is broken only when too little is left to understand it, never for a detail.

const printable = v.pipe(
  v.union([v.string(), v.number()]),
  v.transform((raw) => String(raw)),
);
/** A text, or a number where ids and phones are written as such. An empty one says nothing. */
const word = ifValid(v.pipe(printable, v.trim(), v.nonEmpty()));
/** What somebody wrote, with its blanks. */
const prose = ifValid(v.pipe(printable, v.regex(/\S/)));
/** Relays make texts of all values. */
const flag = ifValid(
  v.pipe(
    v.union([v.boolean(), v.picklist([0, 1]), v.pipe(v.string(), v.trim(), v.regex(/^(?:true|false|[01])$/i))]),
    v.transform((raw) => (typeof raw === 'string' ? /^(?:true|1)$/i.test(raw) : Boolean(raw))),
  ),
);
const amount = ifValid(
  v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+(\.\d+)?$/))]),
    v.transform(Number),
    v.finite(),
    v.minValue(0),
  ),
);
const records = v.pipe(
  v.array(v.unknown()),
  v.transform((entries) => entries.filter(isRecord)),
);

const Person = v.pipe(
  v.union([
    v.looseObject({ full_name: word, name: word, phone: word }),
    v.pipe(printable, v.trim(), v.nonEmpty(), v.transform(numberOrName)),
  ]),
  v.transform(({ full_name, name, phone }): Person => ({ full_name: full_name ?? name, phone })),
);
export interface Person {
  readonly full_name?: string | undefined;
  readonly phone?: string | undefined;
}

function numberOrName(written: string): { full_name?: string; name?: string; phone?: string } {
  return toPhone(written) || written.includes('@') ? { phone: written } : { full_name: written };
}

/** Messages, calls and reactions describe a chat by the first names, chat events by the second ones. */
const Chat = v.looseObject({
  chat_id: word,
  id: word,
  full_name: word,
  name: word,
  phone: word,
  jid: word,
  is_group: flag,
  chat_type: word,
  chat_url: word,
  closed: flag,
  read: flag,
  labels: ifValid(v.array(v.unknown())),
  unattended_customer: flag,
  chatgpt_autoresponse_enabled: flag,
  whatsapp_account_id: word,
  created_timestamp: word,
  last_message_uuid: word,
  last_message_timestamp: word,
  responsible_name: word,
  responsible_email: word,
  previous_responsible_name: word,
  previous_responsible_email: word,
});
export type Chat = v.InferOutput<typeof Chat>;

/** The first three beside messages, the fourth too beside calls and reactions; the others in chat and account events. */
const Account = v.looseObject({
  full_name: word,
  email: word,
  phone: word,
  whatsapp_account_wid: word,
  id: word,
  account_name: word,
  owner_name: word,
  owner_email: word,
  status: word,
  connected_on: word,
  disconnected_on: word,
});
export type Account = v.InferOutput<typeof Account>;

/** Older and newer names of the same, and a bare link. */
const AttachmentFields = v.looseObject({
  temporary_download_url: word,
  download_url: word,
  attachment_url: word,
  file_url: word,
  media_url: word,
  url: word,
  link: word,
  filename: word,
  file_name: word,
  fileName: word,
  name: word,
  size: amount,
  file_size: amount,
  mimetype: word,
  mime_type: word,
  mimeType: word,
  content_type: word,
  type: word,
});
const Attachment = v.pipe(
  v.unknown(),
  v.transform(spelledOut),
  v.union([v.pipe(v.string(), v.trim(), v.regex(/^https?:\/\/\S+$/i)), AttachmentFields]),
  v.transform((attachment) => (typeof attachment === 'string' ? { url: attachment } : attachmentOf(attachment))),
);

/** A file that came with a message; `kind` is their own word for it. */
export interface Attachment {
  readonly url?: string;
  readonly name?: string;
  readonly mimeType?: string;
  readonly size?: number;
  readonly kind?: string;
}

function attachmentOf(file: v.InferOutput<typeof AttachmentFields>): Attachment {
  return known({
    url:
      file.temporary_download_url ??
      file.download_url ??
      file.attachment_url ??
      file.file_url ??
      file.media_url ??
      file.url ??
      file.link,
    name: file.filename ?? file.file_name ?? file.fileName ?? file.name,
    mimeType: file.mimetype ?? file.mime_type ?? file.mimeType ?? file.content_type,
    size: file.size ?? file.file_size,
    kind: file.type,
  });
}

const around = {
  chat: ifValid(Chat),
  chat_id: word,
  chat_url: word,
  jid: word,
  phone: word,
  is_group: flag,
  chat_name: word,
  whatsapp_account: ifValid(Account),
  account: ifValid(Account),
};

const MessageFields = v.looseObject({
  chat_id: word,
  chat: ifValid(Chat),
  message_uid: word,
  uid: word,
  message_uuid: word,
  message_id: word,
  id: word,
  message_type: word,
  text: prose,
  body: prose,
  caption: prose,
  from_me: flag,
  sender_phone: word,
  sender_name: word,
  recipient_phone: word,
  recipient_name: word,
  direction: word,
  origin: word,
  timestamp: word,
  reply_to_uid: word,
  sender: ifValid(Person),
  recipient: ifValid(Person),
  attachment: ifValid(Attachment),
  attachments: ifValid(
    v.pipe(
      v.unknown(),
      v.transform(spelledOut),
      v.union([v.array(ifValid(Attachment)), Attachment]),
      v.transform((files) => [files].flat().filter((file) => file !== undefined)),
    ),
  ),
  // The same beside the message, where it is one file.
  attachment_url: word,
  file_url: word,
  media_url: word,
  attachment_filename: word,
  attachment_name: word,
  attachment_mimetype: word,
  attachment_mime_type: word,
});

/** What stands under several names, or beside the message, in one place. */
function spelledAlike<Fields extends v.InferOutput<typeof MessageFields>>(message: Fields) {
  return {
    ...message,
    text: message.text ?? message.body ?? message.caption,
    sender: message.sender ?? personOf(message.sender_phone, message.sender_name),
    recipient: message.recipient ?? personOf(message.recipient_phone, message.recipient_name),
    direction: message.direction ?? directionOf(message.from_me),
  };
}

const personOf = (phone: string | undefined, full_name: string | undefined) => anyKnown({ phone, full_name });

const TheirMessage = v.pipe(MessageFields, v.transform(spelledAlike));
export type TheirMessage = v.InferOutput<typeof TheirMessage>;

function directionOf(fromMe: boolean | undefined): string | undefined {
  if (fromMe === undefined) return undefined;
  return fromMe ? 'sent' : 'received';
}

/** "Webhooks v2": the documented shape. */
export const MessageBody = v.looseObject({ ...around, message: TheirMessage });

/** What the vendor's sample receivers read: everything about the message under `data`. */
export const EnvelopeBody = v.looseObject({
  data: v.pipe(
    v.looseObject({
      ...Chat.entries,
      ...around,
      ...MessageFields.entries,
      whatsapp_account_phone: word,
    }),
    v.transform(spelledAlike),
  ),
});

/** The first generation: several messages of one chat, described beside them or under `chat`. */
export const BundleBody = v.looseObject({
  ...around,
  ...Chat.entries,
  messages: v.pipe(records, v.array(TheirMessage), v.nonEmpty()),
});

export const ReactionBody = v.looseObject({
  ...around,
  reaction: v.looseObject({
    message_uid: word,
    uid: word,
    message_id: word,
    action: word,
    emoji: word,
    timestamp: word,
    reactor: ifValid(Person),
    reactions: ifValid(v.record(v.string(), amount)),
  }),
});

export const CallBody = v.looseObject({
  ...around,
  call_details: v.looseObject({
    message_uid: word,
    direction: word,
    status: word,
    is_video: flag,
    duration: amount,
    timestamp: word,
    caller: ifValid(Person),
    recipient: ifValid(Person),
  }),
});

export const ChatBody = v.looseObject({ ...around, chat: Chat });

export const AccountBody = v.looseObject({ whatsapp_account: Account });
