import type { Clock, Log, Metrics, Random } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import { persist } from '#lib/store/retry.ts';
import type { ReceivingWebhook } from './records.ts';

/** What an envelope has in the place of a webhook when nobody called: the hub itself reports, for this account. */
export interface OwnReport {
  readonly ownAccount: string;
}

/** What an envelope has in the place of a webhook while the table cannot be read and this process has never met the URL. */
export interface Unjudged {
  readonly tokenHash: string;
  /** SHA-256 of the secret that came with it, which is taken out of the body. */
  readonly secretHash?: string;
  /** Of what may be the secret as well: a relay's wrapper holds several. */
  readonly otherHashes?: readonly string[];
}

/**
 * A delivery that the table did not take, on its way through a queue. The one place outside the table where a body is
 * ever kept: for a provider that never asks again, an error answered is a message lost.
 */
export interface Envelope {
  /**
   * What the events take over from the webhook, which may be deleted meanwhile; or whom the hub itself reports for; or
   * by what to find the webhook, which could not be asked for.
   */
  readonly webhook: ReceivingWebhook | OwnReport | Unjudged;
  readonly provider: string;
  readonly contentType: string;
  /** The body without a secret. Unless it is unjudged, it was authenticated before it was put here. */
  readonly raw: Uint8Array;
  /** SHA-256 of the body as it came: what cannot be read is told apart by it. */
  readonly bodyHash: string;
  /** Milliseconds. */
  readonly receivedAt: number;
  /** As it was answered, for the log: the first event's. The hub's own reports are answered to nobody, the unjudged without. */
  readonly eventId?: string;
}

export interface FallbackQueue {
  /**
   * False where it does not fit. Throws QueueUnavailable where the queue did not take it, or may have without our hearing
   * of it: sent twice, it is the same envelope.
   */
  send(envelope: Envelope): Promise<boolean>;
}

export class QueueUnavailable extends Error {
  override readonly name = 'QueueUnavailable';
}

interface QueuePorts {
  readonly fallback: FallbackQueue;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly log: Log;
  /** The latest start of an attempt, in the time of `clock.monotonic`. */
  readonly queueUntil: number;
}

/** Whether the queue has it. `why` and `cause`: that the table has not; `mayGo`: whether the queue may be asked at all. */
export async function handOver(
  envelope: Envelope,
  why: string,
  cause: unknown,
  ports: QueuePorts,
  mayGo = true,
): Promise<boolean> {
  const { provider, eventId } = envelope;
  const taken = mayGo && (await queued(envelope, ports));
  ports.metrics.count(taken ? 'FallbackEvents' : 'RefusedDeliveries', { provider });
  ports.log.error(why, cause, { provider, fallback: taken, ...known({ correlationId: eventId }) });
  return taken;
}

/** For most providers there is nothing after the queue, so it is asked as long as there is time. */
async function queued(envelope: Envelope, { fallback, clock, random, log, queueUntil }: QueuePorts): Promise<boolean> {
  const isWorthIt = (error: unknown) => error instanceof QueueUnavailable;
  try {
    return await persist(() => fallback.send(envelope), isWorthIt, clock, random, queueUntil);
  } catch (cause) {
    log.error('the fallback queue did not take a delivery', cause, { provider: envelope.provider });
    return false;
  }
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
