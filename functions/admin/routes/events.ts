import * as v from 'valibot';
import { listEvents } from '#lib/app/events/list.ts';
import { countQuarantined, QuarantinedType } from '#lib/app/events/quarantine.ts';
import { findEvent, rawOfEvent } from '#lib/app/events/shown.ts';
import { UNREADABLE } from '#lib/app/receiving/settle.ts';
import { Event, payloads } from '#lib/domain/event.ts';
import { optional, text } from '#lib/domain/schema.ts';
import { json, missing } from '../answers.ts';
import { nowSeconds, route, takesNothing } from '../route.ts';
import { between, Id, listOf, pageRequest, paging, WithId } from '../schemas.ts';
import { untrustedFile } from '../untrusted-file.ts';
import { replayRoutes } from './replay.ts';

const NO_EVENT = missing('event');
const shared = { ...takesNothing, method: 'get', tag: 'Events', access: 'workspace' } as const;

const filterOf = (providers: readonly string[]) =>
  v.strictObject({
    ...paging,
    kind: optional(v.picklist([...v.keyof(v.object(payloads)).options, 'unknown']), 'What it tells of'),
    provider: optional(v.picklist(providers), 'From whom it came'),
    account: optional(Id, "An account's id"),
    type: optional(v.string(), "A message's type of content, or the provider's name of a quarantined event"),
    quarantined: v.exactOptional(
      v.pipe(
        v.picklist(['true', 'false']),
        v.description('Whether it is waiting to be understood'),
        v.transform((text) => text === 'true'),
      ),
    ),
    ...between,
  });

const listing = (providers: readonly string[]) =>
  route({
    ...shared,
    path: '/api/events',
    summary: 'Everything received, newest first',
    query: filterOf(providers),
    answers: { 200: { description: 'A page', schema: listOf(Event) } },
    run: async ({ query: { limit, cursor, account, ...filter } }, { ports, workspace }) => {
      const wanted = { ...filter, ...(account !== undefined && { accountId: account }) };
      const page = pageRequest({ ...(limit && { limit }), ...(cursor && { cursor }) });
      return json(200, await listEvents(ports.store, workspace, wanted, page, nowSeconds(ports)));
    },
  });

const CountedType = v.object({
  ...QuarantinedType.entries,
  events: text('Where those that still wait are listed'),
});

/** Of events without a name no list can be asked for by it. */
function eventsOf({ provider, type }: QuarantinedType): string {
  const named = type === UNREADABLE ? {} : { type };
  return `/api/events?${new URLSearchParams({ quarantined: 'true', provider, ...named })}`;
}

const counting = route({
  ...shared,
  path: '/api/events/quarantine',
  summary: 'What was not understood, counted by type',
  answers: {
    200: {
      description: 'The most frequent first; there is no next page',
      schema: v.object({ items: v.pipe(v.array(CountedType), v.readonly()) }),
    },
  },
  run: async (_input, { ports, workspace }) => {
    const counted = await countQuarantined(ports.store, workspace);
    return json(200, { items: counted.map((type) => ({ ...type, events: eventsOf(type) })) });
  },
});

const showing = route({
  ...shared,
  path: '/api/events/{id}',
  summary: 'Show an event',
  params: WithId,
  answers: { 200: { description: 'The event', schema: Event } },
  run: async ({ params }, { ports, workspace }) => {
    const event = await findEvent(ports.store, workspace, params.id, nowSeconds(ports));
    return event ? json(200, event) : NO_EVENT;
  },
});

const downloading = route({
  ...shared,
  path: '/api/events/{id}/raw',
  summary: 'The body as it came, byte for byte',
  params: WithId,
  answers: { 200: { description: 'In the content type in which it came', mediaType: '*/*' } },
  run: async ({ params }, { ports, workspace }) => {
    const raw = await rawOfEvent(ports.store, workspace, params.id, nowSeconds(ports));
    return raw ? untrustedFile(raw, params.id) : NO_EVENT;
  },
});

// `quarantine` stands before `{id}`: the first that fits is taken.
export const eventRoutes = (providers: readonly string[]) => [
  listing(providers),
  counting,
  showing,
  downloading,
  ...replayRoutes,
];
