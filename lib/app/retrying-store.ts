import type { Clock, Random } from './ports.ts';
import { type Store, StoreUnavailable } from './store.ts';

const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 500;

/**
 * Repeats what the table did not take, or may have taken without our hearing of it, until `deadline` (of
 * `clock.monotonic`). A transaction keeps its token, so that doing it twice is doing it once. A single conditional
 * write that was done and whose answer was lost is refused on its repeat: whoever makes one looks at the item that
 * comes with the refusal for its own mark.
 */
export function retrying(store: Store, clock: Clock, random: Random, deadline: number): Store {
  const persistently = <Result>(attempt: () => Promise<Result>) => persist(attempt, clock, random, deadline);
  return {
    get: (key, options) => persistently(() => store.get(key, options)),
    getMany: (keys, options) => persistently(() => store.getMany(keys, options)),
    query: (query) => persistently(() => store.query(query)),
    write: (write, options) => persistently(() => store.write(write, options)),
    transact: (writes, token) => persistently(() => store.transact(writes, token)),
    writeMany: (writes) => persistently(() => store.writeMany(writes)),
  };
}

async function persist<Result>(attempt: () => Promise<Result>, clock: Clock, random: Random, deadline: number) {
  for (let ceiling = FIRST_WAIT_MS; ; ceiling = Math.min(LONGEST_WAIT_MS, ceiling * 2)) {
    try {
      return await attempt();
    } catch (error) {
      const wait = ceiling * random.next();
      const isWorthIt = error instanceof StoreUnavailable && error.reason !== 'refused';
      if (!isWorthIt || clock.monotonic() + wait >= deadline) throw error;
      await clock.sleep(wait);
    }
  }
}
