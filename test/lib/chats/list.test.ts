import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChatSighting, chatId } from '#lib/chats/chat.ts';
import { type ChatFilter, type ListedChat, listChats } from '#lib/chats/list.ts';
import { sightChat } from '#lib/chats/people.ts';
import { toIso } from '#lib/domain/time.ts';
import { chatKey } from '#lib/store/keys.ts';
import { decodeCursor } from '#lib/store/query.ts';
import type { Store } from '#lib/store/store.ts';
import { MemoryStore } from '#test/support/memory-store.ts';

const NOON = Date.parse('2026-03-01T12:00:00.000Z');

const sighting = (name: string, seconds: number, more: Partial<ChatSighting> = {}): ChatSighting => ({
  workspace: 'main',
  provider: 'sandbox',
  accountKey: 'acc_1',
  providerChatId: name,
  kind: 'individual',
  at: NOON + seconds * 1000,
  ...more,
});

const idOf = (name: string) => chatId(sighting(name, 0));

interface Walk {
  readonly limit: number;
  readonly filter?: ChatFilter;
  /** What happens between two pages. */
  readonly between?: (page: number) => Promise<void>;
}

async function walk(store: Store, { limit, filter = {}, between }: Walk): Promise<ListedChat[][]> {
  const pages: ListedChat[][] = [];
  let from: string | undefined;
  do {
    const page = await listChats(store, 'main', filter, { limit, ...(from !== undefined && { from }) });
    pages.push([...page.items]);
    if (pages.length > 200) throw new Error('the list has no end');
    from = page.cursor === undefined ? undefined : decodeCursor('chats', page.cursor);
    if (page.cursor !== undefined) expect(from).toBeDefined();
    await between?.(pages.length);
  } while (from !== undefined);
  return pages;
}

const names = (pages: readonly (readonly ListedChat[])[]) =>
  pages.map((page) => page.map((chat) => chat.providerChatId));

describe('the place of a chat in the list', () => {
  const entry = async (store: Store, name: string) =>
    (await store.get(chatKey(idOf(name)), { consistent: true }))?.gsi1sk;

  it('moves once a minute, while its item tells the very time of each message', async () => {
    const store = new MemoryStore();
    const places: unknown[] = [];
    for (const seconds of [1, 30, 59.999, 60]) {
      await sightChat(store, sighting('a', seconds));
      places.push(await entry(store, 'a'));
      const [shown] = (await listChats(store, 'main', {}, { limit: 1 })).items;
      expect(shown?.lastAt).toBe(toIso(NOON + seconds * 1000));
    }
    const [first, second, third, later] = places;
    expect([second, third]).toEqual([first, first]);
    expect(later).not.toBe(first);
  });

  it('never goes back, whichever of two writers comes last', async () => {
    const store = new MemoryStore();
    await Promise.all([61, 59].map((seconds) => sightChat(store, sighting('a', seconds))));
    const place = await entry(store, 'a');
    await Promise.all([58, 61].map((seconds) => sightChat(store, sighting('a', seconds))));
    expect(await entry(store, 'a')).toBe(place);
    expect((await listChats(store, 'main', {}, { limit: 1 })).items[0]?.lastAt).toBe(toIso(NOON + 61_000));
  });
});

