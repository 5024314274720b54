import type { Clock } from '#lib/domain/ports.ts';
import { toIso } from '#lib/domain/time.ts';
import { chatIdIn, feedKey } from '#lib/store/keys.ts';
import { COMMIT_MS } from '#lib/store/retry.ts';
import {
  absent,
  all,
  equal,
  type Item,
  type Key,
  type Put,
  put,
  type Store,
  StoreUnavailable,
} from '#lib/store/store.ts';

/**
 * An event's place in the feed is the time of the write that stores it. Its row is written first, then the event, which
 * names its row by the same time; a row that its event does not name counts for nothing, and is given an end. So an event
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
/** So many deliveries of one event may come in one millisecond. */
const MOST_TAKEN = 100;

/** The head with a place of its own, whose row is there, and is nobody else's. Write it at once. */
export async function placed(store: Store, clock: Clock, head: Item): Promise<Item> {
  let taken = 0;
  for (let tries = 0; tries < TRIES && taken < MOST_TAKEN; ) {
    const now = clock.now();
    const stamped = { ...head, storedAt: toIso(now + taken) };
    const row = feedRow(stamped);
    const { done, item } = await store.write({ ...row, item: { ...row.item, receipt: head.receipt }, if: absent() });
    if (!done && !isOurs(item, head)) {
      taken += 1;
      continue;
    }
    if (clock.now() - now <= ROW_MS) return stamped;
    await unplaced(store, clock, stamped);
    tries += 1;
  }
  throw new StoreUnavailable('unreachable');
}

/** A repeat of a write whose first answer was lost meets itself; a row that was given up has another end, or no receipt. */
const isOurs = (row: Item | undefined, { receipt, expiresAt }: Item): boolean =>
  receipt !== undefined && row?.receipt === receipt && row.expiresAt === expiresAt;

/** Longer than any reader looks back for what it did not see in time. */
const UNUSED_SECONDS = 86_400;

/** Nothing was stored under the place of this head, nor will be: its row ends, where it would have stayed for ever. */
export async function unplaced(store: Store, clock: Clock, head: Item): Promise<void> {
  if (head.expiresAt !== undefined || head.storedAt === undefined) return;
  await store.write(feedRow({ ...head, expiresAt: Math.floor(clock.now() / 1000) + UNUSED_SECONDS }));
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
    const { done, item } = await store.write(put(next, asStored));
    // Refused, it may be ours all the same: a repeat of a write whose first answer was lost.
    const isMoved = done || item?.storedAt === next.storedAt;
    await unplaced(store, clock, isMoved ? place : next);
    if (!isMoved) return;
    place = next;
  }
}
