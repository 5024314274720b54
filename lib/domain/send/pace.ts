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
