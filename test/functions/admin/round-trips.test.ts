import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { routesOf } from '#functions/admin/routes.ts';
import { CHATS_FILL } from '#lib/chats/found-by.ts';
import { fillKey } from '#lib/store/keys.ts';
import { put } from '#lib/store/store.ts';
import { AdminBench, itemsOf, message } from '#test/functions/admin/admin-bench.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
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
  const measured = new AdminBench({ store: counting });
  return {
    count: (url: string) => count(async () => measured.done('GET', url)),
    ids: {
      ...{ account: String(accounts[0]), webhook: webhook.id, chat: String(chat?.id), send: String(sends[0]) },
      ...{ endpoint: String(endpoint.id), rule: String(rule.id), event: String(event?.id) },
    },
  };
}
type Ids = Awaited<ReturnType<typeof filled>>['ids'];

/** What the console asks for, as it asks. */
const CALLS: Readonly<Record<string, (ids: Ids) => readonly string[]>> = {
  '/api/accounts': () => ['?limit=200'],
  '/api/accounts/{id}': ({ account }) => [account],
  '/api/changes': () => ['', '?after=1.1.1.1'],
  '/api/chats': () => ['', '?unread=true', '?q=hello', '?phone=%2B15550101003&brief=true'],
  '/api/chats/{id}': ({ chat }) => [chat],
  '/api/credits': () => [''],
  '/api/credits/ledger': () => [''],
  '/api/endpoints': () => ['', '?last24h=true'],
  '/api/endpoints/{id}': ({ endpoint }) => [endpoint],
  '/api/endpoints/{id}/deliveries': ({ endpoint }) => [endpoint],
  '/api/events': ({ chat }) => ['', '?limit=10', `?chat=${chat}`, '?quarantined=true'],
  '/api/events/quarantine': () => [''],
  '/api/events/{id}': ({ event }) => [event],
  '/api/events/{id}/raw': ({ event }) => [event],
  '/api/rules': () => ['', '?last24h=true'],
  '/api/rules/muted': () => [''],
  '/api/rules/recipes': () => [''],
  '/api/rules/{id}': ({ rule }) => [rule],
  '/api/rules/{id}/runs': ({ rule }) => [rule],
  '/api/sends': ({ chat, account }) => ['', `?chat=${chat}`, '?state=failed', `?account=${account}`],
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
  const { count, ids } = await filled();
  const counted: Record<string, number> = {};
  for (const [path, urlsOf] of Object.entries(CALLS)) {
    const urls = urlsOf(ids).map((end) => (path.includes('{') ? path.replace(/\{\w+\}/, end) : `${path}${end}`));
    for (const url of urls) counted[path] = Math.max(counted[path] ?? 0, await count(url));
  }
  expect(counted['/api/events']).toBe(2);
  expect(Object.entries(counted).filter(([, rounds]) => rounds > 2)).toEqual([]);
});

it('a search that finds nobody takes one, and one that finds somebody three: what it is found by, the chats, their last messages', async () => {
  const { count } = await filled();
  expect(await count('/api/chats?q=nobody')).toBe(1);
  expect(await count('/api/chats?q=1054')).toBe(3);
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
