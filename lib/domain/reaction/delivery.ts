import * as v from 'valibot';
import { redacted } from '../redact.ts';
import { known } from '../schema.ts';

/*
 * When an endpoint is called again, and what becomes of one that fails. Times in milliseconds; every rule takes the time
 * and a random number in [0, 1) as arguments.
 */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Between one attempt and the next: after the first, after the second and so on. After the last it is given up. */
const WAITS = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
const SPREAD = 0.2;
/** After an answer that says "not now", or none. */
const SHORTEST_AFTER_OVERLOAD = 60 * SECOND;
const OVERLOADED: readonly number[] = [429, 502, 503, 504];

/** How a call of an endpoint ended. */
export type CallResult =
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfterMs?: number }
  /** `timeout` where it was connected and said nothing in time. */
  | { readonly kind: 'failed'; readonly reason: 'timeout' | 'connection' | 'refused' };

export const isSuccess = (result: CallResult): boolean =>
  result.kind === 'answered' && result.status >= 200 && result.status < 300;

const LONGEST_ANSWER = 1000;

/** The beginning of what was answered, as the delivery keeps it. `secrets`: by value, since an answer may repeat them. */
export const keptAnswer = (text: string, secrets: readonly string[] = []): string =>
  redacted(text, secrets).slice(0, LONGEST_ANSWER).toWellFormed();

/** The endpoint says itself that it is gone for good. */
const isGone = (result: CallResult): boolean => result.kind === 'answered' && result.status === 410;

/**
 * How long to wait after the failure of the `attempt`-th call, 1 for the first; undefined: given up. `Retry-After` counts
 * between once and twice what the schedule says.
 */
export function waitAfter(attempt: number, result: CallResult, random: number): number | undefined {
  const scheduled = WAITS[attempt - 1];
  if (scheduled === undefined) return undefined;
  const spread = scheduled * (1 - SPREAD + 2 * SPREAD * random);
  const isOverloaded = result.kind === 'answered' ? OVERLOADED.includes(result.status) : result.reason === 'timeout';
  const wait = isOverloaded ? Math.max(spread, SHORTEST_AFTER_OVERLOAD) : spread;
  if (result.kind !== 'answered' || result.retryAfterMs === undefined) return Math.round(wait);
  return Math.round(Math.min(Math.max(wait, result.retryAfterMs), 2 * wait));
}

/** In a row: from here on an endpoint is spared. */
const FAILURES_UNTIL_FAILING = 5;
const PROBES = [MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE];
const HOPELESS_AFTER = 120 * HOUR;
const FAILURES_UNTIL_DISABLED = 10;
const SLOWEST_DRAIN = 10;
const FASTEST_DRAIN = 100;
/** The rate doubles each second. */
const DOUBLES_EVERY = SECOND;
/** Longer than any list was seen to lag, and than a call may take. */
const LISTS_LAG = 5 * MINUTE;
/** A call that has no answer by then is slow. The places of the deliverer are few, and others need them. */
export const SLOW_AFTER_MS = SECOND;
/** After its last slow call. */
const SLOW_FOR = MINUTE;
/** Beyond the time-out of a call, until what became of it is written down. */
const WRITTEN_DOWN = 5 * SECOND;
/** A step of the draining of a slow one may take so long. */
const LONGEST_STEP = 30 * SECOND + WRITTEN_DOWN;

/** What a healthy endpoint never has to write. */
export const Health = v.object({
  state: v.picklist(['active', 'failing', 'disabled']),
  /** In a row, up to now. */
  failures: v.number(),
  failingSince: v.exactOptional(v.number()),
  /** Probes of a failing one that failed. */
  probes: v.exactOptional(v.number()),
  probeAt: v.exactOptional(v.number()),
  /** When it began to be drained, after a probe that went well, until nothing waits any more. */
  drainingSince: v.exactOptional(v.number()),
  /** When the next step of the draining is due; it names the step, so that two tasks do not do it twice. */
  drainAt: v.exactOptional(v.number()),
  disabledBecause: v.exactOptional(v.picklist(['gone', 'failing', 'asked'])),
  /** When a call was last slow: what comes in waits, and is called step by step, until none was slow for a while. */
  slowAt: v.exactOptional(v.number()),
});
export type Health = v.InferOutput<typeof Health>;

export const HEALTHY: Health = { state: 'active', failures: 0 };

