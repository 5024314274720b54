import { Webhook as Signer } from 'standardwebhooks';
import type { Event } from '#lib/domain/event.ts';
import type { Clock, Log, Metrics, Random } from '#lib/domain/ports.ts';
import {
  afterFailure,
  afterSuccess,
  type CallResult,
  draining,
  drainRate,
  HEALTHY,
  type Health,
  isSuccess,
  nextDrain,
  retryAfterOf,
  waitAfter,
} from '#lib/domain/reaction/delivery.ts';
import { typeOf } from '#lib/domain/reaction/notice.ts';
import type { Action } from '#lib/domain/reaction/rule.ts';
import { redacted } from '#lib/domain/redact.ts';
import { known } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { findEvent } from '#lib/inbox/events.ts';
import { ownEventWrites } from '#lib/inbox/own-event.ts';
import type { ProviderHttp, ProviderRequest, Reply } from '#lib/sender/provider.ts';
import { placedAsTold } from '#lib/sender/sent-event.ts';
import { deliveryKey, dueListOf, dueSortKey, endpointKey, ruleKey, waitingList } from '#lib/store/keys.ts';
import {
  absent,
  all,
  del,
  equal,
  type Item,
  type Key,
  newTransaction,
  type Put,
  put,
  remove,
  type Store,
  StoreUnavailable,
  set,
  unchanged,
  update,
} from '#lib/store/store.ts';
import type { Secrets } from '#lib/tenants/secrets.ts';
import { type Delivery, readDelivery, taskOf } from './delivery.ts';
import { type Endpoint, healthAsRead, healthChanges, readEndpoint } from './endpoint.ts';
import { readRule } from './rule.ts';
import { endpointSecret, readSecret, ruleSecret, type SigningSecret } from './secret.ts';
import type { ActionTask, DeliveryTask, Task, Tasks } from './task.ts';
import { render, renderJson, scopeOf } from './templates.ts';

interface CallPorts {
  readonly http: ProviderHttp;
  readonly clock: Clock;
}

