import type { Item, Key, Store } from './store.ts';

const MOST_KEYS = 100;

/** The items of any number of keys, in the order of the keys; what does not exist is left out. */
export async function getAll(
  store: Store,
  keys: readonly Key[],
  options?: { readonly consistent?: boolean },
): Promise<readonly Item[]> {
  const found = new Map<string, Item>();
  for (let start = 0; start < keys.length; start += MOST_KEYS) {
    const items = await store.getMany(keys.slice(start, start + MOST_KEYS), options);
    for (const item of items) found.set(nameOf(item), item);
  }
  return keys.flatMap((key) => found.get(nameOf(key)) ?? []);
}

const nameOf = ({ pk, sk }: Key) => JSON.stringify([pk, sk]);
