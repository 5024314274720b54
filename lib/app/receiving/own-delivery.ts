import { readAccount } from '../sending/items.ts';
import { accountKey } from '../sending/keys.ts';
import type { Store } from '../store.ts';
import type { OwnReport } from './fallback.ts';
import type { ReceivingWebhook } from './records.ts';

/** Such a delivery has no URL and needs none set up: the account itself says whose it is. Undefined if it is gone. */
export async function ownWebhook(store: Store, { ownAccount }: OwnReport): Promise<ReceivingWebhook | undefined> {
  const item = await store.get(accountKey(ownAccount), { consistent: true });
  if (!item) return undefined;
  return { webhookId: `own_${ownAccount}`, workspace: readAccount(item).workspace, accountId: ownAccount };
}