export interface DeliverPorts extends CallPorts {
  readonly store: Store;
  readonly secrets: Secrets;
  readonly tasks: Tasks;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

const KEPT_SECONDS = 30 * 24 * 3600;
const LONGEST_DELAY_S = 900;
const LONGEST_ANSWER = 1000;
const MOST_SHOWN = 20;
const LARGEST_BODY = 256 * 1024;
/** Of what a rule calls. */
const CALL_MS = 10_000;
/** A list that lags may show some before it that wait no more. */
const PROBED = 10;
/** The watchdog looks after what its own task has not brought back by then. */
const GRACE_MS = 60_000;

/** Does one task. Throws where the table or the queue is away: the task then comes again. */
export async function runTask(ports: DeliverPorts, task: Task): Promise<void> {
  if (task.kind === 'action') return runAction(ports, task);
  const item = await ports.store.get(endpointKey(task.workspace, task.endpoint), { consistent: true });
  if (!item) {
    // Deleted: a row that is due would be found each minute, and keep others from being found.
    if (task.kind === 'delivery') await ports.store.write(del(deliveryKey(task.endpoint, task.storedAt, task.event)));
    return;
  }
  const endpoint = readEndpoint(item);
  if (task.kind === 'probe') return probe(ports, endpoint);
  if (task.kind === 'drain') return drain(ports, endpoint, task.at);
  return deliver(ports, endpoint, task);
}

/** One attempt, or none where it is not the time for it. The row is written after the call: a crash repeats it, and loses nothing. */
async function deliver(ports: DeliverPorts, endpoint: Endpoint, task: DeliveryTask): Promise<void> {
  const { store, clock } = ports;
  const key = deliveryKey(endpoint.id, task.storedAt, task.event);
  const item = await store.get(key, { consistent: true });
  const before = item && readDelivery(item);
  if (before && !isWanted(before, task, clock.now())) return;
  if (endpoint.state !== 'active' && task.now !== true) return wait(ports, task, before);
  await attempt(ports, endpoint, task, before);
}

/** A task that SQS brought twice, or that came early or late, finds that there is nothing to do. */
function isWanted({ state, content, nextAt }: Delivery, task: DeliveryTask, now: number): boolean {
  if (isOlder(task, known({ content }))) return false;
  if (task.now === true) return true;
  // The same event with other content is told again.
  if (state !== 'waiting') return task.content !== undefined && content !== task.content;
  return nextAt === undefined || nextAt <= now + 1000;
}

/** What is told again with other content says more than what was told first. */
const isOlder = (one: Pick<Delivery, 'content'>, other: Pick<Delivery, 'content'>): boolean =>
  one.content === undefined && other.content !== undefined;

/** No attempt: it waits in the table until its endpoint is well. */
async function wait({ store, clock }: DeliverPorts, task: DeliveryTask, before?: Delivery): Promise<void> {
  await keep(store, waitingItem(rowOf(task, before, clock.now())), before);
}

/**
 * Writes a row against what was read of it: two tasks of one delivery may be under way. A success stands whatever the
 * other one came to, and newer content stands against older. Answers whether it was written.
 */
async function keep(store: Store, item: Item, before: Delivery | undefined): Promise<boolean> {
  const row = readDelivery(item);
  let seen = before;
  for (let round = 0; round < ROUNDS; round++) {
    const written = await store.write(put(item, seen ? rowAsRead(seen) : absent()));
    if (written.done) return true;
    // Erased meanwhile, with its event.
    if (!written.item) return false;
    seen = readDelivery(written.item);
    if (isOlder(row, seen) || (row.content === seen.content && row.state !== 'delivered')) return false;
  }
  throw new StoreUnavailable('conflict');
}

const rowAsRead = ({ state, tries, attempts, content }: Delivery) =>
  all(
    unchanged({ state, tries, content }),
    equal(
      'attempts',
      attempts.map((one) => known({ ...one })),
    ),
  );

function rowOf(
  { workspace, endpoint, event, storedAt, content }: DeliveryTask,
  before: Delivery | undefined,
  now: number,
) {
  const fresh: Delivery = {
    ...{ workspace, endpoint, event, storedAt },
    ...(content !== undefined && { content }),
    state: 'waiting',
    tries: 0,
    attempts: [],
    expiresAt: Math.floor(now / 1000) + KEPT_SECONDS,
  };
  // Told again with other content, it begins anew.
  if (!before || before.content !== content) return fresh;
  const { nextAt: _nextAt, ...kept } = before;
  return { ...kept, state: 'waiting' as const };
}

function waitingItem(row: Delivery): Item {
  const { endpoint, storedAt, event } = row;
  const listed = { gsi3pk: waitingList(endpoint), gsi3sk: `${storedAt}#${event}` };
  return { ...deliveryKey(endpoint, storedAt, event), ...row, ...listed };
}

async function attempt(
  ports: DeliverPorts,
  endpoint: Endpoint,
  task: DeliveryTask,
  before: Delivery | undefined,
  isProbe = false,
): Promise<void> {
  const { store, clock } = ports;
  const startedAt = clock.now();
  const event = await findEvent(store, endpoint.workspace, task.event, Math.floor(startedAt / 1000));
  const type = event && typeOf(event);
  // Erased, or run out: there is nothing to tell any more.
  if (!event || type === undefined) {
    await store.write(del(deliveryKey(endpoint.id, task.storedAt, task.event)));
    return;
  }
  const row = { ...rowOf(task, before, startedAt), type };
  const secret = await readSecret(ports.secrets, endpointSecret(endpoint.id), endpoint.secretVersion);
  const { result, answer, ms } = await call(ports, endpoint, secret, {
    id: task.content === undefined ? event.id : `${event.id}_${task.content}`,
    body: bodyOf(endpoint, type, event),
    attempt: row.tries + 1,
  });
  const made = { at: toIso(startedAt), ms, ...told(result), ...(answer !== '' && { answer }) };
  const attempts = [...row.attempts, isProbe ? { ...made, probe: true as const } : made].slice(-MOST_SHOWN);
  const after = { ...row, tries: row.tries + (isProbe ? 0 : 1), attempts };
  await settle(ports, endpoint, { before, after, isProbe }, result);
}

/** Whoever is called may answer with what it got: each header, and of `Bearer abc` the second word. */
const valuesOf = (headers: SigningSecret['headers'] = {}): readonly string[] =>
  Object.values(headers).flatMap((value) => [value, ...value.split(' ').slice(1)]);

const told = (result: CallResult) =>
  result.kind === 'answered' ? { status: result.status } : { failure: result.reason };

/** What an endpoint is told. Too large, or not wanted whole, it is ids alone: the API has the rest. */
export function bodyOf({ payload }: Pick<Endpoint, 'payload'>, type: string, event: Event): string {
  const timestamp = event.receivedAt;
  const whole = JSON.stringify({ type, timestamp, data: event }, (key, value) =>
    key === 'thumbnail' ? undefined : value,
  );
  if (payload === 'full' && Buffer.byteLength(whole) <= LARGEST_BODY) return whole;
  const { id, kind, workspace, provider, accountId, occurredAt, receivedAt } = event;
  const chatId = 'chatId' in event ? event.chatId : undefined;
  const ids = known({ id, kind, workspace, provider, accountId, chatId, occurredAt, receivedAt });
  return JSON.stringify({ type, timestamp, data: { ...ids, truncated: true } });
}

interface Call {
  readonly id: string;
  readonly body: string;
  readonly contentType?: string;
  readonly attempt: number;
}

/** One signed POST. Never throws for what the endpoint or the network did. */
export async function call(
  { http, clock }: CallPorts,
  {
    url,
    timeoutMs,
    method = 'POST',
  }: Pick<Endpoint, 'url' | 'timeoutMs'> & { readonly method?: ProviderRequest['method'] },
  { secrets, headers }: SigningSecret,
  { id, body, contentType = 'application/json', attempt }: Call,
): Promise<{ readonly result: CallResult; readonly answer: string; readonly ms: number }> {
  const at = clock.now();
  const valid = secrets.filter(({ until }, i) => i === 0 || (until !== undefined && until > at));
  const startedAt = clock.monotonic();
  const reply = await http.call(
    {
      method,
      url,
      headers: {
        ...headers,
        accept: '*/*',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at / 1000)),
        'webhook-signature': valid.map(({ secret }) => new Signer(secret).sign(id, new Date(at), body)).join(' '),
        'hookline-attempt': String(attempt),
      },
      body: { kind: 'raw', contentType, text: body },
    },
    startedAt + timeoutMs,
  );
  const ms = Math.round(clock.monotonic() - startedAt);
  const answer =
    reply.kind === 'answered' ? redacted(reply.text, valuesOf(headers)).slice(0, LONGEST_ANSWER).toWellFormed() : '';
  return { result: resultOf(reply, at), answer, ms };
}