export const isSlow = ({ slowAt }: Pick<Health, 'slowAt'>, now: number): boolean =>
  slowAt !== undefined && now - slowAt < SLOW_FOR;

/**
 * A call is slow just now. The first one goes on, as a step of the draining by itself: what else comes in waits for the
 * next. The same health where another call has come before it.
 */
export function slowed(health: Health, callMs: number, now: number): Health {
  if (health.state !== 'active' || isSlow(health, now)) return health;
  return { ...health, slowAt: now, drainingSince: now, drainAt: now + callMs + WRITTEN_DOWN };
}

interface Ended {
  readonly result: CallResult;
  readonly ms: number;
  /** Of one that fails, only a probe tells when it is asked again: others were under way. */
  readonly isProbe?: boolean;
  /** Nobody could switch it on again, as the URL that a rule calls: it is asked as long as something waits. */
  readonly isKept?: boolean;
}

/** After a call; the same health where that tells nothing new. */
export function afterCall(health: Health, call: Ended, now: number): Health {
  if (health.state === 'disabled') return health;
  const after = isSuccess(call.result) ? afterSuccess(health, now) : afterFailure(health, call, now);
  const stillSlow = isSlow(health, now) ? health.slowAt : undefined;
  const slowAt = call.ms >= SLOW_AFTER_MS ? now : stillSlow;
  if (after === health && slowAt === health.slowAt) return health;
  const { slowAt: _before, ...others } = after;
  return { ...others, ...known({ slowAt }) };
}

function afterFailure(health: Health, { result, isProbe, isKept }: Ended, now: number): Health {
  const failures = health.failures + 1;
  const failingSince = health.failingSince ?? now;
  const isHopeless = failures >= FAILURES_UNTIL_DISABLED && now - failingSince >= HOPELESS_AFTER;
  if (!isKept && (isGone(result) || isHopeless))
    return { state: 'disabled', failures, failingSince, disabledBecause: isGone(result) ? 'gone' : 'failing' };
  // What waits has still to be drained.
  if (failures < FAILURES_UNTIL_FAILING) return { ...health, state: 'active', failures, failingSince };
  if (health.state === 'failing' && !isProbe) return { ...health, failures };
  const probes = health.state === 'failing' ? (health.probes ?? 0) + 1 : 0;
  const probeAt = now + (PROBES[Math.min(probes, PROBES.length - 1)] ?? 0);
  return { state: 'failing', failures, failingSince, probes, probeAt };
}

/** What waited while it failed is drained, oldest first. */
function afterSuccess(health: Health, now: number): Health {
  if (health.state === 'failing') return draining(now);
  if (health.failures === 0) return health;
  const { drainingSince, drainAt } = health;
  return drainingSince === undefined ? HEALTHY : { ...draining(drainingSince), drainAt: drainAt ?? drainingSince };
}

/** Well, with something that may wait. */
export const draining = (now: number): Health => ({ ...HEALTHY, drainingSince: now, drainAt: now });

/**
 * Something more has begun to wait for one that is well: it is drained at once, and for as long as lists may show that
 * late. One that fails, or is switched off, is drained when it is well.
 */
export function moreWaits(health: Health, now: number): Health {
  const { state, drainingSince, drainAt } = health;
  if (state !== 'active') return health;
  const isRecent = drainingSince !== undefined && now - drainingSince < MINUTE;
  const isSoon = drainAt !== undefined && drainAt <= now + (isSlow(health, now) ? LONGEST_STEP : DOUBLES_EVERY);
  if (isRecent && isSoon) return health;
  return { ...health, drainingSince: isRecent ? drainingSince : now, drainAt: isSoon ? drainAt : now };
}

/**
 * The next step of draining; undefined where it is over. Lists may show late what has begun to wait, so that an empty one
 * is looked at again for a while.
 */
export function nextDrain(drainingSince: number, foundNothing: boolean, now: number): number | undefined {
  if (!foundNothing) return now + DOUBLES_EVERY;
  return now - drainingSince >= LISTS_LAG ? undefined : now + MINUTE;
}

/** How many a second may go to an endpoint that is drained since then. */
export function drainRate(drainingSince: number, now: number): number {
  const doublings = Math.max(0, Math.floor((now - drainingSince) / DOUBLES_EVERY));
  return Math.min(FASTEST_DRAIN, SLOWEST_DRAIN * 2 ** Math.min(doublings, 10));
}
