import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChatSighting, chatId, updateChat } from '#lib/chats/chat.ts';
import { CHATS_FILL, type ChatFilter, listChats } from '#lib/chats/list.ts';
import { sightChat } from '#lib/chats/people.ts';
import { chatsFill } from '#lib/outbox/fill-chats.ts';
import { findChats } from '#lib/outbox/resolve.ts';
import { fillKey } from '#lib/store/keys.ts';
import { decodeCursor } from '#lib/store/query.ts';
import { del, put, remove, type Store, StoreUnavailable, update } from '#lib/store/store.ts';
import { fillOn } from '#lib/store/walk.ts';
import { wrongRows } from '#test/support/found-rows.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { underRole } from '#test/support/under-role.ts';

const NOON = Date.parse('2026-03-01T12:00:00.000Z');

const sighting = (name: string, seconds = 0, more: Partial<ChatSighting> = {}): ChatSighting => ({
  ...{ workspace: 'main', provider: 'sandbox', accountKey: 'acc_1', accountId: 'acc_1', kind: 'individual' },
  ...{ providerChatId: name, at: NOON + seconds * 1000, ...more },
});
const idOf = (name: string) => chatId(sighting(name));

/** Whether a search goes by rows; otherwise it walks through the list. */
const byRows = (store: Store, done: boolean) => store.write(put({ ...fillKey(CHATS_FILL.name), workspace: '', done }));

/** The same store, with something before each request. */
const each = (store: Store, before: (name: keyof Store) => Promise<unknown>): Store => ({
  get: (key, options) => before('get').then(() => store.get(key, options)),
  getMany: (keys, options) => before('getMany').then(() => store.getMany(keys, options)),
  query: (query) => before('query').then(() => store.query(query)),
  write: (write, options) => before('write').then(() => store.write(write, options)),
  transact: (writes, token) => before('transact').then(() => store.transact(writes, token)),
  writeMany: (writes) => before('writeMany').then(() => store.writeMany(writes)),
});

/** The ids of all that is found, page by page, and how many items that took. */
async function found(store: Store, filter: ChatFilter, limit = 50): Promise<string[]> {
  const ids: string[] = [];
  let from: string | undefined;
  for (let page = 0; page < 200; page++) {
    const { items, cursor } = await listChats(store, 'main', filter, { limit, ...(from !== undefined && { from }) });
    ids.push(...items.map(({ providerChatId }) => providerChatId));
    if (cursor === undefined) return ids;
    from = decodeCursor('chats', cursor);
  }
  throw new Error('the list has no end');
}

const SCRIPTS = [
  ...[
    'ana',
    'Ana',
    'ruiz',
    'Straße',
    'ΟΔΟΣ',
    'İstanbul',
    'e\u0301te\u0301',
    'été',
    'ﬁne',
    'Ⅷ',
    '１２',
    '007',
    '555',
    '#1',
  ],
  ...['محمد', 'مُحَمَّد', '李小龙', '株式会社', 'สวัสดี', 'ครับ', 'नमस्ते', 'к', 'КОЛЯ', '한국', '한국'.normalize('NFD')],
  ...[
    '🎉',
    '👩‍👩‍👧',
    '❤️',
    '™',
    '…',
    '-',
    '  ',
    "'",
    '#',
    '/',
    '\u200b',
    '\u0301',
    '𝒜',
    'ｗｉｄｅ',
    'x'.repeat(70),
    '长'.repeat(40),
  ],
];
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...SCRIPTS) },
  fc.string({ unit: 'grapheme', maxLength: 4 }),
);
const joined = (pieces: readonly string[], by: string) => pieces.join(by);
const words = fc
  .tuple(fc.array(piece, { maxLength: 5 }), fc.constantFrom(' ', '', '-', ' '))
  .map(([all, by]) => joined(all, by));
