import { describe, expect, test } from 'vitest';
import {
  backoff,
  DEFAULT_PACING,
  drawGap,
  judge,
  longestGap,
  nextReconciliation,
  outcomeOfBreakdown,
  outcomeOfStatus,
  silentUntil,
} from '#lib/domain/send/outcome.ts';
import {
  afterNews,
  type CreditState,
  comesTo,
  epochAt,
  type News,
  type PartState,
  type Reports,
  type Status,
  sendCreditState,
  sendState,
} from '#lib/domain/send/part.ts';

const parts = (...states: PartState[]) => states.map((state) => ({ state, creditState: 'spent' as const }));
const credits = (...states: CreditState[]) => states.map((creditState) => ({ state: 'sent' as const, creditState }));

test.each([
  ['queued', parts('queued')],
  ['queued', parts('sent', 'queued')],
  ['queued', parts('unknown', 'queued')],
  ['sending', parts('unknown', 'sending')],
  ['unknown', parts('unknown', 'sent')],
  ['unknown', parts('failed', 'unknown')],
  ['sent', parts('sent')],
  ['sent', parts('read', 'sent')],
  ['delivered', parts('delivered', 'read')],
  ['read', parts('read', 'read')],
  ['failed', parts('failed', 'failed')],
  ['cancelled', parts('cancelled')],
  ['expired', parts('expired')],
  ['failed', parts('failed', 'cancelled')],
  ['expired', parts('expired', 'cancelled')],
  ['partially_sent', parts('sent', 'failed')],
  ['partially_sent', parts('read', 'cancelled')],
  ['partially_sent', parts('expired', 'delivered')],
])('a send is %s where its parts are %j', (state, of) => {
  expect(sendState(of)).toBe(state);
});

test.each([
  ['reserved', credits('reserved')],
  ['reserved', credits('refunded', 'reserved')],
  ['spent', credits('spent', 'spent')],
  ['refunded', credits('refunded', 'refunded')],
  ['partly_refunded', credits('spent', 'refunded')],
])('the credit of a send is %s where those of its parts are %j', (state, of) => {
  expect(sendCreditState(of)).toBe(state);
});

describe('news moves a part', () => {
  const NEWS: readonly News[] = ['named', 'refused', 'given up', 'cancelled', 'sent', 'delivered', 'read', 'failed'];
  /** By state and credit: what each of the news, in this order, makes of it. A dash: nothing. */
  const table: readonly (readonly [PartState, CreditState, string])[] = [
    ['queued', 'reserved', '- failed - cancelled - - - -'],
    ['sending', 'reserved', 'sent failed - - - - - -'],
    ['unknown', 'reserved', 'sent failed expired - - - - -'],
    ['expired', 'refunded', 'sent failed - - - - - -'],
    ['cancelled', 'refunded', 'sent - - - - - - -'],
    ['sent', 'spent', '- - - - - delivered read failed'],
    ['sent', 'refunded', '- - - - - delivered read failed'],
    ['failed', 'refunded', 'sent - - - sent delivered read -'],
    ['delivered', 'spent', '- - - - - - read -'],
    ['delivered', 'refunded', '- - - - - - read -'],
    ['read', 'spent', '- - - - - - - -'],
  ];
  test.each(table)('%s, %s: %s', (state, creditState, row) => {
    const after = NEWS.map((news) => afterNews({ state, creditState }, news));
    expect(after.map((moved) => (moved.state === state ? '-' : moved.state)).join(' ')).toBe(row);
    const credits: Readonly<Partial<Record<PartState, CreditState>>> = {
      sent: 'spent',
      delivered: 'spent',
      read: 'spent',
    };
    for (const moved of after) {
      const usual = moved.state === state ? creditState : (credits[moved.state] ?? 'refunded');
      expect(moved.creditState).toBe(creditState === 'refunded' ? 'refunded' : usual);
    }
  });

  test('the id that a part had when it failed is no news of it', () => {
    const failed = { state: 'failed', creditState: 'refunded', providerId: '1' } as const;
    expect(afterNews(failed, 'named')).toEqual({ state: 'failed', creditState: 'refunded' });
  });
});

