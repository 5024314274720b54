import { describe, expect, it } from 'vitest';
import { NOW } from '#test/support/receiving.ts';
import { AdminBench, itemsOf, message } from './admin-bench.ts';

async function hubWith(bodies: readonly object[]) {
  const hub = new AdminBench();
  const { url } = await hub.webhook();
  const ids: string[] = [];
  for (const body of bodies) ids.push(String((await hub.post(url, body)).body.id));
  return { hub, url, ids };
}

describe('events and messages', () => {
  it('are listed newest first by the time of the provider, whole', async () => {
    const { hub, ids } = await hubWith([message(2), message(3), message(1)]);
    const { items } = await hub.walk('/api/messages');
    expect(items.map(({ id }) => id)).toEqual([ids[1], ids[0], ids[2]]);
    expect(items[0]).toEqual(await hub.done('GET', `/api/messages/${ids[1]}`));
    expect(items[0]).toMatchObject({ kind: 'message', message: { content: { type: 'text', text: 'text 3' } } });
  });

  it.each([
    ['kind=status', ['s']],
    ['kind=message&type=image', ['i']],
    ['direction=outbound', ['o']],
    ['quarantined=true', ['q']],
    ['quarantined=false', ['o', 's', 'i', 'm']],
    ['provider=zender', []],
    [`after=${new Date(NOW - 3_600_000 + 2000).toISOString()}&quarantined=false`, ['o', 's']],
    [`before=${new Date(NOW - 3_600_000 + 2000).toISOString()}`, ['m']],
    ['limit=1&quarantined=false', ['o', 's', 'i', 'm']],
  ])('are filtered by %s', async (query, expected) => {
    const { hub, ids } = await hubWith([
      message(1),
      message(2, { file: { url: 'https://files.example/a.png', mimeType: 'image/png' } }),
      { event: 'status', id: 'm4', status: 'read', at: message(3).at },
      message(4, { direction: 'outbound' }),
      { event: 'new thing' },
    ]);
    const names = ['m', 'i', 's', 'o', 'q'];
    const { items } = await hub.walk(`/api/events?${query}`);
    expect(items.map(({ id }) => names[ids.indexOf(String(id))])).toEqual(expected);
  });

  it('that are told again are listed once, with the body of each delivery', async () => {
    const file = { url: 'https://files.example/a.png', mimeType: 'image/png' };
    const bodies = [1, 2, 3].map((n) => message(1, { file: { ...file, url: `https://files.example/${n}.png` } }));
    const { hub, url, ids } = await hubWith(bodies.slice(0, 1));
    for (const body of bodies.slice(1)) {
      hub.bench.now += 1000;
      expect((await hub.post(url, body)).body).toMatchObject({ status: 'duplicate', id: ids[0] });
    }
    const { items } = await hub.walk('/api/messages');
    const renewed = {
      id: ids[0],
      deliveries: 3,
      message: { content: { file: { url: 'https://files.example/3.png' } } },
    };
    expect(items).toMatchObject([renewed]);
    const deliveries = itemsOf(await hub.done('GET', `/api/events/${ids[0]}/deliveries`));
    expect(deliveries[0]).toMatchObject({ id: 'first', receivedAt: new Date(NOW).toISOString() });
    for (const [i, { id }] of deliveries.entries()) {
      const raw = await hub.call('GET', `/api/events/${ids[0]}/raw?delivery=${String(id)}`);
      expect(raw.bytes.toString()).toBe(JSON.stringify(bodies[i]));
    }
    expect((await hub.call('GET', `/api/events/${ids[0]}/raw?delivery=none`)).status).toBe(404);
    expect(await hub.done('POST', `/api/events/${ids[0]}/replay`)).toEqual({ id: ids[0], result: 'unchanged' });
    expect((await hub.walk('/api/messages')).items).toEqual(items);
  });

  it('of one chat are listed by it, and nothing by a chat of nobody', async () => {
    const { hub, ids } = await hubWith([message(1), message(2, { chat: '+15550199' }), message(3)]);
    const { chatId } = await hub.done('GET', `/api/messages/${ids[0]}`);
    const { items } = await hub.walk(`/api/messages?chat=${chatId}&limit=1`);
    expect(items.map(({ id }) => id)).toEqual([ids[2], ids[0]]);
    expect((await hub.walk('/api/messages?chat=chat_0')).items).toEqual([]);
  });

  it('of direction outbound tell how far they got', async () => {
    const { hub, url, ids } = await hubWith([message(1, { direction: 'outbound' })]);
    expect(await hub.done('GET', `/api/messages/${ids[0]}`)).not.toHaveProperty('delivery');
    for (const status of ['read', 'sent'])
      await hub.post(url, { event: 'status', id: 'm1', status, at: message(5).at });
    const delivery = { state: 'read', sentAt: message(5).at, readAt: message(5).at };
    expect(await hub.done('GET', `/api/messages/${ids[0]}`)).toMatchObject({ delivery });
    expect(itemsOf(await hub.done('GET', '/api/messages'))).toMatchObject([{ delivery }]);
    expect(itemsOf(await hub.done('GET', '/api/events?kind=status'))[0]).not.toHaveProperty('delivery');
  });

  it('that have run out are not shown, though the table still holds them', async () => {
    const { hub, ids } = await hubWith([message(1), message(2)]);
    const key = { pk: `EVT#${ids[0]}`, sk: 'META' };
    const expiresAt = Math.floor(NOW / 1000);
    await hub.store.write({ kind: 'update', key, changes: [{ kind: 'set', path: 'expiresAt', value: expiresAt }] });
    expect(itemsOf(await hub.done('GET', '/api/events')).map(({ id }) => id)).toEqual([ids[1]]);
    for (const path of ['', '/raw', '/deliveries'])
      expect((await hub.call('GET', `/api/events/${ids[0]}${path}`)).status).toBe(404);
  });

  it('come in pages that a Lambda can answer with, however large each is', async () => {
    const large = 'x'.repeat(900_000);
    const { hub } = await hubWith([1, 2, 3, 4, 5, 6].map((n) => message(n, { text: `${n}${large}` })));
    const first = await hub.call('GET', '/api/messages');
    expect(first.bytes.length).toBeLessThan(5_000_000);
    const { items, pages } = await hub.walk('/api/messages');
    expect(items).toHaveLength(6);
    expect(pages).toBe(2);
  });

  it('are unknown as messages where they are none', async () => {
    const { hub, ids } = await hubWith([{ event: 'status', id: 'm4', status: 'read' }]);
    expect((await hub.call('GET', `/api/messages/${ids[0]}`)).status).toBe(404);
  });
});

