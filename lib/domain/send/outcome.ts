import { redacted } from '../redact.ts';
import { known } from '../schema.ts';

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

/**
 * An answer that is no success may name the message all the same: the provider has it then, whatever else it says, and the
 * id leads to what became of it.
 */
export function withId(outcome: SendOutcome, providerId: string | undefined): SendOutcome {
  if (outcome.kind === 'accepted' || providerId === undefined) return outcome;
  return { kind: 'unknown', reason: outcome.reason, providerId };
}

/** How a call ended without a complete answer. */
export type Breakdown =
  /** The account's base URL is none that we may call (lib/domain/url.ts), or its name leads to a private address. */
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

/** What a provider answered to a message that it did not name. */
export interface Answered {
  readonly status: number;
  /** The provider's own words about it; undefined where the body is not the provider's: a page, or nothing. */
  readonly words?: string;
  readonly retryAfterMs?: number;
}

/** One line of a provider's table of answers. The first line that fits counts. */
export interface Meaning {
  readonly status: number | '4xx';
  /** What the provider's words have to say, or that there are none; left out: whatever they say. */
  readonly says?: RegExp | 'nothing';
  readonly is: 'rejected' | 'retry' | 'hold' | 'unknown';
  /** Of `retry`: the account is held when so many of them came in a row. */
  readonly holdAfter?: number;
}

/**
 * Looks an answer up; what no line fits means what HTTP says it means. `hidden`: secrets that an answer may repeat;
 * `text`: the message's, which it may repeat as well. What the message says neither decides nor is quoted.
 */
export function meaningOf(
  table: readonly Meaning[],
  answered: Answered,
  hidden: readonly string[],
  text = '',
): SendOutcome {
  const { status, words, retryAfterMs } = answered;
  const said = text.trim();
  const isQuoted = said.length >= SHORTEST_SECRET || (said !== '' && words?.includes(said));
  const reason = reasonOf(status, words, isQuoted ? [...hidden, said] : hidden);
  const own = said.length < SHORTEST_SECRET ? words : words?.replaceAll(said, ' ');
  const meaning = table.find((line) => fits(line, { status, ...known({ words: own }) }));
  if (meaning === undefined) {
    const outcome = outcomeOfStatus(status, retryAfterMs);
    return outcome === undefined || outcome.kind === 'accepted'
      ? { kind: 'unknown', reason: `${reason}, and no message id` }
      : { ...outcome, reason };
  }
  if (meaning.is !== 'retry') return { kind: meaning.is, reason };
  return { kind: 'retry', reason, ...known({ retryAfterMs, holdAfter: meaning.holdAfter }) };
}

function fits({ status, says }: Meaning, { status: actual, words }: Answered): boolean {
  if (status === '4xx' ? Math.floor(actual / 100) !== 4 : status !== actual) return false;
  if (says === undefined) return true;
  return says === 'nothing' ? words === undefined : says.test(words ?? '');
}

const LONGEST_REASON = 200;
/** A shorter secret may be part of any word: then it is safer to quote nothing. */
const SHORTEST_SECRET = 8;

/** Words of a provider may repeat the request, and with it a token: secrets go first, then it is cut. */
export function reasonOf(status: number, words: string | undefined, hidden: readonly string[]): string {
  const said = words && quotable(words, hidden);
  return said ? `http ${status}: ${said}` : `http ${status}`;
}

function quotable(words: string, hidden: readonly string[]): string {
  if (hidden.some((secret) => secret.length < SHORTEST_SECRET)) return '';
  return redacted(words, hidden)
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_REASON)
    .toWellFormed();
}

/** What has gone before the attempt that is judged. */
interface Past {
  /** Failures of this message in a row that left it unsent. */
  readonly retries: number;
  /** When the first of them was. */
  readonly retryingSince?: number;
  /** Answers in a row, of any message of the account, that cast doubt on the account itself. */
  readonly failuresRunning: number;
  readonly silence: Silence;
  /** The time that has certainly come: a clock that is ahead must not forget what was within the hour. */
  readonly gate: number;
}

/** What an account remembers of calls that were not answered so that one could tell what became of the message. */
export interface Silence {
  /** How many since a message was last accepted. */
  readonly running: number;
  /** When the latest of them ended, oldest first: as many as an hour may have. */
  readonly times: readonly number[];
}

interface Limits {
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
        ...judgeUnknown(outcome.reason, past, now, limits),
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
function judgeUnknown(reason: string, past: Pick<Past, 'silence' | 'gate'>, now: number, limits: Limits): Verdict {
  const { silence: before, gate } = past;
  const running = before.running + 1;
  // A host whose clock is ahead may have written times that are yet to come.
  const recent = before.times.map((time) => Math.min(time, now)).filter((time) => time > gate - HOUR);
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

/** How far apart two calls of one account are: drawn anew each time between these, in milliseconds. */
export interface Pacing {
  readonly minMs: number;
  readonly maxMs: number;
}

export const DEFAULT_PACING: Pacing = { minMs: 1_600, maxMs: 2_400 };

/** Promised: no two calls of an account are closer, whatever it is configured to. */
export const SHORTEST_GAP_MS = 1_500;

/** What a gap is drawn from at least: the clocks of two hosts may differ by what this leaves over the promise. */
export const SHORTEST_DRAW_MS = 1_600;

/** A gap in milliseconds. A constant one would be the very pattern that spam detection looks for. */
export function drawGap(pacing: Pacing, chance: number): number {
  const min = Math.max(SHORTEST_DRAW_MS, pacing.minMs);
  return Math.round(min + chance * (longestGap(pacing) - min));
}

export function longestGap(pacing: Pacing): number {
  return Math.max(SHORTEST_DRAW_MS, pacing.minMs, pacing.maxMs);
}

export function meanGap(pacing: Pacing): number {
  return drawGap(pacing, 0.5);
}

export interface Backoff {
  readonly firstMs: number;
  readonly longestMs: number;
}

/**
 * How long to wait after the `failures`-th failure in a row, in milliseconds: doubling, with half of it left to chance
 * so that accounts that failed together do not come back together. A provider's Retry-After counts where it is longer.
 */
export function backoff(failures: number, chance: number, limits: Backoff, retryAfterMs = 0): number {
  const full = Math.min(limits.longestMs, limits.firstMs * 2 ** Math.max(0, failures - 1));
  const drawn = full / 2 + (chance * full) / 2;
  return Math.round(Math.min(limits.longestMs, Math.max(drawn, retryAfterMs)));
}

/**
 * When to look again at what may have been sent, as shares of the limit of 24 h: after 1, 5 and 30 minutes, 2 hours, and
 * ten minutes before the limit. At the limit nobody is asked any more: it must not wait for an answer.
 */
const RECONCILE_AT = [1 / 1440, 5 / 1440, 30 / 1440, 120 / 1440, 1430 / 1440, 1];

/** The next look after `elapsedMs` since the part became unknown, as milliseconds since then, or else the limit. */
export function nextReconciliation(elapsedMs: number, limitMs: number): number {
  const share = RECONCILE_AT.find((at) => at * limitMs > elapsedMs);
  return (share ?? 1) * limitMs;
}
