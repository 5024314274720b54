import { sha256 } from '#lib/domain/ids.ts';
import { noteAttempt } from '../attempts/note.ts';
import type { Clock, Log, Random } from '../ports.ts';
import { retrying } from '../retrying-store.ts';
import { StoreUnavailable } from '../store.ts';
import { webhookFinder } from '../webhooks/find.ts';
import type { Webhook } from '../webhooks/webhook.ts';
import type { FallbackQueue } from './fallback.ts';
import type { Delivery, Reading, ReceivingProvider } from './provider.ts';
import { type Receipt, recordsOf } from './records.ts';
import { type SettlePorts, settle } from './settle.ts';
import { type Stored, storeEvent } from './store-event.ts';
import { type Answer, notFound, TOO_LARGE, UNAUTHORIZED, UNAVAILABLE, type Verdict, verdictOf } from './verdict.ts';

export interface ReceivingPorts extends SettlePorts {
  readonly fallback: FallbackQueue;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly maxBytes: number;
}

/** The most impatient provider waits 5 s; when the table does not answer in this time, the queue has to. */
const PATIENCE_MS = 2500;

/**
 * Takes in one delivery: find the webhook, check the sender, read, store, answer. What is answered 200 is kept; what
 * cannot be understood is kept as well, for nobody but us gains from a refusal.
 */
export function receiver(provider: ReceivingProvider, ports: ReceivingPorts) {
  const find = webhookFinder();
  return async (token: string, delivery: Delivery): Promise<Answer> => {
    const receivedAt = ports.clock.now();
    const store = retrying(ports.store, ports.clock, ports.random, ports.clock.monotonic() + PATIENCE_MS);
    const patient = { ...ports, store };
    const tokenHash = sha256(token);
    const tooLarge = delivery.body.length > ports.maxBytes;
    const webhook = await find(store, tokenHash);
    if (webhook === 'unreachable') return tooLarge ? TOO_LARGE.answer : unreachable(provider, ports);
    const verdict = tooLarge ? TOO_LARGE : await judge(provider, patient, { webhook, tokenHash, delivery, receivedAt });
    tell(provider, ports, verdict);
    if (webhook) await note(provider, patient, webhook, delivery, verdict, receivedAt);
    else await ofNobody(provider, patient, () => find(store, sha256(tokenHash)));
    return verdict.answer;
  };
}

/** The ordinary delivery says nothing but what the log of attempts keeps: a line each would cost more than storing it. */
function tell({ name }: ReceivingProvider, { log }: ReceivingPorts, { outcome, id }: Verdict): void {
  if (outcome === 'stored' || outcome === 'duplicate') return;
  log.warn('a delivery was not taken as usual', { provider: name, outcome, ...(id && { correlationId: id }) });
}

/** Whose delivery it is cannot be known, so the queue does not take it either. */
function unreachable({ name }: ReceivingProvider, { metrics, log }: ReceivingPorts): Answer {
  metrics.count('RefusedDeliveries', { provider: name });
  log.warn('the table could not be asked for a webhook; the delivery was refused', { provider: name });
  return UNAVAILABLE.answer;
}

/** `find` takes as long as the note of an attempt, so that time does not tell a known URL from an unknown one. */
async function ofNobody(provider: ReceivingProvider, { metrics }: ReceivingPorts, find: () => Promise<unknown>) {
  metrics.count('UnknownTokens', { provider: provider.name });
  await find();
}

interface Case {
  readonly webhook: Webhook | undefined;
  readonly tokenHash: string;
  readonly delivery: Delivery;
  readonly receivedAt: number;
}

async function judge(provider: ReceivingProvider, ports: ReceivingPorts, the: Case): Promise<Verdict> {
  const { webhook, delivery } = the;
  if (!webhook || !accepts(webhook, provider)) return notFound(webhook);
  const contentType = delivery.headers['content-type'] ?? '';
  const parsed = provider.parse(delivery.body, contentType);
  const body = parsed.ok ? parsed.value : undefined;
  const expected = {
    ...(webhook.secretHash !== undefined && { secretHash: webhook.secretHash }),
    ...(webhook.instance !== undefined && { instance: webhook.instance }),
  };
  if (provider.isGenuine && !provider.isGenuine(delivery, expected, body)) return UNAUTHORIZED;
  const reading = parsed.ok ? safely(provider, parsed.value, ports.log) : { issues: [parsed.issue] };
  const receipt: Receipt = {
    webhook,
    provider: provider.name,
    contentType,
    raw: withoutSecret(provider, delivery),
    receivedAt: the.receivedAt,
    receipt: Buffer.from(ports.random.bytes(9)).toString('base64url'),
  };
  return keep(reading, receipt, the.tokenHash, ports);
}