test.each<[Reports, Status | undefined]>([
  [{}, undefined],
  [{ sent: 1 }, 'sent'],
  [{ failed: 1 }, 'failed'],
  [{ sent: 1, failed: 2 }, 'failed'],
  [{ sent: 2, failed: 2 }, 'failed'],
  [{ sent: 3, failed: 2 }, 'sent'],
  [{ sent: 1, failed: 3, delivered: 2 }, 'delivered'],
  [{ failed: 1, delivered: 2, read: 1 }, 'read'],
])('reports %j come to %s', (reports, status) => {
  expect(comesTo(reports)).toBe(status);
});

describe('a gap', () => {
  test.each([
    [0, 1_600],
    [0.5, 2_000],
    [1, 2_400],
  ])('drawn by %d is %d ms', (chance, gap) => {
    expect(drawGap(DEFAULT_PACING, chance)).toBe(gap);
  });

  test('is never drawn shorter than 1.6 s, whatever is configured', () => {
    const hasty = { minMs: 100, maxMs: 200 };
    expect([drawGap(hasty, 0), drawGap(hasty, 0.99), longestGap(hasty)]).toEqual([1_600, 1_600, 1_600]);
  });
});

describe('the wait after a failure', () => {
  const limits = { firstMs: 2_000, longestMs: 900_000 };
  test.each([
    [1, 1, 0, 2_000],
    [1, 0, 0, 1_000],
    [4, 1, 0, 16_000],
    [40, 1, 0, 900_000],
    [1, 1, 30_000, 30_000],
    [10, 1, 30_000, 900_000],
    [1, 1, 7_200_000, 900_000],
  ])('number %d, chance %d, Retry-After %d ms: %d ms', (failures, chance, retryAfter, wait) => {
    expect(backoff(failures, chance, limits, retryAfter)).toBe(wait);
  });
});

test('an unknown outcome is looked at after 1, 5 and 30 minutes, 2 hours and ten minutes before 24, scaled with the limit', () => {
  const minute = 60_000;
  const day = 1_440 * minute;
  const looks = [0];
  for (let last = 0; last < day; looks.push(last)) last = nextReconciliation(last, day);
  expect(looks.map((at) => at / minute)).toEqual([0, 1, 5, 30, 120, 1_430, 1_440]);
  expect(nextReconciliation(0, 1_440)).toBe(1);
});

test.each([
  [200, undefined],
  [302, 'unknown'],
  [400, 'rejected'],
  [401, 'hold'],
  [403, 'hold'],
  [404, 'rejected'],
  [408, 'unknown'],
  [422, 'rejected'],
  [429, 'retry'],
  [499, 'unknown'],
  [500, 'unknown'],
  [503, 'unknown'],
])('an answer with status %d alone means %s', (status, kind) => {
  expect(outcomeOfStatus(status)?.kind).toBe(kind);
});

test.each([
  ['dns', { kind: 'retry', holdAfter: 5 }],
  ['refused', { kind: 'retry', holdAfter: 5 }],
  ['tls', { kind: 'retry', holdAfter: 5 }],
  ['unwritten', { kind: 'retry' }],
  ['unanswered', { kind: 'unknown' }],
] as const)('a call that ends with %s is %j', (breakdown, outcome) => {
  expect(outcomeOfBreakdown(breakdown)).toMatchObject(outcome);
});

