import { expect, test } from 'vitest';
import { retrying } from '#lib/store/retry.ts';
import { add, put, type Store, StoreUnavailable, update } from '#lib/store/store.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { Seeded } from '#test/support/simulation/seeded.ts';

const key = { pk: 'A', sk: 'META' };
const writes = [update(key, [add('n', 1)])];

/** A store that does what it is told and loses its answer, so many times. */
function losing(store: MemoryStore, times: number, fault: () => Error = () => new StoreUnavailable('unreachable')) {
  let left = times;
  const tokens: (string | undefined)[] = [];
  const lossy: Store = {
    get: (...call) => store.get(...call),
    getMany: (...call) => store.getMany(...call),
    query: (...call) => store.query(...call),
    write: (...call) => store.write(...call),
    writeMany: (...call) => store.writeMany(...call),
    transact: async (plan, token) => {
      tokens.push(token);
      const transacted = await store.transact(plan, token);
      if (left === 0) return transacted;
      left -= 1;
      throw fault();
    },
  };
  return { lossy, tokens };
}

function clockAt() {
  let now = 0;
  const sleep = async (ms: number) => {
    now += ms;
  };
  return { now: () => now, monotonic: () => now, sleep };
}

test('a transaction whose answer was lost is repeated with its token, and done once', async () => {
  const store = new MemoryStore();
  const { lossy, tokens } = losing(store, 3);
  const retried = retrying(lossy, clockAt(), new Seeded(1), 5_000);
  expect(await retried.transact(writes, 'token')).toEqual({ done: true });
  expect(tokens).toEqual(Array.from({ length: 4 }, () => 'token'));
  expect(store.peek(key)?.n).toBe(1);
});

test('the last failure is thrown when the time is over', async () => {
  const clock = clockAt();
  const retried = retrying(losing(new MemoryStore(), 1_000).lossy, clock, new Seeded(1), 5_000);
  await expect(retried.transact(writes, 'token')).rejects.toThrow(StoreUnavailable);
  expect(clock.monotonic()).toBeGreaterThan(4_000);
  expect(clock.monotonic()).toBeLessThan(5_000);
});

test.each([
  ['a fault of ours', () => new TypeError('not a plan')],
  ['what the table will not do for us', () => new StoreUnavailable('refused')],
])('%s is not repeated', async (_, fault) => {
  const { lossy, tokens } = losing(new MemoryStore(), 1, fault);
  await expect(retrying(lossy, clockAt(), new Seeded(1), 5_000).transact(writes, 'token')).rejects.toThrow();
  expect(tokens).toHaveLength(1);
});

test('what has a place in the feed is not repeated for longer than its place holds', async () => {
  const clock = clockAt();
  const retried = retrying(losing(new MemoryStore(), 1_000).lossy, clock, new Seeded(1), 60_000);
  const placed = put({ ...key, storedAt: '2026-03-01T12:00:00.000Z' });
  await expect(retried.transact([placed], 'token')).rejects.toThrow(StoreUnavailable);
  expect(clock.monotonic()).toBeGreaterThan(1_500);
  expect(clock.monotonic()).toBeLessThan(2_500);
});
