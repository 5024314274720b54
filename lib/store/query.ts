import { DAY_MS, toIso } from '#lib/domain/time.ts';
import type { Condition, Item, Key, Query, Store, ValueMap } from './store.ts';

/** What somebody asks of a list. */
export interface PageRequest {
  readonly limit: number;
  /** Where the page before ended: the sort key of its last entry. */
  readonly from?: string;
}

export interface ListPage<Shown> {
  readonly items: readonly Shown[];
  /** Absent on the last page. */
  readonly cursor?: string;
  /** What is left out, for it cannot be read; absent where nothing is. */
  readonly damaged?: readonly string[];
}

/** What is paged through, each in an order of its own: a place in one of them is none in another. */
export type List =
  | 'accounts'
  | 'chats'
  | 'deliveries'
  | 'events'
  | 'feed'
  | 'keys'
  | 'ledger'
  | 'quarantine'
  | 'runs'
  | 'sends'
  | 'webhooks'
  | 'workspaces';

// Sort keys hold times, prefixes and ids only, and nothing that could be secret.
const POSITION = /^[\w:.+#-]{1,200}$/;

/** A position in a list as callers carry it from page to page. */
export function encodeCursor(list: List, position: string): string {
  return Buffer.from(`${list}|${position}`, 'utf8').toString('base64url');
}

/**
 * Undefined for what we never gave out for this list. A made-up position is harmless: it leads nowhere but into the same
 * list.
 */
export function decodeCursor(list: List, cursor: string): string | undefined {
  const [named, position = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split('|');
  return named === list && POSITION.test(position) && encodeCursor(list, position) === cursor ? position : undefined;
}

export function pageOf<Shown>(
  list: List,
  items: readonly Shown[],
  position: string | undefined,
  damaged: readonly string[] = [],
): ListPage<Shown> {
  return {
    items,
    ...(position !== undefined && { cursor: encodeCursor(list, position) }),
    ...(damaged.length > 0 && { damaged }),
  };
}

/** Every item of a query; `limit` is the size of a page. */
export async function queryAll(store: Store, query: Query): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of pagesOf(store, query)) items.push(...page);
  return items;
}

/** The same one page at a time, for what need not fit in memory. */
export async function* pagesOf(store: Store, query: Query): AsyncGenerator<readonly Item[]> {
  let start: ValueMap | undefined;
  do {
    const page = await store.query(start ? { ...query, start } : query);
    yield page.items;
    start = page.next;
  } while (start);
}

const MOST_KEYS = 100;

/**
 * The items of any number of keys, in the order of the keys; what does not exist is left out. Entries of an index are
 * keys as well.
 */
export async function getAll(
  store: Store,
  keys: readonly Key[],
  options?: { readonly consistent?: boolean },
): Promise<readonly Item[]> {
  const starts = Array.from({ length: Math.ceil(keys.length / MOST_KEYS) }, (_, i) => i * MOST_KEYS);
  const parts = starts.map((start) => store.getMany(keys.slice(start, start + MOST_KEYS), options));
  const found = new Map((await Promise.all(parts)).flat().map((item) => [nameOf(item), item]));
  return keys.flatMap((key) => found.get(nameOf(key)) ?? []);
}

const nameOf = ({ pk, sk }: Key) => JSON.stringify([pk, sk]);

/** Partitions of an index whose sort keys begin with a time, read as one list. */
export interface Partition {
  readonly index: 'gsi1' | 'gsi2';
  readonly partitions: readonly string[];
}

interface Wanted {
  readonly limit: number;
  /** Bounds of the sort key: `from` inclusive, `before` exclusive. */
  readonly from?: string;
  readonly before?: string;
  /** Looks at the attributes that the index holds. Left out: all are wanted. */
  readonly accepts?: (entry: Item) => boolean;
  /** How often the partitions are read on before the page is given as it is, short perhaps. */
  readonly rounds?: number;
}

export interface Slice {
  readonly entries: readonly Item[];
  /** The list goes on before this sort key; absent at its end. */
  readonly position?: string;
}

/** Sort keys of one partition: `from` inclusive, `before` exclusive. */
interface Range {
  readonly pk: string;
  readonly from: string;
  readonly before: string;
}

/** All sort keys of a partition that begin with `prefix`. */
export const beginningWith = (pk: string, prefix: string): Range => ({ pk, from: prefix, before: `${prefix}\uffff` });

/**
 * A page of one partition, the highest sort key first. A query answers 1 MB at most: a page may be shorter than asked for
 * and still have a next one. With a filter many are looked through for a page, and not all of them in one call.
 */
