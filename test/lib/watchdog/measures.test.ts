import { expect, test } from 'vitest';
import { dueListKey, dueSortKey } from '#lib/store/keys.ts';
import { put } from '#lib/store/store.ts';
import { measure } from '#lib/watchdog/watchdog.ts';
import { MemoryStore } from '#test/support/memory-store.ts';

const NOW = 1_800_000_000_000;

async function measuresWith(due: readonly [what: 'account' | 'probe' | 'unknown', shard: number, at: number][]) {
  const store = new MemoryStore();
  for (const [what, shard, at] of due) {
    const id = `${what}-${shard}-${at}`;
    await store.write(put({ pk: id, sk: 'META', gsi3pk: dueListKey(what, shard), gsi3sk: dueSortKey(at, id) }));
  }
  const measured = new Map<string, number>();
  const metrics = { count: (name: string, _fields = {}, value = 1) => void measured.set(name, value) };
  const clock = { now: () => NOW, monotonic: () => NOW, sleep: async () => undefined };
  await measure({ store, clock, metrics });
  return Object.fromEntries(measured);
}

test('measures nothing wrong as zeros, so that an alarm can end', async () => {
  expect(await measuresWith([])).toEqual({ HeldAccounts: 0, UnknownSends: 0, OldestOverdue: 0 });
});

test('counts held accounts and unknown sends over all shards, whenever they are due', async () => {
  const measured = await measuresWith([
    ['probe', 0, NOW + 60_000],
    ['probe', 7, NOW - 60_000],
    ['unknown', 3, NOW + 3_600_000],
  ]);
  expect(measured).toMatchObject({ HeldAccounts: 2, UnknownSends: 1 });
});

test('tells by how many seconds the most overdue account is late', async () => {
  const measured = await measuresWith([
    ['account', 1, NOW - 5_000],
    ['account', 1, NOW - 90_000],
    ['account', 2, NOW + 2_000],
  ]);
  expect(measured.OldestOverdue).toBe(90);
});

test('is not led astray by a time that nobody can read', async () => {
  const measured = await measuresWith([
    ['account', 1, NOW - 5_000],
    ['account', 2, Number.NaN],
  ]);
  expect(measured.OldestOverdue).toBe(5);
});
