import * as v from 'valibot';
import { Instant, tally } from '#lib/domain/schema.ts';
import { hasGoneOut, PART_STATES, type PartState } from '#lib/domain/send/part.ts';
import { DAY_MS, HOUR_MS, toIso } from '#lib/domain/time.ts';
import { changesKey, counterKey, sendIdIn, unknownSendKey } from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import {
  absent,
  add,
  any,
  type Change,
  compare,
  del,
  type Item,
  put,
  type Store,
  set,
  setIfAbsent,
  update,
} from '#lib/store/store.ts';

/** What somebody may have open before them. Each is counted up when something of it changes. */
export const KINDS = ['events', 'chats', 'sends', 'accounts'] as const;
type Kind = (typeof KINDS)[number];

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

/** Undefined for what was never a mark. */
export function readMark(text: string): Mark | undefined {
  return /^\d{1,15}(\.\d{1,15}){4}$/.test(text) ? text.split('.').map(Number) : undefined;
}

const COUNTED = ['received', 'sent', 'failed'] as const;
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
interface Told {
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
  // Where nothing is left to count: what else has changed need not have been in the batch that was counted.
  while (open.length > 0 || kinds.length > 0) {
    const [from, to] = [open[0], open.at(-1)].map((count) => count && numbered(count.sequence));
    const isLater = from === undefined ? undefined : any(absent(last), compare(last, '<', from));
    const counted = to === undefined ? [] : [...sums(open), set(last, to)];
    const { done, item } = await store.write(update(key, [...counted, ...always], isLater), { returns: 'new' });
    if (done) return keepFirst(store, workspace, kinds, item);
    // Refused: the first of these at least is counted, so that each round has fewer left.
    const upTo = String(item?.[last]);
    open = open.filter(({ sequence }) => numbered(sequence) > upTo);
  }
}

/**
 * Of what an hour begins with is kept for longer that a workspace has had something of its kind at all. Twice: whoever was
 * first may have died before this, and its batch comes again.
 */
async function keepFirst(store: Store, workspace: string, kinds: readonly Kind[], hour: Item | undefined) {
  const first = kinds.filter((kind) => Number(hour?.[kind]) <= 2);
  if (first.length > 0) await store.write(update(changesKey(workspace), raised(first)));
}

/** Sequence numbers are decimal, of no fixed length, and up to 40 digits long: beyond what numbers are exact for. */
const numbered = (sequence: string): string => sequence.padStart(40, '0');

const expiryOf = (hour: number): number => Math.floor((hour + KEPT_DAYS * DAY_MS) / 1000);

function sums(counts: readonly Count[]): Change[] {
  const each = Map.groupBy(counts, ({ what, provider }) => `${what}@${provider}`);
  return [...each].map(([name, { length }]) => add(name, length));
}

type Image = Readonly<Record<string, unknown>>;

/** A change of an event's or a send's item, as the stream tells it. */
export interface ItemChange {
  readonly before?: Image;
  readonly after?: Image;
  readonly sequence: string;
  /** When it was written, in milliseconds. */
  readonly at?: number;
}

interface Activity {
  readonly workspace: string;
  readonly kinds: readonly Kind[];
  readonly counts: readonly Count[];
  /** Of a send: whether nobody knows what has become of it, where that has changed. */
  readonly unknown?: { readonly send: string; readonly isNow: boolean };
}

/**
 * Keeps what a batch of the stream has to tell to whoever looks at a workspace: that there is something new, how much it
 * was, and which sends have an unknown outcome. Safe to repeat.
 */
export async function recordActivity(
  store: Store,
  shard: string,
  changes: readonly ItemChange[],
  now: number,
): Promise<void> {
  const all = changes.flatMap((change) => activityIn(change) ?? []);
  const workspaces = Map.groupBy(all, ({ workspace }) => workspace);
  // Of several changes of one send, the last one counts.
  const unknown = new Map(all.flatMap((one) => (one.unknown ? [[one.unknown.send, { ...one, ...one.unknown }]] : [])));
  await Promise.all([
    ...[...workspaces].map(([workspace, those]) => {
      const counts = those.flatMap((one) => one.counts);
      const kinds = [...new Set(those.flatMap((one) => one.kinds))];
      return raise(store, shard, { workspace, counts, kinds }, now);
    }),
    ...[...unknown.values()].map(({ workspace, send, isNow }) => noteUnknown(store, workspace, send, isNow)),
  ]);
}

/** Whoever lists these looks at the send as well: a row that is too much shows nothing. */
async function noteUnknown(store: Store, workspace: string, send: string, isNow: boolean): Promise<void> {
  const key = unknownSendKey(workspace, send);
  await store.write(isNow ? put({ ...key }) : del(key));
}

function activityIn(change: ItemChange): Activity | undefined {
  const { workspace, pk } = change.after ?? {};
  if (typeof workspace !== 'string' || typeof pk !== 'string') return undefined;
  const send = sendIdIn(pk);
  return send === undefined ? ofEvent(change, workspace) : ofSend(change, workspace, send);
}

function ofEvent({ before, after = {}, at, sequence }: ItemChange, workspace: string): Activity {
  const { kind, provider } = after;
  const isReceived = !isIncoming(before) && isIncoming(after);
  const one = { workspace, provider: String(provider), what: 'received', sequence } as const;
  return {
    workspace,
    kinds: ['events', ...kindsOf(String(kind))],
    counts: isReceived && at !== undefined ? [{ ...one, at }] : [],
  };
}

const isIncoming = ({ kind, direction }: Image = {}): boolean => kind === 'message' && direction === 'inbound';

function kindsOf(kind: string): readonly Kind[] {
  if (['message', 'status', 'reaction', 'chat', 'call'].includes(kind)) return ['chats'];
  return ['account', 'connection'].includes(kind) ? ['accounts'] : [];
}

function ofSend({ before, after = {}, at, sequence }: ItemChange, workspace: string, send: string): Activity {
  const [then, now] = [statesIn(before), statesIn(after)];
  const one = { workspace, provider: String(after.provider), sequence };
  const moved = (isIn: (state: PartState) => boolean) =>
    now.filter((state, i) => isIn(state) && !then.slice(i, i + 1).some(isIn)).length;
  const times = (what: Count['what'], count: number): Count[] =>
    at === undefined ? [] : Array.from({ length: count }, () => ({ ...one, what, at }));
  const [was, is] = [then.includes('unknown'), now.includes('unknown')];
  return {
    workspace,
    // How many wait on an account changes with its sends.
    kinds: ['sends', 'accounts'],
    counts: [
      ...times('sent', moved(hasGoneOut)),
      ...times(
        'failed',
        moved((state) => state === 'failed'),
      ),
    ],
    ...(was !== is && { unknown: { send, isNow: is } }),
  };
}

const Parts = v.array(v.object({ state: v.picklist(PART_STATES) }));

function statesIn({ parts }: Image = {}): readonly PartState[] {
  const read = v.safeParse(Parts, parts);
  return read.success ? read.output.map(({ state }) => state) : [];
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
