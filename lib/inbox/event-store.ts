import type { Event } from '#lib/domain/event.ts';
import { conflictId } from '#lib/domain/identity.ts';
import type { Clock } from '#lib/domain/ports.ts';
import { absentOrExpired, del, equal, type Item, type Key, put, type Store } from '#lib/store/store.ts';
import { blobOf, chunkKey, type EventRecord, eventItems } from './event-item.ts';
import { placed, placedInTime } from './feed-row.ts';

/** The chunk items that an event's head item refers to. */
function chunksOf(head: Item): Key[] {
  return [head.event, head.raw, head.thumbnails].flatMap((attribute) => {
    const blob = blobOf(attribute);
    if (blob?.kind !== 'chunks') return [];
    return Array.from({ length: blob.count }, (_, i) => ({ pk: head.pk, sk: chunkKey(blob.prefix, i) }));
  });
}

/**
 * Removes the chunks of `loser` to which `winner` does not refer: the same body has the same chunks. There may be no
 * winner: the event was deleted, and whoever did that must find no part of it back.
 */
export async function dropUnused(store: Store, loser: Item, winner: Item | undefined): Promise<void> {
  const kept = new Set(winner && chunksOf(winner).map(({ sk }) => sk));
  const unused = chunksOf(loser).filter(({ sk }) => !kept.has(sk));
  if (unused.length > 0) await store.writeMany(unused.map((key) => del(key)));
}

export interface Stored {
  readonly status: 'stored' | 'duplicate';
  /** What was stored, or what had been stored before. */
  readonly id: string;
}

interface EventPorts {
  readonly store: Store;
  readonly clock: Clock;
}

/**
 * Stores an event exactly once, however often and however concurrently it is delivered. Two writes in the ordinary case,
 * its row in the feed and itself: the refusal of a second put brings along what it met.
 *
 *   same identity, same content ─▶ duplicate
 *   same identity, other content ─▶ an event of its own, `conflict: true`
 *   a placeholder, then the real content ─▶ the real one takes its place
 */
export async function storeEvent(ports: EventPorts, record: EventRecord, nowSeconds: number): Promise<Stored> {
  const first = await putOnce(ports, record, nowSeconds);
  if (first !== 'conflict') return first;
  return putConflicting(ports, record, nowSeconds);
}

async function putConflicting(ports: EventPorts, record: EventRecord, nowSeconds: number): Promise<Stored> {
  const event: Event = { ...record.event, id: conflictId(record.event.id, record.contentHash), conflict: true };
  const second = await putOnce(ports, { ...record, event, placeholder: false }, nowSeconds);
  if (second === 'conflict') throw new Error(`event ${event.id} holds content that its id excludes`);
  return second;
}

// Two placeholders that race with two real messages settle in this many rounds at most.
const ROUNDS = 4;

async function putOnce(
  { store, clock }: EventPorts,
  record: EventRecord,
  nowSeconds: number,
): Promise<Stored | 'conflict'> {
  const { head: item, chunks } = eventItems(record);
  const id = record.event.id;
  if (chunks.length > 0) await store.writeMany(chunks);
  let condition = absentOrExpired(nowSeconds);
  let replaced: Item | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const head = await placed(store, clock, item);
    const written = await store.write(put(head, condition));
    if (written.done) {
      await placedInTime(store, clock, head);
      if (replaced) await dropUnused(store, replaced, head);
      return { status: 'stored', id };
    }
    // Gone between the write and its refusal: there is room now.
    if (!written.item) continue;
    const verdict = judge(record, written.item);
    if (verdict === 'ours') {
      await placedInTime(store, clock, written.item);
      return { status: 'stored', id };
    }
    if (verdict !== 'replaceable') {
      await dropUnused(store, head, written.item);
      return verdict === 'same' ? { status: 'duplicate', id } : 'conflict';
    }
    replaced = written.item;
    condition = equal('contentHash', replaced.contentHash ?? null);
  }
  throw new Error(`event ${id} changed ${ROUNDS} times while it was written`);
}

function judge(record: EventRecord, met: Item): 'ours' | 'same' | 'replaceable' | 'other' {
  // The store may repeat a write whose first answer was lost.
  if (met.receipt === record.receipt) return 'ours';
  // A placeholder says nothing that the message, which is there, does not say better.
  if (met.contentHash === record.contentHash || record.placeholder) return 'same';
  return met.placeholder === true ? 'replaceable' : 'other';
}
