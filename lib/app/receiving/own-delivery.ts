import { readAccount } from '../sending/items.ts';
import { accountKey } from '../sending/keys.ts';
import type { Store } from '../store.ts';
import type { Webhook } from '../webhooks/webhook.ts';

// No token's hash looks like this, so no URL leads here.
const PREFIX = 'account:';

/** What a parcel has in the place of a token's hash when nobody called: the hub itself reports, for this account. */
export const ownDelivery = (accountId: string): string => `${PREFIX}${accountId}`;

export const isOwnDelivery = (tokenHash: string): boolean => tokenHash.startsWith(PREFIX);

/** Such a delivery has no URL and needs none set up: the account itself says whose it is. Undefined if it is gone. */
export async function ownWebhook(store: Store, tokenHash: string): Promise<Webhook | undefined> {
  const accountId = tokenHash.slice(PREFIX.length);
  const item = await store.get(accountKey(accountId), { consistent: true });
  if (!item) return undefined;
  const { workspace, provider } = readAccount(item);
  return {
    webhookId: `own_${accountId}`,
    workspace,
    kind: 'receive',
    provider,
    accountId,
    enabled: true,
    rotated: false,
    tokenPrefix: '',
    createdAt: '1970-01-01T00:00:00.000Z',
  };
}
