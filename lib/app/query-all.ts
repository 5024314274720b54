import type { Item, Query, Store, ValueMap } from './store.ts';

/** Every item of a query; `limit` is the size of a page. */
export async function queryAll(store: Store, query: Query): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of pagesOf(store, query)) items.push(...page);
  return items;
}

/** The same one page at a time, for what need not fit in memory. */
export async function* pagesOf(store: Store, query: Query): AsyncGenerator<readonly Item[]> {
  let start: ValueMap | undefined;
  do {
    const page = await store.query(start ? { ...query, start } : query);
    yield page.items;
    start = page.next;
  } while (start);
}
