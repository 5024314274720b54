import { describe, expect, it } from 'vitest';
import { readUpTo } from '#lib/chats/chat.ts';
import { listChats } from '#lib/chats/list.ts';
import { sightChat } from '#lib/chats/people.ts';
import { toIso } from '#lib/domain/time.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { MeteredStore } from '#test/support/metered-store.ts';
import { NOW } from '#test/support/receiving.ts';
import { AdminBench, message } from './admin-bench.ts';

const SIGHTING = { workspace: 'main', provider: 'sandbox', accountKey: 'acc_1', kind: 'individual' } as const;

async function hubWith(...messages: object[]) {
  const hub = new AdminBench();
  const { url } = await hub.webhook();
  for (const one of messages) await hub.post(url, one);
  const chats = async (query = '') => (await hub.walk(`/api/chats${query}`)).items;
  const unread = async (query = '') => (await chats(query)).map((chat) => chat.unread);
  const read = async (readAt: unknown) => {
    const [chat] = await chats();
    return hub.call('PATCH', `/api/chats/${chat?.id}`, { body: { readAt } });
  };
  return { hub, url, chats, unread, read };
}

describe('an unread chat', () => {
  it('is one in which something came in, until it is read that far', async () => {
    const { hub, url, unread, read } = await hubWith(message(1));
    expect(await unread()).toEqual([true]);
    const { status, json } = await read(message(1).at);
    expect([status, json.unread, json.readAt]).toEqual([200, false, message(1).at]);
    expect(await unread()).toEqual([false]);
    await hub.post(url, message(2));
    expect(await unread()).toEqual([true]);
  });

  it('stays unread where only what was before the last message is read', async () => {
    const { unread, read } = await hubWith(message(1), message(2));
    await read(message(1).at);
    expect(await unread()).toEqual([true]);
    await read(message(2).at);
    // An older look does not take a newer one back.
    expect((await read(message(1).at)).json).toMatchObject({ unread: false, readAt: message(2).at });
  });

  it('is unread for what comes late, though not for what was told before it was read', async () => {
    const { hub, url, unread, read } = await hubWith(message(5, { direction: 'outbound' }));
    expect(await unread()).toEqual([false]);
    await hub.post(url, message(3));
    expect(await unread()).toEqual([true]);
    await read(message(3).at);
    await hub.post(url, message(3));
    expect(await unread()).toEqual([false]);
  });

  it('costs a message that is late no further write where a later one is unread', async () => {
    const store = new MeteredStore();
    const tell = async (n: number) => {
      const before = store.requests;
      const at = NOW + n * 1000;
      await sightChat(store, { ...SIGHTING, providerChatId: '7', at, event: `evt_${n}`, reading: 'new' });
      return store.requests - before;
    };
    // What it is found by is written with its first one.
    expect([await tell(5), await tell(3), await tell(6)]).toEqual([2, 1, 1]);
  });

  it('takes no message of ours for one, and an answer on the phone for a look', async () => {
    const { hub, url, unread } = await hubWith(message(1));
    await hub.post(url, message(2, { direction: 'outbound', via: 'api' }));
    expect(await unread()).toEqual([true]);
    await hub.post(url, message(3, { direction: 'outbound', via: 'phone' }));
    expect(await unread()).toEqual([false]);
  });

  it.each([
    ['an edit', { edits: 'm1' }],
    ['a deletion', { deletes: 'm1', text: undefined }],
    ['what somebody showed to all', { chat: 'status@broadcast', from: '+15550100' }],
  ])('takes %s for nothing to be read', async (_, more) => {
    const { hub, url, chats, unread, read } = await hubWith(message(1));
    await read(message(1).at);
    await hub.post(url, message(2, more));
    expect((await chats()).some(({ lastAt }) => lastAt === message(2).at)).toBe(true);
    expect(await unread('?unread=true')).toEqual([]);
  });

  it('can be listed, in the order of the list', async () => {
    const { hub, chats, read } = await hubWith(
      ...[1, 2, 3, 4].map((n) => message(n, { chat: `+1555010${n}`, from: `+1555010${n}` })),
    );
    await read(message(4).at);
    expect((await chats('?unread=true')).map(({ phone }) => phone)).toEqual(['+15550103', '+15550102', '+15550101']);
    expect((await chats('?unread=false')).map(({ phone }) => phone)).toEqual(['+15550104']);
    const pages = await hub.walk('/api/chats?unread=true&limit=1');
    expect(pages.items).toHaveLength(3);
  });

  it('is none of another workspace, nor read in the far future', async () => {
    const { hub, chats, read } = await hubWith(message(1));
    const [chat] = await chats();
    const { key } = await hub.workspaceWithKey();
    const body = { readAt: message(1).at };
    expect((await hub.call('PATCH', `/api/chats/${chat?.id}`, { key, body })).status).toBe(404);
    expect((await hub.call('PATCH', '/api/chats/chat_0', { body })).status).toBe(404);
    expect((await read('2126-03-01T00:00:00Z')).json.issues).toEqual([
      { path: 'readAt', message: 'must not be later than 48 hours from now' },
    ]);
    expect((await read('yesterday')).status).toBe(422);
    expect((await chats())[0]).toMatchObject({ unread: true });
  });
});

