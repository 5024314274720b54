import type * as v from 'valibot';
import { type Draft, type EventReader, reader } from '#lib/app/receiving/provider.ts';
import type { Payload } from '#lib/domain/event.ts';
import type { Issue } from '#lib/domain/issue.ts';
import { normaliseJid } from '#lib/domain/jid.ts';
import { anyKnown, known } from '#lib/domain/known.ts';
import { chatIdOf, chatKindOf, chatPhoneOf, toAccount, whereabouts } from './parties.ts';
import { type Chat, ChatBody } from './schema.ts';
import { instantOf, isoOf } from './timestamp.ts';

type Change = Extract<Payload, { kind: 'chat' }>['chat']['change'];

/** Reads an event about a chat, known under several names of which `change` is the meaning. */
export function chat(change: Change): EventReader {
  return reader(ChatBody, (body) => chatDraft(body, change));
}

/**
 * A chat is created once, whoever wrote first. Assignments have neither an id nor a time, so that all they say is
 * their identity.
 */
function chatDraft(body: v.InferOutput<typeof ChatBody>, change: Change): Draft | Issue {
  const id = chatIdOf(body.chat);
  if (id === undefined) return { path: 'chat.id', message: 'is missing' };
  const created = change === 'created';
  const account = toAccount(body.whatsapp_account, body.chat);
  return {
    identity: { type: `chat:${change}`, ...whereabouts(account, id), ...(created && { id }) },
    payload: {
      kind: 'chat',
      chat: {
        id,
        kind: chatKindOf(body.chat),
        change,
        ...known({ ...factsOf(body.chat), account: anyKnown(account) }),
      },
    },
    ...known({ occurredAt: created ? instantOf(body.chat.created_timestamp) : undefined }),
  };
}

function factsOf(chat: Chat) {
  return {
    title: chat.name ?? chat.full_name,
    phone: chatPhoneOf(chat),
    aliases: chat.jid === undefined ? undefined : [normaliseJid(chat.jid)],
    url: chat.chat_url,
    closed: chat.closed,
    read: chat.read,
    unattended: chat.unattended_customer,
    autoReply: chat.chatgpt_autoresponse_enabled,
    labels: chat.labels?.filter((label) => typeof label === 'string'),
    createdAt: isoOf(chat.created_timestamp),
    lastMessage: anyKnown({ id: chat.last_message_uuid, at: isoOf(chat.last_message_timestamp) }),
    responsible: anyKnown({ name: chat.responsible_name, email: chat.responsible_email }),
    previousResponsible: anyKnown({ name: chat.previous_responsible_name, email: chat.previous_responsible_email }),
  };
}
