import {
  type Check,
  type Delete,
  type Item,
  type Put,
  type Query,
  type Store,
  StoreUnavailable,
  type Update,
} from '#lib/store/store.ts';
import type { MemoryStore } from '../memory-store.ts';
import { keyOf } from '../memory-store.ts';
import type { Process, Scheduler } from './scheduler.ts';
import type { Seeded } from './seeded.ts';

export type Write = Put | Update | Delete | Check;

/** How often, of all calls, something goes wrong. */
export interface StoreFaults {
  readonly conflict: number;
  readonly throttled: number;
  readonly unreachable: number;
  /** Done, and nobody hears of it. */
  readonly answerLost: number;
}

/** One guard taken out of the protocol, to see that a test notices. */
export interface Mutant {
  readonly writes?: (writes: readonly Write[]) => readonly Write[];
  readonly read?: (item: Item) => Item;
  /** True: reads that should be consistent are not. */
  readonly inconsistent?: (call: { readonly pk: string; readonly by: string }) => boolean;
  /** False: an item that a kind of process overlooks. */
  readonly sees?: (item: Item, by: string) => boolean;
  readonly deadline?: (deadline: number, monotonicNow: number) => number;
}

/** The table as one process sees it: over a network that may fail before or after the effect. */
export function faultyStore(
  store: MemoryStore,
  process: Process,
  scheduler: Scheduler,
  seeded: Seeded,
  faults: () => StoreFaults,
  mutant: Mutant,
  onTouch: (process: Process, pk: string) => void,
): Store {
  async function over<Result>(call: string, keys: readonly string[], detail: unknown, effect: () => Promise<Result>) {
    await scheduler.pass(process, { call, moment: 'before', detail });
    const { conflict, throttled, unreachable, answerLost } = faults();
    if (seeded.chance(conflict)) throw new StoreUnavailable('conflict');
    if (seeded.chance(throttled)) throw new StoreUnavailable('throttled');
    if (seeded.chance(unreachable)) throw new StoreUnavailable('unreachable');
    const result = await effect();
    for (const pk of touched(result, keys)) onTouch(process, pk);
    await scheduler.pass(process, { call, moment: 'after', detail });
    if (seeded.chance(answerLost)) throw new StoreUnavailable('unreachable');
    return result;
  }
  // A refused write tells its writer nothing but that there is something.
  const touched = (result: unknown, keys: readonly string[]) => (isRefused(result) ? [] : keys);
  const mutated = (writes: readonly Write[]) => mutant.writes?.(writes) ?? writes;
  const read = (item: Item) => mutant.read?.(item) ?? item;
  const sees = (item: Item) => mutant.sees?.(item, process.name) !== false;
  const consistency = (options: { readonly consistent?: boolean } | undefined, pk: string) => ({
    consistent: options?.consistent === true && mutant.inconsistent?.({ pk, by: process.name }) !== true,
  });
  const pkOf = (write: Write) => keyOf(write).pk;
  return {
    get: (key, options) =>
      over('get', [key.pk], key, async () => {
        const item = await store.get(key, consistency(options, key.pk));
        return item && sees(item) ? read(item) : undefined;
      }),
    getMany: (keys, options) =>
      over(
        'getMany',
        keys.map(({ pk }) => pk),
        keys,
        async () => (await store.getMany(keys, options)).filter(sees).map(read),
      ),
    query: (query: Query) =>
      over('query', query.index ? [] : [query.pk], query, async () => {
        const page = await store.query({ ...query, ...consistency(query, query.pk) });
        return { ...page, items: page.items.filter(sees).map(read) };
      }),
    write: (write, options) =>
      over('write', [pkOf(write)], [write], async () => {
        const [kept] = mutated([write]);
        if (!kept || kept.kind === 'check') return { done: true };
        const written = await store.write(kept, options);
        return written.item ? { ...written, item: read(written.item) } : written;
      }),
    transact: (writes, token) =>
      over('transact', writes.map(pkOf), writes, () => store.transact(mutated(writes), token)),
    writeMany: (writes) =>
      over('writeMany', writes.map(pkOf), writes, () => store.writeMany(mutated(writes).filter(isWhole))),
  };
}

/** What a batch can hold. */
const isWhole = (write: Write): write is Put | Delete => write.kind === 'put' || write.kind === 'delete';

const isRefused = (result: unknown): boolean =>
  typeof result === 'object' && result !== null && 'done' in result && result.done === false;
