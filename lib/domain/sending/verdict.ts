import { known } from '../known.ts';
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
  readonly silence: Silence;
}

/** What an account remembers of calls that were not answered so that one could tell what became of the message. */
export interface Silence {
  /** How many since a message was last accepted. */
  readonly running: number;
  /** When the latest of them ended, oldest first: as many as an hour may have. */
  readonly times: readonly number[];
}

export interface Limits {
  readonly backoff: Backoff;
  readonly retryLimitMs: number;
  /** So many unknown outcomes, without a success between them, hold the account. */
  readonly unknownToHold: number;
  /** And so many within an hour, whatever was between them. */
  readonly unknownPerHour: number;
}

/** What becomes of a part after a call. */
export type Verdict =
  | { readonly kind: 'sent'; readonly providerId: string }
  | { readonly kind: 'failed'; readonly reason: string }
  /** `holdReason`: the provider is silent, and every further call would cost one more message. */
  | {
      readonly kind: 'unknown';
      readonly reason: string;
      readonly providerId?: string;
      readonly silence: Silence;
      readonly holdReason?: string;
    }
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
      return {
        ...judgeUnknown(outcome.reason, past.silence, now, limits),
        ...known({ providerId: outcome.providerId }),
      };
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

const HOUR = 3_600_000;

/**
 * A provider that is down takes one message after the other, and none of them is ever sent by itself. So a few of them
 * stop the queue; after the hold a single one is tried, because what was counted is forgotten with a success alone.
 */
function judgeUnknown(reason: string, past: Silence, now: number, limits: Limits): Verdict {
  const running = past.running + 1;
  // A host whose clock is ahead may have written times that are yet to come.
  const recent = past.times.map((time) => Math.min(time, now)).filter((time) => time > now - HOUR);
  const times = [...recent, now].slice(-limits.unknownPerHour);
  const silence = { running, times };
  const unanswered =
    (running >= limits.unknownToHold && `${running} messages in a row`) ||
    (times.length >= limits.unknownPerHour && `${times.length} messages within an hour`);
  if (!unanswered) return { kind: 'unknown', reason, silence };
  const holdReason = `The provider did not answer ${unanswered} (the last: ${reason}). Whether they went out is not known. The others wait, and go on by themselves once it answers.`;
  return { kind: 'unknown', reason, silence, holdReason };
}

/** When the next message may be tried at the earliest: an hour has room for so many unknown outcomes and no more. */
export function silentUntil({ times }: Pick<Silence, 'times'>, now: number, limits: Pick<Limits, 'unknownPerHour'>) {
  const [oldest] = times.slice(-limits.unknownPerHour);
  return oldest === undefined || times.length < limits.unknownPerHour ? 0 : Math.min(oldest, now) + HOUR;
}
