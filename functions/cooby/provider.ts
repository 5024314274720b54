import type { Content } from '#lib/domain/content.ts';
import type { Chat, Message, OwnAccount } from '#lib/domain/event.ts';
import { derivedId } from '#lib/domain/ids.ts';
import { isRecord } from '#lib/domain/json.ts';
import { type Issue, known } from '#lib/domain/schema.ts';
import { toInstant } from '#lib/domain/time.ts';
import { type Draft, type ReceivingProvider, reader } from '#lib/inbox/provider.ts';
import { readEach, relayed } from '#lib/inbox/relayed.ts';
import type { Provider } from '#lib/tenants/account.ts';
import { coobyAccount } from './account.ts';
import { chatOf, contentOf, errorOf, participantsOf, recipientOf, senderOf, userPhone } from './content.ts';
import { Delivery } from './schema.ts';

/** Every delivery is one message: Cooby has no other event, and no name for this one. */
const readMessage = reader(Delivery, toDraft);

export const cooby: ReceivingProvider = {
  name: 'cooby',
  // Whatever its content type: a browser posts JSON as text/plain to be spared a preflight.
  parse: relayed((body) => isRecord(body) && typeof body.direction === 'string' && 'message' in body),
  read: readEach((body) => readMessage(body, 'message')),
};

export const provider: Provider = { account: coobyAccount, receiving: cooby };

function toDraft(delivery: Delivery): Draft | Issue {
  const chat = chatOf(delivery);
  if (!chat) return { path: 'chat_id', message: 'is missing, and nothing else tells the chat' };
  const message = toMessage(delivery, chat);
  return {
    identity: {
      type: 'message',
      chat: chat.id,
      id: message.id,
      ...known({
        // Each team member who sees a message reports it.
        instance: userPhone(delivery) ?? delivery.user_email,
        // A message taken back keeps its id.
        edit: delivery.message.type === 'revoked' ? 'revoked' : undefined,
      }),
    },
    payload: { kind: 'message', message },
    // What is not there yet, or not decrypted, may come again.
    ...known({ occurredAt: timeOf(delivery), placeholder: isEmpty(message.content) ? true : undefined }),
  };
}

function isEmpty(content: Content): boolean {
  return content.type === 'unsupported' && content.text === undefined && content.file === undefined;
}

function toMessage(delivery: Delivery, chat: Chat): Message {
  return {
    id: delivery.message.id ?? inferredId(delivery),
    chat,
    direction: delivery.direction === 'sent' ? 'outbound' : 'inbound',
    via: 'unknown',
    channel: 'whatsapp',
    sender: senderOf(delivery, chat.kind === 'group' || chat.kind === 'channel'),
    account: accountOf(delivery),
    content: contentOf(delivery.message),
    ...known({
      recipient: chat.kind === 'individual' ? recipientOf(delivery) : undefined,
      participants: participantsOf(delivery),
      error: errorOf(delivery.message),
    }),
  };
}

/** All known deliveries hold seconds in digits; the page speaks of a date and time in UTC. */
function timeOf({ timestamp }: Delivery): number | undefined {
  const date = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(?:UTC|GMT)?$/i.exec(timestamp?.trim() ?? '');
  return toInstant(date ? `${date[1]}T${date[2]}Z` : timestamp);
}

/** Older deliveries have no id of the message. */
function inferredId({ user_phone, sender, timestamp, message }: Delivery): string {
  return derivedId('msg', [user_phone, sender?.phone, timestamp, message.type, message.text, message.file_url]);
}

function accountOf(delivery: Delivery): OwnAccount {
  const phone = userPhone(delivery);
  return known({ phone, instance: phone ? undefined : delivery.user_phone, user: delivery.user_email });
}
