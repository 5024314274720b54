import { expect, it } from 'vitest';
import { AdminBench, itemsOf, message } from './admin-bench.ts';

it('what belongs to a message is listed, and nothing else of its chat', async () => {
  const hub = new AdminBench();
  const { url } = await hub.webhook();
  await hub.post(url, message(1));
  await hub.post(url, message(2));
  await hub.post(url, {
    event: 'reaction',
    id: 'm1',
    chat: '+15550100',
    from: '+15550100',
    emoji: '👍',
    at: message(3).at,
  });
  await hub.post(url, {
    event: 'reaction',
    id: 'm2',
    chat: '+15550100',
    from: '+15550100',
    emoji: '👎',
    at: message(4).at,
  });
  await hub.post(url, message(5, { edits: 'm1' }));
  await hub.post(url, message(6, { chat: '+15550199', from: '+15550199', edits: 'm1' }));
  await hub.post(url, message(7, { deletes: 'm1', text: undefined }));
  const messages = (await hub.walk('/api/messages')).items;
  const first = messages.find((one) => JSON.stringify(one).includes('"text 1"'));
  const { items, send } = await hub.done('GET', `/api/messages/${first?.id}/related`);
  const found = itemsOf({ items });
  expect(found.map(({ kind, occurredAt }) => [kind, occurredAt])).toEqual([
    ['reaction', message(3).at],
    ['message', message(5).at],
    ['message', message(7).at],
  ]);
  expect(send).toBeUndefined();
  expect((await hub.call('GET', '/api/messages/evt_0/related')).status).toBe(404);
  const { key } = await hub.workspaceWithKey();
  expect((await hub.call('GET', `/api/messages/${first?.id}/related`, { key })).status).toBe(404);
});
