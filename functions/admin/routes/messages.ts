import * as v from 'valibot';
import { Event, MessageEvent } from '#lib/domain/event.ts';
import { optional, strictObject } from '#lib/domain/schema.ts';
import { findMessage, relatedTo } from '#lib/inbox/events.ts';
import { ShownSend, showSend } from '#lib/outbox/shown.ts';
import { found, json, missing } from '../answers.ts';
import { nowSeconds, routesOn } from '../route.ts';
import { eventsOf, Sought } from '../schemas.ts';
import { eventsIn, filtersOf } from './events.ts';

const NO_MESSAGE = missing('message');
const route = routesOn({ tag: 'Messages', access: 'workspace' });

const Related = v.object({
  send: v.exactOptional(ShownSend),
  items: v.pipe(v.array(Event), v.readonly()),
});

const listing = (providers: readonly string[]) =>
  route('GET /api/messages', {
    summary: 'Messages in both directions, newest first',
    description:
      'Received ones, those sent through the hub and those written on the phone. A message that the provider echoes shows once. With `order=received` nothing is missed and nothing comes twice, twelve seconds behind now.',
    query: strictObject({
      ...filtersOf(providers),
      phone: optional(Sought, 'Of the person with whom the chat is, in whichever spelling'),
      type: optional(Sought, 'Of its content, as `text` or `image`'),
    }),
    answers: { 200: { description: 'A page', schema: eventsOf(Event) } },
    run: async ({ query }, context) => eventsIn({ ...query, kind: 'message' }, context),
  });

const others = [
  route('GET /api/messages/{id}', {
    summary: "Show a message; its id here is the event's",
    description: 'With its delivery, as far as the provider has told of it.',
    answers: { 200: { description: 'The message', schema: MessageEvent } },
    run: async ({ params }, { ports, workspace }) =>
      found(await findMessage(ports.store, workspace, params.id, nowSeconds(ports)), NO_MESSAGE),
  }),
  route('GET /api/messages/{id}/related', {
    summary: 'What belongs to a message: its send, reactions, edits, deletions and answers to it',
    description:
      'Oldest first, out of the 300 events that followed it in its chat. How far it was delivered stands on the message itself.',
    answers: { 200: { description: 'What was found; there is no next page', schema: Related } },
    run: async ({ params }, { ports, workspace }) => {
      const { store, clock } = ports;
      const message = await findMessage(store, workspace, params.id, nowSeconds(ports));
      if (!message) return NO_MESSAGE;
      const { sendId } = message;
      const [items, send] = await Promise.all([
        relatedTo(store, workspace, message, nowSeconds(ports)),
        sendId === undefined ? undefined : showSend(store, workspace, sendId, clock.now()),
      ]);
      return json(200, { items, ...(send && { send }) });
    },
  }),
];

export const messageRoutes = (providers: readonly string[]) => [listing(providers), ...others];
