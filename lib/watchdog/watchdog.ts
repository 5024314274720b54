import type { Clock, Log, Metrics } from '#lib/domain/ports.ts';
import { feedFill } from '#lib/inbox/feed.ts';
import { chatsFill } from '#lib/outbox/fill-chats.ts';
import { applyNightly } from '#lib/privacy/retention.ts';
import { readDelivery, type Task, type Tasks, taskOf } from '#lib/reactions/delivery.ts';
import { type Callee, readCallee } from '#lib/reactions/endpoint.ts';
import { dueStep } from '#lib/reactions/replay.ts';
import { dueOf, isOverdue, type ProbePorts, probe, tickAgain, wake } from '#lib/sender/account.ts';
import type { SendingConfig } from '#lib/sender/config.ts';
import { readAccount } from '#lib/sender/items.ts';
import { revisitStatuses } from '#lib/sender/outcome.ts';
import type { Ticks } from '#lib/sender/provider.ts';
import { type Due, dueListKey, dueSortKey, dueTime, everyShard, REPLAY_PREFIX } from '#lib/store/keys.ts';
import { type StorePorts, withRetries } from '#lib/store/retry.ts';
import { type Key, newTransaction, type Page, type Query, type Store } from '#lib/store/store.ts';
import { fillOn } from '#lib/store/walk.ts';
import { allWorkspaces } from '#lib/tenants/workspaces.ts';
import { LANES, type ReconcilePorts, reconcile, runTasks } from './reconcile.ts';

interface WakePorts extends StorePorts {
  readonly ticks: Ticks;
  readonly metrics: Metrics;
}

/** The latest time at which an account can be due by an honest clock: after the longest backoff. */
const furthestDue = (now: number, config: SendingConfig): number => now + config.backoff.longestMs + config.graceMs;

/** Brings an account back that a lost tick left behind. Never a new generation for a chain that runs. */
async function wakeOverdue(ports: WakePorts, item: Key, config: SendingConfig): Promise<void> {
  const { store, clock, ticks, metrics, random } = ports;
  const found = await store.get(item, { consistent: true });
  if (!found) return;
  const account = readAccount(found);
  const now = clock.now();
  if (!isOverdue(account, now, config) && (dueOf(account) ?? now) < furthestDue(now, config)) return;
  metrics.count('AccountOverdue', { account: account.id });
  if (account.chain === 'IDLE') await wake(store, ticks, account, newTransaction(random), now, config);
  else await tickAgain(ticks, account, now);
}

interface MeasurePorts {
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
export async function measure({ store, clock, metrics }: MeasurePorts): Promise<readonly unknown[]> {
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

/** The lists of a kind, in order of time, one for each shard. */
export const dueLists = (what: Due, bound: Pick<Query, 'from' | 'before' | 'limit'>): Query[] =>
  everyShard((shard) => dueListKey(what, shard)).map((pk) => ({ index: 'gsi3', pk, ...bound }));

/** The first of each shard, the one that is due first leading. */
const listed = (store: Store, what: Due, limit: number): Promise<Page[]> =>
  Promise.all(dueLists(what, { limit }).map((list) => store.query(list)));

const total = (pages: readonly Page[]): number => pages.reduce((sum, { items }) => sum + items.length, 0);

interface TaskPorts {
  readonly store: Store;
  /** The queue of deliveries to endpoints. */
  readonly tasks: Tasks;
}

interface WatchdogPorts extends MeasurePorts, WakePorts, ProbePorts, ReconcilePorts, TaskPorts {
  readonly log: Log;
}

/** As many of a kind and a shard as one run sees to; the rest waits for the next, a minute later. */
const AT_ONCE = 100;
/** What a run spends on rows for what earlier releases stored, while there are any to be added. */
const FILL_MS = 10_000;

/** A part of a run. It fails in whole by throwing, or for some of what is due; either way the others go on. */
type Stage = () => Promise<readonly unknown[]>;

/**
 * Each minute: whatever a lost tick, a crash or an unknown outcome has left behind. Begins no task after `endsAt` (on
 * `clock.monotonic`); the next run goes on with what is left.
 */
export async function watchdog(ports: WatchdogPorts, endsAt: number, config: SendingConfig): Promise<void> {
  const { clock, metrics } = ports;
  const now = clock.now();
  const timed = () => withRetries(ports, config);
  const due = (what: Due, before = now): Query[] => dueLists(what, { before: dueSortKey(before), limit: AT_ONCE });
  const tasks = (lists: readonly Query[], lanes: number, see: (item: Key) => Promise<void>) => async () => {
    const read = await Promise.allSettled(lists.map((list) => timed().store.query(list)));
    const found = read.flatMap((list) => (list.status === 'fulfilled' ? list.value.items : []));
    const unread = read.flatMap((list) => (list.status === 'rejected' ? [list.reason] : []));
    return [...unread, ...(await runTasks(found, { clock, lanes, endsAt }, see))];
  };
  const overdue = now - config.graceMs;
  // What is due so late that no honest clock has written it would keep messages waiting for ever.
  const impossible = dueLists('account', { from: dueSortKey(furthestDue(now, config)), limit: AT_ONCE });
  const accounts = [...due('account', overdue), ...impossible];
  const stages = {
    measures: () => measure(timed()),
    accounts: tasks(accounts, LANES.table, (item) => wakeOverdue(timed(), item, config)),
    probes: tasks(due('probe'), LANES.provider, (item) => probe(timed(), item, config)),
    statuses: tasks(due('status'), LANES.table, (item) => revisitStatuses(timed(), item)),
    deliveries: tasks(due('delivery'), LANES.table, (item) => wakeDelivery(timed(), item)),
    endpoints: tasks(due('endpoint', overdue), LANES.table, (item) => wakeEndpoint(timed(), item)),
    unknown: () => reconcile(ports, endsAt, config),
    fills: async () => {
      const until = Math.min(endsAt, clock.monotonic() + FILL_MS);
      const workspaces = () => allWorkspaces(ports.store);
      const failed: unknown[] = [];
      for (const fill of [feedFill, chatsFill]) {
        const filling = fillOn(timed(), fill, workspaces, () => clock.monotonic() >= until);
        await filling.catch((cause: unknown) => failed.push(cause));
      }
      return failed;
    },
    retention: () => applyNightly(ports, endsAt),
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
  if (all.length > 0) throw new AggregateError(all, `${all.length} tasks of the watchdog failed`);
}

// Tasks that were lost: whatever is due in the table gets its task anew.

/** A delivery whose time has come. */
export async function wakeDelivery({ store, tasks }: TaskPorts, key: Key): Promise<void> {
  const item = await store.get(key, { consistent: true });
  const row = item && readDelivery(item);
  if (row?.state === 'waiting') await tasks.send(taskOf(row));
}

/** An endpoint or a rule whose calls fail or are drained, or the replay of an endpoint: they are due in one list. */
export async function wakeEndpoint({ store, tasks }: TaskPorts, key: Key): Promise<void> {
  const item = await store.get(key, { consistent: true });
  const task = item && (key.sk.startsWith(REPLAY_PREFIX) ? dueStep(item) : healthTask(readCallee(item)));
  if (task) await tasks.send(task);
}

function healthTask({ id, workspace, state, drainAt }: Callee): Task | undefined {
  if (state === 'failing') return { kind: 'probe', workspace, endpoint: id };
  return drainAt === undefined ? undefined : { kind: 'drain', workspace, endpoint: id, at: drainAt };
}
