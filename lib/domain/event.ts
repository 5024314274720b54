import * as v from 'valibot';
import { Content } from './content.ts';
import { CHAT_KINDS } from './person.ts';
import { Instant, Issue, optional, text, Whole } from './schema.ts';

export const Chat = v.object({
  id: text("The provider's id of the chat, device suffixes dropped"),
  kind: v.picklist(CHAT_KINDS),
  title: optional(v.string()),
  phone: optional(v.string(), 'Of an individual chat, where the provider tells it beside its own id'),
  url: optional(v.string(), "The chat on the provider's own pages"),
});
export type Chat = v.InferOutput<typeof Chat>;

export const Person = v.object({
  id: optional(v.string()),
  phone: optional(v.string(), 'E.164 with +, only where the number is really known'),
  name: optional(v.string(), 'As the person calls themselves'),
  contactName: optional(v.string(), "As the account's address book calls them"),
});
export type Person = v.InferOutput<typeof Person>;

/** Which of our own accounts was meant, in the provider's words. */
export const OwnAccount = v.object({
  phone: optional(v.string()),
  instance: optional(v.string()),
  user: optional(v.string()),
  device: optional(v.string()),
  sim: optional(v.number()),
  name: optional(v.string(), 'As the provider shows the account'),
  owner: optional(
    v.object({ name: optional(v.string()), email: optional(v.string()) }),
    'The member of the team to whom the account belongs',
  ),
});
export type OwnAccount = v.InferOutput<typeof OwnAccount>;

const Quoted = v.object({
  id: v.string(),
  sender: v.exactOptional(Person),
  content: v.exactOptional(Content),
  stated: optional(
    v.object({ id: optional(v.string()), sender: v.exactOptional(Person) }),
    'The quoted message as the outer message names it, which may differ',
  ),
});
export type Quoted = v.InferOutput<typeof Quoted>;

export const Message = v.object({
  id: text("The provider's id; ours where it has none"),
  chat: Chat,
  direction: v.picklist(['inbound', 'outbound']),
  via: v.picklist(['phone', 'api', 'unknown']),
  channel: v.picklist(['whatsapp', 'sms']),
  sender: Person,
  recipient: v.exactOptional(Person),
  account: OwnAccount,
  participants: v.exactOptional(v.array(v.object({ phone: v.string(), name: optional(v.string()) }))),
  content: Content,
  quoted: v.exactOptional(Quoted),
  forwarded: optional(v.object({ score: optional(v.number()) }), 'Present on a forwarded message'),
  broadcastList: optional(v.string(), 'The broadcast list through which it came to the chat of its sender'),
  deviceMessageId: optional(v.string()),
  error: optional(v.object({ code: v.string(), message: v.string() }), 'What the provider could not hand over'),
});
export type Message = v.InferOutput<typeof Message>;

export const DeliveryState = v.picklist(['pending', 'sent', 'delivered', 'read', 'failed']);
export type DeliveryState = v.InferOutput<typeof DeliveryState>;

export const Status = v.object({
  messageId: v.string(),
  chatId: optional(v.string()),
  direction: optional(
    v.literal('inbound'),
    'Of the message: present where it is one that we received, and the state tells how far it got with us',
  ),
  state: DeliveryState,
  detail: optional(v.string(), "The provider's own word or explanation, as `noAccount`"),
  viaApi: optional(v.boolean(), 'Whether the message went through the API'),
  restricted: optional(v.boolean(), "The failure is the account's, which may not send for now"),
  account: v.exactOptional(OwnAccount),
});
export type Status = v.InferOutput<typeof Status>;

const Reaction = v.object({
  id: optional(v.string(), "The provider's id of the reaction itself"),
  messageId: text('The message reacted to'),
  messageSender: v.exactOptional(Person),
  chat: Chat,
  direction: v.exactOptional(v.picklist(['inbound', 'outbound'])),
  sender: Person,
  emoji: optional(v.string()),
  removed: v.boolean(),
  account: v.exactOptional(OwnAccount),
  tally: optional(
    v.array(v.object({ emoji: v.string(), count: v.number() })),
    'All reactions that the message has now, by everybody',
  ),
});

