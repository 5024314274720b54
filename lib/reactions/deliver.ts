import { draining, isSuccess, waitAfter } from '#lib/domain/reaction/delivery.ts';
import { typeOf } from '#lib/domain/reaction/notice.ts';
import { known } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { findEvent } from '#lib/inbox/events.ts';
import { endpointKey, healthKey } from '#lib/store/keys.ts';
import { del, type Store } from '#lib/store/store.ts';
import { drain, turnHealth, waiting } from './breaker.ts';
import type { Called } from './call.ts';
import {
  type Delivery,
  dueAttributes,
  isOlder,
  itemOf,
  keep,
  keyOfTask,
  readDelivery,
  rowOf,
  taskOf,
  waitingItem,
} from './delivery.ts';
import { type Endpoint, readEndpoint } from './endpoint.ts';
import { type Callee, readCallee } from './health.ts';
import { type ReplayPorts, replayOn } from './replay-step.ts';
import { ruleTarget } from './rule-target.ts';
import { endpointTarget, type Target, type TargetPorts } from './target.ts';
import { type ActionTask, type DeliveryTask, LONGEST_DELAY_S, type Task } from './task.ts';

export interface DeliverPorts extends TargetPorts, ReplayPorts {}

const MOST_SHOWN = 20;
/** A list that lags may show some before it that wait no more. */
const PROBED = 10;

/** The endpoints that are told by the tasks of a batch. */
export interface Endpoints {
  readonly of: (task: DeliveryTask) => Promise<Endpoint | undefined>;
  readonly forget: (id: string) => void;
}

/** Each is read once, and again after a call that has changed how it is. */
export function endpointsOf(store: Store): Endpoints {
  const known = new Map<string, Promise<Endpoint | undefined>>();
  const read = async ({ workspace, endpoint }: DeliveryTask) => {
    const item = await store.get(endpointKey(workspace, endpoint), { consistent: true });
    return item && readEndpoint(item);
  };
  return {
    of: (task) => {
      const endpoint = known.get(task.endpoint) ?? read(task);
      known.set(task.endpoint, endpoint);
      return endpoint;
    },
    forget: (id) => known.delete(id),
  };
}

/** Does one task. Throws where the table or the queue is away: the task then comes again. */
export async function runTask(
  ports: DeliverPorts,
  task: Task,
  endpoints: Endpoints = endpointsOf(ports.store),
): Promise<void> {
  if (task.kind === 'action' || task.kind === 'delivery')
    return deliver(ports, task, await targetOf(ports, task, endpoints));
  const item = await ports.store.get(healthKey(task.workspace, task.endpoint), { consistent: true });
  if (task.kind === 'replay') return replayOn(ports, task, item && readEndpoint(item));
  if (!item) return;
  return task.kind === 'probe' ? probe(ports, readCallee(item), endpoints) : drain(ports, readCallee(item), task.at);
}

async function targetOf(
  ports: DeliverPorts,
  task: DeliveryTask | ActionTask,
  endpoints: Endpoints,
): Promise<Target | undefined> {
  if (task.kind === 'action') return ruleTarget(ports, task);
  const endpoint = await endpoints.of(task);
  const target = endpoint && endpointTarget(ports, endpoint);
  return (
    target && {
      ...target,
      failed: (...given) => target.failed(...given).finally(() => endpoints.forget(task.endpoint)),
    }
  );
}

/**
 * One attempt, or none where it is not the time for it. Without a target, which was deleted, the row goes: one that is due
 * would be found each minute, and keep others from being found.
 */
async function deliver(ports: DeliverPorts, task: DeliveryTask | ActionTask, target: Target | undefined) {
  const { store, clock } = ports;
  if (!target) return forget(ports, task);
  const now = clock.now();
  // A read that lags costs half, and may call an endpoint twice for a task that SQS brings twice within that moment: the
  // endpoint can tell by the id. Of two mails nobody can. What would keep it from being called has to be so for certain.
  let before = task.kind === 'delivery' ? await findRow(store, task, false) : undefined;
  if (task.kind === 'action' || (before && !isWanted(before, task, now))) before = await findRow(store, task, true);
  if (before && !isWanted(before, task, now)) return;
  if (task.now !== true && !(await target.mayCall())) {
    await keep(store, waitingItem(rowOf(task, before, now)), before);
    return target.waits();
  }
  await attempt(ports, task, target, before);
}

async function findRow(store: Store, task: DeliveryTask | ActionTask, consistent: boolean) {
  const item = await store.get(keyOfTask(task), { consistent });
  return item && readDelivery(item);
}

