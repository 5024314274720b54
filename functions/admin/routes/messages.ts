import * as v from 'valibot';
import { Event, MessageEvent } from '#lib/domain/event.ts';
import { known, optional, strictObject } from '#lib/domain/schema.ts';
import { findMessage, listEvents, relatedTo } from '#lib/inbox/events.ts';
import { readFeed } from '#lib/inbox/feed.ts';
import { ShownSend, showSend } from '#lib/outbox/shown.ts';
import { json, missing } from '../answers.ts';
import { nowSeconds, route, takesNothing } from '../route.ts';
import { between, eventsOf, Id, inItsOrder, orderedPaging, pageRequest, Sought, WithId } from '../schemas.ts';

const NO_MESSAGE = missing('message');
const shared = { ...takesNothing, method: 'get', tag: 'Messages', access: 'workspace' } as const;

const filterOf = (providers: readonly string[]) =>
  v.pipe(
    strictObject({
      ...orderedPaging,
      chat: optional(Id, "The hub's id of a chat"),
      phone: optional(Sought, 'Of the person with whom the chat is, in whichever spelling'),
      account: optional(Id, "An account's id"),
      provider: optional(v.picklist(providers), 'Through whom it came or went'),
      direction: optional(v.picklist(['inbound', 'outbound']), 'Received, or sent by us or from our phone'),
      type: optional(Sought, 'Of its content, as `text` or `image`'),
      ...between,
    }),
    inItsOrder(),
  );

const Related = v.object({
  send: v.exactOptional(ShownSend),
  items: v.pipe(v.array(Event), v.readonly()),
});

const relating = route({
  ...shared,
  path: '/api/messages/{id}/related',
  summary: 'What belongs to a message: its send, reactions, edits, deletions and answers to it',
  description:
    'Oldest first, out of the 300 events that followed it in its chat. How far it was delivered stands on the message itself.',
  params: WithId,
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
});

export const messageRoutes = (providers: readonly string[]) => [
  route({
    ...shared,
    path: '/api/messages',
    summary: 'Messages in both directions, newest first',
    description:
      'Received ones, those sent through the hub and those written on the phone. A message that the provider echoes shows once. With `order=received` nothing is missed and nothing comes twice, twelve seconds behind now.',
    query: filterOf(providers),
    answers: { 200: { description: 'A page', schema: eventsOf(Event) } },
    run: async ({ query: { limit, cursor, order, account, ...filter } }, { ports, workspace }) => {
      const wanted = { ...filter, kind: 'message', ...known({ accountId: account }) } as const;
      const page = pageRequest({ limit, cursor });
      if (order === 'received') return json(200, await readFeed(ports, workspace, wanted, page));
      return json(200, await listEvents(ports.store, workspace, wanted, page, nowSeconds(ports)));
    },
  }),
  route({
    ...shared,
    path: '/api/messages/{id}',
    summary: "Show a message; its id here is the event's",
    description: 'With its delivery, as far as the provider has told of it.',
    params: WithId,
    answers: { 200: { description: 'The message', schema: MessageEvent } },
    run: async ({ params }, { ports, workspace }) => {
      const message = await findMessage(ports.store, workspace, params.id, nowSeconds(ports));
      return message ? json(200, message) : NO_MESSAGE;
    },
  }),
  relating,
];
