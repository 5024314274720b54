import { expect, it } from 'vitest';
import { countsOf, lineOf } from '#infra/demo/sends.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const waiting = (position: number, seconds: number) => ({
  state: 'queued',
  position,
  etaAt: new Date(NOW + seconds * 1000).toISOString(),
});

it('counts sends along the way that a message goes', () => {
  const states = ['failed', 'read', 'queued', 'sent', 'read', 'unknown'];
  expect(countsOf(states.map((state) => ({ state })))).toBe('1 queued, 1 sent, 2 read, 1 failed, 1 unknown');
});

it.each([
  [
    'says when the turn of the last one comes',
    [waiting(2, 2.4), waiting(3, 4.1), { state: 'sent' }],
    '2 queued, 1 sent; number 3 goes in about 5 s',
  ],
  ['never counts below zero', [waiting(1, -3)], '1 queued; number 1 goes in about 0 s'],
  ['says no more than the counts when nobody waits', [{ state: 'read' }], '1 read'],
])('%s', (_, sends, line) => {
  expect(lineOf(sends, NOW)).toBe(line);
});
