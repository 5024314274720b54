import type { Random } from '#lib/domain/ports.ts';
import { type Epoch, epochAt, type QuotaKind } from '#lib/domain/send/part.ts';
import { toIso } from '#lib/domain/time.ts';
import type { SendingConfig } from '#lib/sender/config.ts';
import { type Quota, readLedgerEntry, readQuotaKind } from '#lib/sender/items.ts';
import { LEDGER_PREFIX, ledgerKey, quotaKey, quotaKindKey } from '#lib/store/keys.ts';
import { pagesOf } from '#lib/store/query.ts';
import {
  absent,
  add,
  all,
  compare,
  equal,
  exists,
  type Item,
  newTransaction,
  type Put,
  put,
  type Store,
  type Update,
  update,
} from '#lib/store/store.ts';
import { MAIN } from '#lib/tenants/workspaces.ts';

const PAGE = 1000;

/** A workspace without a word on its quota is prepaid. */
export async function quotaKind(store: Store, workspace: string): Promise<QuotaKind> {
  return quotaKindIn(await store.get(quotaKindKey(workspace), { consistent: true }));
}

export function quotaKindIn(item: Item | undefined): QuotaKind {
  if (!item) return { kind: 'prepaid' };
  const { quota, ...rest } = readQuotaKind(item);
  return quota === 'prepaid' ? { kind: 'prepaid' } : { kind: 'monthly', credits: 'credits' in rest ? rest.credits : 0 };
}

export const currentEpoch = (quota: QuotaKind, now: number): Epoch => epochAt(quota, toIso(now));

/** What an epoch holds before anybody grants anything: the month's credits, or what the first workspace starts with. */
export function openingCredits(workspace: string, quota: QuotaKind, { startCredits }: SendingConfig): number {
  if (quota.kind === 'monthly') return quota.credits;
  return workspace === MAIN ? startCredits : 0;
}

/** Opens an epoch with its first credits: whoever needs it first does. False: another was first, which is as good. */
export async function openEpoch(
  store: Store,
  random: Random,
  workspace: string,
  epoch: Epoch,
  credits: number,
  now: number,
): Promise<boolean> {
  const transacted = await store.transact(opening(workspace, epoch, credits, now), newTransaction(random));
  return transacted.done;
}

/** Refused where the epoch is open. No credits are no entry in the ledger, and an opening all the same. */
export function opening(workspace: string, epoch: Epoch, credits: number, now: number): Put[] {
  const opened = { granted: credits, available: credits, opening: credits, counted: true };
  return [
    put({ ...quotaKey(workspace, epoch), ...opened, kind: 'quota', workspace, epoch }, absent()),
    ...(credits === 0 ? [] : [ledgerGrant(workspace, epoch, credits, `${epoch} begins`, openingEntry(epoch), now)]),
  ];
}

const openingEntry = (epoch: Epoch): string => `${epoch}#grant`;

/**
 * What came with the epoch itself. An item may not say so: one that a grant had made before it was written down then,
 * with nothing of its own, or one that is older still. Its entry in the ledger tells which.
 */
export async function openingOf(store: Store, workspace: string, quota: Quota): Promise<number> {
  if (quota.opening !== undefined) return quota.opening;
  const { pk } = quotaKindKey(workspace);
  const grants = equal('entry', 'grant');
  for await (const page of pagesOf(store, {
    pk,
    prefix: LEDGER_PREFIX,
    filter: grants,
    limit: PAGE,
    consistent: true,
  })) {
    const entry = page.find(({ sk }) => sk.endsWith(`#${openingEntry(quota.epoch)}`));
    if (entry) return readLedgerEntry(entry).credits;
  }
  return 0;
}

/** Credits more, or fewer, for an epoch that is open, with their entry in the ledger. What is spent or reserved stays. */
export function grantWrites(
  workspace: string,
  epoch: Epoch,
  credits: number,
  reason: string,
  id: string,
  now: number,
): [Update, Put] {
  return [
    update(
      quotaKey(workspace, epoch),
      [add('granted', credits), add('available', credits)],
      credits < 0 ? all(exists(), compare('available', '>=', -credits)) : exists(),
    ),
    ledgerGrant(workspace, epoch, credits, reason, `${id}#grant`, now),
  ];
}

function ledgerGrant(workspace: string, epoch: Epoch, credits: number, reason: string, id: string, now: number): Put {
  return put(
    { ...ledgerKey(workspace, now, id), kind: 'ledger', entry: 'grant', at: now, credits, epoch, reason },
    absent(),
  );
}
