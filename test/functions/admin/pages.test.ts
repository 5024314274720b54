import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shardOf } from '#lib/domain/ids.ts';
import { toIso } from '#lib/domain/time.ts';
import { decodeCursor, encodeCursor, newestFirst } from '#lib/store/query.ts';
import { type Item, put } from '#lib/store/store.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { AdminBench, message } from './admin-bench.ts';

const partitions = Array.from({ length: 8 }, (_, shard) => `LIST#${shard}`);

const isWanted = (entry: Item) => entry.kind === 'b';

async function stored(times: readonly number[]) {
  const store = new MemoryStore();
  const keys: string[] = [];
  for (const [n, time] of times.entries()) {
    const id = `e${n}`;
    const gsi1sk = `${toIso(time * 1000)}#${id}`;
    keys.push(gsi1sk);
    await store.write(put({ pk: id, sk: 'META', gsi1pk: `LIST#${shardOf(id)}`, gsi1sk, kind: time % 3 ? 'a' : 'b' }));
  }
  return { store, keys: keys.sort().reverse() };
}

describe('a list over all shards', () => {
  it('shows each entry once, in order, page by page, whatever the data and the limit', async () => {
    const times = fc.array(fc.nat(50), { maxLength: 120 });
    await fc.assert(
      fc.asyncProperty(times, fc.integer({ min: 1, max: 40 }), fc.boolean(), async (data, limit, filtered) => {
        const { store, keys } = await stored(data);
        const accepts = filtered ? { accepts: isWanted } : {};
        const seen: string[] = [];
        let position: string | undefined;
        do {
          const before = position === undefined ? {} : { before: position };
          const page = await newestFirst(store, { index: 'gsi1', partitions }, { limit, ...before, ...accepts });
          expect(page.entries.length).toBeLessThanOrEqual(limit);
          seen.push(...page.entries.map((entry) => String(entry.gsi1sk)));
          position = page.position;
          if (position !== undefined) expect(page.entries).toHaveLength(limit);
        } while (position !== undefined);
        const wanted = keys.filter((key) => !filtered || Number(new Date(key.slice(0, 24))) % 3000 === 0);
        expect(seen).toEqual(wanted);
      }),
      { numRuns: 60 },
    );
  });

  it('gives up a long search with a short page, and finds the rest from its cursor', async () => {
    const { store } = await stored([0, ...Array.from({ length: 400 }, (_, n) => 3 * n + 1)]);
    const { query } = store;
    // As if the store read an entry at a time.
    store.query = (wanted) => query.call(store, { ...wanted, limit: 1 });
    const wanted = { limit: 10, accepts: isWanted };
    let pages = 0;
    const found: string[] = [];
    let position: string | undefined;
    do {
      const before = position === undefined ? {} : { before: position };
      const page = await newestFirst(store, { index: 'gsi1', partitions }, { ...wanted, ...before });
      found.push(...page.entries.map(({ pk }) => pk));
      position = page.position;
      pages++;
    } while (position !== undefined);
    expect(found).toEqual(['e0']);
    expect(pages).toBeGreaterThan(3);
  });

  it('makes cursors that it can read, and reads no others', () => {
    const place = '2026-01-01T00:00:00.000Z#evt_1';
    expect(decodeCursor('events', encodeCursor('events', place))).toBe(place);
    for (const made of ['', '!', 'AA', encodeCursor('events', 'a b'), `${encodeCursor('events', 'a')}=`]) {
      expect(decodeCursor('events', made)).toBeUndefined();
    }
  });

  it('keeps to its list', () => {
    const place = '2026-01-01T00:00:00.000Z#evt_1';
    expect(decodeCursor('feed', encodeCursor('events', place))).toBeUndefined();
    expect(decodeCursor('events', encodeCursor('feed', place))).toBeUndefined();
    expect(decodeCursor('events', encodeCursor('events', place))).toBe(place);
    expect(decodeCursor('events', Buffer.from(place).toString('base64url'))).toBeUndefined();
  });
});

describe('lists of the API', () => {
  it('hold up to 200 on a page, more than the store reads at once', async () => {
    const hub = new AdminBench();
    for (let n = 0; n < 201; n++) {
      hub.bench.now += 1;
      const { url } = await hub.webhook();
      await hub.done('POST', '/api/workspaces/main/keys');
      await hub.done('POST', '/api/accounts', { body: { provider: 'sandbox', channel: 'whatsapp', credentials: {} } });
      await hub.post(url, message(n, { chat: `+15550${1000 + n}`, title: 'One' }));
    }
    const lists = ['webhooks?', 'accounts?', 'workspaces/main/keys?', 'messages?', 'chats?', 'chats?title=One&'];
    for (const list of lists) {
      const { items, pages } = await hub.walk(`/api/${list}limit=200`);
      expect([new Set(items.map(({ id }) => id)).size, pages], list).toEqual([201, 2]);
    }
  });

  it('have no cursor on their last page, however many there are', async () => {
    for (const count of [0, 1, 2, 3, 4]) {
      const hub = new AdminBench();
      let url = '';
      for (let n = 0; n < count; n++) {
        hub.bench.now += 1;
        ({ url } = await hub.webhook());
        const account = { provider: 'sandbox', channel: 'whatsapp', credentials: {} };
        await hub.done('POST', '/api/accounts', { body: account });
        await hub.done('POST', '/api/workspaces', { body: { name: 'x' } });
        await hub.done('POST', '/api/workspaces/main/keys');
      }
      for (let n = 0; n < count; n++) await hub.post(url, message(n, { chat: `+1555010${n}` }));
      const lists = ['webhooks', 'accounts', 'workspaces/main/keys', 'messages', 'events', 'chats', 'workspaces'];
      for (const list of lists) {
        const total = list === 'workspaces' ? count + 1 : count;
        const { items, pages } = await hub.walk(`/api/${list}?limit=2`);
        expect(new Set(items.map(({ id }) => id)).size, list).toBe(total);
        expect(pages, list).toBe(Math.max(1, Math.ceil(total / 2)));
        const whole = await hub.walk(`/api/${list}`);
        expect(whole.items, list).toEqual(items);
      }
    }
  });
});
