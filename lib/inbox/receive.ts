import { sha256 } from '#lib/domain/ids.ts';
import type { Parsed } from '#lib/domain/json.ts';
import { lazily } from '#lib/domain/lazily.ts';
import { retrying } from '#lib/store/retry.ts';
import { noteAttempt } from '#lib/tenants/attempts.ts';
import { accountFinder } from '#lib/tenants/own-accounts.ts';
import { constantTime404, type Found, type Webhook, webhookFinder } from '#lib/tenants/webhook.ts';
import { handOver, keep, type ReceivingPorts, type TimedPorts } from './keep.ts';
import type { Delivery, Kept, ReceivingProvider } from './provider.ts';
import type { Receipt } from './records.ts';
import { admissionOf, allowance, handOverUnjudged, proofIn } from './unjudged.ts';
import { type Answer, readBody, TOO_LARGE, UNAVAILABLE, type Verdict } from './verdict.ts';

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
  const mayHandOver = allowance(ports.clock);
  const accounts = accountFinder(ports.clock);
  return async (token: string, delivery: Delivery): Promise<Answer> => {
    const receivedAt = ports.clock.now();
    const begun = ports.clock.monotonic();
    const store = retrying(ports.store, ports.clock, ports.random, begun + TABLE_MS);
    const timed = { ...ports, store, accounts, queueUntil: begun + QUEUE_MS };
    const contentType = delivery.headers['content-type'] ?? '';
    const parsed = lazily(() => provider.parse(delivery.body, contentType));
    const asItCame: Kept = { raw: delivery.body, parsed };
    const kept = lazily(() => provider.withoutSecret?.(delivery.body, contentType, parsed) ?? asItCame);
    const tooLarge = delivery.body.length > ports.maxBytes;
    const found = await find(store, sha256(token));
    const verdict = tooLarge
      ? TOO_LARGE
      : await orUnavailable(provider, ports, () =>
          found.kind === 'unreachable'
            ? handOverUnjudged(provider, timed, mayHandOver, { token, delivery, receivedAt, cause: found.cause })
            : judge(provider, timed, { found, delivery, parsed, kept, receivedAt }),
        );
    tell(provider, ports, verdict);
    const hasTime = ports.clock.monotonic() <= timed.queueUntil;
    if (found.kind === 'found' && hasTime)
      await note(timed, found.webhook, { ...delivery, token }, kept, verdict, receivedAt);
    if (found.kind === 'none') ports.metrics.count('UnknownTokens', { provider: provider.name });
    if (verdict.answer.status === 404) await constantTime404(ports.clock, receivedAt);
    return verdict.answer;
  };
}

/** The ordinary delivery says nothing but what the log of attempts keeps: a line each would cost more than storing it. */
function tell({ name }: ReceivingProvider, { log }: ReceivingPorts, { outcome, id }: Verdict): void {
  if (outcome === 'stored' || outcome === 'duplicate') return;
  log.warn('a delivery was not taken as usual', { provider: name, outcome, ...(id && { correlationId: id }) });
}

interface ReceivedDelivery {
  readonly found: Exclude<Found, { kind: 'unreachable' }>;
  readonly delivery: Delivery;
  readonly parsed: () => Parsed<unknown>;
  readonly kept: () => Kept;
  readonly receivedAt: number;
}

/** Whoever wrote it, a fault before the delivery was kept is told to the provider, which may try again, and to us. */
async function orUnavailable(
  provider: ReceivingProvider,
  ports: ReceivingPorts,
  verdict: () => Promise<Verdict>,
): Promise<Verdict> {
  try {
    return await verdict();
  } catch (cause) {
    ports.metrics.count('RefusedDeliveries', { provider: provider.name });
    ports.log.error('a delivery could not be looked at; it was refused', cause, { provider: provider.name });
    return UNAVAILABLE;
  }
}

async function judge(provider: ReceivingProvider, ports: TimedPorts, the: ReceivedDelivery): Promise<Verdict> {
  const { found, delivery } = the;
  const webhook = found.kind === 'none' ? undefined : found.webhook;
  const admission = admissionOf(webhook, provider, () => proofIn(provider, delivery, the.parsed));
  if (admission.kind === 'refused') return admission.verdict;
  const { raw, parsed } = the.kept();
  // As it is kept, for so it will be read if it has to take the queue.
  const reading = readBody(provider, parsed(), raw, ports.log);
  const receipt: Receipt = {
    webhook: admission.webhook,
    provider: provider.name,
    contentType: delivery.headers['content-type'] ?? '',
    raw,
    bodyHash: sha256(delivery.body),
    receivedAt: the.receivedAt,
    receipt: Buffer.from(ports.random.bytes(9)).toString('base64url'),
  };
  // Found in memory alone: the table has just not answered, and the provider will not wait for it to fail again.
  if (found.kind === 'remembered') return handOver(reading, receipt, ports, found.cause);
  return keep(reading, receipt, ports);
}

async function note(
  ports: ReceivingPorts,
  webhook: Webhook,
  call: Delivery & { readonly token: string },
  kept: () => Kept,
  { answer, outcome, id, message }: Verdict,
  since: number,
): Promise<void> {
  // Of what is too large nobody may say how long it takes to look through it.
  const withBody = outcome !== 'stored' && outcome !== 'duplicate' && outcome !== 'too_large';
  const noted = { status: answer.status, outcome, withBody, ...(id && { id }), ...(message && { message }) };
  await noteAttempt(ports, webhook, { ...call, ...(withBody && { kept: kept().raw }) }, noted, since);
}
