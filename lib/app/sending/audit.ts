import { SHARDS } from '#lib/domain/ids.ts';
import { isPending, isUnsettled } from '#lib/domain/sending/part.ts';
import { pagesOf } from '../query-all.ts';
import type { Item, Key, Query, Store } from '../store.ts';
import { type LedgerEntry, readAccount, readLedgerEntry, readQuota, readSend, type Send } from './items.ts';
import { accountKey, LEDGER_PREFIX, POINTER_PREFIX, QUOTA_PREFIX, quotaKindKey, sendListKey } from './keys.ts';

export interface Audit {
  readonly ok: boolean;
  /** In words, each with the numbers that should be equal. */
  readonly differences: readonly string[];
}

/** What differs and by how much tell one difference from another: the words have numbers that move all the time. */
interface Difference {
  readonly what: string;
  readonly by: number;
  readonly words: string;
}

const PAGE = 100;
const PASSES = 3;

/**
 * Counts everything again from the sends themselves, and compares it with what was kept along the way. The hub goes on
 * meanwhile, so a count may see a send before a change and its quota after it: a difference counts if it stays.
 */
export async function audit(store: Store, workspace: string): Promise<Audit> {
  let lasting = await differencesNow(store, workspace);
  for (let pass = 1; pass < PASSES && lasting.length > 0; pass += 1) {
    const before = new Set(lasting.map(nameOf));
    lasting = (await differencesNow(store, workspace)).filter((difference) => before.has(nameOf(difference)));
  }
  return { ok: lasting.length === 0, differences: [...new Set(lasting.map(({ words }) => words))] };
}

const nameOf = ({ what, by }: Difference): string => `${what} ${by}`;

async function differencesNow(store: Store, workspace: string): Promise<Difference[]> {
  const ledger = new Tally();
  const parts = new Tally();
  const accounts = new Set<string>();
  const odd: Difference[] = [];
  const [quotas] = await Promise.all([
    collect(store, { ...quotaKindKey(workspace), sk: QUOTA_PREFIX }),
    eachItem(store, { pk: quotaKindKey(workspace).pk, prefix: LEDGER_PREFIX, limit: PAGE, consistent: true }, (item) =>
      enter(ledger, readLedgerEntry(item)),
    ),
    eachSend(store, workspace, (send) => {
      accounts.add(send.accountId);
      countParts(parts, send);
      odd.push(...creditDifferences(send));
    }),
  ]);
  const queues: Difference[] = [];
  for (const account of accounts) queues.push(...(await queueDifferences(store, account, parts)));
  return [...quotas.flatMap((item) => quotaDifferences(item, parts, ledger)), ...odd, ...queues];
}

/** Sums by name. All that is kept of a page that was counted: a workspace's history need not fit in memory. */
class Tally {
  readonly #sums = new Map<string, number>();

  add(name: string, count: number): void {
    this.#sums.set(name, this.of(name) + count);
  }

  of(name: string): number {
    return this.#sums.get(name) ?? 0;
  }
}

const enter = (ledger: Tally, { epoch, entry, credits }: LedgerEntry): void => ledger.add(`${epoch} ${entry}`, credits);

function countParts(tally: Tally, { epoch, accountId, parts }: Send): void {
  for (const { state, creditState } of parts) {
    tally.add(`${epoch} ${creditState}`, 1);
    if (isPending(state)) tally.add(`${accountId} waiting`, 1);
  }
}

async function eachItem(store: Store, query: Query, visit: (item: Item) => void): Promise<void> {
  for await (const page of pagesOf(store, query)) page.forEach(visit);
}

async function collect(store: Store, { pk, sk }: Key): Promise<Item[]> {
  const items: Item[] = [];
  await eachItem(store, { pk, prefix: sk, limit: PAGE, consistent: true }, (item) => items.push(item));
  return items;
}

async function eachSend(store: Store, workspace: string, visit: (send: Send) => void): Promise<void> {
  const shards = Array.from({ length: SHARDS }, (_, shard) => sendListKey(workspace, shard));
  const counting = shards.map(async (pk) => {
    for await (const listed of pagesOf(store, { index: 'gsi1', pk, limit: PAGE })) {
      if (listed.length === 0) continue;
      const keys = listed.map(({ pk, sk }) => ({ pk, sk }));
      for (const item of await store.getMany(keys, { consistent: true })) visit(readSend(item));
    }
  });
  await Promise.all(counting);
}

/** 1: `granted = available + reserved + spent`, each from its own source, and the ledger says the same. */
function quotaDifferences(item: Item, parts: Tally, ledger: Tally): Difference[] {
  const { epoch, granted, available } = readQuota(item);
  const [reserved, spent] = [parts.of(`${epoch} reserved`), parts.of(`${epoch} spent`)];
  const entered = ledger.of(`${epoch} grant`);
  const left = entered - ledger.of(`${epoch} reserve`) + ledger.of(`${epoch} refund`);
  return [
    ...unlessZero(`${epoch} below zero`, Math.min(0, available), `${epoch}: ${available} credits available`),
    ...unlessZero(
      `${epoch} sends`,
      granted - available - reserved - spent,
      `${epoch}: granted ${granted}, but available ${available} + reserved ${reserved} + spent ${spent}`,
    ),
    ...unlessZero(`${epoch} grants`, granted - entered, `${epoch}: granted ${granted}, but ${entered} by the ledger`),
    ...unlessZero(`${epoch} ledger`, available - left, `${epoch}: available ${available}, but ${left} by the ledger`),
  ];
}

/** 2: a credit is reserved exactly as long as its part is unsettled. */
function creditDifferences({ messageId, parts }: Send): Difference[] {
  return parts.flatMap(({ state, creditState }, i) => {
    const by = Number(isUnsettled(state)) - Number(creditState === 'reserved');
    return unlessZero(`${messageId} ${i}`, by, `${messageId} part ${i}: ${state}, but ${creditState}`);
  });
}

/** 3: `pending` of an account = its pointers = its parts that are queued or being sent. */
async function queueDifferences(store: Store, account: string, parts: Tally): Promise<Difference[]> {
  let places = 0;
  const [item] = await Promise.all([
    store.get(accountKey(account), { consistent: true }),
    eachItem(store, { pk: accountKey(account).pk, prefix: POINTER_PREFIX, limit: PAGE, consistent: true }, () => {
      places += 1;
    }),
  ]);
  const pending = item ? readAccount(item).pending : 0;
  const waiting = parts.of(`${account} waiting`);
  const words = `${account}: pending ${pending}, but ${places} places in the queue and ${waiting} parts waiting`;
  return [
    ...unlessZero(`${account} places`, pending - places, words),
    ...unlessZero(`${account} parts`, pending - waiting, words),
  ];
}

const unlessZero = (what: string, by: number, words: string): Difference[] => (by === 0 ? [] : [{ what, by, words }]);