function resultOf(reply: Reply, now: number): CallResult {
  if (reply.kind === 'answered') {
    const retryAfterMs = retryAfterOf(reply.headers['retry-after'], now);
    return { kind: 'answered', status: reply.status, ...known({ retryAfterMs }) };
  }
  if (reply.breakdown === 'unanswered') return { kind: 'failed', reason: 'timeout' };
  return { kind: 'failed', reason: reply.breakdown === 'forbidden' ? 'refused' : 'connection' };
}

interface Made {
  readonly before: Delivery | undefined;
  readonly after: Delivery;
  readonly isProbe?: boolean;
}

async function settle(ports: DeliverPorts, endpoint: Endpoint, made: Made, result: CallResult): Promise<void> {
  const { store, metrics } = ports;
  const { before, after, isProbe = false } = made;
  if (isSuccess(result)) {
    metrics.count('Deliveries', { result: 'delivered' });
    await keep(store, { ...keyOf(after), ...after, state: 'delivered' }, before);
    if (endpoint.failures > 0 || endpoint.state === 'failing')
      await turnHealth(ports, endpoint, (health, now) => afterSuccess(health, now));
    return;
  }
  metrics.count('Deliveries', { result: 'failed' });
  const health = await turnHealth(ports, endpoint, (one, now) => afterFailure(one, result, now, isProbe));
  // While it fails nothing is given up: what waits does so until it is well, or switched off.
  if (health.state !== 'active') {
    await keep(store, waitingItem(after), before);
    return;
  }
  await tryAgainLater(ports, made, result);
}