/** More words than there are rows for one title. */
const long = fc.array(fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789'), { minLength: 25, maxLength: 40 });
const title = fc.oneof(
  { weight: 6, arbitrary: words },
  { weight: 1, arbitrary: long.map((all) => all.map((one) => `${one}${one}`).join(' ')) },
);
const number = fc.constantFrom('+12025550142', '+12025550143', '+5215512345678', '+447700900123');
const chat = fc.record({
  name: fc.oneof(number, fc.constantFrom('a@g.us', '120363042@g.us', 'chat-7', '15550100099_15550100001@c.us')),
  seconds: fc.integer({ min: 0, max: 240 }),
  title: fc.option(title, { nil: undefined }),
  phone: fc.option(number, { nil: undefined }),
  accountId: fc.constantFrom('acc_1', 'acc_2'),
});
const part = fc.tuple(title, fc.nat(), fc.nat()).map(([text, from, length]) => {
  const all = Array.from(text);
  const begin = all.length === 0 ? 0 : from % all.length;
  return all.slice(begin, begin + 1 + (length % 8)).join('');
});
const sought = fc.oneof(
  part,
  words,
  fc.constantFrom('0142', '555 0142', '+1 (202) 555-0142', '042', '12025550142', '5678', '🎉', ' '),
);

describe('a search by rows', () => {
  it('finds what a walk through all chats finds, in its order, whatever titles and words are like', async () => {
    const search = fc.record({ words: sought, isPrefix: fc.boolean(), limit: fc.integer({ min: 1, max: 4 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(chat, { maxLength: 14 }),
        fc.array(search, { minLength: 4, maxLength: 12 }),
        async (chats, searches) => {
          const store = new MemoryStore();
          for (const { name, seconds, ...more } of chats) {
            const told = Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined));
            await sightChat(store, sighting(name, seconds, told));
          }
          expect(wrongRows(store.all())).toEqual([]);
          for (const { words, isPrefix, limit } of searches) {
            // What a request may hold.
            const text = words.toWellFormed().trim() || 'a';
            const filter = {
              ...(isPrefix ? { titlePrefix: words.toWellFormed() || 'a' } : { words: text }),
              accountId: 'acc_1',
            };
            await byRows(store, false);
            const walked = await found(store, filter, limit);
            await byRows(store, true);
            expect(await found(store, filter, limit), JSON.stringify(filter)).toEqual(walked);
          }
        },
      ),
      { numRuns: 250 },
    );
  }, 60_000);

  it('reads the few chats that may fit, and walks where many do', async () => {
    const store = new MemoryStore();
    for (let n = 0; n < 620; n++) {
      const title = n === 3 ? 'Group Three Zoe' : `Group ${n}`;
      await sightChat(store, sighting(`${12025550000 + n}@c.us`, n, { title }));
    }
    await byRows(store, true);
    let read = 0;
    const { getMany } = store;
    store.getMany = (keys, options) => {
      read += keys.length;
      return getMany.call(store, keys, options);
    };
    const reading = async (filter: ChatFilter) => {
      read = 0;
      const ids = await found(store, filter);
      return [ids.length, read];
    };
    expect(await reading({ words: 'nobody' })).toEqual([0, 0]);
    expect(await reading({ words: 'zoe' })).toEqual([1, 1]);
    // One word of two that few have is enough.
    expect(await reading({ words: 'gro zo' })).toEqual([1, 1]);
    expect(await reading({ words: 'three zoe 0' })).toEqual([0, 0]);
    expect(await reading({ titlePrefix: 'group 61' })).toEqual([11, 11]);
    expect(await reading({ words: '551 142' })).toEqual([0, 0]);
    expect(await reading({ words: '0142' })).toEqual([1, 1]);
    const [all, most] = await reading({ words: 'group' });
    expect(all).toBe(620);
    expect(most).toBeGreaterThan(620);
  });

  it('goes on where a walk ended, and a walk where it ended', async () => {
    const store = new MemoryStore();
    for (let n = 0; n < 30; n++) await sightChat(store, sighting(`c${n}`, n * 7, { title: `Ana ${n}` }));
    await byRows(store, false);
    const wanted = await found(store, { words: 'ana' });
    for (const begin of [false, true]) {
      const shown: string[] = [];
      let from: string | undefined;
      for (let page = 0; page < 20; page++) {
        await byRows(store, begin === (page % 2 === 0));
        const { items, cursor } = await listChats(
          store,
          'main',
          { words: 'ana' },
          { limit: 4, ...(from !== undefined && { from }) },
        );
        shown.push(...items.map(({ providerChatId }) => providerChatId));
        if (cursor === undefined) break;
        from = decodeCursor('chats', cursor);
      }
      expect(shown).toEqual(wanted);
    }
  });

  it('goes on with a cursor of a crowded minute, which is a place in the index', async () => {
    const store = new MemoryStore();
    for (let n = 0; n < 400; n++) await sightChat(store, sighting(`c${n}`, n / 10, { title: `Ana ${n}` }));
    const first = await listChats(store, 'main', { words: 'ana' }, { limit: 50 });
    const from = decodeCursor('chats', first.cursor ?? '') ?? '';
    expect(from.startsWith('#')).toBe(true);
    await byRows(store, true);
    const shown = first.items.map(({ id }) => id);
    for (let at: string | undefined = from; at !== undefined; ) {
      const page = await listChats(store, 'main', { words: 'ana' }, { limit: 50, from: at });
      shown.push(...page.items.map(({ id }) => id));
      at = page.cursor === undefined ? undefined : decodeCursor('chats', page.cursor);
    }
    expect(new Set(shown).size).toBe(400);
    expect(shown).toHaveLength(400);
  });
});

describe('what a chat is found by', () => {
  const titled = async (store: Store, title: string) => {
    const named = await findChats(store, 'main', { kind: 'name', name: title });
    expect((await found(store, { title })).toSorted()).toEqual(named.map((one) => one.providerChatId).toSorted());
    return named.map((one) => one.providerChatId);
  };

  it('is found by an end that begins with zeros', async () => {
    const store = new MemoryStore();
    await byRows(store, true);
    await sightChat(store, sighting('a', 1, { phone: '+12025550007' }));
    await sightChat(store, sighting('b', 2, { phone: '+12025551107' }));
    for (const words of ['0007', '555-0007', '0012025550007']) expect(await found(store, { words })).toEqual(['a']);
    expect(await found(store, { words: '0008' })).toEqual([]);
  });

  it('changes with the title, and nothing of the former one is left', async () => {
    const store = new MemoryStore();
    await byRows(store, true);
    await sightChat(store, sighting('a', 1, { title: 'Ana Ruiz', phone: '+12025550142' }));
    await sightChat(store, sighting('a', 2, { title: 'Bea Ruiz' }));
    expect(JSON.stringify(store.all())).not.toMatch(/ana/i);
    expect(wrongRows(store.all())).toEqual([]);
    expect(await titled(store, 'Ana Ruiz')).toEqual([]);
    expect(await titled(store, 'Bea Ruiz')).toEqual(['a']);
    for (const words of ['bea', 'ruiz', '142']) expect(await found(store, { words })).toEqual(['a']);
    // The first title is taken from an event that comes late, too.
    await sightChat(store, sighting('b', 20));
    await sightChat(store, sighting('b', 10, { title: 'Late' }));
    expect(await titled(store, 'Late')).toEqual(['b']);
    expect(await found(store, { words: 'la' })).toEqual(['b']);
  });

  it('costs nothing more with an ordinary message, whichever spelling of the number comes with it', async () => {
    const store = new MemoryStore();
    const spellings = ['+5215512345678', '+525512345678'];
    const tell = (n: number) => sightChat(store, sighting('a', n, { title: 'Ana', phone: spellings[n % 2] ?? '' }));
    for (const n of [0, 1]) await tell(n);
    const made: string[] = [];
    const counted = each(store, async (name) => void made.push(name));
    for (const n of [2, 3, 4])
      await sightChat(counted, sighting('a', n, { title: 'Ana', phone: spellings[n % 2] ?? '' }));
    expect(made).toEqual(['write', 'write', 'write']);
  });

  it('is mended by the next event where a crash came between the title and its rows', async () => {
    const store = new MemoryStore();
    await byRows(store, true);
    const { transact } = store;
    for (const [n, title] of ['Ana', 'Bea'].entries()) {
      store.transact = async () => Promise.reject(new StoreUnavailable('unreachable'));
      await expect(sightChat(store, sighting('a', 10 * n, { title }))).rejects.toThrow(StoreUnavailable);
      expect(wrongRows(store.all())).toEqual([]);
      store.transact = transact;
      await sightChat(store, sighting('a', 10 * n + 1));
      expect(await found(store, { words: title })).toEqual(['a']);
      expect(wrongRows(store.all())).toEqual([]);
    }
  });

  it.each([
    ['nobody else', []],
    ['one who gives the former title back', ['Ana']],
    ['one who gives a third title', ['Cleo']],
    ['two, of whom the latter gives the same title again', ['Cleo', 'Bea']],
  ])('is right where its title is changed meanwhile by %s', async (_, titles) => {
    const store = new MemoryStore();
    await byRows(store, true);
    await sightChat(store, sighting('a', 0, { title: 'Ana' }));
    const { transact } = store;
    store.transact = async (writes, token) => {
      store.transact = transact;
      for (const [n, title] of titles.entries()) {
        const isLast = n > 0 && n === titles.length - 1;
        await (isLast ? updateChat : sightChat)(store, sighting('a', 20 + n, { title }));
      }
      return transact.call(store, writes, token);
    };
    await sightChat(store, sighting('a', 10, { title: 'Bea' }));
    expect(wrongRows(store.all())).toEqual([]);
    expect(await found(store, { words: titles.at(-1) ?? 'Bea' })).toEqual(['a']);
    expect(await titled(store, titles.at(-1) ?? 'Bea')).toEqual(['a']);
  });

  it.each(['once', 'twice, for the first answer was lost'])(
    'is there again, and one chat, where chats are deleted and told anew within the life of a token: written %s',
    async (times) => {
      const store = new MemoryStore();
      const { transact } = store;
      store.transact = async (writes, token) => {
        const done = await transact.call(store, writes, token);
        return times === 'once' ? done : transact.call(store, writes, token);
      };
      await byRows(store, true);
      const names = ['+12025550142', '1900@lid'];
      const tell = async (name: string, n: number, told: readonly string[]) => {
        await sightChat(store, sighting(name, n, { title: 'Ana', event: `evt_${n}`, names: told }));
        expect(await found(store, { words: 'ana' })).toContain(names[0]);
        expect(wrongRows(store.all())).toEqual([]);
      };
      for (let life = 0; life < 2; life++) {
        await tell('+12025550142', 0, names.slice(0, 1));
        await tell('1900@lid', 1, names.slice(1));
        await tell('1900@lid', 2, names);
        expect(await found(store, { words: 'ana' })).toEqual(['+12025550142']);
        for (const { pk, sk } of store.all()) if (!pk.startsWith('FILL#')) await store.write(del({ pk, sk }));
      }
    },
  );

  it('is no more than some rows, however many words a title has', async () => {
    const store = new MemoryStore();
    await byRows(store, true);
    const words = Array.from({ length: 120 }, (_, n) => `w${n}`);
    await sightChat(store, sighting('+12025550142', 0, { title: words.join(' '), phone: '+12025550142' }));
    expect(store.all().filter(({ pk }) => pk.startsWith('FIND#')).length).toBeLessThan(30);
    expect(await found(store, { words: 'w19' })).toEqual(['+12025550142']);
    for (const done of [true, false]) {
      await byRows(store, done);
      expect(await found(store, { words: 'w20' })).toEqual([]);
    }
    expect(await found(store, { titlePrefix: 'w0 w1 w2' })).toEqual(['+12025550142']);
  });

  it('is right whoever changes it at once, and follows a chat into another', async () => {
    const step = fc.record({
      name: fc.constantFrom('+12025550142', '1900@lid', 'x'),
      title: fc.option(fc.constantFrom('Ana Ruiz', 'Ana', 'Ruiz', 'Bea Ana', ''), { nil: undefined }),
      isTold: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { maxLength: 5 }),
        async (scheduler, rounds) => {
          const store = new MemoryStore();
          await byRows(store, true);
          const slow = each(store, () => scheduler.schedule(Promise.resolve()));
          let n = 0;
          for (const round of rounds) {
            const all = round.map(({ name, title, isTold }) => {
              const names = isTold ? ['+12025550142', '1900@lid'] : [name];
              n += 1;
              return sightChat(slow, sighting(name, n, { names, ...(title !== undefined && { title }) }));
            });
            await scheduler.waitFor(Promise.all(all));
            expect(wrongRows(store.all())).toEqual([]);
          }
          const chats = store
            .all()
            .filter(({ pk, sk, mergedInto }) => pk.startsWith('CHAT#') && sk === 'META' && !mergedInto);
          for (const { title, providerChatId } of chats) {
            if (typeof title === 'string' && title !== '') expect(await titled(store, title)).toContain(providerChatId);
          }
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);
});

describe('a chat of an earlier release', () => {
  /** As it kept the title. */
  async function earlier(store: MemoryStore, name: string, title: string): Promise<void> {
    const { pk, sk } = await sightChat(store, sighting(name, 0, { title }));
    for (const row of store.all().filter((item) => item.pk.startsWith('FIND#') && item.sk.endsWith(String(idOf(name)))))
      await store.write(del({ pk: row.pk, sk: row.sk }));
    await store.write(update({ pk, sk }, [remove('foundBy')]));
  }
  it('is found again once the walk is begun anew, after an upgrade that was taken back', async () => {
    const store = new MemoryStore();
    await byRows(store, true);
    await earlier(store, 'a', 'Ana Ruiz');
    expect(await found(store, { words: 'ruiz' })).toEqual([]);
    await store.write(del(fillKey(CHATS_FILL.name)));
    expect(await found(store, { words: 'ruiz' })).toEqual(['a']);
    const ports = {
      store: underRole(store, 'watchdog'),
      clock: { now: () => NOON, monotonic: () => 0, sleep: async () => undefined },
      metrics: { count: () => undefined },
    };
    await fillOn(
      ports,
      chatsFill,
      async () => ['main'],
      () => false,
    );
    expect(await found(store, { words: 'ruiz' })).toEqual(['a']);
    expect(wrongRows(store.all())).toEqual([]);
  });

  it('gets its rows with its next event as well', async () => {
    const store = new MemoryStore();
    await earlier(store, 'a', 'Ana Ruiz');
    await sightChat(store, sighting('a', 60));
    await byRows(store, true);
    expect(await found(store, { words: 'ruiz' })).toEqual(['a']);
  });
});
