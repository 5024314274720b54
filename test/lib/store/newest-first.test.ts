import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toIso } from '#lib/domain/time.ts';
import { newestFirst } from '#lib/store/query.ts';
import { type Item, put } from '#lib/store/store.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { NOW } from '#test/support/receiving.ts';

const PARTITIONS = ['s0', 's1', 's2', 's3'];
const partition = { index: 'gsi1', partitions: PARTITIONS } as const;

const ONE = { shard: 0, wanted: true };

interface Entry {
  readonly shard: number;
  readonly at: number;
  readonly wanted: boolean;
}

async function tableOf(entries: readonly Entry[]) {
  const store = new MemoryStore();
  const items = entries.map(
    ({ shard, at, wanted }, i): Item => ({
      pk: `EVT#${i}`,
      sk: 'META',
      gsi1pk: PARTITIONS[shard] ?? '',
      gsi1sk: `${toIso(NOW + at)}#evt_${String(i).padStart(5, '0')}`,
      wanted,
    }),
  );
  await store.writeMany(items.map((item) => put(item)));
  return { store, items };
}

const keysOf = (items: readonly Item[]): string[] => items.map(({ gsi1sk }) => String(gsi1sk));
const sorted = (items: readonly Item[]): string[] => keysOf(items).sort().reverse();

/** All pages, from cursor to cursor. */
async function pages(store: MemoryStore, limit: number, accepts?: (entry: Item) => boolean) {
  const found: string[][] = [];
  let before: string | undefined;
  do {
    const wanted = { limit, ...(before !== undefined && { before }), ...(accepts && { accepts }) };
    const { entries, position } = await newestFirst(store, partition, wanted);
    found.push(keysOf(entries));
    before = position;
  } while (before !== undefined && found.length < 500);
  return found;
}

// Most in one shard: it is then read on again and again while the others are done.
const shard = fc.oneof(fc.constant(0), fc.nat(PARTITIONS.length - 1));
const entries = fc.array(fc.record({ shard, at: fc.nat(400), wanted: fc.boolean() }), { maxLength: 80 });

describe('a list over several partitions', () => {
  it('shows everything once, the newest first, whatever its page', async () => {
    await fc.assert(
      fc.asyncProperty(entries, fc.integer({ min: 1, max: 12 }), fc.boolean(), async (made, limit, isFiltered) => {
        const { store, items } = await tableOf(made);
        const accepts = isFiltered ? (entry: Item) => entry.wanted === true : undefined;
        const found = await pages(store, limit, accepts);
        expect(found.flat()).toEqual(sorted(accepts ? items.filter(accepts) : items));
        for (const page of found.slice(0, -1)) expect(page).toHaveLength(limit);
      }),
      { numRuns: 300 },
    );
  });

  it('reads on the one shard that holds the newest, down to the cut and no further', async () => {
    const newest = Array.from({ length: 60 }, (_, i) => ({ shard: 0, at: 1_000 - i, wanted: true }));
    const old = [1, 2, 3].flatMap((n) => Array.from({ length: 60 }, (_, i) => ({ shard: n, at: -i, wanted: true })));
    const { store, items } = await tableOf([...newest, ...old]);
    const query = store.query.bind(store);
    const reads: string[] = [];
    store.query = async (wanted) => {
      reads.push(wanted.pk);
      return query(wanted);
    };
    const { entries: found } = await newestFirst(store, partition, { limit: 50 });
    expect(keysOf(found)).toEqual(sorted(items).slice(0, 50));
    expect(reads.filter((pk) => pk !== 's0')).toEqual(['s1', 's2', 's3']);
  });

  it('goes on at the end of a page that was filled by what one shard was asked for', async () => {
    for (let limit = 1; limit <= 12; limit++) {
      const { store, items } = await tableOf(Array.from({ length: 2 * limit + 1 }, (_, at) => ({ ...ONE, at })));
      expect((await pages(store, limit)).flat()).toEqual(sorted(items));
    }
  });

  it.each([
    ['after some were found', [1_400, 2_800, 4_200]],
    ['before one was found', [4_200]],
  ])('skips none where a filter that fits little ends a call %s', async (_, fitting) => {
    const many = Array.from({ length: 4_500 }, (_, i) => ({ shard: 0, at: -i, wanted: fitting.includes(i) }));
    const few = [3_900, 4_100, 5_000].map((at, n) => ({ shard: n + 1, at: -at, wanted: true }));
    const { store, items } = await tableOf([...many, ...few]);
    const accepts = (entry: Item) => entry.wanted === true;
    const found = await pages(store, 10, accepts);
    expect(found.length).toBeGreaterThan(1);
    expect(found.flat()).toEqual(sorted(items.filter(accepts)));
  });
});
