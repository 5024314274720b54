import { sha256 } from '#lib/domain/ids.ts';
import type { Clock } from '#lib/domain/ports.ts';
import { matchesHash } from '#lib/domain/redact.ts';
import { known } from '#lib/domain/schema.ts';
import { webhookKey } from '#lib/store/keys.ts';
import type { Store } from '#lib/store/store.ts';
import { noteAttempt } from '#lib/tenants/attempts.ts';
import { looksLikeToken, type Webhook, webhookOf } from '#lib/tenants/webhook.ts';
import type { Envelope, Unjudged } from './fallback-queue.ts';
import { queued, type TimedPorts } from './keep.ts';
import type { Delivery, Proof, ReceivingProvider } from './provider.ts';
import type { ReceivingWebhook } from './records.ts';
import { notFound, UNAVAILABLE, unauthorized, type Verdict } from './verdict.ts';

/** What an authenticity check may know of the webhook. */
type Expectation = Pick<Webhook, 'secretHash' | 'instance'>;

type Admission =
  | { readonly kind: 'admitted'; readonly webhook: ReceivingWebhook }
  | { readonly kind: 'refused'; readonly verdict: Verdict };

/** Whether a delivery may come in through the webhook that its URL leads to, be it at once or when the table is back. */
export function admissionOf(webhook: Webhook | undefined, provider: ReceivingProvider, proof: () => Proof): Admission {
  if (!webhook || !accepts(webhook, provider)) return { kind: 'refused', verdict: notFound(webhook) };
  const presented = provider.proofOf ? proof() : undefined;
  if (presented && !isProven(presented, webhook)) return { kind: 'refused', verdict: unauthorized(presented.fault) };
  const { webhookId, workspace, accountId, retentionDays } = webhook;
  return { kind: 'admitted', webhook: { webhookId, workspace, ...known({ accountId, retentionDays }) } };
}

function accepts(webhook: Webhook, provider: ReceivingProvider): boolean {
  return webhook.enabled && !webhook.rotated && webhook.kind === 'receive' && webhook.provider === provider.name;
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
export function isProven(proof: Proof, expected: Expectation): boolean {
  const { secretHash } = expected;
  const presented = proof.secretHashes ?? [];
  if (secretHash !== undefined && !presented.some((hash) => matchesHash(hash, secretHash))) return false;
  return expected.instance === undefined || proof.instance === undefined || proof.instance === expected.instance;
}

/*
 * While the table cannot be read, nobody can tell whose a delivery is if this process has never met its URL. The queue
 * takes it nevertheless, by the hash of its token, and it is judged when the table is back: a provider that never asks
 * again would lose a message otherwise. Whoever guesses URLs must not fill the queue meanwhile, so there are bounds.
 */

/** So much at once, and so much each second from then on; of deliveries up to 64 KB each counts one. */
const MOST_AT_ONCE = 60;
const PER_SECOND = 2;
const BYTES_EACH = 64 * 1024;

/** What one process may hand over unjudged: answers whether it may a delivery of so many bytes. */
export function allowance(clock: Clock): (bytes: number) => boolean {
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

/** Answers for a delivery of which nothing is known but its URL. No id: what the event's follows from is not known. */
export async function handOverUnjudged(
  provider: ReceivingProvider,
  ports: TimedPorts,
  mayHandOver: (bytes: number) => boolean,
  { token, delivery, receivedAt, cause }: Unknown,
): Promise<Verdict> {
  // No webhook has such a URL, whatever the table would say.
  if (!looksLikeToken(token)) {
    ports.metrics.count('UnknownTokens', { provider: provider.name });
    return notFound(undefined);
  }
  const envelope = envelopeOf(provider, token, delivery, receivedAt);
  const taken = mayHandOver(delivery.body.length) && (await queued(envelope, ports));
  const name = provider.name;
  ports.metrics.count(taken ? 'FallbackEvents' : 'RefusedDeliveries', { provider: name });
  ports.log.error('the table could not be asked for a webhook', cause, { provider: name, fallback: taken });
  return taken ? { answer: { status: 200, body: { status: 'stored' } }, outcome: 'stored' } : UNAVAILABLE;
}

interface Unknown {
  readonly token: string;
  readonly delivery: Delivery;
  readonly receivedAt: number;
  readonly cause: unknown;
}

function envelopeOf(provider: ReceivingProvider, token: string, delivery: Delivery, receivedAt: number): Envelope {
  const contentType = delivery.headers['content-type'] ?? '';
  const [secretHash, ...others] = proofIn(provider, delivery).secretHashes ?? [];
  const otherHashes = others.length > 0 ? others : undefined;
  return {
    webhook: { tokenHash: sha256(token), ...known({ secretHash, otherHashes }) },
    provider: provider.name,
    contentType,
    raw: provider.withoutSecret?.(delivery.body, contentType).raw ?? delivery.body,
    bodyHash: sha256(delivery.body),
    receivedAt,
  };
}

/** Judges an envelope as its delivery would have been, had the table been there. Throws where it is not there yet. */
export async function judgeLate(
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
export async function noteLate(
  ports: Parameters<typeof noteAttempt>[0],
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
