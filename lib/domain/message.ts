import * as v from 'valibot';
import { Content } from './content.ts';
import { CHAT_KINDS } from './person.ts';
import { optional, text } from './schema.ts';

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
