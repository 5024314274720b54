import { sha256 } from '#lib/domain/ids.ts';
import { known } from '#lib/domain/known.ts';
import { noteAttempt } from '../attempts/note.ts';
import type { Clock } from '../ports.ts';
import type { Store } from '../store.ts';
import { looksLikeToken } from '../webhooks/token.ts';
import { type Webhook, webhookKey, webhookOf } from '../webhooks/webhook.ts';
import { admissionOf, proofIn } from './admission.ts';
import type { Parcel, Unjudged } from './fallback.ts';
import { type PatientPorts, queued } from './keep.ts';
import type { Delivery, ReceivingProvider } from './provider.ts';
import { notFound, UNAVAILABLE, type Verdict } from './verdict.ts';

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
  ports: PatientPorts,
  mayHandOver: (bytes: number) => boolean,
  { token, delivery, receivedAt, cause }: Unknown,
): Promise<Verdict> {
  // No webhook has such a URL, whatever the table would say.
  if (!looksLikeToken(token)) {
    ports.metrics.count('UnknownTokens', { provider: provider.name });
    return notFound(undefined);
  }
  const parcel = parcelOf(provider, token, delivery, receivedAt);
  const taken = mayHandOver(delivery.body.length) && (await queued(parcel, ports));
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

function parcelOf(provider: ReceivingProvider, token: string, delivery: Delivery, receivedAt: number): Parcel {
  const contentType = delivery.headers['content-type'] ?? '';
  const { secretHash } = proofIn(provider, delivery);
  return {
    webhook: { tokenHash: sha256(token), ...known({ secretHash }) },
    provider: provider.name,
    contentType,
    raw: provider.withoutSecret?.(delivery.body, contentType) ?? delivery.body,
    bodyHash: sha256(delivery.body),
    receivedAt,
  };
}

/** Judges a parcel as its delivery would have been, had the table been there. Throws where it is not there yet. */
export async function judgeLate(
  provider: ReceivingProvider,
  store: Store,
  { tokenHash, secretHash }: Unjudged,
  delivery: Delivery,
) {
  const item = await store.get(webhookKey(tokenHash), { consistent: true });
  const webhook = item && webhookOf(item);
  // The instance stands in the body that was kept; the secret does not.
  const proof = () => ({ ...proofIn(provider, delivery), ...known({ secretHash }) });
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
