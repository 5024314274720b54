import { matchesHash, sha256 } from '#lib/domain/ids.ts';
import type { Parsed } from '#lib/domain/json.ts';
import type { Clock, Random } from '#lib/domain/ports.ts';
import { type Issue, known } from '#lib/domain/schema.ts';
import { persist, retrying } from '#lib/store/retry.ts';
import { accountFinder } from '#lib/tenants/account.ts';
import { type Attempt, noteAttempt } from '#lib/tenants/attempts.ts';
import { constantTime404, type Found, looksLikeToken, type Webhook, webhookFinder } from '#lib/tenants/webhooks.ts';
import type { Stored } from './event-store.ts';
import { type SettlePorts, storeOrQuarantine } from './keep.ts';
import {
  type Delivery,
  type Kept,
  lazily,
  OUR_FAULT,
  type Proof,
  type Reading,
  type ReceivingProvider,
  readBody,
} from './provider.ts';
import {
  type Envelope,
  type FallbackQueue,
  newReceipt,
  QueueUnavailable,
  type Receipt,
  type ReceivingWebhook,
  recordsOf,
  type Taken,
} from './records.ts';

export interface ReceivingPorts extends SettlePorts {
  readonly fallback: FallbackQueue;
  readonly random: Random;
  readonly maxBytes: number;
}

/** For one delivery: `store` tries again for as long as it may. */
interface TimedPorts extends ReceivingPorts {
  /** The latest start of an attempt of the fallback queue, in the time of `clock.monotonic`. */
  readonly queueUntil: number;
}

export interface Answer {
  readonly status: 200 | 401 | 404 | 413 | 503;
  readonly body: object;
}

/** What is answered, and what the owner reads of it in the log of attempts. */
export interface Verdict {
  readonly answer: Answer;
  readonly outcome: Attempt['outcome'];
  readonly id?: string;
  readonly message?: string;
}

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
    const asItCame = { raw: delivery.body, parsed };
    const withoutSecret = lazily(() => provider.withoutSecret?.(delivery.body, contentType, parsed) ?? asItCame);
    const received = { token, delivery, contentType, parsed, withoutSecret, receivedAt };
    const found = await find(store, sha256(token));
    const verdict = await verdictOn(provider, timed, mayHandOver, found, received);
    // The ordinary delivery says nothing but what the log of attempts keeps: a line each would cost more than storing it.
    if (verdict.outcome !== 'stored' && verdict.outcome !== 'duplicate') {
      const { outcome, id } = verdict;
      const said = { provider: provider.name, outcome, ...known({ correlationId: id }) };
      ports.log.warn('a delivery was not taken as usual', said);
    }
    const hasTime = ports.clock.monotonic() <= timed.queueUntil;
    if (found.kind === 'found' && hasTime) await note(timed, found.webhook, received, verdict);
    if (found.kind === 'none') ports.metrics.count('UnknownTokens', { provider: provider.name });
    if (verdict.answer.status === 404) await constantTime404(ports.clock, receivedAt);
    return verdict.answer;
  };
}

interface Received {
  readonly token: string;
  readonly delivery: Delivery;
  readonly contentType: string;
  readonly parsed: () => Parsed<unknown>;
  readonly withoutSecret: () => Kept;
  readonly receivedAt: number;
}

/** Whoever wrote it, a fault before the delivery was kept is told to the provider, which may try again, and to us. */
async function verdictOn(
  provider: ReceivingProvider,
  ports: TimedPorts,
  mayHandOver: (bytes: number) => boolean,
  found: Found,
  received: Received,
): Promise<Verdict> {
  if (received.delivery.body.length > ports.maxBytes) return TOO_LARGE;
  try {
    return found.kind === 'unreachable'
      ? await giveUnjudged(provider, ports, mayHandOver, received, found.cause)
      : await judge(provider, ports, found, received);
  } catch (cause) {
    ports.metrics.count('RefusedDeliveries', { provider: provider.name });
    ports.log.error('a delivery could not be looked at; it was refused', cause, { provider: provider.name });
    return UNAVAILABLE;
  }
}

async function judge(
  provider: ReceivingProvider,
  ports: TimedPorts,
  found: Exclude<Found, { kind: 'unreachable' }>,
  received: Received,
): Promise<Verdict> {
  const { delivery, parsed, withoutSecret } = received;
  const webhook = found.kind === 'none' ? undefined : found.webhook;
  const its = admitted(webhook, provider, () => proofIn(provider, delivery, parsed));
  if ('answer' in its) return its;
  const kept = keptOf(provider, received);
  // As it is kept, for so it will be read if it has to take the queue.
  const reading = readBody(provider, withoutSecret().parsed(), kept.raw, ports.log);
  const receipt = { ...kept, webhook: its, receipt: newReceipt(ports.random) };
  // Found in memory alone: the table has just not answered, and the provider will not wait for it to fail again.
  if (found.kind === 'remembered') return giveToQueue(reading, receipt, ports, found.cause);
  const stored: Stored[] = [];
  try {
    return verdictOf(await storeOrQuarantine(reading, receipt, ports, stored), stored);
  } catch (error) {
    // What cannot be stored now, whoever is to blame, waits in the fallback queue.
    return giveToQueue(reading, receipt, ports, error, stored);
  }
}

