import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { routesOf } from '#functions/admin/routes.ts';
import { listedAt } from '#lib/chats/chat.ts';
import { CHATS_FILL } from '#lib/chats/list.ts';
import { shardOf } from '#lib/domain/ids.ts';
import { toIso } from '#lib/domain/time.ts';
import { chatKey, chatListPartition, eventKey, eventPartition, fillKey, findKey } from '#lib/store/keys.ts';
import { put } from '#lib/store/store.ts';
import { AdminBench, itemsOf, message } from '#test/functions/admin/admin-bench.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { NOW } from '#test/support/receiving.ts';
import { inRounds } from '#test/support/round-trips.ts';

const CONSOLE = new URL('../../../functions/admin/console/', import.meta.url);

/** A hub with some of everything. */
async function filled() {
  const store = new MemoryStore();
  const { store: counting, count } = inRounds(store);
  const hub = new AdminBench({ store });
  // Nothing is there from an earlier release.
  await store.write(put({ ...fillKey(CHATS_FILL.name), workspace: '', done: true }));
  const accounts: string[] = [];
  for (const phone of ['+15550100001', '+15550100002']) {
    const body = { provider: 'sandbox', channel: 'whatsapp', credentials: {}, phone };
    accounts.push(String((await hub.done('POST', '/api/accounts', { body })).id));
  }
  const webhook = await hub.webhook({ accountId: accounts[0] });
  for (let n = 0; n < 75; n++) {
    const chat = `+15550101${String(n % 55).padStart(3, '0')}`;
    await hub.post(
      webhook.url,
      message(60 * n, { id: `m${n}`, chat, from: chat, ...(n % 3 === 0 && { direction: 'outbound' }) }),
    );
  }
  // Many chats within a minute, and two messages of a chat.
  for (let n = 0; n < 40; n++) {
    const chat = `+155501${String(n % 30).padStart(3, '0')}`;
    await hub.post(webhook.url, message(6060 + n, { id: `b${n}`, chat, from: chat }));
  }
  for (const id of ['m3', 'm6'])
    await hub.post(webhook.url, { event: 'status', id, status: 'read', at: message(6000).at });
  await hub.post(webhook.url, { event: 'unheard of' });
  const [chat] = itemsOf(await hub.done('GET', '/api/chats'));
  const sends: string[] = [];
  for (const account_id of [...accounts, ...accounts]) {
    const to = account_id === accounts[0] ? { chat_id: String(chat?.id) } : { phone: '+15550100099', account_id };
    sends.push(String((await hub.done('POST', '/api/sends', { body: { ...to, text: 'hello' } })).messageId));
  }
  const endpoint = await hub.done('POST', '/api/endpoints', { body: { url: 'https://crm.example/in' } });
  const rule = await hub.done('POST', '/api/rules', {
    body: { name: 'A', on: ['message.received'], do: [{ action: 'reply', text: 'hi' }] },
  });
  const [event] = itemsOf(await hub.done('GET', '/api/events'));
  await fillUp(store, String(event?.id), String(chat?.id));
  const measured = new AdminBench({ store: counting });
  return {
    count: (url: string) => count(async () => measured.done('GET', url)),
    done: (url: string) => measured.done('GET', url),
    ids: {
      ...{ account: String(accounts[0]), webhook: webhook.id, chat: String(chat?.id), send: String(sends[0]) },
      ...{ endpoint: String(endpoint.id), rule: String(rule.id), event: String(event?.id) },
    },
  };
}

/** As many as a busy hub has: no list of them is read whole at once. */
async function fillUp(store: MemoryStore, event: string, chat: string): Promise<void> {
  const [one, other] = await Promise.all([store.get(eventKey(event)), store.get(chatKey(chat))]);
  const earlier = (n: number) => toIso(NOW - 2 * 3_600_000 - n * 60_000);
  const events = Array.from({ length: 3_000 }, (_, n) => {
    const id = `evt_many${n}`;
    return {
      ...one,
      ...eventKey(id),
      gsi1pk: eventPartition('main', shardOf(id)),
      gsi1sk: `${earlier(n)}#${id}`,
      ...(n === 5 && { kind: 'call' }),
    };
  });
  const chats = Array.from({ length: 700 }, (_, n) => {
    const [id, at] = [`chat_many${n}`, earlier(n)];
    const list = { gsi1pk: chatListPartition('main', shardOf(id)), gsi1sk: listedAt(at, id) };
    const told = {
      chatId: id,
      providerChatId: `+1666${1_000_000 + n}`,
      title: `Customer ${n}`,
      lastAt: at,
      lastEvent: `evt_many${n}`,
    };
    return { ...other, ...chatKey(id), ...told, ...list, state: `evt_many${n}`, readAt: toIso(NOW), gsi3sk: id };
  });
  const rows = chats.flatMap(({ chatId: id, title, providerChatId }) => [
    ...[title, title.slice('Customer '.length)].map((text) => findKey('main', 'WORD', text.toLowerCase(), id)),
    findKey('main', 'END', Array.from(providerChatId.slice(1)).reverse().join(''), id),
  ]);
  await store.writeMany([...events, ...chats, ...rows].map((item) => put({ ...item })));
}

const hub = filled();
type Ids = Awaited<typeof hub>['ids'];

const TIME = `after=${toIso(NOW - 86_400_000)}&before=${toIso(NOW + 86_400_000)}`;
const EVENTS = ['?kind=call', '?dismissed=true', `?kind=message&direction=inbound&${TIME}`];
const SENDS = [`?state=sent,read&${TIME}`, '?recipient=%2B15550100099', '?recipient=%2B15550100099&state=unknown'];