function accepts(webhook: Webhook, provider: ReceivingProvider): boolean {
  return webhook.enabled && !webhook.rotated && webhook.kind === 'receive' && webhook.provider === provider.name;
}

/** Said instead of what went wrong inside. */
export const OUR_FAULT = { path: '', message: 'could not be processed; the fault is ours and the event is kept' };

/** A reader that throws is a fault of ours: the body waits in quarantine for the release that mends it. */
export function safely(provider: ReceivingProvider, body: unknown, log: Log): Reading {
  try {
    return provider.read(body);
  } catch (cause) {
    log.error('a reader failed; the event is in quarantine', cause, { provider: provider.name });
    return { issues: [OUR_FAULT] };
  }
}

async function keep(reading: Reading, receipt: Receipt, tokenHash: string, ports: ReceivingPorts): Promise<Verdict> {
  const stored: Stored[] = [];
  try {
    await storeReading(reading, receipt, ports, stored);
    return verdictOf(reading, stored);
  } catch (error) {
    if (error instanceof StoreUnavailable) return handOver(reading, receipt, tokenHash, ports, stored, error);
    // What we cannot store as we read it is still what somebody sent.
    if ('issues' in reading) throw error;
    ports.log.error('an event could not be stored as read; it is in quarantine', error, { provider: receipt.provider });
    return keep({ issues: [OUR_FAULT] }, receipt, tokenHash, ports);
  }
}

/** For a provider that never asks again, an error is a message lost: what the table does not take waits in a queue. */
async function handOver(
  reading: Reading,
  receipt: Receipt,
  tokenHash: string,
  { fallback, metrics, log }: ReceivingPorts,
  stored: readonly Stored[],
  cause: StoreUnavailable,
): Promise<Verdict> {
  const { provider, contentType, raw, receivedAt } = receipt;
  const taken = await fallback.send({ tokenHash, provider, contentType, raw, receivedAt });
  metrics.count(taken ? 'FallbackEvents' : 'RefusedDeliveries', { provider });
  log.error('the table did not take a delivery', cause, { provider, fallback: taken });
  if (!taken) return UNAVAILABLE;
  // The id that the event will have: it follows from the content alone.
  return verdictOf(reading, [{ status: 'stored', id: stored[0]?.id ?? recordsOf(reading, receipt)[0].event.id }]);
}

/**
 * Stores all events of a reading and what follows from them, in order; adds to `stored` as it goes. `now`, in
 * milliseconds, is later than the receipt where an old delivery is read again.
 */
export async function storeReading(
  reading: Reading,
  receipt: Receipt,
  ports: SettlePorts,
  stored: Stored[],
  now = receipt.receivedAt,
): Promise<void> {
  for (const record of recordsOf(reading, receipt)) {
    const result = await storeEvent(ports.store, record, Math.floor(now / 1000));
    stored.push(result);
    await settle(ports, record, receipt, result);
  }
}

async function note(
  provider: ReceivingProvider,
  ports: ReceivingPorts,
  webhook: Webhook,
  delivery: Delivery,
  { answer, outcome, id, message }: Verdict,
  since: number,
): Promise<void> {
  const withBody = outcome !== 'stored' && outcome !== 'duplicate';
  const body = withBody ? withoutSecret(provider, delivery) : delivery.body;
  const noted = { status: answer.status, outcome, withBody, ...(id && { id }), ...(message && { message }) };
  await noteAttempt(ports, webhook, { ...delivery, body }, noted, since);
}

function withoutSecret(provider: ReceivingProvider, { body, headers }: Delivery): Uint8Array {
  return provider.withoutSecret?.(body, headers['content-type'] ?? '') ?? body;
}
