import type { Epoch } from '#lib/domain/send/part.ts';
import { type Quota, readQuota } from '#lib/sender/items.ts';
import { accountKey, entryId, QUOTA_PREFIX, quotaKey, quotaKindKey } from '#lib/store/keys.ts';
import { getAll, queryAll } from '#lib/store/query.ts';
import { AGAIN, retryOnConflict } from '#lib/store/retry.ts';
import { add, type Change, exists, type Item, type Store, type Update, update } from '#lib/store/store.ts';
import { wholeDirectory } from '#lib/tenants/directory.ts';

/**
 * Spent credits are counted by period on the account's item, which an outcome writes anyway: a counter on the quota's
 * item would be written by every message of the workspace. Both only grow: `unspent` are those of the spent ones that
 * were given back. An account that is deleted leaves its counts to the quota's item. A part says whether it is counted,
 * since older ones are not before an audit has met them.
 */
export interface Spending {
  readonly spent: number;
  readonly unspent: number;
}

export const NOTHING: Spending = { spent: 0, unspent: 0 };
const isNothing = ({ spent, unspent }: Spending): boolean => spent === 0 && unspent === 0;

export const net = ({ spent, unspent }: Spending = NOTHING): number => spent - unspent;

const sumOf = (a: Spending, b: Spending): Spending => ({
  spent: a.spent + b.spent,
  unspent: a.unspent + b.unspent,
});

/** `countings` moves with every change, so that a deletion can tell whether it has seen them all. */
export const onAccount = (epoch: Epoch, spending: Spending): Change[] =>
  isNothing(spending) ? [] : [...adding(`_${epoch}`, spending), add('countings', 1)];

export const onQuota = (spending: Spending): Change[] => adding('', spending);

function adding(suffix: string, { spent, unspent }: Spending): Change[] {
  return [
    ...(spent === 0 ? [] : [add(`spent${suffix}`, spent)]),
    ...(unspent === 0 ? [] : [add(`unspent${suffix}`, unspent)]),
  ];
}

/** Of a write that was refused: the item is not there. */
export const meetsNothing = (refusal: { readonly item?: Item } | undefined): boolean =>
  refusal !== undefined && refusal.item === undefined;

/** What an account's item has counted, by period. */
function spendingOf(account: Item): ReadonlyMap<Epoch, Spending> {
  const counted = new Map<Epoch, Spending>();
  for (const [name, value] of Object.entries(account)) {
    const [, kind, epoch] = /^(spent|unspent)_(.+)$/.exec(name) ?? [];
    if (kind === undefined || epoch === undefined) continue;
    counted.set(epoch, { ...(counted.get(epoch) ?? NOTHING), [kind]: Number(value) });
  }
  return counted;
}

/** Takes over what a deleted account has counted. */
export const takeOver = (workspace: string, account: Item): Update[] =>
  [...spendingOf(account)].map(([epoch, spending]) => update(quotaKey(workspace, epoch), onQuota(spending), exists()));

export interface Counted {
  readonly quotas: readonly Quota[];
  readonly spending: ReadonlyMap<Epoch, Spending>;
}

/**
 * All that a workspace has counted. Each account by itself, so that under way the sum may be off by what just moves. An
 * account that is deleted meanwhile, whose counts are the quota's from then on, must be neither missed nor counted twice:
 *
 *   quotas  directory │ accounts  quotas       side by side, then side by side
 *
 * A deletion between the two looks at the quotas shows in these; a later one, that the accounts have seen and the quotas
 * have not, shows in an account that the directory had and that is gone. What was gone before the first look is the
 * quotas' already.
 */
export async function countedIn(store: Store, workspace: string): Promise<Counted> {
  let gone: ReadonlySet<string> = new Set();
  return retryOnConflict(`what the accounts of ${workspace} have spent`, async () => {
    const [before, entries] = await Promise.all([
      quotasOf(store, workspace),
      wholeDirectory(store, workspace, 'ACCOUNT'),
    ]);
    const keys = entries.map((entry) => accountKey(entryId(entry)));
    const [accounts, quotas] = await Promise.all([
      getAll(store, keys, { consistent: true }),
      quotasOf(store, workspace),
    ]);
    const found = new Set(accounts.map(({ pk }) => pk));
    const missing = keys.flatMap(({ pk }) => (found.has(pk) ? [] : [pk]));
    const isWhole = missing.every((pk) => gone.has(pk)) && leftBehind(before) === leftBehind(quotas);
    gone = new Set(missing);
    return isWhole ? { quotas, spending: sumsOf(quotas, accounts) } : AGAIN;
  });
}

async function quotasOf(store: Store, workspace: string): Promise<Quota[]> {
  const { pk } = quotaKindKey(workspace);
  return (await queryAll(store, { pk, prefix: QUOTA_PREFIX, limit: 1000, consistent: true })).map(readQuota);
}

const leftBehind = (quotas: readonly Quota[]): string =>
  JSON.stringify(quotas.map(({ epoch, spent, unspent }) => [epoch, spent, unspent]));

function sumsOf(quotas: readonly Quota[], accounts: readonly Item[]): ReadonlyMap<Epoch, Spending> {
  const sums = new Map<Epoch, Spending>();
  const count = (epoch: Epoch, spending: Spending) => sums.set(epoch, sumOf(sums.get(epoch) ?? NOTHING, spending));
  for (const { epoch, spent = 0, unspent = 0 } of quotas) count(epoch, { spent, unspent });
  for (const account of accounts) {
    for (const [epoch, spending] of spendingOf(account)) count(epoch, spending);
  }
  return sums;
}
