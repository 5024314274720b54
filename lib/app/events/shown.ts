import type { Event, MessageEvent } from '#lib/domain/event.ts';
import { deliveryReport } from '../receiving/delivery-state.ts';
import { eventKey, eventOf, recordOf } from '../receiving/event-item.ts';
import { sentEventId } from '../sending/sent-event.ts';
import { type Item, isLive, type Store } from '../store.ts';

/**
 * Events as readers see them: whole, with thumbnails, and how far each message of ours has got by now. `once`: of a
 * message that we sent and whose echo came in, the echo alone.
 */
export async function shownEvents(
  store: Store,
  heads: readonly Item[],
  nowSeconds: number,
  once = false,
): Promise<readonly Event[]> {
  const stateKeys = new Set(heads.flatMap((head) => (reportsDelivery(head) ? [head.stateKey] : [])));
  const [events, states] = await Promise.all([
    Promise.all(heads.map((head) => eventOf(store, head))),
    store.getMany([...stateKeys].map((pk) => ({ pk, sk: 'META' }))),
  ]);
  const stateAt = new Map(states.filter((item) => isLive(item, nowSeconds)).map((item) => [item.pk, item]));
  return events.flatMap((event, i) => {
    const state = stateAt.get(String(heads[i]?.stateKey));
    return once && isTwin(event, state) ? [] : [withDelivery(event, state)];
  });
}

/** A status event names the same state item, but it is no message. */
function reportsDelivery(head: Item): head is Item & { readonly stateKey: string } {
  return head.kind === 'message' && typeof head.stateKey === 'string';
}

function withDelivery(event: Event, state: Item | undefined): Event {
  if (event.kind !== 'message' || !state) return event;
  const delivery = deliveryReport(state);
  const { send } = state;
  return { ...event, ...(delivery && { delivery }), ...(typeof send === 'string' && { sendId: send }) };
}

/**
 * A message that went out through the hub has an event of its own from the moment that it was sent, and another one
 * when the provider echoes it. Which one shows it is decided on reading, by what both have left in the state of the
 * message: so it is always exactly one, whichever came first and whatever crashed in between.
 */
function isTwin(event: Event, state: Item | undefined): boolean {
  if (event.kind !== 'message' || typeof state?.send !== 'string') return false;
  const isOwn = event.id === sentEventId(state.send, Number(state.part));
  return state.echo === undefined ? !isOwn : state.echo !== event.id;
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
  return head && (await shownEvents(store, [head], nowSeconds))[0];
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
