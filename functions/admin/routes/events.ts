import * as v from 'valibot';
import { Event, payloads } from '#lib/domain/event.ts';
import { known, optional, strictObject, tally, text, Whole } from '#lib/domain/schema.ts';
import { deliveriesOf, EventDelivery, type EventFilter, findEvent, listEvents, rawOfEvent } from '#lib/inbox/events.ts';
import { readFeed } from '#lib/inbox/feed.ts';
import {
  countQuarantined,
  dismissEvent,
  dismissType,
  QuarantinedType,
  Replayed,
  replayEvent,
  replayEvents,
  replayQuarantined,
} from '#lib/inbox/quarantine.ts';
import { sendReports } from '#lib/sender/reports.ts';
import { UNREADABLE } from '#lib/store/keys.ts';
import { decodeCursor } from '#lib/store/query.ts';
import { file, found, invalid, json, missing, problem } from '../answers.ts';
import { type AdminPorts, type Context, nowSeconds, routesOn } from '../route.ts';
import {
  allOf,
  between,
  cursorOf,
  eventsOf,
  flag,
  Id,
  listOf,
  OF_ANOTHER,
  orderedPaging,
  pageRequest,
  Sought,
} from '../schemas.ts';

const NO_EVENT = missing('event');
const route = routesOn({ tag: 'Events', access: 'workspace' });

/** What lists of events and of messages are filtered by alike. */
export const filtersOf = (providers: readonly string[]) => ({
  ...orderedPaging,
  provider: optional(v.picklist(providers), 'Through whom it came or went'),
  account: optional(Id, "An account's id"),
  chat: optional(Id, "The hub's id of a chat: its messages, the reactions to them, and calls"),
  direction: optional(v.picklist(['inbound', 'outbound']), 'Of messages: received, or sent by us or from our phone'),
  ...between,
});

type Asked = Parameters<typeof pageRequest>[0] &
  Omit<EventFilter, 'accountId'> & { readonly order?: string; readonly account?: string };

/** The events that fit, in the order that is asked for; a cursor is of one of the two. */
export async function eventsIn({ limit, cursor, order, account, ...filter }: Asked, { ports, workspace }: Context) {
  const wanted = { ...filter, ...known({ accountId: account }) };
  const isFeed = order === 'received';
  const place = cursor === undefined ? undefined : decodeCursor(isFeed ? 'feed' : 'events', cursor);
  if (cursor !== undefined && place === undefined) return invalid([{ path: 'cursor', message: OF_ANOTHER }]);
  const page = pageRequest({ limit, cursor: place });
  if (isFeed) return json(200, await readFeed(ports, workspace, wanted, page));
  return json(200, await listEvents(ports.store, workspace, wanted, page, nowSeconds(ports)));
}

const filterOf = (providers: readonly string[]) =>
  strictObject({
    ...filtersOf(providers),
    kind: optional(v.picklist([...v.keyof(v.object(payloads)).options, 'unknown']), 'What it tells of'),
    type: optional(Sought, "A message's type of content, or the provider's name of a quarantined event"),
    quarantined: flag('Whether it is waiting to be understood'),
    dismissed: v.exactOptional(
      v.pipe(
        v.literal('true'),
        v.description('Only what was dismissed out of quarantine'),
        v.transform(() => true as const),
      ),
    ),
  });

const listing = (providers: readonly string[]) =>
  route('GET /api/events', {
    summary: 'Everything received, newest first',
    description:
      'In one shape for all providers. Filters may be combined. A page may hold fewer than `limit`; the last one has no `cursor`. With `order=received` nothing is missed and nothing comes twice, twelve seconds behind now.',
    query: filterOf(providers),
    answers: { 200: { description: 'A page', schema: eventsOf(Event) } },
    run: async ({ query }, context) => eventsIn(query, context),
  });

const CountedType = v.object({
  ...QuarantinedType.entries,
  events: text('Where those that still wait are listed'),
});

/** Of events without a name no list can be asked for by it. */
function waitingOf({ provider, type }: QuarantinedType): string {
  const named = type === UNREADABLE ? {} : { type };
  return `/api/events?${new URLSearchParams({ quarantined: 'true', provider, ...named })}`;
}

interface Untrusted {
  readonly bytes: Uint8Array;
  /** As somebody sent it. */
  readonly contentType: string;
}

// A header may hold visible characters only; what is no media type at all is no use to anybody.
const MEDIA_TYPE = /^[\w.+-]+\/[\w.+-]+(?:\s*;[\t\x20-\x7e]*)?$/;

/**
 * Bytes of a stranger, for download: whatever they hold, no browser runs or shows them in our name, and nothing on the
 * way decodes them as text. What they were sent as stands in a header of its own.
 */
function untrustedFile({ bytes, contentType }: Untrusted, name: string) {
  return file(new Uint8Array(bytes), {
    'content-type': 'application/octet-stream',
    ...(MEDIA_TYPE.test(contentType) && { 'hookline-content-type': contentType }),
    'content-disposition': `attachment; filename="${name.replace(/\W/g, '')}.raw"`,
    'content-security-policy': "default-src 'none'; sandbox",
  });
}

/** Reads events again, with the readers of this release; what a report is still good for, sends learn. */
function replayPorts({ providers, ...base }: AdminPorts) {
  const readers = new Map(providers.map(({ account, receiving }) => [account.name, receiving]));
  return { ...base, readers, sends: sendReports(base, base.config) };
}

const MOST_IDS = 200;

const Wanted = v.pipe(
  strictObject({
    type: optional(
      v.string(),
      `Quarantined events of this type: the provider's name of the event, or \`${UNREADABLE}\` for those without one`,
    ),
    ids: optional(v.pipe(v.array(Id), v.maxLength(MOST_IDS)), 'These events, quarantined or not'),
    cursor: v.exactOptional(cursorOf('quarantine')),
  }),
  v.check(({ ids, type, cursor }) => !(ids && (type ?? cursor)), 'take either `ids`, or `type` and `cursor`'),
);

