import { type Epoch, epochAt, type QuotaKind } from '#lib/domain/sending/credits.ts';
import { toIso } from '#lib/domain/time.ts';
import type { Random } from '../ports.ts';
import { absent, add, type Put, put, type Store, set, setIfAbsent, type Update, update } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import { MAIN } from '../workspaces/workspace.ts';
import type { SendingConfig } from './config.ts';
import { readQuotaKind } from './items.ts';
import { ledgerKey, quotaKey, quotaKindKey } from './keys.ts';

/** A workspace without a word on its quota is prepaid. */
export async function quotaKind(store: Store, workspace: string): Promise<QuotaKind> {
  const item = await store.get(quotaKindKey(workspace), { consistent: true });
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
  const opened = { granted: credits, available: credits, opening: credits };
  const transacted = await store.transact(
    [
      put({ ...quotaKey(workspace, epoch), ...opened, kind: 'quota', workspace, epoch }, absent()),
      ledgerGrant(workspace, epoch, credits, `${epoch} begins`, `${epoch}#grant`, now),
    ],
    newTransaction(random),
  );
  return transacted.done;
}

/** Credits more, with their entry in the ledger. An epoch that has no quota yet gets one. */
export function grantWrites(
  workspace: string,
  epoch: Epoch,
  credits: number,
  reason: string,
  id: string,
  now: number,
): [Update, Put] {
  return [
    update(quotaKey(workspace, epoch), [
      setIfAbsent('kind', 'quota'),
      setIfAbsent('workspace', workspace),
      set('epoch', epoch),
      add('granted', credits),
      add('available', credits),
    ]),
    ledgerGrant(workspace, epoch, credits, reason, `${id}#grant`, now),
  ];
}

function ledgerGrant(workspace: string, epoch: Epoch, credits: number, reason: string, id: string, now: number): Put {
  return put(
    { ...ledgerKey(workspace, now, id), kind: 'ledger', entry: 'grant', at: now, credits, epoch, reason },
    absent(),
  );
}
