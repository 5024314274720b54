import type { Event } from '#lib/domain/event.ts';
import type { Clock, Log, Random } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { eventIdIn, quarantineCounter, UNREADABLE } from '#lib/store/keys.ts';
import { encodeCursor } from '#lib/store/page.ts';
import { newestFirst, type Slice } from '#lib/store/query.ts';
import { AGAIN, retryOnConflict } from '#lib/store/retry.ts';
import {
  add,
  all,
  type Change,
  equal,
  exists,
  type Item,
  type Put,
  put,
  type Store,
  update,
  type Written,
} from '#lib/store/store.ts';
import { eventItems, recordOf } from './event-item.ts';
import { dropUnused } from './event-store.ts';
import { liveHead, partitionOf } from './events.ts';

interface DismissPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** `not quarantined`: it is understood, was never in quarantine, or is dismissed already. */
type Dismissed = 'dismissed' | 'not quarantined' | 'not found';

/** Takes an event out of quarantine that needs no hand. It stays as it came, under its id, and a replay may still read it. */
export async function dismissEvent(ports: DismissPorts, workspace: string, id: string): Promise<Dismissed> {
  const { store, clock, random } = ports;
  return retryOnConflict(`event ${id}`, async () => {
    const head = await liveHead(store, workspace, id, Math.floor(clock.now() / 1000));
    if (!head) return 'not found';
    const record = await recordOf(store, head);
    const { event } = record;
    if (event.kind !== 'unknown' || !event.quarantined) return 'not quarantined';
    const receipt = `dismissal_${Buffer.from(random.bytes(9)).toString('base64url')}`;
    const dismissed = { ...record, receipt, event: { ...event, quarantined: false, dismissedAt: toIso(clock.now()) } };
    const { head: item, chunks } = eventItems(dismissed);
    if (chunks.length > 0) await store.writeMany(chunks);
    const isWaiting = all(exists(), equal('quarantined', true), equal('receipt', record.receipt));
    const { done, item: met } = await leaveQuarantine(store, event, put(item, isWaiting), [add('dismissed', 1)]);
    await dropUnused(store, done ? head : item, done ? item : met);
    return done ? 'dismissed' : AGAIN;
  });
}

/**
 * Moves an event out of what waits and counts it, once: also where two do it at the same moment, or the answer of the table
 * is lost. `moved` has a receipt of its own, by which a repeat of the write meets itself. Refused: with the item that it met.
 */
export async function leaveQuarantine(
  store: Store,
  { workspace, provider, type }: Extract<Event, { kind: 'unknown' }>,
  moved: Put,
  counted: readonly Change[],
): Promise<Written> {
  const { done, item } = await store.write(moved);
  if (!done && item?.receipt !== moved.item.receipt) return { done, ...known({ item }) };
  // It may be gone: a type can hold the name of a person who was erased.
  await store.write(update(quarantineCounter(workspace, provider, type), counted, exists()));
  return { done: true };
}

/** What waits in quarantine: `unreadable` is the type of bodies in which none is found. What is left out does not matter. */
export interface Waiting {
  readonly type?: string;
  readonly provider?: string;
  /** Where the call before ended. */
  readonly from?: string;
}

const PAGE = 100;

/** The newest of what waits, a page of it. */
export function waitingIn(store: Store, workspace: string, { type, provider, from }: Waiting): Promise<Slice> {
  const accepts = (entry: Item) =>
    (type === undefined || (entry.type ?? UNREADABLE) === type) &&
    (provider === undefined || entry.provider === provider);
  return newestFirst(store, partitionOf(workspace, { quarantined: true }), {
    limit: PAGE,
    ...((type ?? provider) !== undefined && { accepts }),
    ...known({ before: from }),
  });
}

/** API Gateway waits 30 s for an answer. */
const LONGEST_MS = 15_000;
const AT_ONCE = 8;

/** Dismisses what is in quarantine of a type, newest first, as far as time reaches; the cursor leads to the rest. */
export async function dismissType(
  ports: DismissPorts,
  workspace: string,
  { from, ...wanted }: Waiting & { readonly type: string },
): Promise<{ readonly dismissed: number; readonly cursor?: string }> {
  const { store, clock, log } = ports;
  const deadline = clock.monotonic() + LONGEST_MS;
  let dismissed = 0;
  let position = from;
  do {
    const slice = await waitingIn(store, workspace, { ...wanted, ...known({ from: position }) });
    for (let start = 0; start < slice.entries.length; start += AT_ONCE) {
      const some = slice.entries.slice(start, start + AT_ONCE);
      const results = await Promise.all(some.map(({ pk }) => dismissEvent(ports, workspace, eventIdIn({ pk }))));
      dismissed += results.filter((result) => result === 'dismissed').length;
    }
    position = slice.position;
  } while (position !== undefined && clock.monotonic() < deadline);
  log.info('quarantined events were dismissed', { workspace, dismissed, complete: position === undefined });
  return { dismissed, ...(position !== undefined && { cursor: encodeCursor('quarantine', position) }) };
}