const Answered = v.object({
  ...listOf(Replayed).entries,
  left: optional(Whole, 'Of `ids`: how many of the last ones were not reached, and are to be sent again'),
});

// `quarantine` stands before `{id}`: the first that fits is taken.
const others = [
  route('GET /api/events/quarantine', {
    summary: 'What was not understood, counted by type',
    description:
      'Such events are kept whole. When a later release can read them, a replay brings them out of quarantine.',
    answers: {
      200: {
        description: 'The most frequent first; there is no next page',
        schema: allOf(CountedType),
      },
    },
    run: async (_input, { ports, workspace }) => {
      const counted = await countQuarantined(ports.store, workspace);
      return json(200, { items: counted.map((type) => ({ ...type, events: waitingOf(type) })) });
    },
  }),
  route('GET /api/events/{id}', {
    summary: 'Show an event',
    description: 'As this release or an earlier one has read it; `/raw` below it is the body as it came.',
    answers: { 200: { description: 'The event', schema: Event } },
    run: async ({ params }, { ports, workspace }) =>
      found(await findEvent(ports.store, workspace, params.id, nowSeconds(ports)), NO_EVENT),
  }),
  route('GET /api/events/{id}/raw', {
    summary: 'The body as it came, byte for byte',
    description:
      'Always a download that no browser shows. The header `Hookline-Content-Type` says what the sender called it.',
    query: strictObject({
      delivery: optional(v.string(), 'A later delivery of the event, as `/deliveries` names it; left out: the first'),
    }),
    answers: { 200: { description: 'The bytes', mediaType: 'application/octet-stream' } },
    run: async ({ params, query }, { ports, workspace }) => {
      const raw = await rawOfEvent(ports.store, workspace, params.id, nowSeconds(ports), query.delivery);
      return raw ? untrustedFile(raw, params.id) : NO_EVENT;
    },
  }),
  route('GET /api/events/{id}/deliveries', {
    summary: 'The deliveries that told an event',
    description:
      'A provider may tell an event again with newer data, as another link to a file or another time. The event is renewed, ' +
      'and each body is kept; one that brings nothing new is not.',
    answers: {
      200: {
        description: 'The first one first; there is no next page',
        schema: allOf(EventDelivery),
      },
    },
    run: async ({ params }, { ports, workspace }) => {
      const items = await deliveriesOf(ports.store, workspace, params.id, nowSeconds(ports));
      return items ? json(200, { items }) : NO_EVENT;
    },
  }),
  route('POST /api/events/{id}/dismiss', {
    summary: 'Say that an event in quarantine needs no hand',
    description:
      'It is no longer listed among those that wait. It stays as it came, `?dismissed=true` lists it, and a replay of it by its id may still understand it.',
    conflict: 'It is not in quarantine',
    answers: { 200: { description: 'The event', schema: Event } },
    run: async ({ params: { id } }, { ports, workspace }) => {
      const result = await dismissEvent(ports, workspace, id);
      if (result === 'not quarantined')
        return problem(409, 'This event is not in quarantine: there is nothing to dismiss');
      if (result === 'dismissed') ports.log.info('a quarantined event was dismissed', { workspace, correlationId: id });
      const event = await findEvent(ports.store, workspace, id, nowSeconds(ports));
      return event ? json(200, event) : NO_EVENT;
    },
  }),
  route('POST /api/events/dismiss', {
    summary: 'Dismiss all of a type that are in quarantine',
    description:
      'One call does what fits into its time; the next one, with the `cursor` that it answered, goes on. What comes in of this type later waits again.',
    body: strictObject({
      type: text(`The provider's name of the event, or \`${UNREADABLE}\` for those without one`),
      provider: optional(v.string(), 'From whom it came; left out: from any'),
      cursor: v.exactOptional(cursorOf('quarantine')),
    }),
    example: { type: 'pollMessage' },
    answers: {
      200: {
        description: 'How many were dismissed',
        schema: v.object({
          dismissed: tally('By this call'),
          cursor: optional(v.string(), 'There is more to do: call again with it'),
        }),
      },
    },
    run: async ({ body: { cursor, ...wanted } }, { ports, workspace }) =>
      json(200, await dismissType(ports, workspace, { ...wanted, ...known({ from: cursor }) })),
  }),
  route('POST /api/events/{id}/replay', {
    summary: 'Read an event again with the readers of this release',
    description:
      'For an event in quarantine, or one that was read wrongly. Where nothing is read differently, nothing changes.',
    answers: { 200: { description: 'What became of it', schema: Replayed } },
    run: async ({ params }, { ports, workspace }) => {
      const replayed = await replayEvent(replayPorts(ports), workspace, params.id);
      return replayed.result === 'not_found' ? NO_EVENT : json(200, replayed);
    },
  }),
  route('POST /api/events/replay', {
    summary: 'Replay some events, or all that are in quarantine',
    description:
      'Without `ids`, one call does what fits into its time; the next one, with the `cursor` that it answered, goes on.',
    body: Wanted,
    example: {},
    answers: {
      200: {
        description: 'What became of each, with the first of its issues; not all where time or the answer is too short',
        schema: Answered,
      },
    },
    run: async ({ body: { ids, type, cursor } }, { ports, workspace }) => {
      if (ids) return json(200, await replayEvents(replayPorts(ports), workspace, [...new Set(ids)]));
      return json(200, await replayQuarantined(replayPorts(ports), workspace, known({ type, from: cursor })));
    },
  }),
];

export const eventRoutes = (providers: readonly string[]) => [listing(providers), ...others];
