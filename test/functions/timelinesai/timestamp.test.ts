import { describe, expect, it } from 'vitest';
import { isoOf } from '#functions/timelinesai/schema.ts';
import { toInstant } from '#lib/domain/time.ts';

describe('a time of TimelinesAI', () => {
  it.each([
    ['2024-01-08 10:35:18 +0200', '2024-01-08T08:35:18.000Z'],
    ['2024-01-08 10:35:18 -0330', '2024-01-08T14:05:18.000Z'],
    ['2024-01-08 00:35:18 +0200', '2024-01-07T22:35:18.000Z'],
    ['2023-12-31 23:59:59 -0100', '2024-01-01T00:59:59.000Z'],
    ['2024-02-29 10:00:00 +0000', '2024-02-29T10:00:00.000Z'],
    ['2024-01-08 10:35:18 +02:00', '2024-01-08T08:35:18.000Z'],
    ['2024-01-08 10:35:18+0200', '2024-01-08T08:35:18.000Z'],
    ['2024-01-08 10:35:18.123456 +0200', '2024-01-08T08:35:18.123Z'],
    ['2024-01-08 10:35:18 UTC', '2024-01-08T10:35:18.000Z'],
    ['  2024-01-08 10:35:18 +0200 ', '2024-01-08T08:35:18.000Z'],
    ['2024-01-08T10:35:18+02:00', '2024-01-08T08:35:18.000Z'],
    ['2024-01-08T10:35:18Z', '2024-01-08T10:35:18.000Z'],
    ['2024-01-08T10:35:18.5Z', '2024-01-08T10:35:18.500Z'],
    ['2024-01-08T10:35Z', '2024-01-08T10:35:00.000Z'],
    ['1704702918', '2024-01-08T08:35:18.000Z'],
    ['1704702918000', '2024-01-08T08:35:18.000Z'],
  ])('%s is %s', (raw, iso) => {
    expect(isoOf(raw)).toBe(iso);
    expect(toInstant(raw)).toBe(Date.parse(iso));
  });

  it.each([
    ['lacks its offset', '2024-01-08 10:35:18'],
    ['is a date alone', '2024-01-08'],
    ['names 30 February', '2024-02-30 10:35:18 +0200'],
    ['names 29 February of a common year', '2023-02-29 10:35:18 +0200'],
    ['names month 13', '2024-13-08 10:35:18 +0200'],
    ['names hour 25', '2024-01-08 25:35:18 +0200'],
    ['names 30 February in ISO 8601', '2024-02-30T10:35:18Z'],
    ['names minute 60', '2024-01-08T10:60:18+02:00'],
    ['names an offset of 99 hours', '2024-01-08 10:35:18 +9900'],
    ['is before the epoch', '0000-01-01 00:00:00 +1400'],
    ['is further than a date reaches', '9999999999999999'],
    ['is no time', 'yesterday'],
    ['is empty', ''],
    ['is absent', undefined],
  ])('is not known where it %s', (_, raw) => {
    expect(toInstant(raw)).toBeUndefined();
    expect(isoOf(raw)).toBeUndefined();
  });
});
