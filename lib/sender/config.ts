import type { Backoff } from '#lib/domain/send/outcome.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The protocol's constants, in milliseconds unless they count something. Tests use small ones. */
export interface SendingConfig {
  /** The longest that one call of a provider may take, from the intent on. */
  readonly callMs: number;
  readonly uploadCallMs: number;
  /** The time that must be left of a run, beyond the call, to begin one: the outcome has to be written, too. */
  readonly marginMs: number;
  /** What a run keeps of its time for handing to the queue what the table does not take. Part of `marginMs`. */
  readonly handOverMs: number;
  /** Longer than a function may run, so that a lease outlives its holder. */
  readonly leaseMs: number;
  /** How long after its due time an account counts as forgotten. */
  readonly graceMs: number;
  /** For fetching attachments, per tick. */
  readonly prepareMs: number;
  /** An intent older than this is taken back: the call would begin too late for its deadline. */
  readonly intentTimeoutMs: number;
  /** How long a request from outside tries to reach a table that does not take it. Ticks and the watchdog try as long as they run. */
  readonly requestMs: number;
  /** What a tick waits in place; anything longer is left to the queue. */
  readonly napMs: number;
  readonly backoff: Backoff;
  /** A message that was tried for so long without an answer that counts has failed. */
  readonly retryLimitMs: number;
  /** Unknown outcomes without a success between them, and within an hour, that hold the account. */
  readonly unknownToHold: number;
  readonly unknownPerHour: number;
  readonly probeAfterMs: readonly [number, ...number[]];
  readonly unknownLimitMs: number;
  /** What the first workspace starts with, so that a newcomer can send at once. */
  readonly startCredits: number;
  /** The most parts that may wait on one account. */
  readonly queueLimit: number;
  /** Messages whose attachment may fail in one tick. */
  readonly failuresPerTick: number;
  readonly looksPerTick: number;
  /** A file whose preparing has ended so many runs is not tried again. */
  readonly crashesPerPart: number;
}

export const defaultConfig: SendingConfig = {
  callMs: 10 * SECOND,
  uploadCallMs: 20 * SECOND,
  marginMs: 5 * SECOND,
  handOverMs: 2 * SECOND,
  leaseMs: 50 * SECOND,
  graceMs: MINUTE,
  prepareMs: 12 * SECOND,
  intentTimeoutMs: SECOND,
  requestMs: 8 * SECOND,
  napMs: SECOND,
  backoff: { firstMs: 2 * SECOND, longestMs: 15 * MINUTE },
  retryLimitMs: 24 * HOUR,
  unknownToHold: 3,
  unknownPerHour: 6,
  probeAfterMs: [MINUTE, 5 * MINUTE, 30 * MINUTE],
  unknownLimitMs: 24 * HOUR,
  startCredits: 0,
  queueLimit: 10_000,
  failuresPerTick: 5,
  looksPerTick: 12,
  crashesPerPart: 5,
};