export async function newestPage(store: Store, range: Range, page: PageRequest, filter?: Condition): Promise<Slice> {
  const { limit, from } = page;
  const found: Item[] = [];
  const rounds = filter ? roundsFor(page) : 1;
  let before: string | undefined = from?.startsWith(range.from) ? from : range.before;
  for (let round = 0; before !== undefined && found.length <= limit && round < rounds; round++) {
    const { items, next } = await store.query({
      ...{ ...range, before, descending: true, consistent: true },
      // One more than asked for tells whether there is a next page.
      ...(filter ? { filter, limit: LOOKED_THROUGH } : { limit: limit + 1 }),
    });
    found.push(...items);
    before = next && String(next.sk);
  }
  const entries = found.slice(0, limit);
  const position = found.length > limit ? entries.at(-1)?.sk : before;
  return { entries, ...(position !== undefined && { position }) };
}

const LOOKED_THROUGH = 1_000;
const MOST_OF_DAY = 200;

/**
 * What a partition whose sort keys are a prefix and a time got in the last 24 hours, the newest first and no more than
 * 200: it is for figures that a list shows beside each of its rows.
 */
export async function ofLastDay(store: Store, { pk, from, before }: Range, now: number) {
  const since = `${from}${toIso(now - DAY_MS)}`;
  const query = { pk, from: since, before, limit: MOST_OF_DAY + 1, descending: true };
  const { items, next } = await store.query(query);
  const isMore = items.length > MOST_OF_DAY || next !== undefined;
  return { items: items.slice(0, MOST_OF_DAY), isMore };
}

interface Shard {
  readonly partition: string;
  readonly found: Item[];
  /** Everything above this sort key has been seen. */
  frontier: string;
  next: ValueMap | undefined;
  exhausted: boolean;
}

// A filter that fits nothing must not walk through a whole year in one call; the caller gets a short page and a cursor.
const ROUNDS = 12;
const FILTERED_READ = 300;

/** What somebody opens is there after one round trip; who goes on from there waits for a longer search. */
export const roundsFor = ({ from }: Pick<PageRequest, 'from'>): number => (from === undefined ? 1 : ROUNDS);

/**
 * How many of the newest `limit` may be in one of `count` partitions: ids fall into them by chance, and five standard
 * deviations above the mean there are not more.
 */
const shareOf = (limit: number, count: number): number =>
  Math.min(limit + 1, Math.ceil(limit / count + 5 * Math.sqrt(limit / count)) + 1);

const NEWEST = '\uffff';

/**
 * The newest entries over all partitions, in order. Each partition is read only as far as it can still contribute:
 *
 *   shard 0  ████████░░░░      █ read   ░ not read
 *   shard 1  █████░░░░░░░
 *                 ▲ cut: the entry at `limit`; a shard read beyond it has nothing more to add
 */
export async function newestFirst(store: Store, partition: Partition, wanted: Wanted): Promise<Slice> {
  const shards = partition.partitions.map(
    (partition): Shard => ({ partition, found: [], frontier: NEWEST, next: undefined, exhausted: false }),
  );
  const sortKey = sortKeyOn(partition.index);
  for (let round = 0; ; round++) {
    const sorted = shards.flatMap((shard) => shard.found).sort((a, b) => (sortKey(a) < sortKey(b) ? 1 : -1));
    const beyond = sorted[wanted.limit];
    const open = shards.filter((shard) => !shard.exhausted && (!beyond || shard.frontier > sortKey(beyond)));
    if (open.length === 0) return cut(sorted, wanted.limit, sortKey);
    if (round === (wanted.rounds ?? ROUNDS)) return upTo(highest(open), sorted, wanted.limit, sortKey);
    await Promise.all(open.map((shard) => readOn(store, partition, wanted, shard)));
  }
}

async function readOn(store: Store, { index, partitions }: Partition, wanted: Wanted, shard: Shard): Promise<void> {
  const { from, before, accepts, limit } = wanted;
  const { items, next } = await store.query({
    index,
    pk: shard.partition,
    descending: true,
    limit: accepts ? FILTERED_READ : shareOf(limit, partitions.length),
    ...(from !== undefined && { from }),
    ...(before !== undefined && { before }),
    ...(shard.next && { start: shard.next }),
  });
  const last = items.at(-1);
  if (last) shard.frontier = sortKeyOn(index)(last);
  shard.found.push(...(accepts ? items.filter(accepts) : items));
  shard.next = next;
  shard.exhausted = next === undefined;
}

type SortKey = (entry: Item) => string;

function sortKeyOn(index: Partition['index']): SortKey {
  return (entry) => String(entry[`${index}sk`]);
}

function cut(sorted: readonly Item[], limit: number, sortKey: SortKey): Slice {
  const entries = sorted.slice(0, limit);
  const last = entries.at(-1);
  return sorted.length > limit && last ? { entries, position: sortKey(last) } : { entries };
}

/** What is certain so far: below `frontier` some shard has not been read yet. */
function upTo(frontier: string, sorted: readonly Item[], limit: number, sortKey: SortKey): Slice {
  const certain = sorted.filter((entry) => sortKey(entry) >= frontier);
  return certain.length > limit ? cut(certain, limit, sortKey) : { entries: certain, position: frontier };
}

function highest(shards: readonly Shard[]): string {
  return (
    shards
      .map((shard) => shard.frontier)
      .sort()
      .at(-1) ?? ''
  );
}
