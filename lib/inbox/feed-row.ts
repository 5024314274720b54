import type { Clock } from '#lib/domain/ports.ts';
import { toIso } from '#lib/domain/time.ts';
import { chatIdIn, feedKey } from '#lib/store/keys.ts';
import { COMMIT_MS } from '#lib/store/retry.ts';
import { all, equal, type Item, type Key, type Put, put, type Store, StoreUnavailable } from '#lib/store/store.ts';

/**
 * An event's place in the feed is the time of the write that stores it. Its row is written first, then the event, which
 * names its row by the same time; a row that its event does not name counts for nothing, and is left to run out. So an event
 * is in the feed from the moment at which it is stored, and once, whatever crashed, was repeated or refused before that.
 *
 *   row t1 ─▶ event t1, refused or late            a reader passes t1 when no event can name it any more (feed.ts)
 *   row t2 ─▶ event t2                             the place of the event is t2
 */

/** The row to which a head item with a `storedAt` leads. It holds no word of the provider's: it may outlive its event. */
export function feedRow(head: Item): Put {
  const { kind, provider, accountId, direction, gsi2pk, expiresAt } = head;
  const isInChat = typeof gsi2pk === 'string' && kind !== 'unknown';
  const chat = isInChat ? { chat: chatIdIn(gsi2pk) } : {};
  return put({ ...rowKey(head), kind, provider, accountId, direction, ...chat, expiresAt });
}

export const rowKey = ({ workspace, storedAt, eventId }: Item): Key =>
  feedKey(String(workspace), String(storedAt), String(eventId));

/** What a row may use up of its event's time: the rest is for the event and its repeats. */
const ROW_MS = 1_000;
const TRIES = 3;

/** The head with a place of its own, whose row is there. Write it at once. */
export async function placed(store: Store, clock: Clock, head: Item): Promise<Item> {
  for (let tries = 0; tries < TRIES; tries++) {
    const now = clock.now();
    const stamped = { ...head, storedAt: toIso(now) };
    await store.write(feedRow(stamped));
    if (clock.now() - now <= ROW_MS) return stamped;
  }
  throw new StoreUnavailable('unreachable');
}

/**
 * After an event was stored: where that took so long that a reader may have gone past its place, as in a process that
 * was suspended, it gets a new one. Should a reader have seen it in the old one all the same, it sees it again.
 */
export async function placedInTime(store: Store, clock: Clock, head: Item): Promise<void> {
  const isLate = (storedAt: unknown) => clock.now() - Date.parse(String(storedAt)) > COMMIT_MS;
  for (let place = head; isLate(place.storedAt); ) {
    const next = await placed(store, clock, place);
    const asStored = all(equal('storedAt', String(place.storedAt)), equal('receipt', String(place.receipt)));
    const { done } = await store.write(put(next, asStored));
    if (!done) return;
    place = next;
  }
}
