import * as v from 'valibot';
import type { Draft, Reading, ReceivingProvider } from '#lib/app/receiving/provider.ts';
import { derivedId } from '#lib/domain/ids.ts';
import { issuesOf } from '#lib/domain/issue.ts';
import { parseJson } from '#lib/domain/json.ts';
import type { Chat, OwnAccount } from '#lib/domain/message.ts';
import { toInstant } from '#lib/domain/time.ts';
import { chatOf } from './chat.ts';
import { contentOf, errorOf } from './content.ts';
import { participantsOf, senderOf, userPhone } from './people.ts';
import { Delivery } from './schema.ts';

export const cooby: ReceivingProvider = {
  name: 'cooby',
  // Whatever its content type: a browser posts JSON as text/plain to be spared a preflight.
  parse: parseJson,
  read,
};

/** Every delivery is one message: Cooby has no other event, and no name for this one. */
function read(body: unknown): Reading {
  const result = v.safeParse(Delivery, body);
  if (!result.success) return { issues: issuesOf(result.issues) };
  const chat = chatOf(result.output);
  if (!chat) return { issues: [{ path: 'chat_id', message: 'is missing, and nothing else tells the chat' }] };
  return { drafts: [toDraft(result.output, chat)] };
}

function toDraft(delivery: Delivery, chat: Chat): Draft {
  const occurredAt = toInstant(delivery.timestamp);
  const id = delivery.message.id ?? inferredId(delivery);
  const instance = userPhone(delivery) ?? delivery.user_email;
  return {
    identity: {
      // Each team member who sees a message reports it.
      ...(instance !== undefined && { instance }),
      type: 'message',
      chat: chat.id,
      id,
      // A message taken back keeps its id.
      ...(delivery.message.type === 'revoked' && { edit: 'revoked' }),
    },
    ...(occurredAt !== undefined && { occurredAt }),
    payload: {
      kind: 'message',
      message: {
        id,
        chat,
        direction: delivery.direction === 'sent' ? 'outbound' : 'inbound',
        via: 'unknown',
        channel: 'whatsapp',
        sender: senderOf(delivery, chat.kind === 'group'),
        account: accountOf(delivery),
        ...participantsOf(delivery),
        content: contentOf(delivery.message),
        ...errorOf(delivery.message),
      },
    },
  };
}

/** Older deliveries have no id of the message. */
function inferredId({ user_phone, sender, timestamp, message }: Delivery): string {
  return derivedId('msg', [user_phone, sender?.phone, timestamp, message.type, message.text, message.file_url]);
}

function accountOf(delivery: Delivery): OwnAccount {
  const phone = userPhone(delivery);
  return {
    ...(phone && { phone }),
    ...(!phone && delivery.user_phone && { instance: delivery.user_phone }),
    ...(delivery.user_email && { user: delivery.user_email }),
  };
}
