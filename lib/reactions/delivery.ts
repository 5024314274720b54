import * as v from 'valibot';
import { known } from '#lib/domain/schema.ts';
import { itemReader } from '#lib/store/items.ts';
import type { Item, Key, Store } from '#lib/store/store.ts';
import { readEndpoint } from './endpoint.ts';
import type { ActionTask, DeliveryTask, Tasks } from './task.ts';

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
  /** Of a rule's action: its place in the rule. */
  index: v.exactOptional(v.number()),
  state: v.picklist(['waiting', 'delivered', 'dead']),
  /** Calls that count towards giving up: probes of a failing endpoint do not. */
  tries: v.number(),
  /** The latest, probes among them. */
  attempts: v.array(Attempt),
  nextAt: v.exactOptional(v.number()),
  expiresAt: v.number(),
});
export type Delivery = v.InferOutput<typeof Delivery>;
export const readDelivery: (item: Item) => Delivery = itemReader(Delivery);

/** What does a delivery; of a rule's action `endpoint` is the rule. */
export function taskOf({ workspace, endpoint, event, storedAt, content, index }: Delivery): DeliveryTask | ActionTask {
  if (index !== undefined) return { kind: 'action', workspace, rule: endpoint, event, storedAt, index };
  return { kind: 'delivery', workspace, endpoint, event, storedAt, ...known({ content }) };
}

interface WakePorts {
  readonly store: Store;
  readonly tasks: Tasks;
}

/** A delivery whose time has come without its task, and an endpoint that nobody has asked: their tasks anew. */
export async function wakeDelivery({ store, tasks }: WakePorts, key: Key): Promise<void> {
  const item = await store.get(key, { consistent: true });
  const row = item && readDelivery(item);
  if (row?.state === 'waiting') await tasks.send(taskOf(row));
}

export async function wakeEndpoint({ store, tasks }: WakePorts, key: Key): Promise<void> {
  const item = await store.get(key, { consistent: true });
  const endpoint = item && readEndpoint(item);
  if (!endpoint) return;
  const { id, workspace, state, drainAt } = endpoint;
  if (state === 'failing') await tasks.send({ kind: 'probe', workspace, endpoint: id });
  else if (drainAt !== undefined) await tasks.send({ kind: 'drain', workspace, endpoint: id, at: drainAt });
}
