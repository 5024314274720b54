import type { SendingConfig } from './config.ts';
import { type DueItem, type DueTimes, dueLists, keysOf, LANES, patient, runErrands } from './errands.ts';
import type { Due } from './keys.ts';
import { type ProbePorts, probe } from './probe.ts';
import { type ReconcilePorts, reconcile } from './reconcile.ts';
import { revisitStatuses } from './statuses.ts';
import { measureVitals, type VitalsPorts } from './vitals.ts';
import { furthestDue, type WakePorts, wake } from './wake.ts';

export interface WatchdogPorts extends VitalsPorts, WakePorts, ProbePorts, ReconcilePorts {}

/** As many of a kind and a shard as one run sees to; the rest waits for the next, a minute later. */
const AT_ONCE = 100;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A part of a run. It fails in whole by throwing, or for some of what is due; either way the others go on. */
type Stage = () => Promise<readonly unknown[]>;

/**
 * Each minute: whatever a lost tick, a crash or an unknown outcome has left behind. Begins no errand after `endsAt` (on
 * `clock.monotonic`); the next run goes on with what is left.
 */
export async function watchdog(ports: WatchdogPorts, endsAt: number, config: SendingConfig): Promise<void> {
  const { clock, metrics } = ports;
  const now = clock.now();
  const { graceMs, leaseMs, unknownLimitMs } = config;
  const errands = (what: Due, times: DueTimes, lanes: number, see: (item: DueItem) => Promise<void>) => async () => {
    const lists = await Promise.allSettled(
      dueLists(what, times, AT_ONCE).map((list) => patient(ports).store.query(list)),
    );
    const due = lists.flatMap((list) => (list.status === 'fulfilled' ? keysOf(list.value) : []));
    const unread = lists.flatMap((list) => (list.status === 'rejected' ? [list.reason] : []));
    return [...unread, ...(await runErrands(due, { clock, lanes, endsAt }, see))];
  };
  const accounts = { before: now - graceMs, impossible: furthestDue(now, config) };
  // An account that sleeps keeps messages waiting. The others may be looked for once an hour: it is rare, and costs requests.
  const sometimes = (latest: number) => ({ before: now, ...(now % HOUR < MINUTE ? { impossible: now + latest } : {}) });
  const probes = sometimes(Math.max(HOUR, ...config.probeAfterMs) + graceMs);
  const statuses = sometimes(leaseMs + 2 * graceMs);
  const unknown = sometimes(unknownLimitMs + graceMs);
  const stages = {
    vitals: () => measureVitals(patient(ports)),
    accounts: errands('account', accounts, LANES.table, (item) => wake(patient(ports), item, config)),
    probes: errands('probe', probes, LANES.provider, (item) => probe(patient(ports), item, config)),
    statuses: errands('status', statuses, LANES.table, (item) => revisitStatuses(patient(ports), item)),
    unknown: () => reconcile(ports, unknown, endsAt, config),
  } satisfies Readonly<Record<string, Stage>>;
  // Side by side: what one of them waits for must not use up the time of the others.
  const failures = await Promise.all(
    Object.entries(stages).map(async ([stage, run]) => {
      const failed = await run().catch((error: unknown) => [error]);
      if (failed.length > 0) metrics.count('WatchdogFailures', { stage }, failed.length);
      return failed;
    }),
  );
  const all = failures.flat();
  // Each has had its chance; that some failed is for the log and the alarm.
  if (all.length > 0) throw new AggregateError(all, `${all.length} errands of the watchdog failed`);
}
