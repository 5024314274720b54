import type { Clock, Random } from '#lib/domain/ports.ts';
import { type Due, dueListKey, dueSortKey, everyShard } from '#lib/store/keys.ts';
import { retrying } from '#lib/store/retry.ts';
import type { Query, Store } from '#lib/store/store.ts';

/** What is due before a time, and what is due so late that no honest clock has written it: it would wait for ever. */
export interface DueTimes {
  readonly before: number;
  readonly impossible?: number;
}

/** The lists of a kind, in order of time, one for each shard. */
export function dueLists(what: Due, { before, impossible }: DueTimes, limit: number): readonly Query[] {
  const shards = everyShard((shard) => dueListKey(what, shard));
  const bounds = [
    { before: dueSortKey(before) },
    ...(impossible === undefined ? [] : [{ from: dueSortKey(impossible) }]),
  ];
  return shards.flatMap((pk) => bounds.map((bound) => ({ index: 'gsi3', pk, ...bound, limit }) as const));
}

/** How long one task tries to reach a table that does not take it: others wait behind it. */
const TASK_MS = 10_000;

interface Reaching {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

export const timed = <Ports extends Reaching>(ports: Ports): Ports => ({
  ...ports,
  store: retrying(ports.store, ports.clock, ports.random, ports.clock.monotonic() + TASK_MS),
});

/** How many tasks of a kind go on side by side, and when the last of them may begin, on `clock.monotonic`. */
export interface Lanes {
  readonly clock: Clock;
  readonly lanes: number;
  readonly endsAt: number;
}

/** The table alone takes its time, or a provider that does not answer: then they only wait. */
export const LANES = { table: 8, provider: 25 };

/**
 * A task for each of these. What goes wrong with one neither ends nor delays the others, so failures are collected.
 * What is not reached in time is left to the next run.
 */
export async function runTasks<Item>(
  items: readonly Item[],
  { clock, lanes, endsAt }: Lanes,
  task: (item: Item) => Promise<void>,
): Promise<unknown[]> {
  const failures: unknown[] = [];
  const waiting = items.values();
  const lane = async () => {
    for (const item of waiting) {
      if (clock.monotonic() >= endsAt) return;
      await task(item).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane));
  return failures;
}
