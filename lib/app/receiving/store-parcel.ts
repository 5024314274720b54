import type { Random } from '../ports.ts';
import type { Parcel } from './fallback.ts';
import { storeOrQuarantine } from './keep.ts';
import { ownWebhook } from './own-delivery.ts';
import type { ReceivingProvider } from './provider.ts';
import { readBody } from './read-body.ts';
import type { ReceivingWebhook } from './records.ts';
import type { SettlePorts } from './settle.ts';
import type { Stored } from './store-event.ts';

/**
 * Stores what the table did not take when it came, under the id and time that were answered then. Whether the webhook
 * has been switched off or deleted since makes no difference: the delivery was accepted. Throws where the table still
 * refuses.
 */
export async function storeParcel(
  provider: ReceivingProvider,
  ports: SettlePorts & { readonly random: Random },
  parcel: Parcel,
): Promise<readonly Stored[]> {
  const webhook = await webhookOfParcel(ports, parcel);
  const { contentType, raw, bodyHash, receivedAt } = parcel;
  const reading = readBody(provider, provider.parse(raw, contentType), raw, ports.log);
  const receipt = Buffer.from(ports.random.bytes(9)).toString('base64url');
  const stored: Stored[] = [];
  const delivery = { webhook, provider: provider.name, contentType, raw, bodyHash, receivedAt, receipt };
  await storeOrQuarantine(reading, delivery, ports, stored);
  return stored;
}

async function webhookOfParcel({ store }: SettlePorts, { webhook }: Parcel): Promise<ReceivingWebhook> {
  if (!('ownAccount' in webhook)) return webhook;
  const own = await ownWebhook(store, webhook);
  if (!own) throw new Error('the account that the hub reports for was deleted: it waits in the dead-letter queue');
  return own;
}