const keyOf = ({ endpoint, storedAt, event, index }: Delivery): Key =>
  deliveryKey(endpoint, storedAt, index === undefined ? event : `${event}#${index}`);

/** By the schedule; or it is given up. */
async function tryAgainLater(ports: DeliverPorts, { before, after }: Made, result: CallResult): Promise<void> {
  const { store, clock, random, tasks, metrics } = ports;
  const key = keyOf(after);
  const ms = waitAfter(after.tries, result, random.next());
  if (ms === undefined) {
    metrics.count('Deliveries', { result: 'dead' });
    await keep(store, { ...key, ...after, state: 'dead' }, before);
    return;
  }
  const nextAt = clock.now() + ms;
  const due = { gsi3pk: dueListOf('delivery', after.event), gsi3sk: dueSortKey(nextAt + GRACE_MS, after.event) };
  if (!(await keep(store, { ...key, ...after, nextAt, ...due }, before))) return;
  if (ms <= LONGEST_DELAY_S * 1000) await tasks.send(taskOf(after), Math.ceil(ms / 1000));
}

const deliveryOf = ({ workspace, endpoint, event, storedAt, content }: Delivery): DeliveryTask => ({
  ...{ kind: 'delivery', workspace, endpoint, event, storedAt },
  ...known({ content }),
});

/** Does what a rule asks for beside messages. At least once: a crash after the call repeats it. */
async function runAction(ports: DeliverPorts, task: ActionTask): Promise<void> {
  const { store, clock } = ports;
  const { workspace, rule: ruleId, event: id, storedAt, index } = task;
  const found = await store.get(ruleKey(workspace, ruleId), { consistent: true });
  const rule = found && readRule(found);
  const action = rule?.do[index];
  // Changed or deleted while its work waited: what it does not ask for any more is not done.
  const key = deliveryKey(ruleId, storedAt, `${id}#${index}`);
  if (!rule || action?.action !== 'call') {
    await store.write(del(key));
    return;
  }
  const item = await store.get(key, { consistent: true });
  const before = item && readDelivery(item);
  const now = clock.now();
  const isEarly = before && (before.state !== 'waiting' || (before.nextAt ?? 0) > now + 1000);
  if (isEarly && task.now !== true) return;
  const event = await findEvent(store, workspace, id, Math.floor(now / 1000));
  if (!event) {
    await store.write(del(key));
    return;
  }
  const said = { kind: 'delivery', workspace, endpoint: ruleId, event: id, storedAt } as const;
  const row = { ...rowOf(said, before, now), index, ...known({ type: typeOf(event) }) };
  const rendered = bodyOfCall(action, scopeOf(event, now, rule.timeZone));
  if ('why' in rendered) {
    const attempt = { at: toIso(now), ms: 0, failure: rendered.why };
    const attempts = [...row.attempts, attempt];
    await keep(store, { ...key, ...row, tries: row.tries + 1, attempts, state: 'dead' }, before);
    return;
  }
  const { secrets, calls } = await readSecret(ports.secrets, ruleSecret(ruleId), rule.secretVersion);
  const target = { url: action.url, timeoutMs: CALL_MS, method: action.method };
  const { result, answer, ms } = await call(
    ports,
    target,
    { secrets, ...known({ headers: calls?.[String(index)] }) },
    { ...rendered, id: `${id}_${index}`, attempt: row.tries + 1 },
  );
  const made = { at: toIso(now), ms, ...told(result), ...(answer !== '' && { answer }) };
  const after = { ...row, tries: row.tries + 1, attempts: [...row.attempts, made].slice(-MOST_SHOWN) };
  if (isSuccess(result)) {
    ports.metrics.count('Deliveries', { result: 'delivered' });
    await keep(store, { ...key, ...after, state: 'delivered' }, before);
  } else {
    ports.metrics.count('Deliveries', { result: 'failed' });
    await tryAgainLater(ports, { before, after }, result);
  }
}

