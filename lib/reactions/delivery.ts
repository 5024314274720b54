import * as v from 'valibot';
import { Instant, known, optional, Whole } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { itemReader } from '#lib/store/items.ts';
import {
  DELIVERY_PREFIX,
  deliveryKey,
  deliveryPartition,
  dueListOf,
  dueSortKey,
  waitingList,
} from '#lib/store/keys.ts';
import { beginningWith, type ListPage, newestPage, type PageRequest, pageOf } from '#lib/store/query.ts';
import {
  absent,
  all,
  equal,
  type Item,
  type Key,
  put,
  type Store,
  StoreUnavailable,
  unchanged,
} from '#lib/store/store.ts';

/** What lies in the queue: ids and times alone. What was erased meanwhile is not delivered, and no words lie in a queue. */
const Task = v.variant('kind', [
  v.object({
    kind: v.literal('delivery'),
    workspace: v.string(),
    endpoint: v.string(),
    event: v.string(),
    /** When the event was stored, ISO 8601. */
    storedAt: v.string(),
    /** Told again with other content: the first letters of its hash. */
    content: v.exactOptional(v.string()),
    /** Called whatever the row says: somebody asks for it, or its endpoint is drained. */
    now: v.exactOptional(v.boolean()),
  }),
  /** What a rule calls beside endpoints: the action at this place of its list. */
  v.object({
    kind: v.literal('action'),
    workspace: v.string(),
    rule: v.string(),
    event: v.string(),
    storedAt: v.string(),
    index: v.number(),
    /** What stood there when the event came. One of an earlier release does not say. */
    does: v.exactOptional(v.picklist(['call', 'email'])),
    now: v.exactOptional(v.boolean()),
  }),
  /** Asks a failing endpoint, with the oldest of what waits. */
  v.object({ kind: v.literal('probe'), workspace: v.string(), endpoint: v.string() }),
  /** Hands out what waits for an endpoint that is well again. */
  v.object({
    kind: v.literal('drain'),
    workspace: v.string(),
    endpoint: v.string(),
    /** Which step of it. */
    at: v.exactOptional(v.number()),
  }),
  /** Tells an endpoint again of what was stored: the step that is due at this time. */
  v.object({
    kind: v.literal('replay'),
    workspace: v.string(),
    endpoint: v.string(),
    replay: v.string(),
    at: v.number(),
  }),
]);
export type Task = v.InferOutput<typeof Task>;
export type DeliveryTask = Extract<Task, { kind: 'delivery' }>;
export type ActionTask = Extract<Task, { kind: 'action' }>;
export type ReplayTask = Extract<Task, { kind: 'replay' }>;
/** Whom a task concerns: an endpoint, or a rule that calls. All replays of a workspace are one: a step may take seconds. */
export function addresseeOf(task: Task): string {
  if (task.kind === 'replay') return task.workspace;
  return task.kind === 'action' ? task.rule : task.endpoint;
}
/** Throws on what is no task: the message then goes to the dead-letter queue, where an operator sees it. */
export const TaskBody = v.pipe(v.string(), v.parseJson(), Task);

/** SQS delays a message no longer. */
export const LONGEST_DELAY_S = 900;

export interface Tasks {
  /** Whole seconds, 0 to `LONGEST_DELAY_S`. */
  send(task: Task, delaySeconds?: number): Promise<void>;
  /** By few requests, which go out side by side: ten keep their order, more do not. Where it throws, some may have been taken. */
  sendAll(tasks: readonly Task[]): Promise<void>;
}

export const KEPT_SECONDS = 30 * 24 * 3600;
/** Nothing that was noted of an endpoint or a rule is there so long after its deletion. */
export const CALLS_KEPT_SECONDS = KEPT_SECONDS + 24 * 3600;
const GRACE_MS = 60_000;
const ROUNDS = 5;

