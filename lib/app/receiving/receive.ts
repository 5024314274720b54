import { sha256 } from '#lib/domain/ids.ts';
import { known } from '#lib/domain/known.ts';
import { noteAttempt } from '../attempts/note.ts';
import { retrying } from '../retrying-store.ts';
import { answerAlike } from '../webhooks/alike.ts';
import { type Found, webhookFinder } from '../webhooks/find.ts';
import type { Webhook } from '../webhooks/webhook.ts';
import { handOver, keep, type PatientPorts, type ReceivingPorts } from './keep.ts';
import type { Delivery, ReceivingProvider } from './provider.ts';
import { readBody } from './read-body.ts';
import type { Receipt } from './records.ts';
import { type Answer, notFound, TOO_LARGE, UNAUTHORIZED, UNAVAILABLE, type Verdict } from './verdict.ts';

/**
 * The most impatient provider waits 5 s, and a request that hangs takes 1.2 s of them. When the table does not answer in
 * this time, the queue has to; when even that took long, there is none left for the note of the attempt.
 */
const TABLE_MS = 2500;
const QUEUE_MS = 3500;

/**
 * Takes in one delivery: find the webhook, check the sender, read, store, answer. What is answered 200 is kept; what
 * cannot be understood is kept as well, for nobody but us gains from a refusal.
 */
export function receiver(provider: ReceivingProvider, ports: ReceivingPorts) {
  const find = webhookFinder();
  return async (token: string, delivery: Delivery): Promise<Answer> => {
    const receivedAt = ports.clock.now();
    const begun = ports.clock.monotonic();
    const store = retrying(ports.store, ports.clock, ports.random, begun + TABLE_MS);
    const patient = { ...ports, store, queueUntil: begun + QUEUE_MS };
    const tooLarge = delivery.body.length > ports.maxBytes;
    const found = await find(store, sha256(token));
    if (found.kind === 'unreachable') return tooLarge ? TOO_LARGE.answer : unreachable(provider, ports);
    const verdict = tooLarge ? TOO_LARGE : await judged(provider, patient, { found, delivery, receivedAt });
    tell(provider, ports, verdict);
    const hasTime = ports.clock.monotonic() <= patient.queueUntil;
    if (found.kind === 'found' && hasTime)
      await note(provider, patient, found.webhook, token, delivery, verdict, receivedAt);
    if (found.kind === 'none') ports.metrics.count('UnknownTokens', { provider: provider.name });
    if (verdict.answer.status === 404) await answerAlike(ports.clock, receivedAt);
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

interface Case {
  readonly found: Exclude<Found, { kind: 'unreachable' }>;
  readonly delivery: Delivery;
  readonly receivedAt: number;
}

/** Whoever wrote it, a fault before the delivery was kept is told to the provider, which may try again, and to us. */
async function judged(provider: ReceivingProvider, ports: PatientPorts, the: Case): Promise<Verdict> {
  try {
    return await judge(provider, ports, the);
  } catch (cause) {
    ports.metrics.count('RefusedDeliveries', { provider: provider.name });
    ports.log.error('a delivery could not be looked at; it was refused', cause, { provider: provider.name });
    return UNAVAILABLE;
  }
}

async function judge(provider: ReceivingProvider, ports: PatientPorts, the: Case): Promise<Verdict> {
  const { found, delivery } = the;
  const webhook = found.kind === 'none' ? undefined : found.webhook;
  if (!webhook || !accepts(webhook, provider)) return notFound(webhook);
  const contentType = delivery.headers['content-type'] ?? '';
  const parsed = provider.parse(delivery.body, contentType);
  const body = parsed.ok ? parsed.value : undefined;
  const expected = known({ secretHash: webhook.secretHash, instance: webhook.instance });
  if (provider.isGenuine && !provider.isGenuine(delivery, expected, body)) return UNAUTHORIZED;
  const raw = withoutSecret(provider, delivery);
  // As it is kept, for so it will be read if it has to take the queue.
  const parsedAsKept = raw === delivery.body ? parsed : provider.parse(raw, contentType);
  const reading = readBody(provider, parsedAsKept, raw, ports.log);
  const { webhookId, workspace, accountId, retentionDays } = webhook;
  const receipt: Receipt = {
    webhook: { webhookId, workspace, ...known({ accountId, retentionDays }) },
    provider: provider.name,
    contentType,
    raw,
    bodyHash: sha256(delivery.body),
    receivedAt: the.receivedAt,
    receipt: Buffer.from(ports.random.bytes(9)).toString('base64url'),
  };
  // Found in memory alone: the table has just not answered, and the provider will not wait for it to fail again.
  if (found.kind === 'remembered') return handOver(reading, receipt, ports, found.cause);
  return keep(reading, receipt, ports);
}

function accepts(webhook: Webhook, provider: ReceivingProvider): boolean {
  return webhook.enabled && !webhook.rotated && webhook.kind === 'receive' && webhook.provider === provider.name;
}

async function note(
  provider: ReceivingProvider,
  ports: ReceivingPorts,
  webhook: Webhook,
  token: string,
  delivery: Delivery,
  { answer, outcome, id, message }: Verdict,
  since: number,
): Promise<void> {
  const withBody = outcome !== 'stored' && outcome !== 'duplicate';
  const kept = withBody ? withoutSecret(provider, delivery) : delivery.body;
  const noted = { status: answer.status, outcome, withBody, ...(id && { id }), ...(message && { message }) };
  await noteAttempt(ports, webhook, { ...delivery, token, kept }, noted, since);
}

function withoutSecret(provider: ReceivingProvider, { body, headers }: Delivery): Uint8Array {
  return provider.withoutSecret?.(body, headers['content-type'] ?? '') ?? body;
}