describe('the list of chats', () => {
  it('begins with the chat that is active now, though its place is as old as its minute', async () => {
    const store = new MemoryStore();
    for (let n = 0; n < 40; n++) await sightChat(store, sighting(`b${n}`, 10 + n / 10));
    await sightChat(store, sighting('a', 5));
    await sightChat(store, sighting('a', 30));
    for (const limit of [1, 2, 7, 40]) {
      const [first] = names(await walk(store, { limit }));
      expect(first?.slice(0, 3)).toEqual(['a', 'b39', 'b38'].slice(0, limit));
    }
  });

  it('shows every chat once and in order, page by page', async () => {
    const chat = fc.record({
      name: fc.integer({ min: 0, max: 30 }),
      seconds: fc.integer({ min: 0, max: 240 }),
      account: fc.constantFrom('acc_1', 'acc_2'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(chat, { maxLength: 80 }),
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
        async (chats, limit, filtered) => {
          const store = new MemoryStore();
          const last = new Map<string, number>();
          for (const { name, seconds, account } of chats) {
            const seen = sighting(`${name}-${account}`, seconds, { accountId: account });
            await sightChat(store, seen);
            if (filtered && account === 'acc_2') continue;
            last.set(seen.providerChatId, Math.max(last.get(seen.providerChatId) ?? 0, seen.at));
          }
          const key = (name: string, at: number) => `${toIso(at)}#${idOf(name)}`;
          const wanted = [...last].sort((a, b) => (key(...a) < key(...b) ? 1 : -1)).map(([name]) => name);
          const pages = names(await walk(store, { limit, ...(filtered && { filter: { accountId: 'acc_1' } }) }));
          expect(pages.flat()).toEqual(wanted);
          expect(pages).toHaveLength(Math.max(1, Math.ceil(wanted.length / limit)));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('goes on where the page before ended, whatever is active meanwhile', async () => {
    const store = new MemoryStore();
    for (let n = 0; n < 9; n++) await sightChat(store, sighting(`c${n}`, n));
    const between = async (page: number) =>
      void (await sightChat(store, sighting(`c${page === 1 ? 8 : 0}`, 20 + page)));
    const pages = names(await walk(store, { limit: 3, between }));
    // What was active since then stands at the top of the list, and not on a later page.
    expect(pages).toEqual([
      ['c8', 'c7', 'c6'],
      ['c5', 'c4', 'c3'],
      ['c2', 'c1'],
    ]);
  });

  it('reads of a crowded minute what a page shows, and still shows each of its chats once', async () => {
    const store = new MemoryStore();
    const all = Array.from({ length: 900 }, (_, n) => (n < 20 ? sighting(`e${n}`, 70 + n) : sighting(`e${n}`, n / 20)));
    for (const seen of all) await sightChat(store, seen);
    let read = 0;
    const { getMany } = store;
    store.getMany = (keys, options) => {
      read += keys.length;
      return getMany.call(store, keys, options);
    };
    const first = await listChats(store, 'main', {}, { limit: 50 });
    expect(first.items.slice(0, 20).map(({ providerChatId }) => providerChatId)).toEqual(
      all
        .slice(0, 20)
        .map(({ providerChatId }) => providerChatId)
        .reverse(),
    );
    expect(first.items.map(({ lastAt }) => lastAt)).toEqual(
      first.items
        .map(({ lastAt }) => lastAt)
        .sort()
        .reverse(),
    );
    expect(read).toBe(50);
    for (const filter of [{}, { words: 'e' }, { provider: 'sandbox' }] as const) {
      const pages = names(await walk(store, { limit: 50, filter }));
      const shown = pages.flat();
      expect(shown.toSorted()).toEqual('words' in filter ? [] : all.map(({ providerChatId }) => providerChatId).sort());
      if (shown.length > 0) expect(pages.map(({ length }) => length)).toEqual(Array(18).fill(50));
    }
    // What is active meanwhile is at the top, and not further down again.
    let shown = new Set<string>();
    const between = async () => void (await sightChat(store, sighting(all[899]?.providerChatId ?? '', 200)));
    for (const page of names(await walk(store, { limit: 50, between }))) {
      expect(page.filter((name) => shown.has(name))).toEqual([]);
      shown = new Set([...shown, ...page]);
    }
    expect(shown.size).toBeGreaterThanOrEqual(899);
  });

  it('loses no chat whose item other readers still see as it was', async () => {
    let isStale = false;
    const store = new MemoryStore({ isStale: () => isStale });
    for (let n = 0; n < 4; n++) await sightChat(store, sighting(`d${n}`, 100 + n));
    await sightChat(store, sighting('late', 1));
    await sightChat(store, sighting('late', 170));
    const { query, getMany } = store;
    store.query = (wanted) => {
      isStale = false;
      return query.call(store, wanted);
    };
    store.getMany = (keys, options) => {
      isStale = true;
      return getMany.call(store, keys, options);
    };
    expect(names(await walk(store, { limit: 2 })).flat()).toEqual(['late', 'd3', 'd2', 'd1', 'd0']);
  });
});
