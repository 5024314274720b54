import { expect, it } from 'vitest';
import { systemRandom } from '#lib/aws/runtime.ts';
import { emulatedStore } from '#test/support/emulated-store.ts';
import { LONG } from '#test/support/long.ts';
import { AdminBench, message } from './admin-bench.ts';

// Tables of one engine share what it knows of transactions, so their names must differ.
const hubOnDynamoDb = async () => new AdminBench({ store: await emulatedStore(), random: systemRandom });

it('pages through messages, events and chats as in memory', async () => {
  const hub = await hubOnDynamoDb();
  const { url } = await hub.webhook();
  const ids: unknown[] = [];
  for (let n = 0; n < 25; n++) {
    const { body } = await hub.post(url, message(n, { chat: `+1555010${n % 3}`, title: `Chat ${n % 3}` }));
    ids.unshift(body.id);
  }
  await hub.post(url, { event: 'status', id: 'm1', status: 'read' });
  for (const limit of [1, 7, 24, 25, 26]) {
    const { items, pages } = await hub.walk(`/api/messages?limit=${limit}`);
    expect(items.map(({ id }) => id)).toEqual(ids);
    expect(pages).toBe(Math.ceil(25 / limit));
  }
  const [chat] = (await hub.walk('/api/chats?title=Chat 1')).items;
  const { items } = await hub.walk(`/api/messages?chat=${chat?.id}&limit=2&after=${message(5).at}`);
  expect(items.map(({ id }) => id)).toEqual([22, 19, 16, 13, 10, 7].map((n) => ids[24 - n]));
  expect((await hub.walk('/api/chats?limit=1')).items).toHaveLength(3);
});

it('manages webhooks, accounts, workspaces and keys as in memory', async () => {
  const hub = await hubOnDynamoDb();
  const account = await hub.done('POST', '/api/accounts', {
    body: { provider: 'sandbox', channel: 'whatsapp', credentials: {}, name: 'One' },
  });
  const { id, url } = await hub.webhook({ accountId: account.id, name: 'x' });
  const answers = await Promise.all([1, 2, 3].map(() => hub.call('POST', `/api/webhooks/${id}/rotate`)));
  const urls = [url, ...answers.flatMap(({ status, json }) => (status === 200 ? [String(json.url)] : []))];
  const live = await Promise.all(urls.map(async (one, n) => (await hub.post(one, message(n))).status));
  expect(live.filter((status) => status === 200)).toHaveLength(1);
  expect(await hub.done('PATCH', `/api/webhooks/${id}`, { body: { name: null } })).not.toHaveProperty('name');
  const { id: workspace, key } = await hub.workspaceWithKey();
  expect((await hub.walk('/api/webhooks', { key })).items).toEqual([]);
  expect((await hub.walk('/api/webhooks?limit=1')).items).toHaveLength(1);
  const [shown] = (await hub.walk(`/api/workspaces/${workspace}/keys`)).items;
  expect((await hub.call('DELETE', `/api/workspaces/${workspace}/keys/${shown?.id}`)).status).toBe(204);
  expect((await hub.call('GET', '/api/webhooks', { key })).status).toBe(401);
  expect((await hub.call('DELETE', `/api/accounts/${account.id}`)).status).toBe(204);
  expect((await hub.call('DELETE', `/api/webhooks/${id}`)).status).toBe(204);
});

it('lists more keys than DynamoDB reads at once', async () => {
  const hub = await hubOnDynamoDb();
  for (let n = 0; n < 101; n++) await hub.done('POST', '/api/workspaces/main/keys');
  const { items } = await hub.done('GET', '/api/workspaces/main/keys?limit=200');
  expect(items).toHaveLength(101);
});

it('replays, counts and logs as in memory', async () => {
  const hub = await hubOnDynamoDb();
  const { id, url } = await hub.webhook();
  const { body } = await hub.post(url, { event: 'new thing' });
  expect(await hub.done('POST', '/api/events/replay')).toMatchObject({
    items: [{ id: body.id, result: 'quarantined' }],
  });
  expect(await hub.done('GET', '/api/events/quarantine')).toMatchObject({ items: [{ type: 'new thing', seen: 1 }] });
  expect(await hub.done('GET', `/api/webhooks/${id}/attempts`)).toMatchObject({ items: [{ id: body.id }] });
  const raw = await hub.call('GET', `/api/events/${body.id}/raw`);
  expect(raw.text).toBe('{"event":"new thing"}');
});

it('erases a person and applies a retention as in memory', async () => {
  const hub = await hubOnDynamoDb();
  const { id, url } = await hub.webhook();
  const person = '+79876543210';
  for (let n = 0; n < 12; n++) await hub.post(url, message(n, { chat: n % 2 ? person : '+15550100', title: 'Ana' }));
  await hub.post(url, message(12, { chat: 'chat-77', from: person, text: LONG }));
  await hub.post(url, { event: 'new thing', who: person });
  await hub.done('PATCH', '/api/workspaces/main', { body: { retentionDays: 3650 } });
  expect(await hub.done('POST', '/api/workspaces/main/retention/apply')).toMatchObject({ applied: { events: 14 } });
  const answer = await hub.done('DELETE', `/api/contacts/${person}`);
  expect(answer).toMatchObject({ erased: { events: 8, chats: 1, attempts: 1 }, left: [] });
  expect((await hub.walk('/api/events')).items).toHaveLength(6);
  expect((await hub.walk('/api/chats')).items).toMatchObject([{ providerChatId: '+15550100' }]);
  expect((await hub.done('GET', `/api/webhooks/${id}/attempts`)).items).toHaveLength(13);
  expect(await hub.done('DELETE', `/api/contacts/${person}`)).toMatchObject({ erased: { events: 0, chats: 0 } });
});
