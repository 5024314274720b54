import { del, type Item, type Key, type Store } from '../store.ts';
import { blobOf, chunkKey } from './blob.ts';

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
