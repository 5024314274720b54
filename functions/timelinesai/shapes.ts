import type * as v from 'valibot';
import { known } from '#lib/domain/known.ts';
import type { Account, BundleBody, Chat, EnvelopeBody, MessageBody, TheirMessage } from './schema.ts';

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
  /** Where it stood in the body, as `messages.0`. */
  readonly path: string;
}

export function fromMessage(body: v.InferOutput<typeof MessageBody>): Told {
  const { chat = {}, whatsapp_account: account = {}, message } = body;
  return { chat, account, messages: [{ message, path: 'message' }], chatPath: 'chat.chat_id' };
}

export function fromEnvelope({ data }: v.InferOutput<typeof EnvelopeBody>): Told {
  const { chat = {}, sender = { full_name: data.sender_name, phone: data.sender_phone } } = data;
  return {
    chat: { ...chat, chat_id: data.chat_id ?? chat.chat_id, full_name: data.chat_name ?? chat.full_name },
    account: { whatsapp_account_wid: data.whatsapp_account_id },
    messages: [{ message: { ...data, sender, direction: data.direction ?? directionOf(data.from_me) }, path: 'data' }],
    chatPath: 'data.chat_id',
    // The vendor's receivers take a message for the customer's unless `from_me` is true.
    otherwise: 'received',
  };
}

function directionOf(fromMe: boolean | undefined): string | undefined {
  if (fromMe === undefined) return undefined;
  return fromMe ? 'sent' : 'received';
}

export function fromBundle(body: v.InferOutput<typeof BundleBody>): Told {
  const { chat = {}, whatsapp_account: account = {}, messages, ...beside } = body;
  return {
    chat: { ...beside, ...known(chat) },
    account,
    chatPath: 'chat_id',
    messages: messages.map((message, index) => ({ message, path: `messages.${index}` })),
  };
}
