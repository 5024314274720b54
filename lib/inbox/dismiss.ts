import type { Clock, Log } from '#lib/domain/ports.ts';
import { toIso } from '#lib/domain/time.ts';
import { eventIdIn, quarantineCounter, UNREADABLE } from '#lib/store/keys.ts';
import { encodeCursor } from '#lib/store/page.ts';
import { newestFirst } from '#lib/store/query.ts';
import { AGAIN, retryOnConflict } from '#lib/store/retry.ts';
import { add, all, equal, exists, type Item, put, type Store, update } from '#lib/store/store.ts';
import { eventItems, recordOf } from './event-item.ts';
import { dropUnused } from './event-store.ts';
import { liveHead, partitionOf } from './events.ts';

interface DismissPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

/** `not quarantined`: it is understood, was never in quarantine, or is dismissed already. */
type Dismissed = 'dismissed' | 'not quarantined' | 'not found';

/** Takes an event out of quarantine that needs no hand. It stays as it came, under its id, and a replay may still read it. */
export async function dismissEvent(ports: DismissPorts, workspace: string, id: string): Promise<Dismissed> {
  const { store, clock } = ports;
  return retryOnConflict(`event ${id}`, async () => {
    const head = await liveHead(store, workspace, id, Math.floor(clock.now() / 1000));
    if (!head) return 'not found';
    const record = await recordOf(store, head);
    const { event } = record;
    if (event.kind !== 'unknown' || !event.quarantined) return 'not quarantined';
    const dismissed = { ...record, event: { ...event, quarantined: false, dismissedAt: toIso(clock.now()) } };
    const { head: item, chunks } = eventItems(dismissed);
    if (chunks.length > 0) await store.writeMany(chunks);
    const isWaiting = all(exists(), equal('quarantined', true), equal('receipt', record.receipt));
    const { done, item: met } = await store.write(put(item, isWaiting));
    // A write that is repeated because its answer was lost meets itself.
    const isOurs = done || (met?.dismissed === true && met.receipt === record.receipt);
    await dropUnused(store, isOurs ? head : item, isOurs ? item : met);
    if (!isOurs) return AGAIN;
    // It may be gone: a type can hold the name of a person who was erased.
    const counter = quarantineCounter(workspace, event.provider, event.type);
    await store.write(update(counter, [add('dismissed', 1)], exists()));
    return 'dismissed';
  });
}

/** Of one type; of one provider where it is named. `unreadable` is the type of bodies in which none is found. */
export interface DismissedType {
  readonly type: string;
  readonly provider?: string;
  /** Where the call before ended. */
  readonly from?: string;
}

/** API Gateway waits 30 s for an answer. */
const LONGEST_MS = 15_000;
const PAGE = 100;
const AT_ONCE = 8;

/** Dismisses what is in quarantine of a type, newest first, as far as time reaches; the cursor leads to the rest. */
export async function dismissType(
  ports: DismissPorts,
  workspace: string,
  { type, provider, from }: DismissedType,
): Promise<{ readonly dismissed: number; readonly cursor?: string }> {
  const { store, clock, log } = ports;
  const deadline = clock.monotonic() + LONGEST_MS;
  const accepts = (entry: Item) =>
    (entry.type ?? UNREADABLE) === type && (provider === undefined || entry.provider === provider);
  let dismissed = 0;
  let position = from;
  do {
    const before = position === undefined ? {} : { before: position };
    const slice = await newestFirst(store, partitionOf(workspace, { quarantined: true }), {
      limit: PAGE,
      accepts,
      ...before,
    });
    for (let start = 0; start < slice.entries.length; start += AT_ONCE) {
      const some = slice.entries.slice(start, start + AT_ONCE);
      const results = await Promise.all(some.map(({ pk }) => dismissEvent(ports, workspace, eventIdIn({ pk }))));
      dismissed += results.filter((result) => result === 'dismissed').length;
    }
    position = slice.position;
  } while (position !== undefined && clock.monotonic() < deadline);
  log.info('quarantined events were dismissed', { workspace, dismissed, complete: position === undefined });
  return { dismissed, ...(position !== undefined && { cursor: encodeCursor(position) }) };
}
