import { SHARDS } from '#lib/domain/ids.ts';
import type { Store } from '../store.ts';
import { type Due, dueListKey, dueSortKey } from './keys.ts';

/** As many as one run can well see to; what is over waits for the next, a minute later. */
const AT_ONCE = 200;

export interface DueItem {
  readonly pk: string;
  readonly sk: string;
}

/** What is due by `until`, the most overdue first within each shard. */
export async function listDue(store: Store, what: Due, until: number): Promise<DueItem[]> {
  const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
  const pages = await Promise.all(
    shards.map((shard) =>
      store.query({ index: 'gsi3', pk: dueListKey(what, shard), before: dueSortKey(until + 1), limit: AT_ONCE }),
    ),
  );
  return pages.flatMap((page) => page.items.map(({ pk, sk }) => ({ pk, sk })));
}
