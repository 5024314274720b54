import type { Item, Query, Store, ValueMap } from './store.ts';

/** Every item of a query; `limit` is the size of a page. */
export async function queryAll(store: Store, query: Query): Promise<Item[]> {
  const items: Item[] = [];
  let start: ValueMap | undefined;
  do {
    const page = await store.query(start ? { ...query, start } : query);
    items.push(...page.items);
    start = page.next;
  } while (start);
  return items;
}
