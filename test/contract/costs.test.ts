import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { KINDS, PRICES } from '#test/bench/prices.ts';

const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const rows = [...text.matchAll(/^\| (.+) \|$/gm)].map(([, cells = '']) => cells.split('|').map((cell) => cell.trim()));
const row = (name: string) => rows.find(([first]) => first === name) ?? [];
const figure = (cell = '') => (cell === '' ? 0 : Number(cell.replaceAll('*', '')));

it.each(KINDS)('the table of costs has the price of %s', (kind, name) => {
  const [, price] = row(name);
  expect(figure(price)).toBeCloseTo(PRICES[kind], 4);
});

it.each([
  [2, 'a message received'],
  [3, 'a status'],
  [4, 'a message sent'],
])('column %i, %s, adds up', (column, name) => {
  expect(row('what is paid for')[column]).toBe(name);
  const sum = KINDS.reduce((total, [kind, of]) => total + figure(row(of)[column]) * PRICES[kind], 0);
  const together = figure(row('**a million cost**')[column]);
  expect(together).toBeGreaterThan(1);
  expect(Math.abs(together - sum)).toBeLessThanOrEqual(0.05);
});
