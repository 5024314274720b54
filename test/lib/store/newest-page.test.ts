import { describe, expect, it } from 'vitest';
import { beginningWith, decodeCursor, newestPage, pageOf } from '#lib/store/query.ts';
import { put, type Query, type Store } from '#lib/store/store.ts';
import { MemoryStore } from '#test/support/memory-store.ts';

const RANGE = beginningWith('P', 'R#');

async function holding(...names: string[]): Promise<Store> {
  const store = new MemoryStore();
  for (const name of names) await store.write(put({ pk: 'P', sk: name }));
  return store;
}

/** Every page, by the cursors that callers are given. */
async function walk(store: Store, limit: number): Promise<string[][]> {
  const pages: string[][] = [];
  let from: string | undefined;
  do {
    const { entries, position } = await newestPage(store, RANGE, { limit, ...(from !== undefined && { from }) });
    pages.push(entries.map(({ sk }) => sk));
    const { cursor } = pageOf('runs', entries, position);
    from = cursor === undefined ? undefined : decodeCursor('runs', cursor);
  } while (from !== undefined);
  return pages;
}

describe('a page of a partition', () => {
  it('holds the newest first, and nothing of another kind', async () => {
    const store = await holding('Q#9', 'R#1', 'R#2', 'R#3', 'S#1');
    expect(await walk(store, 2)).toEqual([['R#3', 'R#2'], ['R#1']]);
    expect(await walk(store, 3)).toEqual([['R#3', 'R#2', 'R#1']]);
    expect(await walk(await holding('Q#9'), 3)).toEqual([[]]);
  });

  it('begins where it began, for a place that is none of this list', async () => {
    const store = await holding('R#1', 'R#2');
    const { entries } = await newestPage(store, RANGE, { limit: 5, from: 'ZZZ' });
    expect(entries.map(({ sk }) => sk)).toEqual(['R#2', 'R#1']);
  });

  it('goes on where a query answered less than it was asked for, as DynamoDB does after 1 MB', async () => {
    const store = await holding('R#1', 'R#2', 'R#3');
    const query = async (asked: Query) => store.query({ ...asked, limit: Math.min(asked.limit, 1) });
    const pages = await walk(Object.assign(Object.create(store), { query }), 2);
    expect(pages.flat()).toEqual(['R#3', 'R#2', 'R#1']);
  });
});
