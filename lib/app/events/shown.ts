import type { Event, MessageEvent } from '#lib/domain/event.ts';
import { deliveryReport } from '../receiving/delivery-state.ts';
import { eventKey, eventOf, recordOf } from '../receiving/event-item.ts';
import type { Item, Store } from '../store.ts';

/** TTL deletes late: what has run out is gone for a reader, whatever the table still holds. */
export function isLive(item: Item, nowSeconds: number): boolean {
  return typeof item.expiresAt !== 'number' || item.expiresAt > nowSeconds;
}

/** Events as readers see them: whole, with thumbnails, and how far each message of ours has got by now. */
export async function shownEvents(store: Store, heads: readonly Item[]): Promise<readonly Event[]> {
  const stateKeys = new Set(heads.flatMap((head) => (reportsDelivery(head) ? [head.stateKey] : [])));
  const [events, states] = await Promise.all([
    Promise.all(heads.map((head) => eventOf(store, head))),
    store.getMany([...stateKeys].map((pk) => ({ pk, sk: 'META' }))),
  ]);
  const stateAt = new Map(states.map((item) => [item.pk, item]));
  return events.map((event, i) => withDelivery(event, stateAt.get(String(heads[i]?.stateKey))));
}

/** A status event names the same state item, but it is no message. */
function reportsDelivery(head: Item): head is Item & { readonly stateKey: string } {
  return head.kind === 'message' && typeof head.stateKey === 'string';
}

function withDelivery(event: Event, state: Item | undefined): Event {
  if (event.kind !== 'message' || !state) return event;
  const delivery = deliveryReport(state);
  return delivery ? { ...event, delivery } : event;
}

/** The head item of an event of this workspace; another workspace's event is as good as none. */
export async function liveHead(
  store: Store,
  workspace: string,
  id: string,
  nowSeconds: number,
): Promise<Item | undefined> {
  const head = await store.get(eventKey(id), { consistent: true });
  return head && head.workspace === workspace && isLive(head, nowSeconds) ? head : undefined;
}

export async function findEvent(
  store: Store,
  workspace: string,
  id: string,
  nowSeconds: number,
): Promise<Event | undefined> {
  const head = await liveHead(store, workspace, id, nowSeconds);
  return head && (await shownEvents(store, [head]))[0];
}

export async function findMessage(
  store: Store,
  workspace: string,
  id: string,
  nowSeconds: number,
): Promise<MessageEvent | undefined> {
  const event = await findEvent(store, workspace, id, nowSeconds);
  return event?.kind === 'message' ? event : undefined;
}

/** The body of an event as the gateway handed it over, without a secret. */
export async function rawOfEvent(store: Store, workspace: string, id: string, nowSeconds: number) {
  const head = await liveHead(store, workspace, id, nowSeconds);
  if (!head) return undefined;
  const { raw, contentType } = await recordOf(store, head);
  return { bytes: raw, contentType };
}