const keptOf = (
  { name }: ReceivingProvider,
  { delivery, contentType, withoutSecret, receivedAt }: Received,
): Taken => ({
  ...{ provider: name, contentType, receivedAt, raw: withoutSecret().raw },
  bodyHash: sha256(delivery.body),
});

async function note(
  ports: ReceivingPorts,
  webhook: Webhook,
  { token, delivery, withoutSecret, receivedAt }: Received,
  { answer, outcome, id, message }: Verdict,
): Promise<void> {
  // Of what is too large nobody may say how long it takes to look through it.
  const withBody = outcome !== 'stored' && outcome !== 'duplicate' && outcome !== 'too_large';
  const noted = { status: answer.status, outcome, withBody, ...known({ id, message }) };
  await noteAttempt(
    ports,
    webhook,
    { ...delivery, token, ...(withBody && { kept: withoutSecret().raw }) },
    noted,
    receivedAt,
  );
}

/** A verdict where a delivery may not come in through the webhook that its URL leads to, at once or when the table is back. */
export function admitted(
  webhook: Webhook | undefined,
  provider: ReceivingProvider,
  proof: () => Proof,
): ReceivingWebhook | Verdict {
  const isIts = webhook?.kind === 'receive' && webhook.provider === provider.name;
  if (!webhook?.enabled || webhook.rotated || !isIts) return notFound(webhook);
  const presented = provider.proofOf ? proof() : undefined;
  if (presented && !isProven(presented, webhook)) return unauthorized(presented.fault);
  const { webhookId, workspace, accountId, retentionDays } = webhook;
  return { webhookId, workspace, ...known({ accountId, retentionDays }) };
}

/** What a delivery brings along; `parsed`: its body, where that is known already. */
export function proofIn(
  provider: ReceivingProvider,
  delivery: Delivery,
  parsed = () => provider.parse(delivery.body, delivery.headers['content-type'] ?? ''),
): Proof {
  if (!provider.proofOf) return {};
  const body = parsed();
  return body.ok
    ? provider.proofOf(delivery, body.value)
    : { ...provider.proofOf(delivery, undefined), fault: body.issue.message };
}

/**
 * The webhook's secret, where it has one, and an instance that is not somebody else's. Where the body names no instance
 * there is nothing to refuse: it cannot be read, either, and is kept in quarantine.
 */
export function isProven(proof: Proof, expected: Pick<Webhook, 'secretHash' | 'instance'>): boolean {
  const { secretHash } = expected;
  const presented = proof.secretHashes ?? [];
  if (secretHash !== undefined && !presented.some((hash) => matchesHash(hash, secretHash))) return false;
  return expected.instance === undefined || proof.instance === undefined || proof.instance === expected.instance;
}

/** For a provider that never asks again, an error is a message lost: what the table does not take waits in a queue. */
async function giveToQueue(
  reading: Reading,
  receipt: Receipt,
  ports: TimedPorts,
  cause: unknown,
  stored: readonly Stored[] = [],
): Promise<Verdict> {
  const { receipt: _, ...kept } = receipt;
  const eventId = stored[0]?.id ?? laterId(reading, receipt);
  const envelope = { ...kept, ...known({ eventId }) };
  const taken = await handOver(envelope, cause, ports);
  return taken ? verdictOf(reading, [{ status: 'stored', id: eventId ?? '' }]) : UNAVAILABLE;
}

/**
 * Whether the queue has it. For most providers there is nothing after the queue, so it is asked as long as there is time.
 * `cause`: that the table has not; `mayGo`: whether the queue may be asked at all.
 */
async function handOver(
  envelope: Envelope,
  cause: unknown,
  { fallback, clock, random, metrics, log, queueUntil }: TimedPorts,
  mayGo = true,
): Promise<boolean> {
  const { provider, eventId } = envelope;
  const isWorthIt = (error: unknown) => error instanceof QueueUnavailable;
  const asking = mayGo && persist(() => fallback.send(envelope), isWorthIt, clock, random, queueUntil);
  const taken = await Promise.resolve(asking).catch((fault: unknown) => {
    log.error('the fallback queue did not take a delivery', fault, { provider });
    return false;
  });
  metrics.count(taken ? 'FallbackEvents' : 'RefusedDeliveries', { provider });
  log.error('the table did not take a delivery', cause, {
    provider,
    fallback: taken,
    ...known({ correlationId: eventId }),
  });
  return taken;
}

