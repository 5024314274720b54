import * as v from 'valibot';
import { SHARDS } from '#lib/domain/ids.ts';
import type { Clock, Metrics } from '#lib/domain/ports.ts';
import { itemReader } from './items.ts';
import { fillKey } from './keys.ts';
import { getAll } from './query.ts';
import { type Item, put, type Query, type Store } from './store.ts';

/** Where a walk stands: everything before it was visited. `after` is a sort key. */
export const At = v.object({ stage: v.string(), partition: v.string(), after: v.exactOptional(v.string()) });
export type Position = v.InferOutput<typeof At>;
const State = v.object({ at: At, done: v.unknown() });

/** Where a walk goes on, and what it has done so far. */
export interface WalkState<Counts> {
  readonly at: Position;
  readonly done: Counts;
}

/** How a walk's state goes through the caller's hands: positions and figures, and nothing of what was looked for. */
export function walkCursor<Counts extends v.GenericSchema>(counts: Counts) {
  return {
    encode: (state: WalkState<v.InferOutput<Counts>>): string =>
      Buffer.from(JSON.stringify(state), 'utf8').toString('base64url'),
    /** Undefined for what we never gave out. A made-up one is harmless: it skips, in the caller's own workspace. */
    decode: (text: string): WalkState<v.InferOutput<Counts>> | undefined => {
      try {
        const state = v.safeParse(State, JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
        const done = v.safeParse(counts, state.success ? state.output.done : undefined);
        return state.success && done.success ? { at: state.output.at, done: done.output } : undefined;
      } catch {
        return undefined; // Not JSON.
      }
    },
  };
}

/** Items of one kind, in one partition of the table or several. */
export interface Stage {
  readonly name: string;
  /** Sorted by name, and by the same names each time: a walk that is taken up again skips by them. */
  readonly partitions: () => Promise<readonly Partition[]>;
  /** The items of a page as they are visited; an index holds only parts of them. Left out: as the query answers. */
  readonly load?: (entries: readonly Item[]) => Promise<readonly Item[]>;
  /** `unfinished`: time was up before it was done, and the walk will come back to this item. */
  readonly visit: (item: Item) => Promise<'unfinished' | undefined>;
}
export interface Partition {
  readonly name: string;
  readonly query: Pick<Query, 'index' | 'pk' | 'from' | 'before' | 'consistent'>;
}

const PAGE = 100;

/**
 * Visits every item of all stages, in order, until time is up, and one at least. In ascending order, which is from old
 * to new: what comes in meanwhile, and what moves up because something happened to it, lies ahead and not behind.
 * Answers where to go on; undefined at the end.
 */
export async function walk(
  store: Store,
  stages: readonly Stage[],
  from: Position | undefined,
  isTimeUp: () => boolean,
): Promise<Position | undefined> {
  const first = from ? stages.findIndex(({ name }) => name === from.stage) : 0;
  const pace = { steps: 0, isTimeUp: () => pace.steps > 0 && isTimeUp() };
  for (const stage of stages.slice(Math.max(first, 0))) {
    const here = stage.name === from?.stage ? from : undefined;
    for (const partition of await stage.partitions()) {
      if (here && partition.name < here.partition) continue;
      const after = partition.name === here?.partition ? here.after : undefined;
      const stopped = await walkPartition(store, stage, partition, after, pace);
      if (stopped) return { stage: stage.name, partition: partition.name, ...stopped };
      pace.steps += 1;
    }
  }
  return undefined;
}

interface Pace {
  /** Without a single one, the next call would come no further either. */
  steps: number;
  readonly isTimeUp: () => boolean;
}

/** Pages are asked for by sort key: the item at which a page ended may be erased by the time of the next. */
async function walkPartition(
  store: Store,
  { load = async (items) => items, visit }: Stage,
  { query }: Partition,
  start: string | undefined,
  pace: Pace,
): Promise<Pick<Position, 'after'> | undefined> {
  const sortKey = (item: Item) => String(item[query.index ? `${query.index}sk` : 'sk']);
  let after = start;
  const stopped = () => (after === undefined ? {} : { after });
  while (!pace.isTimeUp()) {
    const page = await store.query({ ...query, ...(after !== undefined && { from: after }), limit: PAGE });
    const entries = page.items.filter((entry) => sortKey(entry) !== after);
    const items = new Map((await load(entries)).map((item) => [item.pk + item.sk, item]));
    for (const entry of entries) {
      const item = items.get(entry.pk + entry.sk);
      if (item && (pace.isTimeUp() || (await visit(item)) === 'unfinished')) return stopped();
      after = sortKey(entry);
      pace.steps += 1;
    }
    if (!page.next) return undefined;
  }
  return stopped();
}

/** The partitions of a list over a workspace (gsi1), whole or a part of each, visited as the table holds the items now. */
export function listed(
  store: Store,
  partitionOf: (shard: number) => string,
  part: Pick<Query, 'from' | 'before'> = {},
): Pick<Stage, 'partitions' | 'load'> {
  const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
  return {
    partitions: async () =>
      shards.map((shard) => ({ name: String(shard), query: { index: 'gsi1', pk: partitionOf(shard), ...part } })),
    load: (entries) => getAll(store, entries, { consistent: true }),
  };
}

/** Of a stage whose items are all in one place. */
export const onePlace = (query: Partition['query']) => async (): Promise<readonly Partition[]> => [
  { name: '', query: { ...query, consistent: true } },
];

/**
 * Something that this release keeps beside what earlier ones stored: rows that have to be added once, for everything that
 * is there. The watchdog does it a step at a time; what is stored meanwhile brings its rows along.
 */
export interface Fill {
  readonly name: string;
  /** What is walked through in one workspace. Safe to repeat, and to break off anywhere. */
  readonly stages: (ports: FillPorts, workspace: string) => readonly Stage[];
}

export interface FillPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

const Progress = v.object({
  /** The workspaces before this one are done. */
  workspace: v.string(),
  at: v.exactOptional(At),
  done: v.boolean(),
});
const readProgress = itemReader(Progress);

const progressOf = (item: Item | undefined) => (item ? readProgress(item) : { workspace: '', done: false });

/** Whether everything is there that should be: until then, readers say that they do not show all. */
export async function isFilled(store: Store, { name }: Pick<Fill, 'name'>): Promise<boolean> {
  return progressOf(await store.get(fillKey(name))).done;
}

/** Goes on until `isTimeUp`. `workspaces`: the ids of all there are, in order; a new one has nothing to be filled in. */
export async function fillOn(
  ports: FillPorts,
  fill: Fill,
  workspaces: () => Promise<readonly string[]>,
  isTimeUp: () => boolean,
): Promise<void> {
  const { store } = ports;
  const save = (progress: v.InferOutput<typeof Progress>) => store.write(put({ ...fillKey(fill.name), ...progress }));
  const begun = progressOf(await store.get(fillKey(fill.name), { consistent: true }));
  if (begun.done) return;
  const left = (await workspaces()).filter((workspace) => workspace >= begun.workspace);
  for (const workspace of left) {
    const from = workspace === begun.workspace ? begun.at : undefined;
    const at = await walk(store, fill.stages(ports, workspace), from, isTimeUp);
    if (at) return void (await save({ workspace, at, done: false }));
  }
  await save({ workspace: '', done: true });
}