async function forget({ store }: DeliverPorts, task: DeliveryTask | ActionTask): Promise<void> {
  await store.write(del(keyOfTask(task)));
}

/** A task that SQS brought twice, or that came early or late, finds that there is nothing to do. */
function isWanted(row: Delivery, task: DeliveryTask | ActionTask, now: number): boolean {
  const content = task.kind === 'delivery' ? task.content : undefined;
  if (isOlder(known({ content }), row)) return false;
  if (task.now === true) return true;
  // The same event with other content is told again.
  if (row.state !== 'waiting') return content !== undefined && row.content !== content;
  return row.nextAt === undefined || row.nextAt <= now + 1000;
}

/** The row is written after the call: a crash repeats it, and loses nothing. */
async function attempt(
  ports: DeliverPorts,
  task: DeliveryTask | ActionTask,
  target: Target,
  before: Delivery | undefined,
  isProbe = false,
): Promise<void> {
  const { store, clock, metrics } = ports;
  const startedAt = clock.now();
  const event = await findEvent(store, task.workspace, task.event, Math.floor(startedAt / 1000));
  const type = event && typeOf(event);
  // Erased, or run out: there is nothing to tell any more.
  if (!event || type === undefined) return forget(ports, task);
  const row = { ...rowOf(task, before, startedAt), type };
  const { storedAt, content } = row;
  const called = await target.call({ event, storedAt, type, number: row.tries + 1, ...known({ content }) });
  const after = withAttempt(row, called, startedAt, isProbe);
  if ('why' in called) return giveUp(ports, before, after);
  const isDone = isSuccess(called.result);
  metrics.count('Deliveries', { result: isDone ? 'delivered' : 'failed' });
  if (isDone) {
    await keep(store, itemOf({ ...after, state: 'delivered' }), before);
    return target.succeeded();
  }
  // While it fails nothing is given up: what waits does so until it is well, or switched off.
  if (await target.failed(called.result, isProbe)) await tryAgainLater(ports, called, before, after);
  else await keep(store, waitingItem(after), before);
}

type Outcome = Awaited<ReturnType<Target['call']>>;

function withAttempt(row: Delivery, outcome: Outcome, startedAt: number, isProbe: boolean): Delivery {
  const made = { at: toIso(startedAt), ...toldOf(outcome), ...(isProbe && { probe: true as const }) };
  return { ...row, tries: row.tries + (isProbe ? 0 : 1), attempts: [...row.attempts, made].slice(-MOST_SHOWN) };
}

function toldOf(outcome: Outcome) {
  if ('why' in outcome) return { ms: 0, failure: outcome.why };
  const { result, answer, ms } = outcome;
  const how = result.kind === 'answered' ? { status: result.status } : { failure: result.reason };
  return { ms, ...how, ...(answer !== '' && { answer }) };
}

/** By the schedule; or it is given up. */
async function tryAgainLater(
  ports: DeliverPorts,
  { result }: Called,
  before: Delivery | undefined,
  after: Delivery,
): Promise<void> {
  const { store, clock, random, tasks } = ports;
  const ms = waitAfter(after.tries, result, random.next());
  if (ms === undefined) return giveUp(ports, before, after);
  const nextAt = clock.now() + ms;
  if (!(await keep(store, { ...itemOf({ ...after, nextAt }), ...dueAttributes(after, nextAt) }, before))) return;
  if (ms <= LONGEST_DELAY_S * 1000) await tasks.send(taskOf(after), Math.ceil(ms / 1000));
}

async function giveUp({ store, metrics }: DeliverPorts, before: Delivery | undefined, after: Delivery): Promise<void> {
  metrics.count('Deliveries', { result: 'dead' });
  await keep(store, itemOf({ ...after, state: 'dead' }), before);
}

/** One call, with the oldest of what waits; it is logged as an attempt and counts towards nothing. */
async function probe(ports: DeliverPorts, endpoint: Callee, endpoints: Endpoints): Promise<void> {
  const { store, clock } = ports;
  if (endpoint.state !== 'failing' || (endpoint.probeAt ?? 0) > clock.now() + 1000) return;
  const { rows } = await waiting(store, endpoint.id, PROBED);
  const [oldest] = rows;
  const target = oldest && (await targetOf(ports, taskOf(oldest), endpoints));
  if (target) return attempt(ports, taskOf(oldest), target, oldest, true);
  // All that waited has run out, or is not asked for by its rule any more, or the list shows it late: the next event asks,
  // and what shows later is drained.
  await turnHealth(ports, endpoint, ({ failures, failingSince }, now) => ({
    ...draining(now),
    ...known({ failingSince }),
    failures: Math.max(0, failures - 1),
  }));
}
