import type * as v from 'valibot';
import type { Payload } from '#lib/domain/event.ts';
import { normaliseJid } from '#lib/domain/person.ts';
import { anyKnown, type Issue, known } from '#lib/domain/schema.ts';
import { toInstant } from '#lib/domain/time.ts';
import { type Draft, type EventReader, reader } from '#lib/inbox/provider.ts';
import {
  chatIdOf,
  chatKindOf,
  chatPhoneOf,
  isTheirOwn,
  statedDirection,
  toAccount,
  toChat,
  toPerson,
  whereabouts,
} from './messages.ts';
import { AccountBody, CallBody, type Chat, ChatBody, chatIn, isoOf } from './schema.ts';

type Call = Extract<Payload, { kind: 'call' }>['call'];
type Named = Pick<Call, 'direction' | 'state'>;

// By their words, in lower case. "No answer" is what the caller's side says of a missed call.
const states: ReadonlyMap<string, Call['state']> = new Map([
  ['missed', 'missed'],
  ['no answer', 'missed'],
  ['answered', 'answered'],
  ['rejected', 'declined'],
  ['ended', 'ended'],
]);

const OURS = { received: 'inbound', sent: 'outbound' } as const;

/** Reads a call that is over. `named` is what the event's name says of it, for a body that says nothing. */
export function call(named: Named): EventReader {
  return reader(CallBody, (body) => toCall(body, named));
}

function toCall(body: v.InferOutput<typeof CallBody>, named: Named): Draft | Issue {
  const { call_details: details } = body;
  const chat = chatIn(body);
  const chatId = chatIdOf(chat);
  if (chatId === undefined && details.message_uid === undefined) return { path: 'chat.chat_id', message: 'is missing' };
  const account = toAccount(body.whatsapp_account, chat);
  const stated = statedDirection(details.direction);
  return {
    identity: {
      type: `call:${named.direction === 'inbound' ? 'incoming' : 'outgoing'}:${named.state}`,
      ...whereabouts(account, chatId),
      ...known({ id: details.message_uid, isUnique: isTheirOwn(chatId, details.message_uid) }),
    },
    payload: {
      kind: 'call',
      call: {
        direction: stated === undefined ? named.direction : OURS[stated],
        state: details.status === undefined ? named.state : (states.get(details.status.toLowerCase()) ?? 'unknown'),
        ...known({
          from: details.caller && anyKnown(toPerson(details.caller)),
          to: details.recipient && anyKnown(toPerson(details.recipient)),
          chat: chatId === undefined ? undefined : toChat(chatId, chat),
          account: anyKnown(account),
          video: details.is_video,
          durationSeconds: details.duration,
          messageId: details.message_uid,
          detail: details.status,
        }),
      },
    },
    ...known({ occurredAt: toInstant(details.timestamp) }),
  };
}

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
    identity: {
      type: `chat:${change}`,
      ...whereabouts(account, id),
      ...(created && known({ id, isUnique: isTheirOwn(id, id) })),
    },
    payload: {
      kind: 'chat',
      chat: {
        id,
        kind: chatKindOf(body.chat),
        change,
        ...known({ ...factsOf(body.chat), account: anyKnown(account) }),
      },
    },
    ...known({ occurredAt: created ? toInstant(body.chat.created_timestamp) : undefined }),
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

type State = Extract<Payload, { kind: 'connection' }>['connection']['state'];

/** Reads what happened to one of our accounts: their word for it, ours, and the field that tells when, where there is one. */
export function connection(word: string, state: State, at?: 'connected_on' | 'disconnected_on'): EventReader {
  return reader(AccountBody, ({ whatsapp_account: theirs }) => {
    const account = toAccount(theirs);
    const identity = { type: `whatsapp:account:${word}`, ...whereabouts(account) };
    if (identity.instance === undefined) return { path: 'whatsapp_account.phone', message: 'is missing' };
    return {
      identity,
      payload: {
        kind: 'connection',
        connection: {
          state,
          account,
          // The event's own last word is all that tells a suspension from other restrictions.
          detail: theirs.status ?? word,
          ...known({ connectedAt: isoOf(theirs.connected_on), disconnectedAt: isoOf(theirs.disconnected_on) }),
        },
      },
      ...known({ occurredAt: at && toInstant(theirs[at]) }),
    };
  });
}