/** What the console asks for, as it asks. */
const CALLS: Readonly<Record<string, (ids: Ids) => readonly string[]>> = {
  '/api/accounts': () => ['?limit=200'],
  '/api/accounts/{id}': ({ account }) => [account],
  '/api/changes': () => ['', '?after=1.1.1.1.1'],
  '/api/chats': ({ account }) => [
    ...['', '?unread=true', '?phone=%2B15550101003&brief=true', `?account=${account}`, '?provider=zender'],
    ...['?q=nobody', '?q=1054', '?q=customer', '?q=cust', '?q=cust%20600', '?q=0600', '?q=%2B16661000600'],
    ...['?q=customer&unread=true', `?q=customer&account=${account}`],
  ],
  '/api/chats/{id}': ({ chat }) => [chat],
  '/api/credits': () => [''],
  '/api/credits/ledger': () => [''],
  '/api/endpoints': () => ['', '?last24h=true'],
  '/api/endpoints/{id}': ({ endpoint }) => [endpoint],
  '/api/endpoints/{id}/deliveries': ({ endpoint }) =>
    ['', '?state=waiting', '?state=dead'].map((end) => endpoint + end),
  '/api/events': ({ chat }) => ['', '?limit=10', `?chat=${chat}`, '?quarantined=true', ...EVENTS],
  '/api/events/quarantine': () => [''],
  '/api/events/{id}': ({ event }) => [event],
  '/api/events/{id}/raw': ({ event }) => [event],
  '/api/rules': () => ['', '?last24h=true'],
  '/api/rules/muted': () => [''],
  '/api/rules/recipes': () => [''],
  '/api/rules/{id}': ({ rule }) => [rule],
  '/api/rules/{id}/runs': ({ rule }) => [rule],
  '/api/sends': ({ chat, account }) => ['', `?chat=${chat}`, '?state=failed', `?account=${account}`, ...SENDS],
  '/api/sends/{messageId}': ({ send }) => [send],
  '/api/session': () => [''],
  '/api/summary': () => [''],
  '/api/webhooks': () => ['', '?limit=1'],
  '/api/webhooks/{id}': ({ webhook }) => [webhook],
  '/api/webhooks/{id}/attempts': ({ webhook }) => [webhook],
  '/api/workspaces': () => [''],
  '/api/workspaces/{id}': () => ['main'],
  '/api/workspaces/{id}/keys': () => ['main'],
  '/health': () => [''],
};

/** Of no page that is opened: work that somebody starts and waits for. */
const STARTED = [
  ...['/api/credits/audit', '/api/replays/{id}'],
  ...['/api/webhooks/{id}/attempts.csv', '/api/webhooks/{id}/attempts.ndjson'],
];

it('everything that the console asks for when a page is opened takes two round trips to the table at most', async () => {
  const { count, ids } = await hub;
  const counted: Record<string, number> = {};
  for (const [path, urlsOf] of Object.entries(CALLS)) {
    const urls = urlsOf(ids).map((asked) => {
      const [id = '', query] = asked.split('?');
      return `${path.replace(/\{\w+\}/, id)}${query === undefined ? '' : `?${query}`}`;
    });
    for (const url of urls) counted[path] = Math.max(counted[path] ?? 0, await count(url));
  }
  expect(counted['/api/events']).toBe(2);
  expect(Object.entries(counted).filter(([, rounds]) => rounds > 2)).toEqual([]);
});

it('finds in two round trips who was written with long ago, and tells last messages of who was of late', async () => {
  const { done } = await hub;
  const titles = async (query: string) => itemsOf(await done(`/api/chats?${query}`)).map(({ title }) => title);
  expect(await titles('q=cust%20600')).toEqual(['Customer 600']);
  expect(await titles('q=%2B16661000600')).toEqual(['Customer 600']);
  expect(await titles('q=customer&limit=3')).toEqual(['Customer 0', 'Customer 1', 'Customer 2']);
  const lastOf = async (query: string) =>
    itemsOf(await done(`/api/chats?${query}`)).map(({ lastMessage }) => lastMessage);
  expect(await lastOf('q=1054')).toEqual([expect.objectContaining({ text: 'text 3240' })]);
  expect(await lastOf('q=0600')).toEqual([undefined]);
});

it('goes on from where the first look at a long list ended, to its very end', async () => {
  const { done } = await hub;
  const first = await done('/api/events?kind=call');
  expect(first).toEqual({ items: [expect.anything()], cursor: expect.any(String) });
  expect(await done(`/api/events?kind=call&cursor=${first.cursor}`)).toEqual({ items: [] });
});

it('knows everything that the console asks for', () => {
  const files = globSync('**/*.{ts,tsx}', { cwd: CONSOLE, exclude: ['*.d.ts'] });
  const asked = files.flatMap((file) => {
    const source = readFileSync(new URL(file, CONSOLE), 'utf8');
    return [...source.matchAll(/api\.GET\('([^']+)'/g)].map(([, path = '']) => path);
  });
  expect([...new Set(asked)].filter((path) => !STARTED.includes(path)).sort()).toEqual(Object.keys(CALLS).sort());
});

it('names at the foot of its pages calls that there are', () => {
  const files = globSync('**/*.tsx', { cwd: CONSOLE });
  const named = files.flatMap((file) => {
    const source = readFileSync(new URL(file, CONSOLE), 'utf8');
    return [...source.matchAll(/call="([^"]+)"/g)].map(([, call = '']) => call);
  });
  const routes = routesOf(new AdminBench().ports.providers);
  const calls = new Set(routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`));
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((call) => !calls.has(call))).toEqual([]);
});
