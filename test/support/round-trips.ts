import type { Page, Query, Store } from '#lib/store/store.ts';

/**
 * A store that answers in rounds: what is asked for without waiting in between is answered together, as calls side by side
 * take the time of one. Counts the rounds, which is how often somebody waited for the table.
 */
export function inRounds(store: Store) {
  let rounds = 0;
  let next: Promise<void> | undefined;
  const round = () => {
    next ??= new Promise((resolve) =>
      setImmediate(() => {
        rounds += 1;
        next = undefined;
        resolve();
      }),
    );
    return next;
  };
  const counting: Store = {
    get: (...given) => round().then(() => store.get(...given)),
    getMany: async (keys, options) => (keys.length === 0 ? [] : round().then(() => store.getMany(keys, options))),
    query: (query) => round().then(async () => projected(query, await store.query(query))),
    write: (...given) => round().then(() => store.write(...given)),
    transact: (...given) => round().then(() => store.transact(...given)),
    writeMany: (writes) => round().then(() => store.writeMany(writes)),
  };
  return {
    store: counting,
    /** How many rounds something takes. */
    count: async (work: () => Promise<unknown>): Promise<number> => {
      const before = rounds;
      await work();
      return rounds - before;
    },
  };
}

/** As `infra/table.yml` has it. */
const PROJECTED = ['kind', 'provider', 'accountId', 'direction', 'type', 'quarantined', 'state'];

/** An index tells no more than it holds. */
function projected({ index }: Query, page: Page): Page {
  if (!index) return page;
  const held = ['pk', 'sk', `${index}pk`, `${index}sk`, ...(index === 'gsi3' ? [] : PROJECTED)];
  const items = page.items.map(({ pk, sk, ...rest }) => ({
    pk,
    sk,
    ...Object.fromEntries(Object.entries(rest).filter(([name]) => held.includes(name))),
  }));
  return { ...page, items };
}
