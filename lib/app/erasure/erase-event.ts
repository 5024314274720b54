import { queryAll } from '../query-all.ts';
import { absent, all, del, exists, type Item, type Key, set, update } from '../store.ts';
import { emptySend } from './empty-send.ts';
import type { Erasing } from './erasing.ts';

/**
 * Deletes an event with its chunks. They lie under its key, so the head goes last; from the first step on it counts as
 * run out, and no reader meets a head whose chunks are gone.
 */
export async function eraseEvent(erasing: Erasing, head: Item, isTheirs: boolean): Promise<void> {
  const { store, counts, nowSeconds } = erasing;
  if (typeof head.stateKey === 'string') await eraseDelivery(erasing, { pk: head.stateKey, sk: 'META' }, isTheirs);
  const items = await queryAll(store, { pk: head.pk, limit: 100, consistent: true });
  const chunks = items.filter(({ sk }) => sk !== head.sk);
  if (chunks.length > 0) {
    await store.write(update({ pk: head.pk, sk: head.sk }, [set('expiresAt', nowSeconds)], exists()));
    await store.writeMany(chunks.map(({ pk, sk }) => del({ pk, sk })));
  }
  // The head may be of a page that was read before its chat was swept.
  const { done } = await store.write(del({ pk: head.pk, sk: head.sk }, exists()));
  if (done) counts.events += 1;
}

/**
 * How far a message got. A send that is the person's is emptied with it; where sending still uses the state, it stays:
 * it holds times.
 */
async function eraseDelivery(erasing: Erasing, key: Key, isTheirs: boolean): Promise<void> {
  const { store, counts, mentions } = erasing;
  const state = await store.get(key, { consistent: true });
  if (!state) return;
  if (isTheirs && typeof state.send === 'string') await emptySend(erasing, state.send);
  const { done } = await store.write(
    mentions(JSON.stringify(state)) ? del(key, exists()) : del(key, all(exists(), absent('send'))),
  );
  if (done) counts.deliveries += 1;
}
