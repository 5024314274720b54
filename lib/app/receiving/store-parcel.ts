import { known } from '#lib/domain/known.ts';
import type { Clock, Random } from '../ports.ts';
import { retentionOf } from '../workspaces/retention.ts';
import type { Parcel } from './fallback.ts';
import { storeOrQuarantine } from './keep.ts';
import { ownWebhook } from './own-delivery.ts';
import type { Delivery, ReceivingProvider } from './provider.ts';
import { readBody } from './read-body.ts';
import type { Receipt, ReceivingWebhook } from './records.ts';
import type { SettlePorts } from './settle.ts';
import type { Stored } from './store-event.ts';
import { judgeLate, noteLate } from './unjudged.ts';
import { verdictOf } from './verdict.ts';

interface Ports extends SettlePorts {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Stores what the table did not take when it came, under the id and time that were answered then. Whether the webhook
 * has been switched off or deleted since makes no difference to what was accepted then; what could not be judged then is
 * judged now, and dropped where it has no right to come in. Throws where the table still refuses.
 */
export async function storeParcel(
  provider: ReceivingProvider,
  ports: Ports,
  parcel: Parcel,
): Promise<readonly Stored[]> {
  const { webhook, contentType, raw, receivedAt } = parcel;
  if ('ownAccount' in webhook) {
    const own = await ownWebhook(ports.store, webhook);
    if (!own) throw new Error('the account that the hub reports for was deleted: it waits in the dead-letter queue');
    return (await store(provider, ports, parcel, own)).stored;
  }
  if ('webhookId' in webhook) return (await store(provider, ports, parcel, webhook)).stored;
  const delivery: Delivery = { headers: { 'content-type': contentType }, body: raw };
  const late = await judgeLate(provider, ports.store, webhook, delivery);
  const { admission } = late;
  if (admission.kind === 'admitted') {
    const { stored, reading } = await store(provider, ports, parcel, admission.webhook);
    await noteLate(ports, late.webhook, delivery, verdictOf(reading, stored), receivedAt);
    return stored;
  }
  const { outcome } = admission.verdict;
  ports.log.warn('a delivery was dropped: it could not be judged when it came', { provider: provider.name, outcome });
  if (!late.webhook) ports.metrics.count('UnknownTokens', { provider: provider.name });
  await noteLate(ports, late.webhook, delivery, admission.verdict, receivedAt);
  return [];
}

async function store(provider: ReceivingProvider, ports: Ports, parcel: Parcel, webhook: ReceivingWebhook) {
  const { contentType, raw, bodyHash, receivedAt } = parcel;
  const reading = readBody(provider, provider.parse(raw, contentType), raw, ports.log);
  const { webhookId, workspace, accountId } = webhook;
  // The retention may have been changed, and applied to all that was there, while this was on its way.
  const { retentionDays } = await retentionOf(ports.store, workspace);
  const receipt: Receipt = {
    webhook: { webhookId, workspace, ...known({ accountId, retentionDays }) },
    provider: provider.name,
    contentType,
    raw,
    bodyHash,
    receivedAt,
    receipt: Buffer.from(ports.random.bytes(9)).toString('base64url'),
  };
  const stored: Stored[] = [];
  return { reading: await storeOrQuarantine(reading, receipt, ports, stored), stored };
}
