import { known } from '../known.ts';
import { redacted } from '../redact.ts';
import { outcomeOfStatus, type SendOutcome } from './outcome.ts';

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

const LONGEST_WAIT_MS = 900_000;

/** Milliseconds that a `Retry-After` asks for, in seconds or as a date; 15 minutes at most, undefined if it is neither. */
export function retryAfter(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  const waitMs = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : httpDate(text) - now;
  return Number.isNaN(waitMs) ? undefined : Math.min(LONGEST_WAIT_MS, Math.max(0, waitMs));
}

/** `Date.parse` alone takes almost any text with a number in it for a date. */
function httpDate(text: string): number {
  return /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text) ? Date.parse(text) : Number.NaN;
}
