import type { Event, MessageEvent } from '#lib/domain/event.ts';
import { SHARDS } from '#lib/domain/ids.ts';
import type { Clock } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { eventKey, eventPartition, feedPartition, headKey } from '#lib/store/keys.ts';
import { encodeCursor, getAll, type PageRequest } from '#lib/store/query.ts';
import { absent, all, exists, type Item, isLive, type Store, set, setIfAbsent, update } from '#lib/store/store.ts';
import { type Fill, isFilled, listed } from '#lib/store/walk.ts';
import { statesAt } from './delivery-state.ts';
import { feedRow } from './event-store.ts';
import { accepts, chatsWanted, type EventFilter, inChat, LARGEST_PAGE, shownEvents } from './events.ts';

/**
 * The reader stays so far behind now: twice the time in which a place in the feed is taken or given up (`COMMIT_MS`), and
 * as much as the clocks of two hosts may differ.
 *
 *   ──────────── read ────────────┊─ not yet ─┊ now      a write that began left of the line is over
 *                                 horizon
 */
const BEHIND_MS = 10_000;
const CLOCKS_APART_MS = 2_000;
export const HORIZON_MS = BEHIND_MS + CLOCKS_APART_MS;

/** From where on a reader misses nothing that was stored after this time, and sees some of what was stored right before. */
export const cursorBefore = (storedAt: string): string =>
  encodeCursor('feed', toIso(Date.parse(storedAt) - HORIZON_MS));

export interface FeedPage {
  readonly items: readonly Event[];
  /** Where to go on, also where there is nothing more yet. */
  readonly cursor: string;
  /** There is more already: ask again at once. */
  readonly more: boolean;
  readonly complete?: false;
}

interface Ports {
  readonly store: Store;
  readonly clock: Clock;
}

/** What few events fit must not walk through a year in one call: the caller gets a short page and a cursor. */
const ROUNDS = 12;
const FILTERED_READ = 300;

/** Events in the order in which they were stored, oldest first; `after` and `before` by that time. */
export async function readFeed(
  { store, clock }: Ports,
  workspace: string,
  { after, before, chat, phone, ...filter }: EventFilter,
  { limit, from = '' }: PageRequest,
): Promise<FeedPage> {
  const now = clock.now();
  const end = toIso(Math.min(now - HORIZON_MS, before ?? now));
  const start = after === undefined ? '' : toIso(after + 1);
  // Asked before the rows are read: what is filled in meanwhile may lie behind them.
  const complete = (await isFilled(store, feedFill)) ? {} : { complete: false as const };
  const page = (at: string, more: boolean): FeedPage => ({
    items,
    cursor: encodeCursor('feed', at),
    more,
    ...complete,
  });
  const chats = await chatsWanted(store, workspace, known({ chat, phone }));
  const { type, quarantined, dismissed, ...kept } = filter;
  const isFiltered = chats !== undefined || Object.values(filter).some((value) => value !== undefined);
  const items: Event[] = [];
  let position = from < start ? start : from;
  let size = 0;
  for (let round = 0; round < ROUNDS && position < end && items.length < limit; round++) {
    const { rows, frontier } = await rowsAfter(
      store,
      workspace,
      { position, end },
      isFiltered ? FILTERED_READ : Math.ceil((2 * (limit - items.length)) / SHARDS) + 2,
    );
    const wanted = rows.filter((row) => accepts(kept, row) && (!chats || chats.has(String(row.chat))));
    for await (const { row, event } of eventsAt(store, workspace, wanted, { filter, now })) {
      size += Buffer.byteLength(JSON.stringify(event));
      if (items.length > 0 && (items.length === limit || size > LARGEST_PAGE)) return page(position, true);
      items.push(chats ? inChat(event, chats) : event);
      position = row.sk;
    }
    position = frontier ?? end;
  }
  return page(position, position < end);
}

/**
 * The next rows over all partitions, in order, as far as each of them has been read. `frontier`: all up to here have been
 * read; left out where that is the end.
 */
export async function rowsAfter(
  store: Store,
  workspace: string,
  { position, end }: { readonly position: string; readonly end: string },
  limit: number,
) {
  // Right behind the position: nothing sorts between a text and the same with a zero.
  const from = `${position}\0`;
  const shards = Array.from({ length: SHARDS }, (_, shard) => feedPartition(workspace, shard));
  const pages = await Promise.all(shards.map((pk) => store.query({ pk, from, before: end, limit, consistent: true })));
  const ends = pages.flatMap(({ items, next }) => (next ? [items.at(-1)?.sk ?? position] : []));
  const frontier = ends.sort()[0];
  const rows = pages
    .flatMap(({ items }) => items)
    .filter(({ sk }) => frontier === undefined || sk <= frontier)
    .sort((a, b) => (a.sk < b.sk ? -1 : 1));
  return { rows, ...known({ frontier }) };
}

