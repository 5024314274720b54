import type { Log, Metrics } from '#lib/domain/ports.ts';
import { drainRate, HEALTHY, type Health, nextDrain } from '#lib/domain/reaction/delivery.ts';
import { ownEventWrites } from '#lib/inbox/event-store.ts';
import { placedAsTold } from '#lib/sender/sent-event.ts';
import { healthKey, isRuleId, secondKey, waitingList } from '#lib/store/keys.ts';
import type { StorePorts } from '#lib/store/retry.ts';
import {
  absent,
  add,
  type Change,
  equal,
  newTransaction,
  type Put,
  remove,
  type Store,
  set,
  update,
} from '#lib/store/store.ts';
import { type Delivery, dueAttributes, LONGEST_DELAY_S, readDelivery, rowKey, type Tasks, taskOf } from './delivery.ts';
import { type Callee, healthAsRead, healthChanges, healthOf, ofRule, readCallee } from './endpoint.ts';

const ROUNDS = 5;
const COUNTED_S = 3600;

export interface BreakerPorts extends StorePorts {
  readonly tasks: Tasks;
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * Writes what the health of an endpoint, or of a rule's calls, has become, and what follows from it. Calls that end at the
 * same time count one after another: each is written against what it read.
 */
export async function turnHealth(
  ports: BreakerPorts,
  first: Callee,
  turn: (health: Health, now: number) => Health,
): Promise<Health> {
  const { store, clock, random } = ports;
  const key = healthKey(first.workspace, first.id);
  let endpoint = first;
  for (let round = 0; round < ROUNDS; round++) {
    const before = healthOf(endpoint);
    const health = turn(before, clock.now());
    if (health === before) return health;
    const told = disabledNow(endpoint, health, clock.now());
    const change = update(key, changesOf(endpoint, health, clock.now()), asRead(endpoint));
    const written = await store.transact([change, ...told], newTransaction(random));
    if (written.done) {
      await placedAsTold(ports, told);
      await follow(ports, endpoint, health);
      return health;
    }
    // Deleted meanwhile.
    const met = written.refused[0]?.item;
    if (!met) return HEALTHY;
    endpoint = readCallee(met);
  }
  return healthOf(endpoint);
}

const asRead = (callee: Callee) => (callee.isUnwritten ? absent() : healthAsRead(callee));

/** The item of a rule's calls is made by the first that fails, and goes by itself once none has failed for long. */
function changesOf({ id, workspace }: Callee, health: Health, now: number): readonly Change[] {
  const changes = healthChanges(id, health);
  return isRuleId(id) ? [...changes, ...ofRule(id, workspace, now)] : changes;
}

/** An event of the hub's own, in the write that switches the endpoint off. */
function disabledNow({ id, workspace, state }: Callee, health: Health, now: number): readonly Put[] {
  const { disabledBecause: reason } = health;
  if (state === 'disabled' || health.state !== 'disabled' || reason === undefined || reason === 'asked') return [];
  const payload = { kind: 'endpoint', endpoint: { id, state: 'disabled', reason } } as const;
  return ownEventWrites({ workspace, payload, identity: [id, String(now)] }, now);
}

async function follow({ tasks, clock, log, metrics }: BreakerPorts, endpoint: Callee, health: Health): Promise<void> {
  const { workspace, id } = endpoint;
  const secondsUntil = (at: number) => Math.min(LONGEST_DELAY_S, Math.max(0, Math.ceil((at - clock.now()) / 1000)));
  const { probeAt, drainAt } = health;
  if (health.state === 'failing' && endpoint.state === 'active') metrics.count('EndpointsFailing');
  if (health.state === 'failing' && probeAt !== undefined && probeAt !== endpoint.probeAt)
    await tasks.send({ kind: 'probe', workspace, endpoint: id }, secondsUntil(probeAt));
  if (health.state === 'disabled') {
    metrics.count('EndpointsDisabled');
    log.warn('an endpoint was switched off', { endpoint: id, because: health.disabledBecause ?? '' });
  }
  if (drainAt !== undefined && drainAt !== endpoint.drainAt)
    await tasks.send({ kind: 'drain', workspace, endpoint: id, at: drainAt }, secondsUntil(drainAt));
}

/**
 * Whether one more call may begin in this second. What finds no place waits, and is drained in the seconds after it; of one
 * without a limit nothing is counted.
 */
export async function takePlace({ store, clock }: BreakerPorts, { id, ratePerSecond }: Callee): Promise<boolean> {
  if (ratePerSecond === undefined) return true;
  const second = Math.floor(clock.now() / 1000);
  const changes = [add('count', 1), set('expiresAt', second + COUNTED_S)];
  const { item } = await store.write(update(secondKey(id, second), changes), { returns: 'new' });
  return typeof item?.count === 'number' && item.count <= ratePerSecond;
}

/** The oldest. Lists may lag: what they still show, but does not wait any more, is left out. */
export async function waiting(store: Store, endpoint: string, limit: number) {
  const { items } = await store.query({ index: 'gsi3', pk: waitingList(endpoint), limit });
  const rows = await store.getMany(items, { consistent: true });
  const sorted = rows
    .filter((row) => row.gsi3pk === waitingList(endpoint))
    .map(readDelivery)
    .toSorted((a, b) => (a.storedAt < b.storedAt ? -1 : 1));
  return { rows: sorted, isEmpty: items.length === 0 };
}

interface Step {
  /** Oldest first. */
  readonly rows: readonly Delivery[];
  /** When the next one is due; undefined where nothing waits any more. */
  readonly next: number | undefined;
}

/**
 * Takes the next step of draining: what waits, so many as a second may bring. A step is taken before it is done: of two
 * tasks one does it. Should that die, the watchdog brings the next. Undefined where there is none to take.
 */
export async function takeStep(
  ports: BreakerPorts,
  endpoint: Callee,
  step: number | undefined,
): Promise<Step | undefined> {
  const { store, clock } = ports;
  const { id, workspace, drainingSince, drainAt } = endpoint;
  if (endpoint.state !== 'active' || drainingSince === undefined) return undefined;
  if (step !== undefined && step !== drainAt) return undefined;
  const now = clock.now();
  const rate = Math.min(drainRate(drainingSince, now), endpoint.ratePerSecond ?? Number.POSITIVE_INFINITY);
  const { rows, isEmpty } = await waiting(store, id, rate);
  // Never the same step again, however early this task comes.
  const next = nextDrain(drainingSince, isEmpty, Math.max(now, drainAt ?? 0));
  const { drainingSince: _since, drainAt: _at, ...others } = healthOf(endpoint);
  const health: Health = { ...others, ...(next !== undefined && { drainingSince, drainAt: next }) };
  const key = healthKey(workspace, id);
  const taken = await store.write(update(key, healthChanges(id, health), healthAsRead(endpoint)));
  if (taken.done) return { rows, next };
  // Another task does this step; or a call of this moment has changed how the endpoint is.
  const changed = taken.item && readCallee(taken.item);
  return changed && changed.drainAt === drainAt ? takeStep(ports, changed, drainAt) : undefined;
}

/**
 * What cannot be called for a fault of its own is brought by a task of its own, as often as the queue brings one: those
 * behind it are not to wait for it.
 */
export async function handOut({ store, clock, tasks }: BreakerPorts, row: Delivery): Promise<void> {
  const { gsi3pk, gsi3sk } = dueAttributes(row, clock.now());
  const changes = [set('gsi3pk', gsi3pk), set('gsi3sk', gsi3sk), remove('nextAt')];
  const { done } = await store.write(update(rowKey(row), changes, equal('gsi3pk', waitingList(row.endpoint))));
  if (done) await tasks.send(taskOf(row));
}
