import type { Clock } from '../ports.ts';

/** A clock for one run: it goes forward evenly, whatever happens to the host's meanwhile. */
export interface RunClock extends Clock {
  /** The time that has certainly come: what a gate is compared with. Never later than `now`. */
  gate(): number;
}

// Together they stay under what the shortest drawn gap leaves over the promised one.
const SLOW_BY_MS = 25;
const HANDED_OVER_WITHIN_MS = 75;

/**
 * The gates compare one host's time with another's, so a host's clock is checked against the queue's stamp: a tick is
 * handed over within moments of its first receive.
 *
 *   host ◀── before ──  stamp  ── within moments ── ▶ host ── later ──▶ host
 *   slow: the stamp is right        honest            fast, or handed over late: nobody can tell
 *
 * In the last case gates are compared with the earlier time and written from the later one. Either way the error costs
 * time, and never the distance between two calls. One case is left: a host that is slow and gets its tick late by as
 * much looks honest, and the next call may come too early by that. Clocks that are kept in step, as a Lambda's are, do
 * not run slow by more than the few milliseconds that there is room for.
 */
export function runClock(clock: Clock, firstReceivedAt: number): RunClock {
  const startedAt = clock.monotonic();
  const believed = clock.now();
  const lag = believed - firstReceivedAt;
  const isSlow = lag < -SLOW_BY_MS;
  const isDoubtful = lag > HANDED_OVER_WITHIN_MS;
  const from = (base: number) => Math.floor(base + clock.monotonic() - startedAt);
  return {
    now: () => from(isSlow ? firstReceivedAt : believed),
    gate: () => from(isSlow || isDoubtful ? firstReceivedAt : believed),
    monotonic: () => clock.monotonic(),
    sleep: (milliseconds) => clock.sleep(milliseconds),
  };
}