/** The id that the event will have follows from its content; only a conflict, which shows on storing, has another. */
function laterId(reading: Reading, receipt: Receipt): string | undefined {
  try {
    return recordsOf(reading, receipt)[0].event.id;
  } catch {
    // What we cannot make an event of will be in quarantine. Whatever is wrong, the queue is to have the delivery.
    return 'issues' in reading ? undefined : laterId({ issues: [OUR_FAULT] }, receipt);
  }
}

/*
 * While the table cannot be read, nobody can tell whose a delivery is if this process has never met its URL. The queue
 * takes it nevertheless, by the hash of its token, and it is judged when the table is back (fallback.ts): a provider that
 * never asks again would lose a message otherwise. Whoever guesses URLs must not fill the queue meanwhile, so there are
 * bounds.
 */

/** So much at once, and so much each second from then on; of deliveries up to 64 KB each counts one. */
const MOST_AT_ONCE = 60;
const PER_SECOND = 2;
const BYTES_EACH = 64 * 1024;

/** What one process may hand over unjudged: answers whether it may a delivery of so many bytes. */
function allowance(clock: Clock): (bytes: number) => boolean {
  let left = MOST_AT_ONCE;
  let at = clock.monotonic();
  return (bytes) => {
    const now = clock.monotonic();
    left = Math.min(MOST_AT_ONCE, left + ((now - at) / 1000) * PER_SECOND);
    at = now;
    const cost = Math.max(1, Math.ceil(bytes / BYTES_EACH));
    if (cost > left) return false;
    left -= cost;
    return true;
  };
}

/** No id: what the event's follows from is not known. */
async function giveUnjudged(
  provider: ReceivingProvider,
  ports: TimedPorts,
  mayHandOver: (bytes: number) => boolean,
  received: Received,
  cause: unknown,
): Promise<Verdict> {
  const { token, delivery, parsed } = received;
  // No webhook has such a URL, whatever the table would say.
  if (!looksLikeToken(token)) {
    ports.metrics.count('UnknownTokens', { provider: provider.name });
    return notFound(undefined);
  }
  const [secretHash, ...others] = proofIn(provider, delivery, parsed).secretHashes ?? [];
  const otherHashes = others.length > 0 ? others : undefined;
  const webhook = { tokenHash: sha256(token), ...known({ secretHash, otherHashes }) };
  const mayGo = mayHandOver(delivery.body.length);
  const taken = await handOver({ ...keptOf(provider, received), webhook }, cause, ports, mayGo);
  return taken ? { answer: { status: 200, body: { status: 'stored' } }, outcome: 'stored' } : UNAVAILABLE;
}

export function verdictOf(reading: Reading, results: readonly Stored[]): Verdict {
  const fresh = results.find((result) => result.status === 'stored');
  const first = fresh ?? results[0];
  const id = first?.id ?? '';
  if (!fresh) return { answer: { status: 200, body: { status: 'duplicate', id } }, outcome: 'duplicate', id };
  const more = results.length > 1 ? { ids: results.map((result) => result.id) } : {};
  if (!('issues' in reading)) {
    const message = reading.unread && sentences(reading.unread.issues);
    const answer: Answer = { status: 200, body: { status: 'stored', id, ...more } };
    return { answer, outcome: 'stored', id, ...(message !== undefined && { message }) };
  }
  const { issues } = reading;
  return {
    answer: { status: 200, body: { status: 'quarantined', id, issues } },
    outcome: 'quarantined',
    id,
    message: sentences(issues),
  };
}

const sentences = (issues: readonly Issue[]) => issues.map(sentence).join('; ');

const sentence = (issue: Issue) => (issue.path === '' ? issue.message : `${issue.path}: ${issue.message}`);

const refusal = (status: 401 | 404 | 413 | 503, outcome: Attempt['outcome'], message: string): Verdict => ({
  answer: { status, body: { status, data: {}, message } },
  outcome,
  message,
});

/** One answer for all who may not know; the reason stands in the owner's log. */
function notFound(webhook: Webhook | undefined): Verdict {
  return { ...refusal(404, 'not_found', 'Webhook not found'), message: whyNotFound(webhook) };
}

function whyNotFound(webhook: Webhook | undefined): string {
  if (webhook?.rotated) return 'This URL was replaced by a newer one';
  if (webhook && !webhook.enabled) return 'The webhook is switched off';
  return 'The URL belongs to another provider, or to sending';
}

/** `fault`: why no secret could be looked for in the body. */
const unauthorized = (fault: string | undefined): Verdict =>
  refusal(
    401,
    'unauthorized',
    fault === undefined
      ? "The provider's secret or account does not match this webhook"
      : `The body could not be read, and no secret of this webhook was found: ${fault}`,
  );

const TOO_LARGE = refusal(413, 'too_large', 'The body is larger than this hub takes (1 MB unless set otherwise)');
const UNAVAILABLE = refusal(503, 'unavailable', 'Not stored; please send it again');