export const Call = v.object({
  direction: v.picklist(['inbound', 'outbound']),
  state: v.picklist(['ringing', 'answered', 'missed', 'declined', 'ended', 'failed', 'unknown']),
  from: v.exactOptional(Person),
  to: v.exactOptional(Person),
  chat: v.exactOptional(Chat),
  account: v.exactOptional(OwnAccount),
  video: optional(v.boolean()),
  durationSeconds: optional(v.number()),
  messageId: optional(v.string(), "The provider's id of the call"),
  participants: v.exactOptional(v.array(v.object({ id: v.string(), state: optional(v.string()) }))),
  detail: optional(v.string(), "The provider's own word for the state"),
});
export type Call = v.InferOutput<typeof Call>;

export const Connection = v.object({
  state: v.picklist(['connected', 'disconnected', 'connecting', 'restricted', 'blocked', 'sleeping', 'unknown']),
  detail: optional(v.string(), "The provider's own word for the state"),
  account: v.exactOptional(OwnAccount),
  connectedAt: optional(Instant, 'When the account was last connected'),
  disconnectedAt: optional(Instant, 'When it was last disconnected'),
});
export type Connection = v.InferOutput<typeof Connection>;
const Device = v.object({
  platform: optional(v.string()),
  manufacturer: optional(v.string()),
  model: optional(v.string()),
  osVersion: optional(v.string()),
  appVersion: optional(v.string()),
  batteryPercent: optional(v.number()),
  account: v.exactOptional(OwnAccount),
});

const ChatChange = v.object({
  id: v.string(),
  title: optional(v.string()),
  kind: v.picklist(CHAT_KINDS),
  change: v.picklist(['created', 'assigned', 'unassigned', 'blocked', 'picture']),
  phone: optional(v.string()),
  account: v.exactOptional(OwnAccount),
  aliases: v.exactOptional(v.array(v.string())),
  url: optional(v.string()),
  pictureUrl: optional(v.string()),
  onWhatsapp: optional(v.boolean(), 'Whether the person has WhatsApp at all'),
  detail: optional(v.string(), "The provider's explanation"),
  closed: optional(v.boolean()),
  read: optional(v.boolean()),
  unattended: optional(v.boolean()),
  autoReply: optional(v.boolean()),
  labels: v.exactOptional(v.array(v.string())),
  createdAt: v.exactOptional(Instant),
  lastMessage: optional(v.object({ id: optional(v.string()), at: v.exactOptional(Instant) })),
  responsible: optional(v.object({ name: optional(v.string()), email: optional(v.string()) })),
  previousResponsible: optional(v.object({ name: optional(v.string()), email: optional(v.string()) })),
});

const Notification = v.object({
  device: v.string(),
  package: text('The Android package'),
  title: optional(v.string()),
  content: optional(v.string()),
});
const Ussd = v.object({ device: v.string(), sim: optional(v.number()), code: v.string(), response: v.string() });
const QuotaReport = v.object({
  method: v.string(),
  used: v.number(),
  total: v.number(),
  state: v.string(),
  detail: optional(v.string()),
  account: v.exactOptional(OwnAccount),
});

/** What became of a send where it did not simply go out; that it was sent is told by its message. */
const SendReport = v.object({
  messageId: text('Of the send, as `/api/sends` shows it'),
  state: v.picklist(['failed', 'expired', 'unknown', 'cancelled']),
  part: optional(Whole, 'Which of its messages, from 0'),
  recipient: optional(v.object({ kind: v.string(), address: v.string() })),
  reason: optional(v.string()),
});
const AccountReport = v.object({
  state: v.picklist(['held', 'resumed']),
  reason: optional(v.string()),
});
const EndpointReport = v.object({
  id: v.string(),
  state: v.literal('disabled'),
  reason: v.picklist(['gone', 'failing']),
});
const RuleReport = v.object({
  id: optional(v.string(), 'Left out where it concerns every rule'),
  state: v.picklist(['muted', 'paused', 'refused']),
  chatId: optional(v.string(), 'The chat that is muted'),
  reason: v.string(),
});

