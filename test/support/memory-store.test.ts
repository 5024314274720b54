import { expect, test } from 'vitest';
import { add, put, set, update } from '#lib/store/store.ts';
import { describeStore } from '#test/contract/store-contract.ts';
import { MemoryStore } from './memory-store.ts';

describeStore('the memory store', () => new MemoryStore());

const key = { pk: 'A', sk: 'META' };

test('a token is forgotten after ten minutes', async () => {
  let now = 0;
  const store = new MemoryStore({ now: () => now });
  await store.transact([update(key, [add('n', 1)])], 'token');
  now = 600_001;
  await store.transact([update(key, [add('n', 1)])], 'token');
  expect(store.peek(key)?.n).toBe(2);
});

test('a token is refused for another transaction', async () => {
  const store = new MemoryStore();
  await store.transact([update(key, [add('n', 1)])], 'token');
  await expect(store.transact([update(key, [add('n', 2)])], 'token')).rejects.toThrow('two transactions');
});

test('a read that is not consistent may show an item as it was, a consistent one never', async () => {
  const store = new MemoryStore({ isStale: () => true });
  await store.write(put({ ...key, n: 1 }));
  await store.write(update(key, [set('n', 2)]));
  expect((await store.get(key))?.n).toBe(1);
  expect((await store.get(key, { consistent: true }))?.n).toBe(2);
});

test.each([
  ['a key', [set('sk', 'x')]],
  ['two overlapping places', [set('a', {}), set(['a', 'b'], 1)]],
  ['a place in a map that does not exist', [set(['missing', 'b'], 1)]],
])('a change to %s is refused', async (_, changes) => {
  const store = new MemoryStore();
  await store.write(put({ ...key, n: 1 }));
  await expect(store.write(update(key, changes))).rejects.toThrow();
});
