import * as v from 'valibot';
import { known } from '#lib/domain/schema.ts';
import { itemReader } from '#lib/store/items.ts';
import { deliveryKey, dueListOf, dueSortKey, waitingList } from '#lib/store/keys.ts';
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
import type { ActionTask, DeliveryTask } from './task.ts';

export const KEPT_SECONDS = 30 * 24 * 3600;
/** Nothing that was noted of an endpoint or a rule is there so long after its deletion. */
export const CALLS_KEPT_SECONDS = KEPT_SECONDS + 24 * 3600;
const GRACE_MS = 60_000;
const ROUNDS = 5;

const Attempt = v.object({
  at: v.string(),
  ms: v.number(),
  status: v.exactOptional(v.number()),
  failure: v.exactOptional(v.string()),
  answer: v.exactOptional(v.string()),
  probe: v.exactOptional(v.literal(true)),
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
export function keyOfDeliveryId(id: string): Key | undefined {
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
