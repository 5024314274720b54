import * as v from 'valibot';
import { Instant, tally } from '#lib/domain/schema.ts';
import { DAY_MS, HOUR_MS, toIso } from '#lib/domain/time.ts';
import { changesKey, counterKey } from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import {
  absent,
  add,
  any,
  type Change,
  compare,
  type Item,
  type Store,
  set,
  setIfAbsent,
  update,
} from '#lib/store/store.ts';

/** What somebody may have open before them. Each is counted up when something of it changes. */
export const KINDS = ['events', 'chats', 'sends', 'accounts'] as const;
export type Kind = (typeof KINDS)[number];

export interface Changes {
  /** Names how things stood: for the next question. */
  readonly mark: string;
  readonly changed: readonly Kind[];
}

/** Counted twice it tells once more than it must, which costs a reader one look. */
export async function tellChanges(store: Store, workspace: string, kinds: Iterable<Kind>): Promise<void> {
  const changes = [...kinds].map((kind) => add(kind, 1));
  await store.write(update(changesKey(workspace), changes));
}

/** What has changed since `after`, a mark of before; without one, all has. Undefined: nothing. */
export async function changesSince(store: Store, workspace: string, after?: Mark): Promise<Changes | undefined> {
  const item = await store.get(changesKey(workspace));
  const now = KINDS.map((kind) => Number(item?.[kind] ?? 0));
  const changed = KINDS.filter((_, i) => now[i] !== after?.[i]);
  return changed.length === 0 ? undefined : { mark: now.join('.'), changed };
}

export type Mark = readonly number[];

/** Undefined for what was never a mark. */
export function readMark(text: string): Mark | undefined {
  return /^\d{1,15}(\.\d{1,15}){3}$/.test(text) ? text.split('.').map(Number) : undefined;
}

export const COUNTED = ['received', 'sent', 'failed'] as const;
export type Counted = (typeof COUNTED)[number];

/** Long enough to look at the same month of last year. */
const KEPT_DAYS = 400;

/** One thing to be counted, as the stream tells it. */
export interface Count {
  readonly workspace: string;
  readonly provider: string;
  readonly what: Counted;
  /** When it changed in the table, in milliseconds: the same however often it is told. */
  readonly at: number;
  /** Its number in its shard of the stream; later ones are higher. */
  readonly sequence: string;
}

/**
 * Raises the counters of the hours that these fall into, of one shard and in its order. A batch may come again, whole or
 * in part: each hour keeps the last number of each shard that it has counted, and takes only what is later. Shards know
 * nothing of each other's numbers.
 *
 *   counted up to 7      batch 5 6 7 8 9      counts 8 9 and keeps 9
 */
export async function raise(store: Store, shard: string, counts: readonly Count[]): Promise<void> {
  const hours = Map.groupBy(counts, ({ workspace, at }) => `${workspace} ${hourOf(at)}`);
  await Promise.all([...hours.values()].map((hour) => raiseHour(store, `upTo@${shard}`, hour)));
}

const hourOf = (at: number): number => Math.floor(at / HOUR_MS) * HOUR_MS;

async function raiseHour(store: Store, last: string, counts: readonly Count[]): Promise<void> {
  let open = counts;
  for (;;) {
    const [first] = open;
    const end = open.at(-1);
    if (!first || !end) return;
    const isLater = any(absent(last), compare(last, '<', numbered(first.sequence)));
    const key = counterKey(first.workspace, toIso(hourOf(first.at)));
    const changes = [...sums(open), set(last, numbered(end.sequence)), setIfAbsent('expiresAt', expiryOf(first.at))];
    const { done, item } = await store.write(update(key, changes, isLater));
    if (done) return;
    // Refused: the first of these at least is counted, so that each round has fewer left.
    const counted = String(item?.[last]);
    open = open.filter(({ sequence }) => numbered(sequence) > counted);
  }
}

/** Sequence numbers are decimal, of no fixed length, and up to 40 digits long: beyond what numbers are exact for. */
const numbered = (sequence: string): string => sequence.padStart(40, '0');

const expiryOf = (at: number): number => Math.floor((hourOf(at) + KEPT_DAYS * DAY_MS) / 1000);

function sums(counts: readonly Count[]): Change[] {
  const each = Map.groupBy(counts, ({ what, provider }) => `${what}@${provider}`);
  return [...each].map(([name, { length }]) => add(name, length));
}

export const figures = {
  received: tally('Messages that came in'),
  sent: tally('Messages that a provider took, a file and its text apart counting as two'),
  failed: tally('Messages that did not go out, or did not arrive, as their provider says'),
};
export const Figures = v.object(figures);
export type Figures = v.InferOutput<typeof Figures>;

export const Stat = v.object({
  at: v.pipe(Instant, v.description('When the hour or the day begins, UTC')),
  ...figures,
  providers: v.pipe(v.record(v.string(), Figures), v.description('The same by provider; left out where all is zero')),
});
export type Stat = v.InferOutput<typeof Stat>;

/** Each hour of a span, whole hours, also those in which nothing happened; oldest first. Milliseconds, `to` exclusive. */
export async function hoursBetween(store: Store, workspace: string, from: number, to: number): Promise<Stat[]> {
  const [first, end] = [hourOf(from), hourOf(to + HOUR_MS - 1)];
  const { pk, sk } = counterKey(workspace, toIso(first));
  const items = await queryAll(store, { pk, from: sk, before: counterKey(workspace, toIso(end)).sk, limit: 1000 });
  const found = new Map(items.map((item) => [item.sk, item]));
  return Array.from({ length: Math.max(0, (end - first) / HOUR_MS) }, (_, i) => {
    const at = toIso(first + i * HOUR_MS);
    return statOf(at, found.get(counterKey(workspace, at).sk));
  });
}

function statOf(at: string, item: Item | undefined): Stat {
  const providers: Record<string, Figures> = {};
  for (const [name, value] of Object.entries(item ?? {})) {
    const [what, provider = ''] = name.split('@');
    const counted = COUNTED.find((one) => one === what);
    if (!counted || typeof value !== 'number') continue;
    providers[provider] = { ...(providers[provider] ?? NONE), [counted]: value };
  }
  return { at, ...sumOf(Object.values(providers)), providers };
}

const NONE: Figures = { received: 0, sent: 0, failed: 0 };

export function sumOf(all: readonly Figures[]): Figures {
  const sum = (what: Counted) => all.reduce((total, one) => total + one[what], 0);
  return { received: sum('received'), sent: sum('sent'), failed: sum('failed') };
}

/** The same by days of UTC. */
export function byDay(hours: readonly Stat[]): Stat[] {
  const days = Map.groupBy(hours, ({ at }) => at.slice(0, 'YYYY-MM-DD'.length));
  return [...days].map(([day, all]) => {
    const names = new Set(all.flatMap(({ providers }) => Object.keys(providers)));
    const providers = [...names].map((name) => [name, sumOf(all.map((one) => one.providers[name] ?? NONE))]);
    return { at: toIso(Date.parse(day)), ...sumOf(all), providers: Object.fromEntries(providers) };
  });
}
