import { wholeDirectory } from '../directory.ts';
import type { Random } from '../ports.ts';
import {
  absent,
  type Check,
  check,
  equal,
  type Item,
  remove,
  type Store,
  StoreUnavailable,
  set,
  update,
} from '../store.ts';
import { newTransaction } from '../transaction.ts';
import { isCurrent, webhookKey, webhookOf } from '../webhooks/webhook.ts';
import { findWorkspace, workspaceKey } from './workspace.ts';

export interface Retention {
  /** Absent: for ever. */
  readonly retentionDays?: number;
  /** How often it was changed. */
  readonly changes: number;
  /** Whoever writes a copy writes it together with this check: no copy is ever older than the workspace. */
  readonly unchanged: Check;
}

/** A delivery finds the retention on its webhook, so that it needs one look-up. */
export async function retentionOf(store: Store, workspace: string): Promise<Retention> {
  const { retentionDays: days, retentionChanges: changes = 0 } = (await findWorkspace(store, workspace)) ?? {};
  const condition = days === undefined ? absent('retentionDays') : equal('retentionDays', days);
  const unchanged = check(workspaceKey(workspace), condition);
  return { changes, unchanged, ...(days !== undefined && { retentionDays: days }) };
}

// Each round more means that a webhook was rotated, or the retention was changed again, in this very moment.
const ROUNDS = 5;

/** Brings every webhook's copy up to date. One that is created meanwhile begins with the right one. */
export async function copyRetention(store: Store, random: Random, workspace: string): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const retention = await retentionOf(store, workspace);
    const entries = await wholeDirectory(store, workspace, 'WEBHOOK');
    const copied: boolean[] = [];
    for (const { tokenHash } of entries) {
      const item = await store.get(webhookKey(String(tokenHash)), { consistent: true });
      copied.push(await copyTo(store, random, item, retention));
    }
    if (copied.every(Boolean)) return;
  }
  throw new StoreUnavailable('conflict');
}

/** False: look again. */
async function copyTo(
  store: Store,
  random: Random,
  item: Item | undefined,
  { retentionDays, unchanged }: Retention,
): Promise<boolean> {
  if (!item) return true;
  const webhook = webhookOf(item);
  if (webhook.rotated) return false;
  if (webhook.retentionDays === retentionDays) return true;
  const change = retentionDays === undefined ? remove('retentionDays') : set('retentionDays', retentionDays);
  const writes = [unchanged, update({ pk: item.pk, sk: item.sk }, [change], isCurrent)];
  return (await store.transact(writes, newTransaction(random))).done;
}
