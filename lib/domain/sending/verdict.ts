import type { SendOutcome } from './outcome.ts';
import { type Backoff, backoff } from './pace.ts';

/** What has gone before the attempt that is judged. */
export interface Past {
  /** Failures of this message in a row that left it unsent. */
  readonly retries: number;
  /** When the first of them was. */
  readonly retryingSince?: number;
  /** Answers in a row, of any message of the account, that cast doubt on the account itself. */
  readonly failuresRunning: number;
}

export interface Limits {
  readonly backoff: Backoff;
  readonly retryLimitMs: number;
}

/** What becomes of a part after a call. */
export type Verdict =
  | { readonly kind: 'sent'; readonly providerId: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string }
  | { readonly kind: 'again'; readonly reason: string; readonly waitMs: number; readonly failuresRunning: number }
  | { readonly kind: 'held'; readonly reason: string };

/** Retries end: a message tried for too long has failed, and too many doubtful answers in a row hold the account. */
export function judge(outcome: SendOutcome, past: Past, now: number, chance: number, limits: Limits): Verdict {
  switch (outcome.kind) {
    case 'accepted':
      return { kind: 'sent', providerId: outcome.providerId };
    case 'rejected':
      return { kind: 'failed', reason: outcome.reason };
    case 'unknown':
      return { kind: 'unknown', reason: outcome.reason };
    case 'hold':
      return { kind: 'held', reason: outcome.reason };
    case 'retry':
      return judgeRetry(outcome, past, now, chance, limits);
  }
}

function judgeRetry(
  { reason, retryAfterMs, holdAfter }: Extract<SendOutcome, { kind: 'retry' }>,
  past: Past,
  now: number,
  chance: number,
  limits: Limits,
): Verdict {
  const failuresRunning = holdAfter === undefined ? 0 : past.failuresRunning + 1;
  if (holdAfter !== undefined && failuresRunning >= holdAfter) return { kind: 'held', reason };
  if (now - (past.retryingSince ?? now) >= limits.retryLimitMs) {
    return { kind: 'failed', reason: `given up after many tries: ${reason}` };
  }
  const waitMs = backoff(past.retries + 1, chance, limits.backoff, retryAfterMs);
  return { kind: 'again', reason, waitMs, failuresRunning };
}
