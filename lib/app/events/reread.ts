import { conflictId } from '#lib/domain/identity.ts';
import { canonicalJson } from '#lib/domain/json.ts';
import { dropUnused } from '../receiving/chunks.ts';
import { type EventRecord, eventItems } from '../receiving/event-item.ts';
import type { Reading } from '../receiving/provider.ts';
import { type Receipt, recordsOf } from '../receiving/records.ts';
import { type SettlePorts, settle } from '../receiving/settle.ts';
import { all, equal, type Item, put } from '../store.ts';
import type { Replayed } from './replayed.ts';

/**
 * An event that was understood before, as this release reads it: updated in place, under the id that others may hold.
 * It is never stored beside itself, however much the reading has changed.
 */
export async function reread(
  ports: SettlePorts,
  head: Item,
  before: EventRecord,
  reading: Reading,
  receipt: Receipt,
): Promise<Replayed> {
  const { store } = ports;
  const { id } = before.event;
  if ('issues' in reading) return { id, result: 'unreadable', issues: [...reading.issues] };
  const after = counterpart(before, recordsOf(reading, receipt));
  if (!after || isSame(before, after)) return { id, result: 'unchanged' };
  const { head: item, chunks } = eventItems(after);
  if (chunks.length > 0) await store.writeMany(chunks);
  const asRead = all(equal('receipt', before.receipt), equal('contentHash', before.contentHash));
  const written = await store.write(put(item, asRead));
  // A write that is repeated because its answer was lost meets itself.
  if (!written.done && written.item?.receipt !== after.receipt) {
    await dropUnused(store, item, written.item);
    return { id, result: 'changed' };
  }
  await dropUnused(store, head, item);
  await settle(ports, after, receipt, { status: 'stored', id });
  return { id, result: 'updated' };
}

/** What the event is now: of a body that holds several, the one of the same identity. */
function counterpart(before: EventRecord, records: readonly EventRecord[]): EventRecord | undefined {
  const { id, conflict } = before.event;
  const same = records.find(({ event }) => event.id === id || conflictId(event.id, before.contentHash) === id);
  const only = records.length === 1 ? records[0] : undefined;
  const match = same ?? only;
  if (!match) return undefined;
  return { ...match, event: { ...match.event, id, ...(conflict !== undefined && { conflict }) } };
}

function isSame(before: EventRecord, after: EventRecord): boolean {
  return (
    before.contentHash === after.contentHash &&
    before.placeholder === after.placeholder &&
    before.stateKey === after.stateKey &&
    canonicalJson(before.event) === canonicalJson(after.event)
  );
}
