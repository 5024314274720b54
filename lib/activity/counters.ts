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
  type Key,
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

/**
 * How often each kind has changed stands beside the figures of the hour, so that both take one write: this raises it.
 * Counted twice it tells once more than it must, which costs a reader one look.
 */
const raised = (kinds: Iterable<Kind>) => [...kinds].map((kind) => add(kind, 1));

/** Keeps, once an hour, that there was something of these kinds at all. */
async function tellChanges(store: Store, workspace: string, kinds: Iterable<Kind>): Promise<void> {
  await store.write(update(changesKey(workspace), raised(kinds)));
}

/**
 * What has changed since `after`, a mark of before; without one, all has. Undefined: nothing. A mark names its hour, so
 * that with each new hour all may have changed; the hour before is looked at as well, since the clock of whoever counts
 * may be behind.
 */
export async function changesSince(
  store: Store,
  workspace: string,
  now: number,
  after: Mark = [],
): Promise<Changes | undefined> {
  const hour = Math.floor(now / HOUR_MS);
  const keyOf = (one: number) => counterKey(workspace, toIso(one * HOUR_MS));
  const { pk, sk: before } = keyOf(hour + 1);
  const { items } = await store.query({ pk, from: keyOf(hour - 1).sk, before, limit: 2 });
  const counted = KINDS.map((kind) => items.reduce((sum, item) => sum + Number(item[kind] ?? 0), 0));
  const [hourThen, ...then] = after;
  const changed = KINDS.filter((_, i) => hourThen !== hour || counted[i] !== then[i]);
  return changed.length === 0 ? undefined : { mark: [hour, ...counted].join('.'), changed };
}

export type Mark = readonly number[];

/** Undefined for what was never a mark. Those of earlier releases have one number less. */
export function readMark(text: string): Mark | undefined {
  return /^\d{1,15}(\.\d{1,15}){3,4}$/.test(text) ? text.split('.').map(Number) : undefined;
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

/** What a batch has to tell of a workspace. */
export interface Told {
  readonly workspace: string;
  readonly counts: readonly Count[];
  /** What has changed. */
  readonly kinds: readonly Kind[];
}

/**
 * Raises the counters of the hours in which what one shard tells was written, and says in this hour what has changed:
 * mostly both are one hour, and one write.
 */
export async function raise(
  store: Store,
  shard: string,
  { workspace, counts, kinds }: Told,
  now: number,
): Promise<void> {
  const thisHour = hourOf(now);
  const hours = Map.groupBy(counts, ({ at }) => hourOf(at));
  if (kinds.length > 0 && !hours.has(thisHour)) hours.set(thisHour, []);
  await Promise.all(
    [...hours].map(([hour, those]) =>
      raiseHour(store, shard, { workspace, hour, counts: those, kinds: hour === thisHour ? kinds : [] }),
    ),
  );
}

const hourOf = (at: number): number => Math.floor(at / HOUR_MS) * HOUR_MS;

/**
 * In the order of its shard. A batch may come again, whole or in part: each hour keeps the last number of each shard that
 * it has counted, and takes only what is later. Shards know nothing of each other's numbers.
 *
 *   counted up to 7      batch 5 6 7 8 9      counts 8 9 and keeps 9
 */
async function raiseHour(
  store: Store,
  shard: string,
  { workspace, hour, counts, kinds }: Told & { readonly hour: number },
): Promise<void> {
  const last = `upTo@${shard}`;
  const key = counterKey(workspace, toIso(hour));
  const always = [...raised(kinds), setIfAbsent('expiresAt', expiryOf(hour))];
  let open = counts;
  for (;;) {
    const [first] = open;
    const end = open.at(-1);
    if (!first || !end) break;
    const isLater = any(absent(last), compare(last, '<', numbered(first.sequence)));
    const changes = [...sums(open), set(last, numbered(end.sequence)), ...always];
    const { done, item } = await store.write(update(key, changes, isLater), { returns: 'new' });
    if (done) return tellOnce(store, { workspace, kinds, key, hour: item });
    // Refused: the first of these at least is counted, so that each round has fewer left.
    const counted = String(item?.[last]);
    open = open.filter(({ sequence }) => numbered(sequence) > counted);
  }
  // Nothing is left to count. What else has changed need not have been in the batch that was counted.
  if (kinds.length === 0) return;
  const { item } = await store.write(update(key, always), { returns: 'new' });
  await tellOnce(store, { workspace, kinds, key, hour: item });
}

interface Tellable {
  readonly workspace: string;
  readonly kinds: readonly Kind[];
  readonly key: Key;
  /** The hour as it is by now. */
  readonly hour: Item | undefined;
}

/**
 * What is of a kind that this hour had not yet is told to the workspace as well, which keeps it for longer. The hour is
 * marked after that: whoever dies in between leaves it to the next.
 */
async function tellOnce(store: Store, { workspace, kinds, key, hour }: Tellable): Promise<void> {
  const untold = kinds.filter((kind) => hour?.[`told@${kind}`] === undefined);
  if (untold.length === 0) return;
  await tellChanges(store, workspace, untold);
  await store.write(
    update(
      key,
      untold.map((kind) => set(`told@${kind}`, true)),
    ),
  );
}

/** Sequence numbers are decimal, of no fixed length, and up to 40 digits long: beyond what numbers are exact for. */
const numbered = (sequence: string): string => sequence.padStart(40, '0');

const expiryOf = (hour: number): number => Math.floor((hour + KEPT_DAYS * DAY_MS) / 1000);

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
