import * as v from 'valibot';
import { isRecord } from '#lib/domain/json.ts';
import { anyKnown, checked, ifValid, known } from '#lib/domain/schema.ts';
import { toInstant, toIso } from '#lib/domain/time.ts';

/** When something was, as the hub shows it. */
export function isoOf(raw: string | undefined): string | undefined {
  const instant = toInstant(raw);
  return instant === undefined ? undefined : toIso(instant);
}

// TimelinesAI publishes no schema. What is of another type than expected therefore counts as not said:
// an event is broken only when too little is left to understand it, never for a detail.

const printable = v.pipe(v.union([v.string(), v.number()]), v.transform(String));
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

const Person = v.looseObject({ full_name: word, phone: word });
export type Person = v.InferOutput<typeof Person>;

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

const Message = v.pipe(
  v.looseObject({
    message_uid: word,
    uid: word,
    message_id: word,
    message_type: word,
    text: prose,
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
    attachments: v.optional(v.unknown()),
  }),
  // What stands under several names, or beside the message, in one place.
  v.transform((message) => ({
    ...message,
    id: message.message_uid ?? message.uid ?? message.message_id,
    sender: message.sender ?? anyKnown({ phone: message.sender_phone, full_name: message.sender_name }),
    recipient: message.recipient ?? anyKnown({ phone: message.recipient_phone, full_name: message.recipient_name }),
    direction: message.direction ?? directionOf(message.from_me),
  })),
);
export type Message = v.InferOutput<typeof Message>;

function directionOf(fromMe: boolean | undefined): string | undefined {
  if (fromMe === undefined) return undefined;
  return fromMe ? 'sent' : 'received';
}

/** What stands around a message: the chat and our account, in objects of their own or by some of their fields. */
const Around = v.looseObject({
  chat: ifValid(Chat),
  chat_id: word,
  chat_url: word,
  chat_name: word,
  jid: word,
  phone: word,
  is_group: flag,
  whatsapp_account: ifValid(Account),
  whatsapp_account_id: word,
  whatsapp_account_phone: word,
});
type Around = v.InferOutput<typeof Around>;

/** Under `chat`, or beside what happened in it. */
export function chatIn({ chat = {}, chat_id, chat_url, jid, phone, is_group, chat_name: full_name }: Around): Chat {
  return { ...known({ chat_id, chat_url, jid, phone, is_group, full_name }), ...known(chat) };
}

/** What a delivery says about messages of one chat, whichever of the three shapes it came in. */
export interface Told {
  readonly chat: Chat;
  readonly account: Account;
  /** `path`: where it stood in the body, as `messages.0`. */
  readonly messages: readonly { readonly message: Message; readonly path: string }[];
  /** Where the chat's id would have stood in the body. */
  readonly chatPath: string;
  /** The direction of a message that names none, neither itself nor through its event. */
  readonly otherwise?: 'received';
}

/**
 * "Webhooks v2", the documented shape, has the message beside its chat. The first generation has several messages of one chat.
 * What the vendor's sample receivers read has everything under `data`, where the other two may stand as well.
 */
export const Messages = v.pipe(Around, v.transform(toldIn));

function toldIn(body: Around): Told {
  const { data, message, messages } = body;
  if (isRecord(message)) return told(body, 'chat.chat_id', [['message', message]]);
  if (Array.isArray(messages)) {
    const entries = messages.filter(isRecord).map((entry, index) => [`messages.${index}`, entry] as const);
    return told(body, entries.length > 0 ? 'chat_id' : 'messages', entries);
  }
  if (!isRecord(data)) return told(body, 'message', []);
  const within = checked(Around, data, () => 'data');
  return isRecord(data.message) || Array.isArray(data.messages)
    ? toldIn(within)
    : // The vendor's receivers take a message for the customer's unless `from_me` is true.
      { ...told(within, 'data.chat_id', [['data', data]]), otherwise: 'received' };
}

function told(around: Around, chatPath: string, entries: readonly (readonly [string, object])[]): Told {
  const { whatsapp_account: account = {}, whatsapp_account_id, whatsapp_account_phone: phone } = around;
  return {
    chat: chatIn(around),
    account: { whatsapp_account_wid: whatsapp_account_id, phone, ...known(account) },
    messages: entries.map(([path, entry]) => ({ message: checked(Message, entry, () => 'a message'), path })),
    chatPath,
  };
}

export const ReactionBody = v.looseObject({
  ...Around.entries,
  reaction: v.looseObject({
    message_uid: word,
    action: word,
    emoji: word,
    timestamp: word,
    reactor: ifValid(Person),
    reactions: ifValid(v.record(v.string(), amount)),
  }),
});

export const CallBody = v.looseObject({
  ...Around.entries,
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

export const ChatBody = v.looseObject({ chat: Chat, whatsapp_account: ifValid(Account) });

export const AccountBody = v.looseObject({ whatsapp_account: Account });
