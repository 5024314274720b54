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
 * tell it, in pages of keys alone. Each measure is taken by itself, in whole or not at all; what failed is returned.
 */
export async function measureVitals({ store, clock, metrics }: VitalsPorts): Promise<readonly unknown[]> {
  const measured = await Promise.allSettled([
    listed(store, 'probe', COUNTED).then((held) => metrics.count('HeldAccounts', {}, total(held))),
    listed(store, 'unknown', COUNTED).then((unknown) => metrics.count('UnknownSends', {}, total(unknown))),
    listed(store, 'account', 1).then((due) => metrics.count('OldestOverdue', {}, oldest(due, clock.now()) / 1000)),
  ]);
  return measured.flatMap((measure) => (measure.status === 'rejected' ? [measure.reason] : []));
}

/** What is due at a time that nobody can read tells nothing of how long it has been due. */
function oldest(due: readonly Page[], now: number): number {
  const overdue = due.flatMap(({ items }) => items.map(({ gsi3sk }) => now - dueTime(String(gsi3sk))));
  return Math.max(0, ...overdue.filter(Number.isFinite));
}

/** The first of each shard, the one that is due first leading. */
function listed(store: Store, what: Due, limit: number): Promise<Page[]> {
  const shards = Array.from({ length: SHARDS }, (_, shard) => dueListKey(what, shard));
  return Promise.all(shards.map((pk) => store.query({ index: 'gsi3', pk, limit })));
}

const total = (pages: readonly Page[]): number => pages.reduce((sum, { items }) => sum + items.length, 0);
