import type { Clock, Random } from '#lib/domain/ports.ts';
import { type Check, type Store, StoreUnavailable, type Write } from './store.ts';

const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 500;

/**
 * What has a place in the feed (lib/inbox/event-store.ts) is stored within this time of it, or under another: its repeats
 * begin within `REPEATS_MS`, the last of them takes 1.2 s at most, and a second may have passed before the first.
 */
export const COMMIT_MS = 5_000;
const REPEATS_MS = 2_500;

const hasPlace = (write: Write | Check) => write.kind === 'put' && write.item.storedAt !== undefined;

/**
 * Repeats what the table did not take, or may have taken without our hearing of it, until `deadline` (of
 * `clock.monotonic`). A transaction keeps its token, so that doing it twice is doing it once. A single conditional
 * write that was done and whose answer was lost is refused on its repeat: whoever makes one looks at the item that
 */
export function retrying(store: Store, clock: Clock, random: Random, deadline: number): Store {
  const isWorthIt = (error: unknown) => error instanceof StoreUnavailable && error.reason !== 'refused';
  const persistently = <Result>(attempt: () => Promise<Result>, until = deadline) =>
    persist(attempt, isWorthIt, clock, random, until);
  const until =
    (...writes: readonly (Write | Check)[]) =>
    <Result>(attempt: () => Promise<Result>) =>
      persistently(attempt, writes.some(hasPlace) ? Math.min(deadline, clock.monotonic() + REPEATS_MS) : deadline);
  return {
    get: (key, options) => persistently(() => store.get(key, options)),
    getMany: (keys, options) => persistently(() => store.getMany(keys, options)),
    query: (query) => persistently(() => store.query(query)),
    write: (write, options) => until(write)(() => store.write(write, options)),
    transact: (writes, token) => until(...writes)(() => store.transact(writes, token)),
    writeMany: (writes) => persistently(() => store.writeMany(writes)),
  };
}

/** Attempts once at least, and begins no attempt after `deadline`, with waits of random length in between. */
export async function persist<Result>(
  attempt: () => Promise<Result>,
  isWorthIt: (error: unknown) => boolean,
  clock: Clock,
  random: Random,
  deadline: number,
): Promise<Result> {
  for (let ceiling = FIRST_WAIT_MS; ; ceiling = Math.min(LONGEST_WAIT_MS, ceiling * 2)) {
    try {
      return await attempt();
    } catch (error) {
      const wait = ceiling * random.next();
      if (!isWorthIt(error) || clock.monotonic() + wait >= deadline) throw error;
      await clock.sleep(wait);
    }
  }
}

/** The answer of an attempt whose write was refused, since somebody changed what it had read. */
export const AGAIN: unique symbol = Symbol('again');

const ROUNDS = 5;

/**
 * The one loop for what is read, decided and written on the condition that it is as it was read: each round reads anew.
 * `what`, for the log, is what others change so often that no round comes through.
 */
export async function retryOnConflict<Result>(
  what: string,
  attempt: (round: number) => Promise<Result | typeof AGAIN>,
  rounds = ROUNDS,
): Promise<Result> {
  for (let round = 0; round < rounds; round++) {
    const result = await attempt(round);
    if (result !== AGAIN) return result;
  }
  throw new StoreUnavailable('conflict', { cause: new Error(`${what} changed in ${rounds} rounds of a write`) });
}

export interface StorePorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

/** The same ports, with a store that tries for as long as a request may wait. */
export function withRetries<Ports extends StorePorts>(
  ports: Ports,
  { requestMs }: { readonly requestMs: number },
): Ports {
  const { store, clock, random } = ports;
  return { ...ports, store: retrying(store, clock, random, clock.monotonic() + requestMs) };
}
