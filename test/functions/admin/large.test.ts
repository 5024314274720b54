import { expect, it } from 'vitest';
import { put, type Store } from '#lib/store/store.ts';
import { largeTable } from '#test/support/large-table.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { AdminBench, itemsOf } from './admin-bench.ts';

const LIMIT = 50;

/** How often the table was asked, and how many items it answered: DynamoDB takes time and money for both. */
class Asked {
  requests = 0;
  items = 0;

  over(store: Store): Store {
    const counted = <Answer>(answer: Answer, items: number): Answer => {
      this.requests += 1;
      this.items += items;
      return answer;
    };
    return {
      get: async (key, options) => counted(await store.get(key, options), 1),
      getMany: async (keys, options) => counted(await store.getMany(keys, options), keys.length),
      query: async (query) => {
        const page = await store.query(query);
        return counted(page, page.items.length);
      },
      write: store.write.bind(store),
      transact: store.transact.bind(store),
      writeMany: store.writeMany.bind(store),
    };
  }
}

async function pagesOf(chats: number, messages: number) {
  const large = await largeTable(chats, messages);
  const store = new MemoryStore();
  await store.writeMany(large.items.map((item) => put(item)));
  const page = async (path: string) => {
    const asked = new Asked();
    const items = itemsOf(await new AdminBench({ store: asked.over(store) }).done('GET', path));
    return { shown: items, ids: items.map(({ id }) => id), asked };
  };
  const thread = `/api/messages?chat=${large.chats[0]}&limit=${LIMIT}`;
  const back = messages - LIMIT - 10;
  const pages = {
    chats: await page(`/api/chats?limit=${LIMIT}`),
    messages: await page(thread),
    older: await page(`${thread}&before=${large.at(back - 1)}`),
  };
  return { large, back, pages };
}

it('asks the table for no more where there are many chats and long ones than where there are few', async () => {
  const few = await pagesOf(600, 500);
  const { large, back, pages } = await pagesOf(1_000, 3_000);
  const { chats, messages, older } = pages;
  expect(chats.ids).toEqual(large.chats.slice(0, LIMIT));
  expect(chats.shown[1]).toMatchObject({ title: 'Chat', lastMessage: { text: 'text 1' } });
  expect(messages.ids).toEqual(large.messages.slice(0, LIMIT));
  expect(older.ids).toEqual(large.messages.slice(back, back + LIMIT));
  for (const name of ['chats', 'messages', 'older'] as const) {
    const [here, there] = [few.pages[name].asked, pages[name].asked];
    expect(there.requests, name).toBeGreaterThan(0);
    expect(there.requests, name).toBeLessThanOrEqual(here.requests);
    // Shards differ a little in what stands in them.
    expect(there.items, name).toBeLessThanOrEqual(here.items * 1.2);
  }
});
