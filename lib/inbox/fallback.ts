import type { Clock, Random } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import { readAccount } from '#lib/sender/items.ts';
import { accountKey, fallbackKey, webhookKey } from '#lib/store/keys.ts';
import { del, put, type Store } from '#lib/store/store.ts';
import { noteAttempt } from '#lib/tenants/attempts.ts';
import { type Webhook, webhookOf } from '#lib/tenants/webhooks.ts';
import { retentionOf } from '#lib/tenants/workspaces.ts';
import type { Stored } from './event-store.ts';
import { type SettlePorts, storeOrQuarantine } from './keep.ts';
import { type Delivery, type ReceivingProvider, readBody } from './provider.ts';
import { admitted, proofIn, type Verdict, verdictOf } from './receive.ts';
import { type Envelope, newReceipt, type Receipt, type ReceivingWebhook } from './records.ts';

const KEPT_SECONDS = 14 * 24 * 3600;

/**
 * Waits for all pieces of an envelope: answers the data of each, in order, once the last is there, and nothing before.
 * Pieces may come in any order, twice, and to several workers at once.
 */
export async function collectChunks(
  store: Store,
  chunk: { readonly parcel: string; readonly index: number; readonly count: number; readonly data: string },
  nowSeconds: number,
): Promise<readonly string[] | undefined> {
  if (chunk.count === 1) return [chunk.data];
  const expiresAt = nowSeconds + KEPT_SECONDS;
  await store.write(put({ ...fallbackKey(chunk.parcel, chunk.index), data: chunk.data, expiresAt }));
  const keys = Array.from({ length: chunk.count }, (_, index) => fallbackKey(chunk.parcel, index));
  const found = new Map((await store.getMany(keys, { consistent: true })).map((item) => [item.sk, String(item.data)]));
  const data = keys.flatMap(({ sk }) => found.get(sk) ?? []);
  return data.length === chunk.count ? data : undefined;
}

/** Call when the envelope is stored. */
export async function forgetChunks(store: Store, envelope: string, count: number): Promise<void> {
  if (count === 1) return;
  await store.writeMany(Array.from({ length: count }, (_, index) => del(fallbackKey(envelope, index))));
}

interface Ports extends SettlePorts {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Stores what the table did not take when it came, under the id and time that were answered then. Whether the webhook
 * has been switched off or deleted since makes no difference to what was accepted then; what could not be judged then is
 * judged now, and dropped where it has no right to come in. Throws where the table still refuses.
 */
export async function storeEnvelope(
  provider: ReceivingProvider,
  ports: Ports,
  envelope: Envelope,
): Promise<readonly Stored[]> {
  const { webhook, contentType, raw, receivedAt } = envelope;
  if ('webhookId' in webhook) return (await keep(provider, ports, envelope, webhook)).stored;
  if ('ownAccount' in webhook) {
    // Such a delivery has no URL and needs none set up: the account itself says whose it is.
    const id = webhook.ownAccount;
    const item = await ports.store.get(accountKey(id), { consistent: true });
    if (!item) throw new Error('the account that the hub reports for was deleted: it waits in the dead-letter queue');
    const own = { webhookId: `own_${id}`, workspace: readAccount(item).workspace, accountId: id };
    return (await keep(provider, ports, envelope, own)).stored;
  }
  const item = await ports.store.get(webhookKey(webhook.tokenHash), { consistent: true });
  const found = item && webhookOf(item);
  const delivery: Delivery = { headers: { 'content-type': contentType }, body: raw };
  const { secretHash, otherHashes = [] } = webhook;
  // The instance stands in the body that was kept; the secret does not.
  const secretHashes = secretHash === undefined ? undefined : [secretHash, ...otherHashes];
  const its = admitted(found, provider, () => ({ ...proofIn(provider, delivery), ...known({ secretHashes }) }));
  const note = (verdict: Verdict) => (found ? noteLate(ports, found, delivery, verdict, receivedAt) : undefined);
  if (!('answer' in its)) {
    const { stored, reading } = await keep(provider, ports, envelope, its);
    await note(verdictOf(reading, stored));
    return stored;
  }
  const { outcome } = its;
  ports.log.warn('a delivery was dropped: it could not be judged when it came', { provider: provider.name, outcome });
  if (!found) ports.metrics.count('UnknownTokens', { provider: provider.name });
  await note(its);
  return [];
}

async function keep(provider: ReceivingProvider, ports: Ports, envelope: Envelope, webhook: ReceivingWebhook) {
  const { eventId: _, ...kept } = envelope;
  const reading = readBody(provider, provider.parse(kept.raw, kept.contentType), kept.raw, ports.log);
  const { webhookId, workspace, accountId } = webhook;
  // The retention may have been changed, and applied to all that was there, while this was on its way.
  const { retentionDays } = await retentionOf(ports.store, workspace);
  const receipt: Receipt = {
    ...kept,
    webhook: { webhookId, workspace, ...known({ accountId, retentionDays }) },
    receipt: newReceipt(ports.random),
  };
  const stored: Stored[] = [];
  return { reading: await storeOrQuarantine(reading, receipt, ports, stored), stored };
}

/** The owner reads of the delivery how it was judged, and that its sender had been told something else. */
async function noteLate(
  ports: Ports,
  webhook: Webhook,
  delivery: Delivery,
  { answer: { status }, outcome, id, message }: Verdict,
  receivedAt: number,
): Promise<void> {
  const withBody = outcome !== 'stored' && outcome !== 'duplicate';
  const told = status === 200 ? message : `${message}; dropped, though answered 200 while the table was out of reach`;
  const noted = { status, outcome, withBody, ...known({ id, message: told }) };
  await noteAttempt(ports, webhook, delivery, noted, receivedAt);
}