const Attempt = v.object({
  at: Instant,
  ms: v.pipe(Whole, v.description('How long it took')),
  status: optional(Whole, 'Of its answer'),
  failure: optional(
    v.string(),
    'Where there was no answer: `timeout`, `connection`, `refused` (a host that may not be called)',
  ),
  answer: optional(v.string(), 'The beginning of its body, secrets taken out'),
  probe: optional(v.boolean(), 'A question to a failing endpoint: it counts towards nothing'),
});
export const Delivery = v.object({
  workspace: v.string(),
  endpoint: v.string(),
  event: v.string(),
  storedAt: v.string(),
  type: v.exactOptional(v.string()),
  content: v.exactOptional(v.string()),
  /** Of a rule's action: its place in the rule, and what stood there when the event came. */
  index: v.exactOptional(v.number()),
  does: v.exactOptional(v.picklist(['call', 'email'])),
  state: v.picklist(['waiting', 'delivered', 'dead']),
  /** Calls that count towards giving up: probes of a failing endpoint do not. */
  tries: v.number(),
  /** The latest, probes among them. */
  attempts: v.array(Attempt),
  nextAt: v.exactOptional(v.number()),
  /** The latest replay that has put it back. */
  replay: v.exactOptional(v.string()),
  expiresAt: v.number(),
});
export type Delivery = v.InferOutput<typeof Delivery>;
export const readDelivery: (item: Item) => Delivery = itemReader(Delivery);

/** What does a delivery; of a rule's action `endpoint` is the rule. */
export function taskOf({
  workspace,
  endpoint,
  event,
  storedAt,
  content,
  index,
  does,
}: Delivery): DeliveryTask | ActionTask {
  if (index !== undefined)
    return { kind: 'action', workspace, rule: endpoint, event, storedAt, index, ...known({ does }) };
  return { kind: 'delivery', workspace, endpoint, event, storedAt, ...known({ content }) };
}

/** The row of what a task does, before its first attempt. */
function newRow(task: DeliveryTask | ActionTask, now: number): Delivery {
  const { workspace, event, storedAt } = task;
  const mine =
    task.kind === 'action'
      ? { endpoint: task.rule, index: task.index, ...known({ does: task.does }) }
      : { endpoint: task.endpoint, ...known({ content: task.content }) };
  const expiresAt = Math.floor(now / 1000) + KEPT_SECONDS;
  return { workspace, event, storedAt, ...mine, state: 'waiting', tries: 0, attempts: [], expiresAt };
}

/** The row as it goes on from what was read of it. */
export function rowOf(task: DeliveryTask | ActionTask, before: Delivery | undefined, now: number): Delivery {
  const fresh = newRow(task, now);
  // Told again with other content, it begins anew.
  if (!before || before.content !== fresh.content) return fresh;
  const { nextAt: _nextAt, ...kept } = before;
  return { ...kept, state: 'waiting' };
}

/** One for each event and endpoint, or action of a rule. */
export const rowKey = ({ endpoint, storedAt, event, index }: Delivery): Key =>
  deliveryKey(endpoint, storedAt, index === undefined ? event : `${event}#${index}`);

export const keyOfTask = (task: DeliveryTask | ActionTask): Key => rowKey(newRow(task, 0));

/** By which the API shows it. */
export function deliveryIdOf(task: DeliveryTask | ActionTask): string {
  const event = task.kind === 'action' ? `${task.event}#${task.index}` : task.event;
  const parts = [task.kind === 'action' ? task.rule : task.endpoint, task.storedAt, event];
  return `dlv_${Buffer.from(parts.join(' ')).toString('base64url')}`;
}

/** Undefined for what is no id of ours. */
function keyOfDeliveryId(id: string): Key | undefined {
  const [, encoded = ''] = /^dlv_([\w-]{1,300})$/.exec(id) ?? [];
  const [endpoint, storedAt, event, ...rest] = Buffer.from(encoded, 'base64url').toString('utf8').split(' ');
  return endpoint && storedAt && event && rest.length === 0 ? deliveryKey(endpoint, storedAt, event) : undefined;
}

