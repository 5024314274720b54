import { SHARDS } from '#lib/domain/ids.ts';
import { retrying } from '../retrying-store.ts';
import type { Store } from '../store.ts';
import type { SendingConfig } from './config.ts';
import { type Due, dueListKey, dueSortKey } from './keys.ts';
import { type ProbePorts, probe } from './probe.ts';
import { type ReconcilePorts, reconcile } from './reconcile.ts';
import { revisitStatuses } from './statuses.ts';
import { furthestDue, type WakePorts, wake } from './wake.ts';

export interface WatchdogPorts extends WakePorts, ProbePorts, ReconcilePorts {}

export interface DueItem {
  readonly pk: string;
  readonly sk: string;
}

/** As many of a kind and a shard as one run sees to; the rest waits for the next, a minute later. */
const AT_ONCE = 100;

/**
 * Each minute: whatever a lost tick, a crash or an unknown outcome has left behind. Begins no errand after `endsAt` (on
 * `clock.monotonic`); the next run goes on with what is left.
 */
export async function watchdog(given: WatchdogPorts, endsAt: number, config: SendingConfig): Promise<void> {
  const { store, clock, random } = given;
  const ports = { ...given, store: retrying(store, clock, random, endsAt) };
  const now = clock.now();
  const errands: readonly Errand[] = [
    { what: 'account', before: now - config.graceMs, see: (item) => wake(ports, item, config) },
    // Due at a time that no honest clock writes: without its tick, such an account would sleep until then.
    { what: 'account', from: furthestDue(now, config), see: (item) => wake(ports, item, config) },
    { what: 'probe', before: now, see: (item) => probe(ports, item, config) },
    { what: 'unknown', before: now, see: (item) => reconcile(ports, item, config) },
    { what: 'status', before: now, see: (item) => revisitStatuses(ports, item) },
  ];
  // Side by side: a hundred probes of a provider that is down must not use up the time of the others.
  const failures = (await Promise.all(errands.map((errand) => runErrand(ports, errand, endsAt)))).flat();
  // Each has had its chance; that some failed is for the log and the alarm.
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} errands of the watchdog failed`);
}

interface Errand extends DueTimes {
  readonly what: Due;
  readonly see: (item: DueItem) => Promise<void>;
}

/** What goes wrong with one item or one kind must not keep the others waiting: failures are collected. */
async function runErrand({ store, clock }: WatchdogPorts, { see, ...which }: Errand, endsAt: number) {
  const failures: unknown[] = [];
  const due = await listDue(store, which).catch((error: unknown) => {
    failures.push(error);
    return [];
  });
  for (const item of due) {
    if (clock.monotonic() >= endsAt) break;
    try {
      await see(item);
    } catch (error) {
      failures.push(error);
    }
  }
  return failures;
}

interface DueTimes {
  readonly from?: number;
  readonly before?: number;
}

/** What is due between these times, the most overdue first within each shard. */
async function listDue(store: Store, { what, from, before }: DueTimes & { readonly what: Due }): Promise<DueItem[]> {
  const bounds = {
    ...(from === undefined ? {} : { from: dueSortKey(from) }),
    ...(before === undefined ? {} : { before: dueSortKey(before) }),
  };
  const shards = Array.from({ length: SHARDS }, (_, shard) => dueListKey(what, shard));
  const pages = await Promise.all(shards.map((pk) => store.query({ index: 'gsi3', pk, ...bounds, limit: AT_ONCE })));
  return pages.flatMap((page) => page.items.map(({ pk, sk }) => ({ pk, sk })));
}
