import type { Store } from '../store.ts';
import { webhookKey, webhookOf } from '../webhooks/webhook.ts';
import type { Parcel } from './fallback.ts';
import { isOwnDelivery, ownWebhook } from './own-delivery.ts';
import type { ReceivingProvider } from './provider.ts';
import { type ReceivingPorts, safely, storeReading } from './receive.ts';
import type { Stored } from './store-event.ts';

/**
 * Stores what the table did not take when it came, under the id and time that were answered then. Whether the webhook
 * has been switched off since makes no difference: the delivery was accepted. Throws where the table still refuses.
 */
export async function storeParcel(
  provider: ReceivingProvider,
  ports: Pick<ReceivingPorts, 'store' | 'metrics' | 'sends' | 'log' | 'random'>,
  parcel: Parcel,
): Promise<readonly Stored[]> {
  const webhook = await webhookOfParcel(ports.store, parcel);
  const parsed = provider.parse(parcel.raw, parcel.contentType);
  const reading = parsed.ok ? safely(provider, parsed.value, ports.log) : { issues: [parsed.issue] };
  const { contentType, raw, receivedAt } = parcel;
  const receipt = Buffer.from(ports.random.bytes(9)).toString('base64url');
  const stored: Stored[] = [];
  await storeReading(
    reading,
    { webhook, provider: provider.name, contentType, raw, receivedAt, receipt },
    ports,
    stored,
  );
  return stored;
}

async function webhookOfParcel(store: Store, { tokenHash }: Parcel) {
  if (isOwnDelivery(tokenHash)) {
    const own = await ownWebhook(store, tokenHash);
    if (!own) throw new Error('the account that the hub reports for was deleted: it waits in the dead-letter queue');
    return own;
  }
  const item = await store.get(webhookKey(tokenHash), { consistent: true });
  if (!item) throw new Error('the webhook of an accepted delivery was deleted: it waits in the dead-letter queue');
  return webhookOf(item);
}
