import { isRecord } from '#lib/domain/json.ts';
import { known } from '#lib/domain/schema.ts';
import { type EventReader, type Reading, type ReceivingProvider, reader } from '#lib/inbox/provider.ts';
import { at, readEach, relayed } from '#lib/inbox/relayed.ts';
import type { Provider } from '#lib/tenants/account.ts';
import { timelinesAiAccount } from './account.ts';
import { messages, toReaction } from './messages.ts';
import { call, chat, connection } from './reports.ts';
import { ReactionBody } from './schema.ts';

/** By the words of their names that tell one from another, in one spelling. */
const events: ReadonlyMap<string, EventReader> = new Map([
  ['message', messages()],
  ['message:received', messages('received')],
  ['message:sent', messages('sent')],
  ['message:reaction', enveloped('reaction', reader(ReactionBody, toReaction))],
  ['reaction', enveloped('reaction', reader(ReactionBody, toReaction))],

  ['call:missed', enveloped('call_details', call({ direction: 'inbound', state: 'missed' }))],
  ['call:received:missed', enveloped('call_details', call({ direction: 'inbound', state: 'missed' }))],
  ['call:received', enveloped('call_details', call({ direction: 'inbound', state: 'ended' }))],
  ['call:sent', enveloped('call_details', call({ direction: 'outbound', state: 'ended' }))],

  ['chat', enveloped('chat', chat('created'))],
  ['chat:received', enveloped('chat', chat('created'))],
  ['chat:sent', enveloped('chat', chat('created'))],
  ['chat:assigned', enveloped('chat', chat('assigned'))],
  ['chat:unassigned', enveloped('chat', chat('unassigned'))],

  ['account:connected', enveloped('whatsapp_account', connection('connected', 'connected', 'connected_on'))],
  [
    'account:disconnected',
    enveloped('whatsapp_account', connection('disconnected', 'disconnected', 'disconnected_on')),
  ],
  ['account:suspended', enveloped('whatsapp_account', connection('suspended', 'restricted'))],
  ['account:resumed', enveloped('whatsapp_account', connection('resumed', 'connected'))],
]);

/** Any event may stand under `data`, as messages do, beside its name. `field` is what it is about. */
function enveloped(field: string, read: EventReader): EventReader {
  return (body, type) => {
    const isWithin = isRecord(body) && body[field] === undefined && isRecord(body.data);
    return isWithin ? at('data', read(body.data, type)) : read(body, type);
  };
}

/** Words that tell no event from another: newer and shorter settings leave them out, and some tell what a message holds. */
const SAYS_NO_MORE =
  /^(?:new|created|ended|responsible|whatsapp|text|image|video|audio|voice|document|file|media|attachment|sticker|location|contact)$/;
const SAME: ReadonlyMap<string, string> = new Map([
  ['incoming', 'received'],
  ['outgoing', 'sent'],
]);

/** A name with a word that is not known (`message:deleted`) is another event, and not guessed. */
function readerOf(name: string): EventReader | undefined {
  const words = name.toLowerCase().split(/[\s._/:-]+/);
  const telling = words.filter((word) => !SAYS_NO_MORE.test(word)).map((word) => SAME.get(word) ?? word);
  return events.get(telling.join(':'));
}

const nameless = messages();

/**
 * Queues and buses have a `message`, too, and an `eventType` of their own: what they hold comes first. Where the chat is
 * told there is no other.
 */
function isDelivery(body: unknown): boolean | 'maybe' {
  if (!isRecord(body)) return false;
  const name = nameOf(body);
  if (name !== undefined) return body.event_type === name || readerOf(name) !== undefined || 'maybe';
  const isNamedWithin = isRecord(body.data) && nameOf(body.data) !== undefined;
  return isNameless(body) && ((tellsChat(body) && !isNamedWithin) || 'maybe');
}

function tellsChat({ data, message, messages, ...body }: Record<string, unknown>): boolean {
  return [body, data, message, messages].flat().some((part) => isRecord(part) && CHAT.some((field) => field in part));
}
const CHAT = ['chat_id', 'chat_url', 'chat', 'phone', 'jid'];

/** Anybody who knows the URL may post: TimelinesAI neither signs nor authenticates what it sends. */
export const timelinesAi: ReceivingProvider = {
  name: 'timelinesai',
  parse: relayed(isDelivery),
  read: readEach(readOne),
};

const nameOf = (body: Record<string, unknown>): string | undefined =>
  [body.event_type, body.event].find((one): one is string => typeof one === 'string' && one !== '');

export const provider: Provider = { account: timelinesAiAccount, receiving: timelinesAi };

function readOne(body: unknown): Reading {
  if (!isRecord(body)) return { issues: [{ path: '', message: 'must be an object' }] };
  const name = nameOf(body);
  if (name === undefined && isNameless(body)) return nameless(body, 'message');
  const read = name === undefined ? undefined : readerOf(name);
  if (read && name !== undefined) return read(body, name);
  const message = name === undefined ? 'is missing or not a text' : 'an event that is not known';
  return { ...known({ type: name }), issues: [{ path: 'event_type', message }] };
}

/** The first generation had one event only, and no name for it. */
function isNameless({ event_type: type, data, ...body }: Record<string, unknown>): boolean {
  if ((type ?? '') !== '') return false;
  return [body, data].some((part) => isRecord(part) && (Array.isArray(part.messages) || isRecord(part.message)));
}