type CallAction = Extract<Action, { action: 'call' }>;

/** JSON is built first, and each string of it rendered: what comes out of a text never becomes a part of it. */
function bodyOfCall({ json, text }: CallAction, scope: Readonly<Record<string, unknown>>) {
  try {
    if (json !== undefined) return { body: JSON.stringify(renderJson(json, scope)), contentType: 'application/json' };
  } catch (error) {
    return { why: error instanceof Error ? error.message : 'it cannot be rendered' };
  }
  if (text === undefined) return { body: JSON.stringify(scope.event), contentType: 'application/json' };
  const rendered = render(text, scope);
  return rendered.kind === 'failed'
    ? { why: rendered.reason }
    : { body: rendered.text, contentType: 'text/plain; charset=utf-8' };
}

const ROUNDS = 5;

/**
 * Writes what an endpoint's health has become, and what follows from it. Calls that end at the same time count one after
 * another: each is written against what it read.
 */
async function turnHealth(
  ports: DeliverPorts,
  first: Endpoint,
  turn: (health: Health, now: number) => Health,
): Promise<Health> {
  const { store, clock, random } = ports;
  const key = endpointKey(first.workspace, first.id);
  let endpoint = first;
  for (let round = 0; round < ROUNDS; round++) {
    const health = turn(healthOf(endpoint), clock.now());
    const told = disabledNow(endpoint, health, clock.now());
    const change = update(key, healthChanges(endpoint.id, health), healthAsRead(endpoint));
    const written = await store.transact([change, ...told], newTransaction(random));
    if (written.done) {
      await placedAsTold(ports, told);
      await follow(ports, endpoint, health);
      return health;
    }
    // Deleted meanwhile.
    const met = written.refused[0]?.item;
    if (!met) return HEALTHY;
    endpoint = readEndpoint(met);
  }
  return healthOf(endpoint);
}

/** An event of the hub's own, in the write that switches the endpoint off. */
function disabledNow({ id, workspace, state }: Endpoint, health: Health, now: number): readonly Put[] {
  const { disabledBecause: reason } = health;
  if (state === 'disabled' || health.state !== 'disabled' || reason === undefined || reason === 'asked') return [];
  const payload = { kind: 'endpoint', endpoint: { id, state: 'disabled', reason } } as const;
  return ownEventWrites({ workspace, payload, identity: [id, String(now)] }, now);
}

const healthOf = ({
  state,
  failures,
  failingSince,
  probes,
  probeAt,
  drainingSince,
  drainAt,
  disabledBecause,
}: Endpoint): Health => ({
  state,
  failures,
  ...known({ failingSince, probes, probeAt, drainingSince, drainAt, disabledBecause }),
});

async function follow({ tasks, clock, log, metrics }: DeliverPorts, endpoint: Endpoint, health: Health): Promise<void> {
  const { workspace, id } = endpoint;
  if (health.state === 'failing') {
    if (endpoint.state === 'active') metrics.count('EndpointsFailing');
    if (health.probeAt === undefined || health.probeAt === endpoint.probeAt) return;
    const seconds = Math.ceil((health.probeAt - clock.now()) / 1000);
    await tasks.send({ kind: 'probe', workspace, endpoint: id }, Math.min(LONGEST_DELAY_S, Math.max(0, seconds)));
  }
  if (health.state === 'disabled') {
    metrics.count('EndpointsDisabled');
    log.warn('an endpoint was switched off', { endpoint: id, because: health.disabledBecause ?? '' });
  }
  const { drainAt } = health;
  if (drainAt !== undefined && drainAt !== endpoint.drainAt)
    await tasks.send({ kind: 'drain', workspace, endpoint: id, at: drainAt });
}