export const itemOf = (row: Delivery): Item => ({ ...rowKey(row), ...row });

/** It waits in the table until its endpoint is well. */
export function waitingItem(row: Delivery): Item {
  const { endpoint, storedAt, event } = row;
  return { ...itemOf(row), gsi3pk: waitingList(endpoint), gsi3sk: `${storedAt}#${event}` };
}

/** The watchdog finds it where its own task has not brought it back by then. */
export const dueAttributes = ({ event }: Delivery, at: number) => ({
  gsi3pk: dueListOf('delivery', event),
  gsi3sk: dueSortKey(at + GRACE_MS, event),
});

/** What is told again with other content says more than what was told first. */
export const isOlder = (one: Pick<Delivery, 'content'>, other: Pick<Delivery, 'content'>): boolean =>
  one.content === undefined && other.content !== undefined;

/**
 * Writes a row against what was read of it: two tasks of one delivery may be under way. A success stands whatever the
 * other one came to, and newer content stands against older. Answers whether it was written.
 */
export async function keep(store: Store, item: Item, before: Delivery | undefined): Promise<boolean> {
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

/** A row as it was read: another task may have called meanwhile. */
export const rowAsRead = ({ state, tries, attempts, content }: Delivery) =>
  all(
    unchanged({ state, tries, content }),
    equal(
      'attempts',
      attempts.map((one) => known({ ...one })),
    ),
  );

export const ShownDelivery = v.object({
  id: v.string(),
  endpoint: v.pipe(v.string(), v.description('Or the rule, where it is an action of one')),
  event: v.string(),
  type: v.exactOptional(v.string()),
  storedAt: Instant,
  state: v.picklist(['waiting', 'delivered', 'dead']),
  nextAt: optional(Instant, 'When it is tried again'),
  attempts: v.array(Attempt),
});
export type ShownDelivery = v.InferOutput<typeof ShownDelivery>;

export const deliveriesOf = (id: string) => beginningWith(deliveryPartition(id), DELIVERY_PREFIX);

/** Of an endpoint, newest first. With a state a page may be shorter than asked for and still have a next one. */
export async function listDeliveries(
  store: Store,
  id: string,
  state: Delivery['state'] | undefined,
  page: PageRequest,
): Promise<ListPage<ShownDelivery>> {
  const all = deliveriesOf(id);
  const filter = state === undefined ? undefined : equal('state', state);
  const { entries, position } = await newestPage(store, all, page, filter);
  return pageOf(
    'deliveries',
    entries.map((item) => shownDelivery(readDelivery(item))),
    position,
  );
}

function shownDelivery(row: Delivery): ShownDelivery {
  const { endpoint, event, type, storedAt, state, nextAt, attempts } = row;
  return {
    ...{ id: deliveryIdOf(taskOf(row)), endpoint, event, storedAt, state, attempts },
    ...known({ type }),
    ...(nextAt !== undefined && { nextAt: toIso(nextAt) }),
  };
}

async function deliveryOf(store: Store, workspace: string, id: string): Promise<Delivery | undefined> {
  const key = keyOfDeliveryId(id);
  const item = key && (await store.get(key, { consistent: true }));
  const delivery = item && readDelivery(item);
  return delivery?.workspace === workspace ? delivery : undefined;
}

export async function findDelivery(store: Store, workspace: string, id: string): Promise<ShownDelivery | undefined> {
  const delivery = await deliveryOf(store, workspace, id);
  return delivery && shownDelivery(delivery);
}

/** Calls again at once, whatever became of it before. */
export async function retryDelivery(
  { store, tasks }: { readonly store: Store; readonly tasks: Tasks },
  workspace: string,
  id: string,
): Promise<boolean> {
  const delivery = await deliveryOf(store, workspace, id);
  if (!delivery) return false;
  await tasks.send({ ...taskOf(delivery), now: true });
  return true;
}
