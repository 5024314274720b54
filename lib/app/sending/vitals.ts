import { SHARDS } from '#lib/domain/ids.ts';
import type { Clock, Metrics } from '../ports.ts';
import type { Page, Store } from '../store.ts';
import { type Due, dueListKey, dueTime } from './keys.ts';

export interface VitalsPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** More than so many of a shard is as bad as so many: an alarm needs no exact number. */
const COUNTED = 1000;

/**
 * How sending is doing at this moment, for the alarms: what stands still shows in no counter. The watchdog's own lists
 * tell it, in pages of keys alone.
 */
export async function measureVitals({ store, clock, metrics }: VitalsPorts): Promise<void> {
  const [held, unknown, due] = await Promise.all([
    listed(store, 'probe', COUNTED),
    listed(store, 'unknown', COUNTED),
    listed(store, 'account', 1),
  ]);
  metrics.count('HeldAccounts', {}, total(held));
  metrics.count('UnknownSends', {}, total(unknown));
  const now = clock.now();
  const overdue = due.flatMap(({ items }) => items.map(({ gsi3sk }) => now - dueTime(String(gsi3sk))));
  metrics.count('OldestOverdue', {}, Math.max(0, ...overdue) / 1000);
}

/** The first of each shard, the one that is due first leading. */
function listed(store: Store, what: Due, limit: number): Promise<Page[]> {
  const shards = Array.from({ length: SHARDS }, (_, shard) => dueListKey(what, shard));
  return Promise.all(shards.map((pk) => store.query({ index: 'gsi3', pk, limit })));
}

const total = (pages: readonly Page[]): number => pages.reduce((sum, { items }) => sum + items.length, 0);