/** One call, with the oldest of what waits; it is logged as an attempt and counts towards nothing. */
async function probe(ports: DeliverPorts, endpoint: Endpoint): Promise<void> {
  const { store, clock } = ports;
  if (endpoint.state !== 'failing' || (endpoint.probeAt ?? 0) > clock.now() + 1000) return;
  const { rows } = await waiting(store, endpoint.id, PROBED);
  const [oldest] = rows;
  if (oldest) {
    await attempt(ports, endpoint, deliveryOf(oldest), oldest, true);
    return;
  }
  // All that waited has run out, or the list shows it late: the next event asks, and what shows later is drained.
  await turnHealth(ports, endpoint, ({ failures, failingSince }, now) => ({
    ...draining(now),
    ...known({ failingSince }),
    failures: Math.max(0, failures - 1),
  }));
}

/** The oldest. Lists may lag: what they still show, but does not wait any more, is left out. */
async function waiting(store: Store, endpoint: string, limit: number) {
  const { items } = await store.query({ index: 'gsi3', pk: waitingList(endpoint), limit });
  const rows = await store.getMany(
    items.map(({ pk, sk }) => ({ pk, sk })),
    { consistent: true },
  );
  const sorted = rows
    .filter((row) => row.gsi3pk === waitingList(endpoint))
    .map(readDelivery)
    .toSorted((a, b) => (a.storedAt < b.storedAt ? -1 : 1));
  return { rows: sorted, isEmpty: items.length === 0 };
}

/**
 * Hands out what waits, oldest first, so many a second; the task calls itself until nothing waits. A step is taken before
 * it is done: of two tasks one does it. Should that die, the watchdog brings the next.
 */
async function drain(ports: DeliverPorts, endpoint: Endpoint, step: number | undefined): Promise<void> {
  const { store, clock, tasks } = ports;
  const { id, workspace, drainingSince, drainAt } = endpoint;
  if (endpoint.state !== 'active' || drainingSince === undefined) return;
  if (step !== undefined && step !== drainAt) return;
  const now = clock.now();
  const rate = Math.min(drainRate(drainingSince, now), endpoint.ratePerSecond ?? Number.POSITIVE_INFINITY);
  const { rows, isEmpty } = await waiting(store, id, rate);
  // Never the same step again, however early this task comes.
  const next = nextDrain(drainingSince, isEmpty, Math.max(now, drainAt ?? 0));
  const { failures, failingSince } = endpoint;
  const health: Health = {
    ...{ state: 'active', failures },
    ...known({ failingSince }),
    ...(next !== undefined && { drainingSince, drainAt: next }),
  };
  const key = endpointKey(workspace, id);
  const taken = await store.write(update(key, healthChanges(id, health), healthAsRead(endpoint)));
  if (!taken.done) {
    // Another task does this step; or a call of this moment has changed how the endpoint is.
    const changed = taken.item && readEndpoint(taken.item);
    return changed && changed.drainAt === drainAt ? drain(ports, changed, drainAt) : undefined;
  }
  for (const row of rows) await handOut(ports, row, now);
  if (next === undefined) return;
  await tasks.send({ kind: 'drain', workspace, endpoint: id, at: next }, Math.ceil((next - now) / 1000));
}

async function handOut({ store, tasks }: DeliverPorts, row: Delivery, now: number): Promise<void> {
  const changes = [
    set('gsi3pk', dueListOf('delivery', row.event)),
    set('gsi3sk', dueSortKey(now + GRACE_MS, row.event)),
    remove('nextAt'),
  ];
  const { done } = await store.write(update(keyOf(row), changes, equal('gsi3pk', waitingList(row.endpoint))));
  if (done) await tasks.send(taskOf(row));
}