describe('a verdict', () => {
  const limits = {
    backoff: { firstMs: 2_000, longestMs: 900_000 },
    retryLimitMs: 86_400_000,
    unknownToHold: 3,
    unknownPerHour: 4,
  };
  const retry = { kind: 'retry', reason: 'http 429' } as const;
  const now = 100_000_000;
  const past = { retries: 0, failuresRunning: 0, silence: { running: 0, times: [] }, gate: now };

  test('on a first failure is to try again', () => {
    expect(judge(retry, past, now, 1, limits)).toMatchObject({ kind: 'again', waitMs: 2_000, failuresRunning: 0 });
  });

  test('on a message that was retried for a day is that it failed', () => {
    const long = { ...past, retries: 90, retryingSince: now - limits.retryLimitMs };
    expect(judge(retry, long, now, 1, limits).kind).toBe('failed');
  });

  test('on the fifth doubtful answer in a row is to hold the account', () => {
    const doubtful = { ...retry, holdAfter: 5 };
    expect(judge(doubtful, { ...past, failuresRunning: 3 }, now, 1, limits)).toMatchObject({ failuresRunning: 4 });
    expect(judge(doubtful, { ...past, failuresRunning: 4 }, now, 1, limits).kind).toBe('held');
  });

  test('on an answer that says nothing of the account starts the count anew', () => {
    expect(judge(retry, { ...past, failuresRunning: 4 }, now, 1, limits)).toMatchObject({ failuresRunning: 0 });
  });

  const hour = 3_600_000;
  test.each([
    ['the first', { running: 0, times: [] }, undefined, [now]],
    ['the second', { running: 1, times: [now - 5] }, undefined, [now - 5, now]],
    ['the third in a row', { running: 2, times: [now - 9, now - 5] }, '3 messages in a row', [now - 9, now - 5, now]],
    ['one after a hold', { running: 3, times: [] }, '4 messages in a row', [now]],
    [
      'the fourth within an hour',
      { running: 0, times: [now - hour + 1, now - 9, now - 5] },
      '4 messages within an hour',
      [now - hour + 1, now - 9, now - 5, now],
    ],
    [
      'one more than an hour after the first of four',
      { running: 0, times: [now - hour, now - 9, now - 5] },
      undefined,
      [now - 9, now - 5, now],
    ],
    ['one after a clock that was ahead', { running: 0, times: [now + 9 * hour] }, undefined, [now, now]],
  ])('on an unknown outcome, %s, is to remember it and perhaps to hold', (_, silence, says, times) => {
    const verdict = judge({ kind: 'unknown', reason: 'http 502' }, { ...past, silence }, now, 1, limits);
    expect(verdict).toMatchObject({ kind: 'unknown', silence: { running: silence.running + 1, times } });
    const { holdReason } = { holdReason: undefined, ...verdict };
    if (says === undefined) expect(holdReason).toBeUndefined();
    else expect(holdReason).toMatch(`${says} (the last: http 502)`);
  });

  test('on an unknown outcome forgets nothing that is within the hour by the clock that is behind', () => {
    const silence = { running: 0, times: [now - hour - 9, now - hour - 5, now - hour] };
    const outcome = { kind: 'unknown', reason: 'http 502' } as const;
    const verdict = judge(outcome, { ...past, silence, gate: now - hour }, now, 1, limits);
    expect(verdict).toMatchObject({ silence: { times: [...silence.times, now] }, holdReason: expect.any(String) });
  });

  test.each([
    ['nothing was unknown', [], 0],
    ['an hour has room for one more', [now - 3, now - 2, now - 1], 0],
    ['an hour is full', [now - 9, now - 3, now - 2, now - 1], now - 9 + hour],
    ['the clock was ahead', [now + 9 * hour, now + 9 * hour, now + 9 * hour, now + 9 * hour], now + hour],
  ])('where %s, tells when the next may be tried', (_, times, until) => {
    expect(silentUntil({ times }, now, limits)).toBe(until);
  });
});

test('credits are charged to the month of the clock in UTC, or for life', () => {
  expect(epochAt({ kind: 'monthly', credits: 5 }, '2026-11-30T23:59:59.999Z')).toBe('2026-11');
  expect(epochAt({ kind: 'prepaid' }, '2026-11-30T23:59:59.999Z')).toBe('lifetime');
});