describe('looking for a chat', () => {
  const titled = (n: number, title: string) => message(n, { chat: `+4915112345${n}00`, title });
  const hub = hubWith(titled(1, 'Ana María López'), titled(2, 'The Lopez family'), titled(3, 'Ana & Söhne'));

  it.each([
    ['lopez', ['The Lopez family']],
    ['LÓP', ['Ana María López']],
    ['ana', ['Ana & Söhne', 'Ana María López']],
    ['an lóp', ['Ana María López']],
    ['ana & söhne', ['Ana & Söhne']],
    ['ana &', ['Ana & Söhne', 'Ana María López']],
    ['pez', []],
    ['+49 151 12345 2 00', ['The Lopez family']],
    ['0151 1234 5200', ['The Lopez family']],
    ['5200', ['The Lopez family']],
    ['200', ['The Lopez family']],
    ['00', []],
    ['4915', []],
  ])('by %s finds %j', async (q, titles) => {
    const { chats } = await hub;
    expect((await chats(`?q=${encodeURIComponent(q)}`)).map(({ title }) => title)).toEqual(titles);
  });

  it('finds those of a provider alone', async () => {
    const { chats } = await hub;
    expect(await chats('?provider=sandbox')).toHaveLength(3);
    expect(await chats('?provider=zender')).toEqual([]);
  });
});

describe('two chats that turn out to be one', () => {
  const [PHONE, LID] = ['+15550100099', '190012345@lid'];
  const sight = (store: MemoryStore, providerChatId: string, names: readonly string[], more: object = {}) =>
    sightChat(store, { ...SIGHTING, providerChatId, names, at: NOW, ...more });

  it.each([
    ['what is unread in the older', { reading: 'new' }, {}, true],
    ['what is unread in the younger', {}, { reading: 'new', at: NOW + 1000 }, true],
    ['nothing where neither has anything unread', { reading: 'read' }, {}, false],
  ])('keep %s', async (_what, older, younger, unread) => {
    const store = new MemoryStore();
    await sight(store, PHONE, [PHONE], older);
    await sight(store, LID, [LID], younger);
    // In the other it was read further than that.
    const [read] = (await listChats(store, 'main', {}, { limit: 9 })).items.filter((chat) => !chat.unread);
    if (read) await readUpTo(store, 'main', read.id, NOW + 60_000);
    await sight(store, LID, [LID, PHONE], { at: NOW + 2000 });
    const { items } = await listChats(store, 'main', {}, { limit: 9 });
    expect(items.map((chat) => chat.unread)).toEqual([unread]);
  });

  it.each([0, 1])('are read as far as either was, be it the older or the younger (%d)', async (further) => {
    const store = new MemoryStore();
    const chats = [await sight(store, PHONE, [PHONE]), await sight(store, LID, [LID], { at: NOW + 1 })];
    for (const [i, { chatId }] of chats.entries())
      await readUpTo(store, 'main', String(chatId), NOW + (i === further ? 1000 : 500));
    await sight(store, LID, [LID, PHONE], { at: NOW + 2000 });
    const { items } = await listChats(store, 'main', {}, { limit: 9 });
    expect(items.map(({ readAt }) => readAt)).toEqual([toIso(NOW + 1000)]);
  });
});
