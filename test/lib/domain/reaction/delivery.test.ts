import { describe, expect, it, test } from 'vitest';
import {
  afterCall,
  type CallResult,
  drainRate,
  HEALTHY,
  type Health,
  isSuccess,
  moreWaits,
  slowed,
  waitAfter,
} from '#lib/domain/reaction/delivery.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const answered = (status: number, retryAfterMs?: number): CallResult => ({
  kind: 'answered',
  status,
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});
const timeout: CallResult = { kind: 'failed', reason: 'timeout' };
const afterFailure = (health: Health, result: CallResult, now: number, isProbe = false) =>
  afterCall(health, { result, ms: 5, isProbe }, now);
const afterSuccess = (health: Health, now: number) => afterCall(health, { result: answered(200), ms: 5 }, now);

test('only a 2xx is a success', () => {
  expect([199, 200, 204, 299, 300, 302, 410].map((status) => isSuccess(answered(status)))).toEqual([
    false,
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(isSuccess(timeout)).toBe(false);
});

describe('the wait after a failed attempt', () => {
  it('grows from seconds to a day, a fifth more or less, and ends after ten attempts', () => {
    const middle = Array.from({ length: 10 }, (_, i) => waitAfter(i + 1, answered(500), 0.5));
    expect(middle).toEqual([
      5 * SECOND,
      5 * MINUTE,
      30 * MINUTE,
      2 * HOUR,
      5 * HOUR,
      10 * HOUR,
      14 * HOUR,
      20 * HOUR,
      24 * HOUR,
      undefined,
    ]);
    expect(waitAfter(2, answered(500), 0)).toBe(4 * MINUTE);
    expect(waitAfter(2, answered(500), 1)).toBe(6 * MINUTE);
  });
  it.each([answered(429), answered(502), answered(503), answered(504), timeout])(
    'is a minute at least after %j',
    (result) => expect(waitAfter(1, result, 0)).toBe(60 * SECOND),
  );
  it('listens to Retry-After, from once to twice of what it would be', () => {
    expect(waitAfter(2, answered(503, 1), 0.5)).toBe(5 * MINUTE);
    expect(waitAfter(2, answered(503, 7 * MINUTE), 0.5)).toBe(7 * MINUTE);
    expect(waitAfter(2, answered(503, 9 * HOUR), 0.5)).toBe(10 * MINUTE);
    expect(waitAfter(1, answered(503, 9 * HOUR), 0.5)).toBe(2 * MINUTE);
  });
});

describe('an endpoint', () => {
  const failing = (times: number, from: Health = HEALTHY, at = 0): Health =>
    Array.from({ length: times }).reduce<Health>((health) => afterFailure(health, answered(500), at), from);

  it('is spared after five failures in a row, and asked after 1, 2, 5 and then each 15 minutes', () => {
    expect(failing(4)).toMatchObject({ state: 'active', failures: 4, failingSince: 0 });
    let health = failing(5);
    expect(health).toMatchObject({ state: 'failing', failures: 5, failingSince: 0, probeAt: MINUTE });
    const probes = [2, 5, 15, 15].map((minutes) => {
      const at = health.probeAt ?? 0;
      health = afterFailure(health, timeout, at, true);
      return (health.probeAt ?? 0) - at === minutes * MINUTE;
    });
    expect(probes).toEqual([true, true, true, true]);
  });

  it('is well again after one success, and then drained', () => {
    expect(afterSuccess(failing(4), 7)).toEqual(HEALTHY);
    expect(afterSuccess(failing(6), 7)).toEqual({ ...HEALTHY, drainingSince: 7, drainAt: 7 });
  });

  it('is switched off at once where it says that it is gone', () => {
    expect(afterFailure(HEALTHY, answered(410), 5)).toMatchObject({ state: 'disabled', disabledBecause: 'gone' });
  });

  it('is switched off after five days without a success, and not before ten failures', () => {
    const late = 120 * HOUR;
    expect(afterFailure(failing(9), answered(500), late - 1).state).toBe('failing');
    expect(afterFailure(failing(9), answered(500), late)).toMatchObject({
      state: 'disabled',
      disabledBecause: 'failing',
    });
    expect(afterFailure(failing(8), answered(500), late).state).toBe('failing');
  });

  it('stays switched off, whatever a call that was on its way says', () => {
    const off = afterFailure(HEALTHY, answered(410), 5);
    expect(afterSuccess(off, 9)).toBe(off);
    expect(afterFailure(off, timeout, 9)).toBe(off);
  });

  it('is drained at ten a second, doubling up to a hundred', () => {
    expect([0, 999, 1000, 2000, 3000, 4000, 9e9].map((at) => drainRate(0, at))).toEqual([10, 10, 20, 40, 80, 100, 100]);
  });
});

describe('one whose calls are slow', () => {
  const slow: Health = { ...HEALTHY, slowAt: 1000 };
  const ended = (health: Health, ms: number, now: number) => afterCall(health, { result: answered(200), ms }, now);

  it('stays so for a minute after its last slow call', () => {
    expect(ended(slow, 1000, 9000)).toEqual({ ...HEALTHY, slowAt: 9000 });
    expect(ended(slow, 999, 60_999)).toBe(slow);
    expect(ended(slow, 999, 61_000)).toEqual(HEALTHY);
    expect(ended(HEALTHY, 999, 61_000)).toBe(HEALTHY);
  });

  it('goes on with the first slow call, and is drained when that can be under way no more', () => {
    const one = slowed(HEALTHY, 30_000, 1000);
    expect(one).toEqual({ ...HEALTHY, slowAt: 1000, drainingSince: 1000, drainAt: 36_000 });
    expect(slowed(one, 30_000, 1000)).toBe(one);
    expect(moreWaits(one, 1000)).toBe(one);
    expect(slowed({ ...one, state: 'failing' }, 30_000, 99_000)).toMatchObject({ slowAt: 1000 });
    expect(slowed(one, 30_000, 61_000)).toMatchObject({ slowAt: 61_000 });
  });

  it.each([
    ['a success', () => afterSuccess({ ...slow, failures: 2 }, 7)],
    ['a success while it is drained', () => afterSuccess({ ...slow, drainingSince: 5 }, 7)],
    ['a success of one that failed', () => afterSuccess({ ...slow, state: 'failing', failures: 6 }, 7)],
    ['a failure', () => afterFailure(slow, timeout, 7)],
    ['the failure that has it spared', () => afterFailure({ ...slow, failures: 4 }, timeout, 7)],
  ])('is known to be so after %s', (_what, turn) => {
    expect(turn()).toMatchObject({ slowAt: 1000 });
  });
});
