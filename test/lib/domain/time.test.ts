import { describe, expect, it } from 'vitest';
import { retryAfter, toInstant } from '#lib/domain/time.ts';

const now = Date.parse('2026-11-21T12:00:00.000Z');

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['7', 7_000],
    [' 30 ', 30_000],
    ['900', 900_000],
    ['901', 901_000],
    ['999999999', 999_999_999_000],
    ['Sat, 21 Nov 2026 12:00:09 GMT', 9_000],
    ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
    ['Sun, 22 Nov 2026 12:00:00 GMT', 86_400_000],
    ['soon', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['2026', 2_026_000],
    ['', undefined],
    [undefined, undefined],
  ])('%j asks for %j ms', (header, waitMs) => {
    expect(retryAfter(header, now)).toBe(waitMs);
  });
});

describe('an instant', () => {
  const at = Date.parse('2026-11-25T12:00:05.000Z');
  it.each([
    [at / 1000],
    [at],
    [` ${at / 1000} `],
    ['2026-11-25T12:00:05Z'],
    ['2026-11-25t12:00:05.000z'],
    ['2026-11-25T14:00:05+02:00'],
    ['2026-11-25T14:00:05+0200'],
    ['2026-11-25T14:00:05+02'],
    ['2026-11-25 12:00:05Z'],
    ['2026-11-25 12:00:05 UTC'],
    ['2026-11-25 12:00:05 GMT'],
    ['2026-11-25 14:00:05 +0200'],
    ['2026-11-25 06:30:05.000 -05:30'],
    ['Wed, 25 Nov 2026 12:00:05 GMT'],
    ['Wed, 25 Nov 2026 14:00:05 +0200'],
    ['25 Nov 2026 12:00:05 UTC'],
  ])('is read from %j', (raw) => {
    expect(toInstant(raw)).toBe(at);
  });

  it.each([
    ['2026-11-25'],
    ['2026-11-25 12:00:05'],
    ['2026-11-25T12:00:05'],
    ['25/11/2026 12:00:05'],
    ['25 Nov 2026 12:00:05'],
    ['Wed, 25 Nov 2026 12:00:05 CET'],
    ['2026-13-25T12:00:05Z'],
    ['Wed Nov 25 2026'],
    ['0'],
    [0],
    [-1],
    [''],
    [undefined],
  ])('is none in %j', (raw) => {
    expect(toInstant(raw)).toBeUndefined();
  });
});
