import { describe, expect, it, vi } from 'vitest';
import { byDay, type Count, hoursBetween, raise, sumOf } from '#lib/activity/counters.ts';
import { changesKey, counterKey } from '#lib/store/keys.ts';
import type { Store } from '#lib/store/store.ts';
import { emulatedStore } from '#test/support/emulated-store.ts';
import { MemoryStore } from '#test/support/memory-store.ts';

const HOUR = 3_600_000;
const TEN = Date.parse('2026-03-01T10:00:00Z');

/** Numbers as DynamoDB gives them, of different lengths; `n` is counted `n` minutes after ten. */
const count = (n: number, more: Partial<Count> = {}): Count => ({
  ...{ workspace: 'main', provider: 'sandbox', what: 'received', at: TEN + n * 60_000 },
  sequence: `${n}${'0'.repeat(24)}`,
  ...more,
});
const counts = (...ns: number[]) => ns.map((n) => count(n));

const stores: [string, () => Promise<Store>][] = [
  ['in memory', async () => new MemoryStore()],
  ['in DynamoDB', emulatedStore],
];

const raiseAll = async (store: Store, shard: string, all: readonly Count[]) => {
  for (const [workspace, those] of Map.groupBy(all, (one) => one.workspace))
    await raise(store, shard, { workspace, counts: those, kinds: [] }, TEN);
};

describe.each(stores)('counters %s', (_name, open) => {
  const received = async (store: Store, workspace = 'main') =>
    (await hoursBetween(store, workspace, TEN, TEN + 2 * HOUR)).map((hour) => hour.received);

  it('count a batch once, however often it comes, whole or in pieces', async () => {
    const store = await open();
    await raiseAll(store, 'a', counts(1, 2, 3, 4, 5));
    await raiseAll(store, 'a', counts(1, 2, 3, 4, 5));
    await raiseAll(store, 'a', counts(3, 4, 5));
    await raiseAll(store, 'a', counts(1, 2));
    await raiseAll(store, 'a', counts(4, 5, 9, 10));
    await raiseAll(store, 'a', counts(1, 2, 3, 4, 5));
    expect(await received(store)).toEqual([7, 0]);
  });

  it('take an old batch after a newer one for what it is', async () => {
    const store = await open();
    await raiseAll(store, 'a', counts(1, 2));
    await raiseAll(store, 'a', counts(3, 4));
    await raiseAll(store, 'a', counts(1, 2));
    await raiseAll(store, 'a', counts(2, 3, 4, 5));
    expect(await received(store)).toEqual([5, 0]);
  });

  it('let each shard have numbers of its own', async () => {
    const store = await open();
    await Promise.all([
      raiseAll(store, 'a', counts(5, 6, 7)),
      raiseAll(store, 'b', counts(1, 2)),
      raiseAll(store, 'c', counts(6)),
    ]);
    await Promise.all([raiseAll(store, 'b', counts(1, 2, 3)), raiseAll(store, 'a', counts(5, 6, 7))]);
    expect(await received(store)).toEqual([7, 0]);
  });

  it('put each into its hour, its workspace and its provider', async () => {
    const store = await open();
    await raiseAll(store, 'a', [
      count(58),
      count(59, { what: 'sent', provider: 'zender' }),
      count(60),
      count(61, { workspace: 'ws_1' }),
      count(62, { what: 'failed', provider: 'zender' }),
    ]);
    expect(await received(store, 'ws_1')).toEqual([0, 1]);
    const hours = await hoursBetween(store, 'main', TEN, TEN + HOUR + 1);
    expect(hours).toEqual([
      {
        ...{ at: '2026-03-01T10:00:00.000Z', received: 1, sent: 1, failed: 0 },
        providers: {
          sandbox: { received: 1, sent: 0, failed: 0 },
          zender: { received: 0, sent: 1, failed: 0 },
        },
      },
      {
        ...{ at: '2026-03-01T11:00:00.000Z', received: 1, sent: 0, failed: 1 },
        providers: {
          sandbox: { received: 1, sent: 0, failed: 0 },
          zender: { received: 0, sent: 0, failed: 1 },
        },
      },
    ]);
  });
});

it('that there was anything at all is told though the one who counted it died before', async () => {
  const memory = new MemoryStore();
  const write = memory.write.bind(memory);
  const dying = vi.spyOn(memory, 'write').mockImplementation(async (one, options) => {
    if ('key' in one && one.key.sk === 'CHANGES') throw new Error('dies');
    return write(one, options);
  });
  const batch = { workspace: 'main', counts: counts(1), kinds: ['events', 'sends'] as const };
  await expect(raise(memory, 'a', batch, TEN)).rejects.toThrow('dies');
  dying.mockRestore();
  for (let times = 0; times < 2; times++) await raise(memory, 'a', batch, TEN);
  expect(memory.peek(changesKey('main'))).toMatchObject({ events: 1, sends: 1 });
});

it('counters go after 400 days', async () => {
  const store = new MemoryStore();
  await raiseAll(store, 'a', counts(1));
  expect(store.peek(counterKey('main', '2026-03-01T10:00:00.000Z'))?.expiresAt).toBe(TEN / 1000 + 400 * 86_400);
});

it('hours add up to days of UTC', async () => {
  const store = new MemoryStore();
  await raiseAll(store, 'a', [count(1), count(2, { provider: 'zender' }), count(14 * 60), count(15 * 60)]);
  const days = byDay(await hoursBetween(store, 'main', TEN, TEN + 24 * HOUR));
  expect(days.map(({ at, received }) => [at.slice(0, 10), received])).toEqual([
    ['2026-03-01', 2],
    ['2026-03-02', 2],
  ]);
  expect(sumOf(Object.values(days[0]?.providers ?? {}))).toEqual({ received: 2, sent: 0, failed: 0 });
});
