import { describe, expect, it, test } from 'vitest';
import {
  afterFailure,
  afterSuccess,
  type CallResult,
  drainRate,
  HEALTHY,
  type Health,
  isSuccess,
  letGo,
  takeTurn,
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
  const busy: Health = { ...HEALTHY, slowAt: 1000, busy: [40_000] };

  it('stays so for a minute after its last slow call', () => {
    expect(letGo(busy, 40_000, true, 9000)).toEqual({ ...HEALTHY, slowAt: 9000 });
    expect(letGo(busy, 40_000, false, 60_999)).toEqual({ ...HEALTHY, slowAt: 1000 });
    expect(letGo(busy, 40_000, false, 61_000)).toEqual(HEALTHY);
  });

  it('is called by so many batches at a time, and no more until one is done or has died', () => {
    const one = takeTurn(HEALTHY, 40_000, 2, true, 1000);
    expect(one).toEqual({ ...HEALTHY, slowAt: 1000, busy: [40_000] });
    const two = takeTurn(one, 41_000, 2, false, 2000);
    expect(two).toEqual({ ...HEALTHY, slowAt: 1000, busy: [40_000, 41_000] });
    expect(takeTurn(two, 42_000, 2, true, 3000)).toBe(two);
    expect(letGo(two, 40_000, false, 3000)).toEqual({ ...HEALTHY, slowAt: 1000, busy: [41_000] });
    expect(takeTurn(two, 80_000, 2, false, 40_000)).toMatchObject({ busy: [41_000, 80_000] });
  });

  it('is not let go by who came too late, for another has it by then', () => {
    expect(letGo(busy, 39_999, true, 41_000)).toBe(busy);
    expect(letGo(HEALTHY, 40_000, true, 41_000)).toBe(HEALTHY);
  });

  it.each([
    ['a success', () => afterSuccess({ ...busy, failures: 2 }, 7)],
    ['a success while it is drained', () => afterSuccess({ ...busy, drainingSince: 5 }, 7)],
    ['a success of one that failed', () => afterSuccess({ ...busy, state: 'failing', failures: 6 }, 7)],
    ['a failure', () => afterFailure(busy, timeout, 7)],
    ['the failure that has it spared', () => afterFailure({ ...busy, failures: 4 }, timeout, 7)],
  ])('is known to be so, and busy, after %s', (_what, turn) => {
    expect(turn()).toMatchObject({ slowAt: 1000, busy: [40_000] });
  });
});
