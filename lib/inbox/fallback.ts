import type { Clock, Random } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import { readAccount } from '#lib/sender/items.ts';
import { accountKey, fallbackKey, webhookKey } from '#lib/store/keys.ts';
import { del, put, type Store } from '#lib/store/store.ts';
import { noteAttempt } from '#lib/tenants/attempts.ts';
import { type Webhook, webhookOf } from '#lib/tenants/webhook.ts';
import { retentionOf } from '#lib/tenants/workspaces.ts';
import type { Stored } from './event-store.ts';
import type { Envelope, OwnReport, Unjudged } from './fallback-queue.ts';
import { type SettlePorts, storeOrQuarantine } from './keep.ts';
import { type Delivery, type ReceivingProvider, readBody } from './provider.ts';
import { admissionOf, proofIn, type Verdict, verdictOf } from './receive.ts';
import { newReceipt, type Receipt, type ReceivingWebhook } from './records.ts';

/** Such a delivery has no URL and needs none set up: the account itself says whose it is. Undefined if it is gone. */
async function ownWebhook(store: Store, { ownAccount }: OwnReport): Promise<ReceivingWebhook | undefined> {
  const item = await store.get(accountKey(ownAccount), { consistent: true });
  if (!item) return undefined;
  return { webhookId: `own_${ownAccount}`, workspace: readAccount(item).workspace, accountId: ownAccount };
}

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
  if ('ownAccount' in webhook) {
    const own = await ownWebhook(ports.store, webhook);
    if (!own) throw new Error('the account that the hub reports for was deleted: it waits in the dead-letter queue');
    return (await store(provider, ports, envelope, own)).stored;
  }
  if ('webhookId' in webhook) return (await store(provider, ports, envelope, webhook)).stored;
  const delivery: Delivery = { headers: { 'content-type': contentType }, body: raw };
  const late = await judgeLate(provider, ports.store, webhook, delivery);
  const { admission } = late;
  if (admission.kind === 'admitted') {
    const { stored, reading } = await store(provider, ports, envelope, admission.webhook);
    await noteLate(ports, late.webhook, delivery, verdictOf(reading, stored), receivedAt);
    return stored;
  }
  const { outcome } = admission.verdict;
  ports.log.warn('a delivery was dropped: it could not be judged when it came', { provider: provider.name, outcome });
  if (!late.webhook) ports.metrics.count('UnknownTokens', { provider: provider.name });
  await noteLate(ports, late.webhook, delivery, admission.verdict, receivedAt);
  return [];
}

async function store(provider: ReceivingProvider, ports: Ports, envelope: Envelope, webhook: ReceivingWebhook) {
  const { contentType, raw, bodyHash, receivedAt } = envelope;
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
    receipt: newReceipt(ports.random),
  };
  const stored: Stored[] = [];
  return { reading: await storeOrQuarantine(reading, receipt, ports, stored), stored };
}

/** Judges an envelope as its delivery would have been, had the table been there. Throws where it is not there yet. */
async function judgeLate(
  provider: ReceivingProvider,
  store: Store,
  { tokenHash, secretHash, otherHashes = [] }: Unjudged,
  delivery: Delivery,
) {
  const item = await store.get(webhookKey(tokenHash), { consistent: true });
  const webhook = item && webhookOf(item);
  // The instance stands in the body that was kept; the secret does not.
  const came = secretHash === undefined ? {} : { secretHashes: [secretHash, ...otherHashes] };
  const proof = () => ({ ...proofIn(provider, delivery), ...came });
  return { webhook, admission: admissionOf(webhook, provider, proof) };
}

/** The owner reads of the delivery how it was judged, and that its sender had been told something else. */
async function noteLate(
  ports: Ports,
  webhook: Webhook | undefined,
  delivery: Delivery,
  { answer: { status }, outcome, id, message }: Verdict,
  receivedAt: number,
): Promise<void> {
  if (!webhook) return;
  const withBody = outcome !== 'stored' && outcome !== 'duplicate';
  const told = status === 200 ? message : `${message}; dropped, though answered 200 while the table was out of reach`;
  await noteAttempt(
    ports,
    webhook,
    delivery,
    { status, outcome, withBody, ...known({ id, message: told }) },
    receivedAt,
  );
}
