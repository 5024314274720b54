import { isRecord } from '#lib/domain/json.ts';
import { type EventReader, type Reading, type ReceivingProvider, readByName, reader } from '#lib/inbox/provider.ts';
import { at, readEach, relayed } from '#lib/inbox/relayed.ts';
import type { Provider } from '#lib/tenants/account.ts';
import { timelinesAiAccount } from './account.ts';
import { isBare, messages, toReaction } from './messages.ts';
import { call, chat, connection } from './reports.ts';
import { ReactionBody } from './schema.ts';

// The events' names as the vendor's pages and true deliveries have them, in pairs where the two differ.
const events = {
  'message:new': messages(),
  'message:received:new': messages('received'),
  'message:sent:new': messages('sent'),
  'message:reaction': enveloped('reaction', reader(ReactionBody, toReaction)),

  'call:incoming:missed': enveloped('call_details', call({ direction: 'inbound', state: 'missed' })),
  'call:incoming:ended': enveloped('call_details', call({ direction: 'inbound', state: 'ended' })),
  'call:outgoing:ended': enveloped('call_details', call({ direction: 'outbound', state: 'ended' })),

  'chat:new': enveloped('chat', chat('created')),
  'chat:created': enveloped('chat', chat('created')),
  'chat:incoming:new': enveloped('chat', chat('created')),
  'chat:received:created': enveloped('chat', chat('created')),
  'chat:outgoing:new': enveloped('chat', chat('created')),
  'chat:sent:created': enveloped('chat', chat('created')),
  'chat:responsible:assigned': enveloped('chat', chat('assigned')),
  'chat:assigned': enveloped('chat', chat('assigned')),
  'chat:responsible:unassigned': enveloped('chat', chat('unassigned')),
  'chat:unassigned': enveloped('chat', chat('unassigned')),

  'whatsapp:account:connected': enveloped('whatsapp_account', connection('connected', 'connected_on')),
  'whatsapp:account:disconnected': enveloped('whatsapp_account', connection('disconnected', 'disconnected_on')),
  'whatsapp:account:suspended': enveloped('whatsapp_account', connection('restricted')),
  'whatsapp:account:resumed': enveloped('whatsapp_account', connection('connected')),
};
const byName = readByName('event_type', events);

/** Any event may stand under `data`, as messages do, beside its name. `field` is what it is about. */
function enveloped(field: string, read: EventReader): EventReader {
  return (body, type) => {
    const isWithin = isRecord(body) && body[field] === undefined && isRecord(body.data);
    return isWithin ? at('data', read(body.data, type)) : read(body, type);
  };
}

const READ_AS_ONE = /[\s._/-]+/g;
const CONTENT = 'text|image|video|audio|voice|document|file|media|attachment|sticker|location|contact';
const NEW = `(?::(?:new|created|${CONTENT}))*`;

/**
 * Other names of the same events, as newer and shorter settings have them. A name that says more (`message:deleted`) is
 * another event, and not guessed.
 */
const aliases: readonly (readonly [pattern: RegExp, name: keyof typeof events])[] = [
  [new RegExp(`^message(?::new)?:(?:received|incoming)${NEW}$`), 'message:received:new'],
  [new RegExp(`^message(?::new)?:(?:sent|outgoing)${NEW}$`), 'message:sent:new'],
  [new RegExp(`^message${NEW}$`), 'message:new'],
  [/^(?:received|incoming):message$/, 'message:received:new'],
  [/^(?:sent|outgoing):message$/, 'message:sent:new'],
  [/^new:message$/, 'message:new'],
  [/^(?:message:)?reaction(?::new)?$/, 'message:reaction'],
  [/^call:(?:(?:incoming|received):)?missed$/, 'call:incoming:missed'],
  [/^call:(?:incoming|received)(?::ended)?$/, 'call:incoming:ended'],
  [/^call:(?:outgoing|sent)(?::ended)?$/, 'call:outgoing:ended'],
  [/^chat:(?:(?:incoming|received|outgoing|sent):)?(?:new|created)$/, 'chat:new'],
  [/^(?:whatsapp:)?account:connected$/, 'whatsapp:account:connected'],
  [/^(?:whatsapp:)?account:disconnected$/, 'whatsapp:account:disconnected'],
  [/^(?:whatsapp:)?account:suspended$/, 'whatsapp:account:suspended'],
  [/^(?:whatsapp:)?account:resumed$/, 'whatsapp:account:resumed'],
];

function aliasOf(name: string): keyof typeof events | undefined {
  const apart = name.trim().replace(/(?<=[a-z])(?=[A-Z])/g, ':');
  const written = apart
    .toLowerCase()
    .replaceAll(READ_AS_ONE, ':')
    .replace(/^whatsapp:(?=message)|(?<=^message)s(?=:)/g, '');
  return aliases.find(([pattern]) => pattern.test(written))?.[1];
}

const isKnown = (name: string): boolean => Object.hasOwn(events, name) || aliasOf(name) !== undefined;

/** A name that is not in the table is read as the one that means the same, if any. */
function named(body: unknown, type: string): Reading {
  const alias = aliasOf(type);
  if (Object.hasOwn(events, type) || alias === undefined) return byName({ ...Object(body), event_type: type });
  const reading = events[alias](body, alias);
  return 'issues' in reading ? { ...reading, type } : reading;
}

const nameless = messages();

/**
 * Queues and buses have a `message`, too, and an `eventType` of their own: what they hold comes first. Where the chat is
 * told there is no other.
 */
function isDelivery(body: unknown): boolean | 'maybe' {
  if (!isRecord(body)) return false;
  const name = nameOf(body);
  if (name !== undefined) return body.event_type === name || isKnown(name) || 'maybe';
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
  [body.event_type, body.event, body.eventType].find((one): one is string => typeof one === 'string' && one !== '');

export const provider: Provider = { account: timelinesAiAccount, receiving: timelinesAi };

function readOne(body: unknown): Reading {
  if (!isRecord(body)) return byName(body);
  const name = nameOf(body);
  if (name !== undefined) return named(body, name);
  return isNameless(body) ? nameless(body, 'message') : byName(body);
}

/** The first generation had one event only, and no name for it. */
function isNameless(whole: unknown): whole is Record<string, unknown> {
  if (!isRecord(whole)) return false;
  const { event_type: type, data, ...body } = whole;
  if ((type ?? '') !== '') return false;
  return [body, data].some(
    (part) => isRecord(part) && (Array.isArray(part.messages) || isRecord(part.message) || isBare(part)),
  );
}