describe('the raw body', () => {
  it('comes back byte for byte, as a download that no browser runs', async () => {
    const hub = new AdminBench();
    const { url } = await hub.webhook();
    const bytes = Buffer.concat([Buffer.from('<script>alert(1)</script>'), Buffer.from([0xff, 0x00, 0xfe])]);
    const { body } = await hub.post(url, bytes, 'text/html');
    const raw = await hub.call('GET', `/api/events/${body.id}/raw`);
    expect(raw.bytes.equals(bytes)).toBe(true);
    expect(raw.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'hookline-content-type': 'text/html',
      'content-disposition': `attachment; filename="${body.id}.raw"`,
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
    });
  });

  it('has no content type that is none', async () => {
    const hub = new AdminBench();
    const { url } = await hub.webhook();
    const { body } = await hub.post(url, message(1), 'a/b\u00ff; "x');
    const raw = await hub.call('GET', `/api/events/${body.id}/raw`);
    expect(raw.headers).not.toHaveProperty('hookline-content-type');
    expect(JSON.parse(raw.text)).toEqual(message(1));
  });
});

describe('chats', () => {
  it('are listed by their last activity and found by their exact title', async () => {
    const { hub } = await hubWith([
      message(1, { chat: '+15550101', title: 'Family' }),
      message(5, { chat: '+15550102', title: 'Family' }),
      message(3, { chat: '+15550103', title: 'Friends' }),
    ]);
    const { items } = await hub.walk('/api/chats?limit=1');
    expect(items.map(({ providerChatId }) => providerChatId)).toEqual(['+15550102', '+15550103', '+15550101']);
    const titled = await hub.walk('/api/chats?title=Family&limit=1');
    expect(titled.items.map(({ providerChatId }) => providerChatId)).toEqual(['+15550102', '+15550101']);
    expect((await hub.walk('/api/chats?title=family')).items).toEqual([]);
    expect(await hub.done('GET', `/api/chats/${items[0]?.id}`)).toEqual(items[0]);
  });
});

describe('requests that are not valid', () => {
  it.each([
    ['GET', '/api/events?limit=0', 'limit'],
    ['GET', '/api/events?limit=201', 'limit'],
    ['GET', '/api/events?limit=many', 'limit'],
    ['GET', '/api/events?cursor=%F0%9F%98%80', 'cursor'],
    ['GET', '/api/events?acount=x', 'acount'],
    ['GET', '/api/events?after=yesterday', 'after'],
    ['GET', '/api/events?kind=letter', 'kind'],
    ['GET', '/api/messages?direction=up', 'direction'],
  ])('%s %s is refused by its path', async (method, url, path) => {
    const { status, json } = await new AdminBench().call(method, url);
    expect(status).toBe(422);
    expect(json).toEqual({
      status: 422,
      data: {},
      message: expect.stringMatching(/^The request is not valid: \w+ /),
      issues: [{ path, message: expect.any(String) }],
    });
  });

  it.each([
    ['{"kind": "send",}', 'line 1, column 17'],
    ['', 'empty'],
    ['{"__proto__": 1}', '__proto__'],
    ['['.repeat(40) + ']'.repeat(40), '32 levels'],
  ])('a body of %s is refused with 400', async (body, hint) => {
    const { status, json } = await new AdminBench().call('POST', '/api/webhooks', { body });
    expect(status).toBe(400);
    expect(json.message).toContain(hint);
  });

  it('a body that is too large is refused with 413', async () => {
    const body = { kind: 'send', name: 'x'.repeat(300_000) };
    expect((await new AdminBench().call('POST', '/api/webhooks', { body })).status).toBe(413);
  });
});

it('lists what happened in a chat: messages, reactions and calls', async () => {
  const { hub } = await hubWith([
    message(1, { chat: '+15550100099' }),
    message(2, { chat: '+15550100098' }),
    { event: 'reaction', id: 'm1', from: '+15550100099', emoji: '👍', at: message(3).at },
    { event: 'reaction', id: 'm2', from: '+15550100098', emoji: '👎', at: message(3).at },
    { event: 'call', id: 'c1', from: '+15550100099', status: 'missed', at: message(4).at },
  ]);
  const { items: chats } = await hub.walk('/api/chats?phone=%2B15550100099');
  const chat = String(chats[0]?.id);
  const { items } = await hub.walk(`/api/events?chat=${chat}`);
  expect(items.map(({ kind, chatId }) => [kind, chatId])).toEqual([
    ['call', chat],
    ['reaction', chat],
    ['message', chat],
  ]);
  expect(items[1]).toMatchObject({ reaction: { emoji: '👍', removed: false, messageId: 'm1' } });
  expect((await hub.walk(`/api/messages?chat=${chat}`)).items).toHaveLength(1);
  const { items: kinds } = await hub.walk(`/api/events?chat=${chat}&kind=reaction`);
  expect(kinds).toHaveLength(1);
});
