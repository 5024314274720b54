/** What one call of a provider came to, in the hub's words. It says what to do; the reason is for people. */
export type SendOutcome =
  /** The provider took the message and named it. */
  | { readonly kind: 'accepted'; readonly providerId: string }
  /** Refused for good: this message will not go, whoever tries. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** Certainly not accepted, and worth another try. */
  | {
      readonly kind: 'retry';
      readonly reason: string;
      readonly retryAfterMs?: number;
      /** The account is held when this many such answers came in a row. Left out: never. */
      readonly holdAfter?: number;
    }
  /** Certainly not accepted, and no message of this account will be until somebody acts. */
  | { readonly kind: 'hold'; readonly reason: string }
  /** It may have been sent. Never sent again by itself. `providerId`: the provider has it, and may still send it. */
  | { readonly kind: 'unknown'; readonly reason: string; readonly providerId?: string };

/** An answer that is no success may name the message all the same: the id leads to what became of it. */
export function withId(outcome: SendOutcome, providerId: string | undefined): SendOutcome {
  return outcome.kind === 'unknown' && providerId !== undefined ? { ...outcome, providerId } : outcome;
}

/** How a call ended without a complete answer. */
export type Breakdown =
  /** The account's base URL is none that we may call (lib/domain/base-url.ts), or its name leads to a private address. */
  | 'forbidden'
  | 'dns'
  | 'refused'
  | 'tls'
  /** Ended before the body was written whole and any answer came: nobody can have acted on it. */
  | 'unwritten'
  /** Reset or timed out once the body was written, or an answer had begun. */
  | 'unanswered';

/** DNS, connection and TLS failures point at the account's address rather than at a message: five in a row hold it. */
const CONNECTION_FAILURES_TO_HOLD = 5;

/** True of all that a deployed hub does not call. */
const FORBIDDEN =
  "the account's base URL may not be called: it must be https, on port 443, and lead to the public internet";

export function outcomeOfBreakdown(breakdown: Breakdown): SendOutcome {
  if (breakdown === 'forbidden') return { kind: 'hold', reason: FORBIDDEN };
  if (breakdown === 'unanswered') return { kind: 'unknown', reason: 'the connection broke before the answer came' };
  if (breakdown === 'unwritten')
    return { kind: 'retry', reason: 'the connection broke before the request was written' };
  return { kind: 'retry', reason: `no connection: ${breakdown}`, holdAfter: CONNECTION_FAILURES_TO_HOLD };
}

/**
 * What an HTTP status alone says, where a provider's own table does not know better. Undefined: the body decides.
 * 408, 499 and 5xx come from something between that may have passed the request on.
 */
export function outcomeOfStatus(status: number, retryAfterMs?: number): SendOutcome | undefined {
  const reason = `http ${status}`;
  if (status === 429) return { kind: 'retry', reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  if (status === 401 || status === 403) return { kind: 'hold', reason };
  if (status === 408 || status === 499 || status >= 500) return { kind: 'unknown', reason };
  if (status >= 400) return { kind: 'rejected', reason };
  // No redirect is followed: what stands behind it may have acted on the request, or not.
  if (status >= 300) return { kind: 'unknown', reason };
  return undefined;
}