/** What an event says stands under the name of its kind. The last four the hub tells of itself. */
export const payloads = {
  message: v.object({ kind: v.literal('message'), message: Message }),
  status: v.object({ kind: v.literal('status'), status: Status }),
  reaction: v.object({ kind: v.literal('reaction'), reaction: Reaction }),
  call: v.object({ kind: v.literal('call'), call: Call }),
  connection: v.object({ kind: v.literal('connection'), connection: Connection }),
  device: v.object({ kind: v.literal('device'), device: Device }),
  chat: v.object({ kind: v.literal('chat'), chat: ChatChange }),
  notification: v.object({ kind: v.literal('notification'), notification: Notification }),
  ussd: v.object({ kind: v.literal('ussd'), ussd: Ussd }),
  quota: v.object({ kind: v.literal('quota'), quota: QuotaReport }),
  send: v.object({ kind: v.literal('send'), send: SendReport }),
  account: v.object({ kind: v.literal('account'), account: AccountReport }),
  endpoint: v.object({ kind: v.literal('endpoint'), endpoint: EndpointReport }),
  rule: v.object({ kind: v.literal('rule'), rule: RuleReport }),
};
export const Payload = v.variant('kind', [
  payloads.message,
  payloads.status,
  payloads.reaction,
  payloads.call,
  payloads.connection,
  payloads.device,
  payloads.chat,
  payloads.notification,
  payloads.ussd,
  payloads.quota,
  payloads.send,
  payloads.account,
  payloads.endpoint,
  payloads.rule,
]);
export type Payload = v.InferOutput<typeof Payload>;
export type EventKind = Payload['kind'] | 'unknown';

/** Where a message that we sent, or that was typed on the phone, has got to: the highest status seen so far. */
export const DeliveryReport = v.object({
  state: DeliveryState,
  sentAt: v.exactOptional(Instant),
  deliveredAt: v.exactOptional(Instant),
  readAt: v.exactOptional(Instant),
  failedAt: v.exactOptional(Instant),
});
export type DeliveryReport = v.InferOutput<typeof DeliveryReport>;

const common = {
  id: text('`evt_…`, derived from what makes the event unique'),
  workspace: v.string(),
  provider: v.string(),
  webhookId: v.string(),
  accountId: optional(
    v.string(),
    'The account that the event itself names, else that of its webhook, else that of the chat of a message; left out where none is known',
  ),
  occurredAt: Instant,
  receivedAt: Instant,
  conflict: optional(v.boolean(), 'Another event with the same identity but other content was there before'),
};
const Quarantined = v.object({
  ...common,
  kind: v.literal('unknown'),
  quarantined: optional(v.boolean(), 'False once a replay has understood it, or somebody has dismissed it'),
  type: optional(v.string(), "The provider's name of the event, if it has one"),
  issues: v.array(Issue),
  replayedAs: v.exactOptional(v.array(v.string())),
  dismissedAt: optional(Instant, 'When somebody decided that it needs no hand; it is kept, and can be replayed'),
});
const told = {
  ...common,
  renewedAt: optional(Instant, 'When it was last told again with newer data, as another link to its file'),
  deliveries: optional(
    Whole,
    'How many deliveries tell it, where later ones had newer data: `/deliveries` below it lists them',
  ),
};
const understood = <Entries extends v.ObjectEntries>(payload: v.ObjectSchema<Entries, undefined>) =>
  v.object({ ...told, ...payload.entries });

export const MessageEvent = v.object({
  ...told,
  ...payloads.message.entries,
  chatId: text("The hub's id of the chat"),
  delivery: v.exactOptional(DeliveryReport),
  sendId: optional(v.string(), 'The `messageId` of the send that this message is, if it went out through the hub'),
});
export type MessageEvent = v.InferOutput<typeof MessageEvent>;

export const StatusEvent = v.object({
  ...told,
  ...payloads.status.entries,
  sendId: optional(v.string(), 'The `messageId` of the send whose message it tells of'),
  chatId: optional(v.string(), "The hub's id of the chat in which that message stands"),
  recipient: v.exactOptional(
    v.pipe(
      Person,
      v.description('To whom that message went; of a chat that has no number here, its id at the provider'),
    ),
  ),
});
export type StatusEvent = v.InferOutput<typeof StatusEvent>;

/** What happens in a chat beside its messages stands among them. */
const inChat = <Entries extends v.ObjectEntries>(payload: v.ObjectSchema<Entries, undefined>) =>
  v.object({
    ...told,
    ...payload.entries,
    chatId: optional(v.string(), "The hub's id of the chat; left out where none is told, and by earlier releases"),
  });

/** Everything that was received, in one shape for all providers. */
export const Event = v.variant('kind', [
  MessageEvent,
  StatusEvent,
  inChat(payloads.reaction),
  inChat(payloads.call),
  understood(payloads.connection),
  understood(payloads.device),
  understood(payloads.chat),
  understood(payloads.notification),
  understood(payloads.ussd),
  understood(payloads.quota),
  understood(payloads.send),
  understood(payloads.account),
  understood(payloads.endpoint),
  understood(payloads.rule),
  Quarantined,
]);
export type Event = v.InferOutput<typeof Event>;