/** What is stored at these places, as it is stored and without a choice among twins. */
export async function headsAt(
  { store, clock }: Ports,
  workspace: string,
  rows: readonly Item[],
): Promise<readonly Item[]> {
  const headAt = await headsOf(store, workspace, rows, Math.floor(clock.now() / 1000));
  return rows.flatMap((row) => headAt.get(row.sk) ?? []);
}

/** The events that stand where their rows say, by the key of the row. */
async function headsOf(store: Store, workspace: string, rows: readonly Item[], nowSeconds: number) {
  const keys = new Map(rows.map((row) => [idOf(row), eventKey(idOf(row))]));
  const found = await getAll(store, [...keys.values()], { consistent: true });
  const live = found.filter((head) => head.workspace === workspace && isLive(head, nowSeconds));
  return new Map(live.map((head) => [`${head.storedAt}#${head.eventId}`, head]));
}

const LOADED_AT_ONCE = 20;

/** The events that stand where their rows say, in order; each message of ours once. */
async function* eventsAt(
  store: Store,
  workspace: string,
  rows: readonly Item[],
  { filter, now }: { readonly filter: EventFilter; readonly now: number },
) {
  const nowSeconds = Math.floor(now / 1000);
  for (let start = 0; start < rows.length; start += LOADED_AT_ONCE) {
    const some = rows.slice(start, start + LOADED_AT_ONCE);
    const headAt = await headsOf(store, workspace, some, nowSeconds);
    const heads = [...headAt.values()].filter((head) => accepts(filter, head));
    const states = await statesAt(
      store,
      heads.flatMap((head) => (hasTwin(head) ? [head.stateKey] : [])),
      { consistent: true },
    );
    const shown = await shownEvents(store, heads, nowSeconds, false, states);
    const events = new Map(shown.map((event) => [event.id, event]));
    for (const row of some) {
      const head = headAt.get(row.sk);
      const event = events.get(idOf(row));
      if (head && event && (await isFirst(store, head, event, states))) yield { row, event };
    }
  }
}

const idOf = ({ sk }: Item): string => sk.slice(sk.indexOf('#') + 1);

const hasTwin = (head: Item): head is Item & { readonly stateKey: string } =>
  head.kind === 'message' && head.direction === 'outbound' && typeof head.stateKey === 'string';

/**
 * A message of ours has an event of its own and another one when the provider echoes it, each with a place in the feed.
 * The first of them to write so claims the message in its state; where the echo's write was lost, the one that is read
 * first claims it here, for every reader.
 */
async function isFirst(
  store: Store,
  head: Item,
  event: Event,
  states: Map<string, Item | undefined>,
): Promise<boolean> {
  if (!hasTwin(head) || event.kind !== 'message' || event.message.via === 'phone' || isLater(event)) return true;
  const found = states.get(head.stateKey);
  const state = found?.fed === undefined ? await claim(store, head, event.id, found) : found;
  if (state) states.set(head.stateKey, state);
  // What did not go out through the hub has no event of ours; what shares its id is another part of it.
  return state?.send === undefined || state.fed === event.id;
}

/** Of a message, and not the message itself. */
const isLater = ({ conflict, message: { content } }: MessageEvent): boolean =>
  conflict === true || content.type === 'edit' || content.type === 'delete';

/** What leads to a send has no end (delivery-state.ts). */
async function claim(
  store: Store,
  { stateKey: pk, expiresAt }: Item & { readonly stateKey: string },
  id: string,
  found: Item | undefined,
): Promise<Item | undefined> {
  const end = typeof expiresAt === 'number' && found?.send === undefined ? [setIfAbsent('expiresAt', expiresAt)] : [];
  const written = await store.write(update(headKey(pk), [setIfAbsent('fed', id), ...end]), { returns: 'new' });
  return written.item;
}

/** Gives a place to what an earlier release stored: by the time at which the lists show it, and not in the future. */
export const feedFill: Fill = {
  name: 'feed',
  stages: ({ store, clock }, workspace) => [
    {
      name: 'events',
      ...listed(store, (shard) => eventPartition(workspace, shard)),
      visit: async (head) => {
        if (head.storedAt !== undefined) return;
        const storedAt = toIso(Math.min(Date.parse(String(head.orderedAt)), clock.now() - HORIZON_MS));
        await store.write(feedRow({ ...head, storedAt }));
        const { pk, sk } = head;
        await store.write(update({ pk, sk }, [set('storedAt', storedAt)], all(exists(), absent('storedAt'))));
      },
    },
  ],
};
