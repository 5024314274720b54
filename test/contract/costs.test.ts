import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { eventKey } from '#lib/store/keys.ts';
import { KINDS, PRICES } from '#test/bench/prices.ts';
import { traffic } from '#test/bench/traffic.ts';
import { sizeOf } from '#test/support/item-size.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { ReceivingBench } from '#test/support/receiving.ts';

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

it.each(traffic)('the event of an ordinary message of $provider.name takes two write units', async (one) => {
  const { provider, contentType } = one;
  const bench = new ReceivingBench(provider);
  await bench.addWebhook(provider.name, {
    accountId: 'acc_019ca945294035396531393730366435',
    webhookId: 'wh_019ca945505037363838623665663532',
  });
  const body = one.body(1);
  const answer = await bench.post(body, { headers: { 'content-type': contentType } });
  const key = eventKey(String(answer.body.id));
  const head = await bench.store.get(key, { consistent: true });
  expect(head).toBeDefined();
  expect(sizeOf(head)).toBeLessThanOrEqual(2048);
  const { raw, event } = await bench.record(answer.body.id);
  expect([Buffer.from(raw).toString(), event.kind]).toEqual([body.replace('secret=a-secret&', ''), 'message']);
});

it.each(traffic)('an ordinary message of $provider.name is looked for under no other id', async (one) => {
  const store = new MemoryStore();
  const bench = new ReceivingBench(one.provider, store);
  bench.now = Date.now();
  await bench.addWebhook(one.provider.name);
  const asked: string[] = [];
  const getMany = store.getMany.bind(store);
  store.getMany = (keys, options) => {
    asked.push(...keys.map(({ pk }) => pk));
    return getMany(keys, options);
  };
  expect((await bench.post(one.body(1), { headers: { 'content-type': one.contentType } })).status).toBe(200);
  expect(asked.filter((pk) => pk.startsWith('EVT#'))).toEqual([]);
});
