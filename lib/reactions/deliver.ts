import { draining, isSuccess, SLOW_AFTER_MS, waitAfter } from '#lib/domain/reaction/delivery.ts';
import { typeOf } from '#lib/domain/reaction/notice.ts';
import { known } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { findEvent } from '#lib/inbox/events.ts';
import { endpointKey, healthKey } from '#lib/store/keys.ts';
import { del, type Store, StoreUnavailable } from '#lib/store/store.ts';
import { handOut, takeStep, turnHealth, waiting } from './breaker.ts';
import type { Called } from './call.ts';
import {
  type ActionTask,
  type Delivery,
  type DeliveryTask,
  dueAttributes,
  isOlder,
  itemOf,
  keep,
  keyOfTask,
  LONGEST_DELAY_S,
  readDelivery,
  rowOf,
  type Task,
  taskOf,
  waitingItem,
} from './delivery.ts';
import { type Callee, readCallee, readEndpoint } from './endpoint.ts';
import { replayOn } from './replay.ts';
import { type DeliverPorts, endpointTarget, type Lane, ruleTarget, type Target } from './target.ts';

const MOST_SHOWN = 20;
/** A list that lags may show some before it that wait no more. */
const PROBED = 10;

/** After that a slow one has had its turn in a batch. */
export const TURN_MS = SLOW_AFTER_MS;
/** Of one endpoint in a batch: it is not to hold all ten places of that. */
export const AT_ONCE = 2;

/** Does one task. Throws where the table or the queue is away: the task then comes again. */
export async function runTask(ports: DeliverPorts, task: Task, lane: Lane = { atOnce: AT_ONCE }): Promise<void> {
  if (task.kind === 'action' || task.kind === 'delivery')
    return deliver(ports, task, await targetOf(ports, task, lane));
  const item = await ports.store.get(healthKey(task.workspace, task.endpoint), { consistent: true });
  if (task.kind === 'replay') return replayOn(ports, task, item && readEndpoint(item));
  if (!item) return;
  const callee = readCallee(item);
  return task.kind === 'probe' ? probe(ports, callee, lane) : drain(ports, callee, task.at, lane);
}

async function targetOf(ports: DeliverPorts, task: DeliveryTask | ActionTask, lane: Lane): Promise<Target | undefined> {
  if (task.kind === 'action') return ruleTarget(ports, task);
  lane.endpoint ??= ports.store
    .get(endpointKey(task.workspace, task.endpoint), { consistent: true })
    .then((item) => item && readEndpoint(item));
  const endpoint = await lane.endpoint;
  return endpoint && endpointTarget(ports, lane, endpoint);
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
  const isFree = task.now !== true;
  if (isFree && !(await target.mayCall({ isFree }))) return putOff(ports, target, rowOf(task, before, now), before);
  await attempt(ports, task, target, before, { isFree, isProbe: false });
}

/** It waits, and is brought back when it may be called. */
async function putOff({ store }: DeliverPorts, target: Target, row: Delivery, before: Delivery | undefined) {
  await keep(store, waitingItem(row), before);
  await target.waits();
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
  { isFree, isProbe }: { readonly isFree: boolean; readonly isProbe: boolean },
): Promise<void> {
  const { store, clock, metrics } = ports;
  const startedAt = clock.now();
  const event = await findEvent(store, task.workspace, task.event, Math.floor(startedAt / 1000));
  const type = event && typeOf(event);
  // Erased, or run out: there is nothing to tell any more.
  if (!event || type === undefined) return forget(ports, task);
  const row = { ...rowOf(task, before, startedAt), type };
  const { storedAt, content } = row;
  const called = await target.call({ event, storedAt, type, number: row.tries + 1, isFree, ...known({ content }) });
  if ('isPutOff' in called) return putOff(ports, target, row, before);
  const after = withAttempt(row, called, startedAt, isProbe);
  if ('why' in called) return giveUp(ports, before, after);
  const isDone = isSuccess(called.result);
  metrics.count('Deliveries', { result: isDone ? 'delivered' : 'failed' });
  if (isDone) await keep(store, itemOf({ ...after, state: 'delivered' }), before);
  const isWell = await target.ended(called, isProbe);
  if (isDone) return;
  // While it fails nothing is given up: what waits does so until it is well, or switched off.
  if (isWell) await tryAgainLater(ports, called, before, after);
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
async function probe(ports: DeliverPorts, endpoint: Callee, lane: Lane): Promise<void> {
  const { store, clock } = ports;
  if (endpoint.state !== 'failing' || (endpoint.probeAt ?? 0) > clock.now() + 1000) return;
  const { rows } = await waiting(store, endpoint.id, PROBED);
  const [oldest] = rows;
  const target = oldest && (await targetOf(ports, taskOf(oldest), lane));
  if (target) return attempt(ports, taskOf(oldest), target, oldest, { isFree: false, isProbe: true });
  // All that waited has run out, or is not asked for by its rule any more, or the list shows it late: the next event asks,
  // and what shows later is drained.
  await turnHealth(ports, endpoint, ({ failures, failingSince, slowAt }, now) => ({
    ...draining(now),
    ...known({ failingSince, slowAt }),
    failures: Math.max(0, failures - 1),
  }));
}

/** A call of a step has all its time. */
const IN_TURN = { isFree: false, isProbe: false };

/** A step that took nearly its second is followed by the next one at once: the queue waits whole seconds. */
const NEARLY_MS = 200;

/** One step of draining: what waits is called in its order, some side by side; the task then brings the next step. */
async function drain(ports: DeliverPorts, endpoint: Callee, at: number | undefined, lane: Lane): Promise<void> {
  const step = await takeStep(ports, endpoint, at);
  if (!step) return;
  const { tasks, clock } = ports;
  const { workspace, id } = endpoint;
  try {
    await callEach(ports, step.rows, lane);
  } finally {
    if (step.next !== undefined) {
      const seconds = Math.max(0, Math.ceil((step.next - clock.now() - NEARLY_MS) / 1000));
      await tasks.send({ kind: 'drain', workspace, endpoint: id, at: step.next }, seconds);
    }
  }
}

/** What is not begun within the turn, or may not be called any more, goes on waiting in its place. */
async function callEach(ports: DeliverPorts, rows: readonly Delivery[], lane: Lane): Promise<void> {
  const { clock, log } = ports;
  const end = clock.monotonic() + TURN_MS;
  const queue = [...rows];
  const work = async () => {
    for (let row = queue.shift(); row && clock.monotonic() < end; row = queue.shift()) {
      try {
        const task = taskOf(row);
        // Somebody may have had it called by hand since the step began.
        const before = await findRow(ports.store, task, true);
        if (before?.state !== 'waiting') continue;
        const target = await targetOf(ports, task, lane);
        if (!target) await forget(ports, task);
        else if (await target.mayCall(IN_TURN)) await attempt(ports, task, target, before, IN_TURN);
        else queue.length = 0;
      } catch (cause) {
        if (cause instanceof StoreUnavailable) throw cause;
        log.error('a delivery that waited could not be done; it comes again by itself', cause, {
          addressee: row.endpoint,
        });
        await handOut(ports, row);
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: lane.atOnce }, work));
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
}
