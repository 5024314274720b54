import type { DeliveryReport, DeliveryState, Event, Status, StatusEvent } from '#lib/domain/event.ts';
import { known, shortly } from '#lib/domain/schema.ts';
import { comesTo, type Reports, STATUSES } from '#lib/domain/send/part.ts';
import { toIso } from '#lib/domain/time.ts';
import { sentEventId } from '#lib/sender/sent-event.ts';
import { headKey } from '#lib/store/keys.ts';
import { getAll } from '#lib/store/query.ts';
import { AGAIN, retryOnConflict } from '#lib/store/retry.ts';
import {
  absent,
  all,
  any,
  type Change,
  type Condition,
  compare,
  equal,
  exists,
  type Item,
  isLive,
  type Key,
  remove,
  type Store,
  set,
  setIfAbsent,
  update,
} from '#lib/store/store.ts';
import type { EventRecord } from './event-item.ts';

type Lasting = Pick<EventRecord, 'expiresAt'>;

/**
 * Writes to the state of a message. It ends with the last that was told of it, but what leads to a send of ours has no
 * end: a report may come later than the retention reaches, and the send's credit hangs on it. It is deleted when the send
 * is emptied. Answers the state as it is then.
 */
export async function touchState(
  store: Store,
  key: Key,
  changes: readonly Change[],
  { expiresAt }: Lasting,
): Promise<Item | undefined> {
  const lasting = [...changes, remove('expiresAt')];
  if (expiresAt === undefined) return (await store.write(update(key, lasting), { returns: 'new' })).item;
  const ending = update(key, [...changes, set('expiresAt', expiresAt)], absent('send'));
  const written = await store.write(ending, { returns: 'new' });
  if (written.done) return written.item;
  return (await store.write(update(key, lasting, exists('send')), { returns: 'new' })).item;
}

/**
 * After a state was linked with a send: takes its end away, and what was told before and has run out by then. Answers the
 * state as it is afterwards.
 */
export async function keepLinked(store: Store, key: Key, nowSeconds: number): Promise<Item | undefined> {
  return retryOnConflict('the state of a message', async () => {
    const state = await store.get(key, { consistent: true });
    if (state?.send === undefined || state.expiresAt === undefined) return state;
    const { pk: _pk, sk: _sk, send: _send, part: _part, ...told } = state;
    const over = isLive(state, nowSeconds) ? ['expiresAt'] : Object.keys(told);
    await store.write(update(key, over.map(remove), equal('expiresAt', state.expiresAt)));
    return AGAIN;
  });
}

/** What makes sure, in a write that links a state with a send, that nothing else is to be done afterwards. */
export interface Unheard {
  readonly condition: Condition;
  readonly changes: readonly Change[];
}

/**
 * Of a state of which no status was told when it was read: that this is still so when it is linked, and that it has no end
 * from then on. Undefined where there is something to look at: `keepLinked` does so afterwards.
 */
export function unheard(state: Item, nowSeconds: number): Unheard | undefined {
  const names = STATUSES.map((status) => `at_${status}`);
  if (names.some((name) => state[name] !== undefined) || !isLive(state, nowSeconds)) return undefined;
  return { condition: all(...names.map((name) => absent(name))), changes: [remove('expiresAt')] };
}

/** The last time that anything of the message is known of, in milliseconds; undefined where no status has come. */
export function lastTold(state: Item): number | undefined {
  const times = Object.entries(state).flatMap(([name, time]) =>
    /^(?:at|last)_/.test(name) && typeof time === 'number' ? [time] : [],
  );
  return times.length === 0 ? undefined : Math.max(...times);
}

/**
 * Notes when a message reached a state; the first time counts, and nothing is ever taken back, so that repeats and any
 * order of arrival come to the same. Answers the item as it is now: with the send that it belongs to, where it is ours.
 * `isTheirs`: the time is the provider's and not that of the arrival.
 */
