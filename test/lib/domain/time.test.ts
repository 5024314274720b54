import { describe, expect, it } from 'vitest';
import { retryAfter } from '#lib/domain/time.ts';

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
