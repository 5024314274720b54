import { del, type Key, put, type Store } from '../store.ts';

const KEPT_SECONDS = 14 * 24 * 3600;

/**
 * Waits for all pieces of a parcel: answers the data of each, in order, once the last is there, and nothing before.
 * Pieces may come in any order, twice, and to several workers at once.
 */
export async function collectChunks(
  store: Store,
  chunk: { readonly parcel: string; readonly index: number; readonly count: number; readonly data: string },
  nowSeconds: number,
): Promise<readonly string[] | undefined> {
  if (chunk.count === 1) return [chunk.data];
  const expiresAt = nowSeconds + KEPT_SECONDS;
  await store.write(put({ ...chunkKey(chunk.parcel, chunk.index), data: chunk.data, expiresAt }));
  const keys = Array.from({ length: chunk.count }, (_, index) => chunkKey(chunk.parcel, index));
  const found = new Map((await store.getMany(keys, { consistent: true })).map((item) => [item.sk, String(item.data)]));
  const data = keys.flatMap(({ sk }) => found.get(sk) ?? []);
  return data.length === chunk.count ? data : undefined;
}

/** Call when the parcel is stored. */
export async function forgetChunks(store: Store, parcel: string, count: number): Promise<void> {
  if (count === 1) return;
  await store.writeMany(Array.from({ length: count }, (_, index) => del(chunkKey(parcel, index))));
}

function chunkKey(parcel: string, index: number): Key {
  return { pk: `FALLBACK#${parcel}`, sk: String(index).padStart(2, '0') };
}