export async function noteStatus(
  store: Store,
  key: Key,
  status: Status,
  at: number,
  { isTheirs, ...lasting }: Lasting & { readonly isTheirs: boolean },
): Promise<Item | undefined> {
  const { state, detail } = status;
  const changes = [setIfAbsent(`at_${state}`, at)];
  if (detail !== undefined) changes.push(set(`detail_${state}`, shortly(detail)));
  if (state === 'sent' && !isTheirs) changes.push(setIfAbsent('own_sent', at));
  const item = await touchState(store, key, changes, lasting);
  return item && isTheirs && (state === 'sent' || state === 'failed') ? noteLast(store, key, item, state, at) : item;
}

/** A message that failed may be sent again, and fail again: which of it was last, only the last time of each can tell. */
async function noteLast(store: Store, key: Key, item: Item, state: 'sent' | 'failed', at: number) {
  const latest = reportsIn(item)[state];
  if (latest === undefined || latest >= at) return item;
  const name = `last_${state}`;
  // Deleted meanwhile, it stays so: what begins here would have no end.
  const isLater = all(exists(), any(absent(name), compare(name, '<', at)));
  const written = await store.write(update(key, [set(name, at)], isLater), { returns: 'new' });
  return written.item ?? item;
}

/** When each status was reached, as far as the order of a failure and of what was sent again needs it. */
export function reportsIn(item: Readonly<Record<string, unknown>>): Reports {
  const timeOf = (name: string) => {
    const time = item[name];
    return typeof time === 'number' ? time : undefined;
  };
  const last = (first: number | undefined, name: string) => {
    const latest = timeOf(name);
    return first === undefined || latest === undefined ? (first ?? latest) : Math.max(first, latest);
  };
  const firstSent = timeOf('at_sent');
  // By our own clock it is the time of an arrival, and says nothing of what came before what.
  const sent = firstSent !== undefined && firstSent === item.own_sent ? Number.NEGATIVE_INFINITY : firstSent;
  return known({
    sent: last(sent, 'last_sent'),
    delivered: timeOf('at_delivered'),
    read: timeOf('at_read'),
    failed: last(timeOf('at_failed'), 'last_failed'),
  });
}

/** What a state item says to a reader; undefined while no status has come. */
export function deliveryReport(item: Item): DeliveryReport | undefined {
  const state: DeliveryState | undefined =
    comesTo(reportsIn(item)) ?? (typeof item.at_pending === 'number' ? 'pending' : undefined);
  if (state === undefined) return undefined;
  const at = (name: DeliveryState) => {
    const value = item[`at_${name}`];
    return typeof value === 'number' ? toIso(value) : undefined;
  };
  const times = { sentAt: at('sent'), deliveredAt: at('delivered'), readAt: at('read'), failedAt: at('failed') };
  return { state, ...known(times) };
}

/** What was read of the states of messages, by their keys; undefined where there is none. */
export type States = ReadonlyMap<string, Item | undefined>;

export async function statesAt(store: Store, named: readonly string[], options?: { readonly consistent: true }) {
  const keys = [...new Set(named)];
  const found = new Map((await getAll(store, keys.map(headKey), options)).map((state) => [state.pk, state]));
  return new Map(keys.map((key) => [key, found.get(key)]));
}

/** Of which message a status tells: a send of ours, or what the provider has echoed. */
export function messageOf({ send, chat, toPhone, toId }: Item): Pick<StatusEvent, 'sendId' | 'chatId' | 'recipient'> {
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  const person = known({ phone: text(toPhone), id: text(toId) });
  const isNamed = Object.keys(person).length > 0;
  return known({ sendId: text(send), chatId: text(chat), recipient: isNamed ? person : undefined });
}

export function withDelivery(event: Event, state: Item | undefined): Event {
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
export function isTwin(event: Event, state: Item | undefined): boolean {
  if (event.kind !== 'message' || typeof state?.send !== 'string') return false;
  const isOwn = event.id === sentEventId(state.send, Number(state.part));
  return state.echo === undefined ? !isOwn : state.echo !== event.id;
}
