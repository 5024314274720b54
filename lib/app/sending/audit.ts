import { SHARDS } from '#lib/domain/ids.ts';
import { isPending, isUnsettled } from '#lib/domain/sending/part.ts';
import { queryAll } from '../query-all.ts';
import type { Item, Key, Store } from '../store.ts';
import { type LedgerEntry, readAccount, readLedgerEntry, readQuota, readSend, type Send } from './items.ts';
import { accountKey, LEDGER_PREFIX, POINTER_PREFIX, QUOTA_PREFIX, quotaKindKey, sendListKey } from './keys.ts';

export interface Audit {
  readonly ok: boolean;
  /** In words, each with the numbers that should be equal. */
  readonly differences: readonly string[];
}

const PAGE = 200;
const BATCH = 100;
const PASSES = 3;

/**
 * Counts everything again from the sends themselves, and compares it with what was kept along the way. The hub goes on
 * meanwhile, so a count may see a send before a change and its quota after it: a difference counts if it stays.
 */
export async function audit(store: Store, workspace: string): Promise<Audit> {
  let lasting = await differencesNow(store, workspace);
  for (let pass = 1; pass < PASSES && lasting.length > 0; pass += 1) {
    const again = new Set(await differencesNow(store, workspace));
    lasting = lasting.filter((difference) => again.has(difference));
  }
  return { ok: lasting.length === 0, differences: lasting };
}

async function differencesNow(store: Store, workspace: string): Promise<string[]> {
  const [ledger, sends, quotas] = await Promise.all([
    collect(store, { ...quotaKindKey(workspace), sk: LEDGER_PREFIX }),
    allSends(store, workspace),
    collect(store, { ...quotaKindKey(workspace), sk: QUOTA_PREFIX }),
  ]);
  const entries = ledger.map(readLedgerEntry);
  const accounts = [...new Set(sends.map((send) => send.accountId))];
  const queues = await Promise.all(accounts.map((account) => queueDifferences(store, account, sends)));
  return [
    ...quotas.flatMap((item) => quotaDifferences(item, sends, entries)),
    ...sends.flatMap(creditDifferences),
    ...queues.flat(),
  ];
}

function collect(store: Store, { pk, sk }: Key): Promise<Item[]> {
  return queryAll(store, { pk, prefix: sk, limit: PAGE, consistent: true });
}

async function allSends(store: Store, workspace: string): Promise<Send[]> {
  const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
  const lists = await Promise.all(shards.map((shard) => sendsOfShard(store, workspace, shard)));
  return lists.flat();
}

async function sendsOfShard(store: Store, workspace: string, shard: number): Promise<Send[]> {
  const query = { index: 'gsi1', pk: sendListKey(workspace, shard), limit: PAGE } as const;
  const listed = await queryAll(store, query);
  const sends: Send[] = [];
  for (let i = 0; i < listed.length; i += BATCH) {
    const keys = listed.slice(i, i + BATCH).map(({ pk, sk }) => ({ pk, sk }));
    sends.push(...(await store.getMany(keys, { consistent: true })).map(readSend));
  }
  return sends;
}

/** 1: `granted = available + reserved + spent`, each from its own source, and the ledger says the same. */
function quotaDifferences(item: Item, sends: readonly Send[], ledger: readonly LedgerEntry[]): string[] {
  const { epoch, granted, available } = readQuota(item);
  const parts = sends.filter((send) => send.epoch === epoch).flatMap((send) => send.parts);
  const reserved = parts.filter((part) => part.creditState === 'reserved').length;
  const spent = parts.filter((part) => part.creditState === 'spent').length;
  const entered = (entry: LedgerEntry['entry']) =>
    ledger.reduce((sum, line) => sum + (line.epoch === epoch && line.entry === entry ? line.credits : 0), 0);
  const left = entered('grant') - entered('reserve') + entered('refund');
  return [
    ...unless(available >= 0, `${epoch}: ${available} credits available`),
    ...unless(
      granted === available + reserved + spent,
      `${epoch}: granted ${granted}, but available ${available} + reserved ${reserved} + spent ${spent}`,
    ),
    ...unless(entered('grant') === granted, `${epoch}: granted ${granted}, but ${entered('grant')} by the ledger`),
    ...unless(left === available, `${epoch}: available ${available}, but ${left} by the ledger`),
  ];
}

/** 2: a credit is reserved exactly as long as its part is unsettled. */
function creditDifferences({ messageId, parts }: Send): string[] {
  return parts.flatMap(({ state, creditState }, i) =>
    unless(isUnsettled(state) === (creditState === 'reserved'), `${messageId} part ${i}: ${state}, but ${creditState}`),
  );
}

/** 3: `pending` of an account = its pointers = its parts that are queued or being sent. */
async function queueDifferences(store: Store, account: string, sends: readonly Send[]): Promise<string[]> {
  const [item, pointers] = await Promise.all([
    store.get(accountKey(account), { consistent: true }),
    collect(store, { pk: accountKey(account).pk, sk: POINTER_PREFIX }),
  ]);
  const pending = item ? readAccount(item).pending : 0;
  const waiting = sends
    .filter((send) => send.accountId === account)
    .flatMap((send) => send.parts)
    .filter((part) => isPending(part.state)).length;
  return unless(
    pending === pointers.length && pending === waiting,
    `${account}: pending ${pending}, but ${pointers.length} places in the queue and ${waiting} parts waiting`,
  );
}

const unless = (holds: boolean, difference: string): string[] => (holds ? [] : [difference]);
