/**
 * A delivery that the table did not take, on its way through a queue. The one place outside the table where a body is
 * ever kept: for a provider that never asks again, an error answered is a message lost.
 */
export interface Parcel {
  /** Of the URL that was called; or the account that the hub itself reports for (`own-delivery.ts`). */
  readonly tokenHash: string;
  readonly provider: string;
  readonly contentType: string;
  /** The body without a secret; it was authenticated before it was put here. */
  readonly raw: Uint8Array;
  /** Milliseconds. */
  readonly receivedAt: number;
}

export interface FallbackQueue {
  /** False where the queue did not take it, or it does not fit: then nobody has it. */
  send(parcel: Parcel): Promise<boolean>;
}
