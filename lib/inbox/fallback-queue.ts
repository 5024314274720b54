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
