import { once } from 'node:events';
import { connect } from 'node:net';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import { providers } from '#functions/providers.ts';
import { listen } from '#infra/demo/demonstrate.ts';
import type { RunningHub } from '#infra/demo/hub.ts';
import { morning, rightNow } from '#infra/demo/morning.ts';
import type { Delivery } from '#infra/demo/payloads.ts';
import { stage } from '#infra/demo/workspace.ts';
import type { Draft } from '#lib/inbox/provider.ts';
import { AdminBench, itemsOf } from '#test/functions/admin/admin-bench.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const RUN = { now: NOW, id: NOW.toString(16) };
const played = [...morning(RUN), ...rightNow(RUN)];

function read({ provider: name, body, contentType = 'application/json' }: Delivery) {
  const receiving = providers.find(({ account }) => account.name === name)?.receiving;
  const parsed = receiving?.parse(Buffer.from(body), contentType);
  if (!receiving || !parsed?.ok) throw new Error(`${name} cannot parse ${body}`);
  return receiving.read(parsed.value);
}

function draftsIn(delivery: Delivery): readonly Draft[] {
  const reading = read(delivery);
  return 'drafts' in reading ? reading.drafts : [];
}

it('tells a morning that every provider is understood in, but for what is meant for quarantine', () => {
  const refused = played.filter((delivery) => draftsIn(delivery).length === 0);
  expect(refused.map(({ what }) => what)).toEqual([
    'a message that does not say of which chat',
    'an event of a kind that nobody knows yet',
    'another one of that kind',
  ]);
  const payloads = played.flatMap(draftsIn).map(({ payload }) => payload);
  const kinds = ['message', 'status', 'reaction', 'call', 'connection', 'chat', 'notification', 'ussd'];
  expect(new Set(payloads.map(({ kind }) => kind))).toEqual(new Set(kinds));
  const messages = payloads.flatMap((payload) => (payload.kind === 'message' ? [payload.message] : []));
  const contents = [
    'text',
    'image',
    'voice',
    'document',
    'location',
    'contacts',
    'poll',
    'poll_vote',
    'edit',
    'delete',
  ];
  expect(new Set(messages.map(({ content }) => content.type))).toEqual(new Set(contents));
  expect(messages.some(({ quoted }) => quoted?.content?.type === 'text')).toBe(true);
  expect(new Set(messages.map(({ chat }) => chat.kind))).toEqual(new Set(['individual', 'group']));
  expect(new Set(messages.map(({ channel }) => channel))).toEqual(new Set(['whatsapp', 'sms']));
});

it('tells of the last hours, in order, and of nobody who has one of its numbers', () => {
  const ago = played.map(({ minutesAgo }) => minutesAgo);
  expect(morning(RUN).map(({ minutesAgo }) => minutesAgo)).toEqual(
    ago.slice(0, -rightNow(RUN).length).toSorted((a, b) => b - a),
  );
  expect(Math.max(...ago)).toBeLessThan(4 * 60);
  expect(Math.min(...ago)).toBeGreaterThanOrEqual(0);
  // 202-555-01xx and 07700 900xxx are kept for stories.
  const numbers = played.flatMap(
    ({ body }) => decodeURIComponent(body).match(/(?<=\b|\+)(?:1202|44)\d{7,10}\b/g) ?? [],
  );
  expect(numbers.length).toBeGreaterThan(50);
  for (const number of numbers) expect(number).toMatch(/^(?:120255501\d\d|447700900\d{3})$/);
});

/** The hub that the demonstration plays into, without what listens. */
function hubOn(bench: AdminBench, workspace?: string): RunningHub {
  return {
    url: 'https://hub.example',
    api: async (path, body, method = body ? 'POST' : undefined) =>
      bench.done(method ?? 'GET', path, { ...(workspace && { workspace }), ...(body && { body }) }),
    within: (other) => hubOn(bench, other),
  };
}

it('stands in a workspace of its own, and leaves nothing more behind when it is played again', async () => {
  const bench = new AdminBench({ reach: { anyPort: true, privateHosts: true } });
  const hub = hubOn(bench);
  const things = ['accounts', 'webhooks', 'endpoints', 'rules', 'credits/ledger'];
  const recipes = itemsOf(await bench.done('GET', '/api/rules/recipes'));
  const before = await Promise.all(things.map((name) => bench.done('GET', `/api/${name}`)));
  const first = await stage(hub, 'http://127.0.0.1:4001');
  const workspaces = itemsOf(await bench.done('GET', '/api/workspaces'));
  const workspace = String(workspaces.find(({ name }) => name === 'demo')?.id);
  const count = () =>
    Promise.all(things.map(async (name) => itemsOf(await bench.done('GET', `/api/${name}`, { workspace })).length));
  expect(await count()).toEqual([3, 6, 2, 2 + recipes.length, 2]);
  const second = await stage(hub, 'http://127.0.0.1:4002');
  expect(await count()).toEqual([3, 6, 2, 2 + recipes.length, 2]);
  expect(itemsOf(await bench.done('GET', '/api/workspaces'))).toHaveLength(workspaces.length);
  expect(await Promise.all(things.map((name) => bench.done('GET', `/api/${name}`)))).toEqual(before);
  expect({ ...second, hub: 0, hooks: 0, sendUrl: 0 }).toEqual({ ...first, hub: 0, hooks: 0, sendUrl: 0 });
  const rules = itemsOf(await bench.done('GET', '/api/rules', { workspace }));
  expect(rules.filter(({ enabled }) => enabled).map(({ name }) => name)).toEqual(['Opening hours', 'Price list']);
  const Shown = v.object({ url: v.string() });
  const urls = itemsOf(await bench.done('GET', '/api/endpoints', { workspace })).map((one) => v.parse(Shown, one).url);
  expect(urls.toSorted()).toEqual(['http://127.0.0.1:4002/bookings', 'http://127.0.0.1:4002/broken']);
  // What the first one was handed works no more: nobody else knows the URLs of now.
  expect(await bench.post(first.hooks.get('cooby') ?? '', {})).toMatchObject({ status: 404 });
  expect(await bench.post(second.hooks.get('cooby') ?? '', {})).toMatchObject({ status: 200 });
});

it('has a program that takes notices, but for a broken part of it, and lives on when a caller hangs up', async () => {
  const { url, taken, stop } = await listen();
  const caller = connect(Number(new URL(url).port), '127.0.0.1');
  caller.end('POST /bookings HTTP/1.1\r\nhost: hub\r\ncontent-length: 9\r\n\r\n{');
  caller.resume();
  await once(caller, 'close');
  const statuses = ['/bookings', '/broken'].map(async (path) => (await fetch(url + path, { method: 'POST' })).status);
  expect(await Promise.all(statuses)).toEqual([200, 500]);
  expect(taken()).toBe(1);
  await stop();
});
