import { isRecord, parseJson } from '#lib/domain/json.ts';
import { type ReceivingProvider, readByName, reader } from '#lib/inbox/provider.ts';
import { messages, toReaction } from './messages.ts';
import { call, chat, connection } from './reports.ts';
import { ReactionBody } from './schema.ts';

// The events' names as the vendor's pages and true deliveries have them, in pairs where the two differ.
const byName = readByName('event_type', {
  'message:new': messages(),
  'message:received:new': messages('received'),
  'message:sent:new': messages('sent'),
  'message:reaction': reader(ReactionBody, toReaction),

  'call:incoming:missed': call({ direction: 'inbound', state: 'missed' }),
  'call:incoming:ended': call({ direction: 'inbound', state: 'ended' }),
  'call:outgoing:ended': call({ direction: 'outbound', state: 'ended' }),

  'chat:new': chat('created'),
  'chat:created': chat('created'),
  'chat:incoming:new': chat('created'),
  'chat:received:created': chat('created'),
  'chat:outgoing:new': chat('created'),
  'chat:sent:created': chat('created'),
  'chat:responsible:assigned': chat('assigned'),
  'chat:assigned': chat('assigned'),
  'chat:responsible:unassigned': chat('unassigned'),
  'chat:unassigned': chat('unassigned'),

  'whatsapp:account:connected': connection('connected', 'connected_on'),
  'whatsapp:account:disconnected': connection('disconnected', 'disconnected_on'),
  'whatsapp:account:suspended': connection('restricted'),
  'whatsapp:account:resumed': connection('connected'),
});

const nameless = messages();

/** Anybody who knows the URL may post: TimelinesAI neither signs nor authenticates what it sends. */
export const timelinesAi: ReceivingProvider = {
  name: 'timelinesai',
  parse: parseJson,
  read: (body) => (isNameless(body) ? nameless(body, 'message') : byName(body)),
};

/** The first generation had one event only, and no name for it. */
function isNameless(body: unknown): boolean {
  if (!isRecord(body) || (body.event_type ?? '') !== '') return false;
  return Array.isArray(body.messages) || isRecord(body.message);
}
