import { describe, expect, test } from 'vitest';
import {
  absent,
  add,
  all,
  any,
  append,
  type Change,
  type Comparison,
  type Condition,
  check,
  compare,
  del,
  equal,
  exists,
  type Item,
  put,
  remove,
  type Store,
  set,
  setIfAbsent,
  update,
  type Value,
} from '#lib/store/store.ts';

/** What every store owes its users. `makeStore` is called for each test; keys are fresh, so stores may share a table. */
export function describeStore(name: string, makeStore: () => Promise<Store> | Store): void {
  describe(`${name} as a store`, () => {
    describeWrites(makeStore);
    describeKeys(makeStore);
    describeConditions(makeStore);
    describeChanges(makeStore);
    describeTransactions(makeStore);
    describeQueries(makeStore);
  });
}

type MakeStore = () => Promise<Store> | Store;

let keys = 0;
const freshKey = (sk = 'META') => {
  keys += 1;
  return { pk: `TEST#${process.pid}#${Date.now()}#${keys}`, sk };
};
const newTransaction = () => crypto.randomUUID();

async function given(makeStore: MakeStore, attributes: Omit<Item, 'pk' | 'sk'>) {
  const store = await makeStore();
  const key = freshKey();
  await store.write(put({ ...attributes, ...key }));
  return { store, key, read: () => store.get(key, { consistent: true }) };
}

function describeWrites(makeStore: MakeStore): void {
  test('gives back what was put, every type of value as it was', async () => {
    const attributes = {
      text: 'Grüße 👋',
      empty: '',
      whole: 1_795_000_000_000,
      negative: -3,
      fraction: 0.25,
      yes: true,
      no: false,
      nothing: null,
      bytes: Uint8Array.from([0, 255, 10]),
      list: ['a', 1, { deep: [true] }],
      map: { of: { maps: 'x' } },
    };
    const { key, read } = await given(makeStore, attributes);
    expect(await read()).toEqual({ ...attributes, ...key });
  });

  test('leaves out attributes without a value', async () => {
    const { key, read } = await given(makeStore, { here: 1, gone: undefined });
    expect(await read()).toEqual({ ...key, here: 1 });
  });

  test('finds nothing under a key that was never written', async () => {
    const store = await makeStore();
    expect(await store.get(freshKey(), { consistent: true })).toBeUndefined();
  });

  test('replaces the whole item on a put', async () => {
    const { store, key, read } = await given(makeStore, { old: 1 });
    expect(await store.write(put({ ...key, fresh: 2 }))).toEqual({ done: true });
    expect(await read()).toEqual({ ...key, fresh: 2 });
  });

  test('refuses a put whose condition fails, and shows what stood in the way', async () => {
    const { store, key, read } = await given(makeStore, { old: 1 });
    expect(await store.write(put({ ...key, fresh: 2 }, absent()))).toEqual({ done: false, item: { ...key, old: 1 } });
    expect(await read()).toEqual({ ...key, old: 1 });
  });

  test('refuses a write whose item does not exist, and shows none', async () => {
    const store = await makeStore();
    expect(await store.write(update(freshKey(), [set('a', 1)], exists()))).toEqual({ done: false });
    expect(await store.write(del(freshKey(), exists()))).toEqual({ done: false });
  });

  test('makes the item on an update without a condition, and returns it as it is then', async () => {
    const store = await makeStore();
    const key = freshKey();
    const written = await store.write(update(key, [set('a', 1), add('n', 2)]), { returns: 'new' });
    expect(written).toEqual({ done: true, item: { ...key, a: 1, n: 2 } });
  });

  test('deletes, and does not mind if there is nothing to delete', async () => {
    const { store, key, read } = await given(makeStore, { a: 1 });
    expect(await store.write(del(key, equal('a', 2)))).toEqual({ done: false, item: { ...key, a: 1 } });
    expect(await store.write(del(key))).toEqual({ done: true });
    expect(await store.write(del(key))).toEqual({ done: true });
    expect(await read()).toBeUndefined();
  });

  test('writes many and reads many, leaving out what does not exist', async () => {
    const store = await makeStore();
    const written = Array.from({ length: 30 }, (_, n) => ({ ...freshKey(), n }));
    await store.writeMany(written.map((item) => put(item)));
    const [first] = written;
    if (!first) throw new Error('nothing was written');
    await store.writeMany([del({ pk: first.pk, sk: first.sk })]);
    const wanted = [...written.map(({ pk, sk }) => ({ pk, sk })), freshKey()];
    const found = await store.getMany(wanted, { consistent: true });
    const numbers = found.map((item) => Number(item.n)).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 29 }, (_, n) => n + 1));
  });
}

function describeKeys(makeStore: MakeStore): void {
  test.each([
    ['pk', { pk: 'x'.repeat(2049), sk: 'META' }],
    ['pk in bytes', { pk: 'ü'.repeat(1025), sk: 'META' }],
    ['sk', { pk: 'TEST', sk: 'x'.repeat(1025) }],
  ])('takes no %s that is too long', async (_name, key) => {
    const store = await makeStore();
    await expect(store.get(key)).rejects.toThrow();
    await expect(store.getMany([key])).rejects.toThrow();
    await expect(store.write(put(key))).rejects.toThrow();
    await expect(store.transact([put(key)], newTransaction())).rejects.toThrow();
  });
}

function describeConditions(makeStore: MakeStore): void {
  const item = { n: 5, s: 'b', t: true, list: [{ state: 'queued' }], map: { a: 1 } };
  const comparison = (op: Comparison, value: Value): Condition => compare('n', op, value);
  const table: readonly (readonly [string, Condition, boolean])[] = [
    ['an attribute exists', exists('n'), true],
    ['a missing attribute exists', exists('missing'), false],
    ['a missing attribute is absent', absent('missing'), true],
    ['a place in a list exists', exists(['list', 0, 'state']), true],
    ['a place beyond a list is absent', absent(['list', 1, 'state']), true],
    ['5 = 5', comparison('=', 5), true],
    ['5 = "5"', comparison('=', '5'), false],
    ['5 < 5', comparison('<', 5), false],
    ['5 <= 5', comparison('<=', 5), true],
    ['5 > 4', comparison('>', 4), true],
    ['5 >= 6', comparison('>=', 6), false],
    ['5 < "6": no number is less than a text', comparison('<', '6'), false],
    ['"b" > "a"', compare('s', '>', 'a'), true],
    ['true = true', equal('t', true), true],
    ['a place in a list equals', equal(['list', 0, 'state'], 'queued'), true],
    ['a place in a map equals', equal(['map', 'a'], 1), true],
    ...(['=', '<', '<=', '>', '>='] as const).map(
      (op) => [`a missing attribute ${op} 0`, compare('missing', op, 0), false] as const,
    ),
    ['all of two that hold', all(exists('n'), equal('n', 5)), true],
    ['all of one that holds and one that does not', all(exists('n'), equal('n', 6)), false],
    ['any of one that holds and one that does not', any(equal('n', 6), exists('n')), true],
    ['any of none that holds', any(equal('n', 6), exists('missing')), false],
    ['any within all', all(any(absent('leaseId'), equal('n', 6)), exists('n')), true],
  ];

  test.each(table)('condition: %s', async (_, condition, holds) => {
    const { store, key } = await given(makeStore, item);
    expect((await store.write(update(key, [set('touched', 1)], condition))).done).toBe(holds);
  });
}

function describeChanges(makeStore: MakeStore): void {
  const before = { n: 5, list: ['a'], parts: [{ state: 'queued', tries: 1 }, { state: 'queued' }], map: { a: 1 } };
  const table: readonly (readonly [string, readonly Change[], object])[] = [
    ['sets an attribute', [set('fresh', 'x')], { ...before, fresh: 'x' }],
    [
      'sets a place in a list',
      [set(['parts', 1, 'state'], 'sent')],
      { ...before, parts: [before.parts[0], { state: 'sent' }] },
    ],
    [
      'makes two changes to one element',
      [set(['parts', 0, 'state'], 'sent'), add(['parts', 0, 'tries'], 1)],
      { ...before, parts: [{ state: 'sent', tries: 2 }, before.parts[1]] },
    ],
    ['sets what is absent', [setIfAbsent('fresh', 1)], { ...before, fresh: 1 }],
    ['keeps what is there', [setIfAbsent('n', 1)], before],
    ['adds to a number', [add('n', -2)], { ...before, n: 3 }],
    ['adds to nothing as to 0', [add('fresh', 2)], { ...before, fresh: 2 }],
    [
      'adds to nothing within a list',
      [add(['parts', 1, 'tries'], 1)],
      { ...before, parts: [before.parts[0], { state: 'queued', tries: 1 }] },
    ],
    ['appends to a list', [append('list', 'b', { c: 1 })], { ...before, list: ['a', 'b', { c: 1 }] }],
    [
      'removes an attribute',
      [remove('n'), remove('missing')],
      { list: before.list, parts: before.parts, map: before.map },
    ],
    ['removes a place in a map', [remove(['map', 'a'])], { ...before, map: {} }],
    [
      'takes reserved words for names',
      [set('name', 'x'), set('status', 'y'), set('size', 1)],
      { ...before, name: 'x', status: 'y', size: 1 },
    ],
  ];

  test.each(table)('change: %s', async (_, changes, after) => {
    const { store, key, read } = await given(makeStore, before);
    const written = await store.write(update(key, changes), { returns: 'new' });
    expect(written).toEqual({ done: true, item: { ...key, ...after } });
    expect(await read()).toEqual({ ...key, ...after });
  });
}

function describeTransactions(makeStore: MakeStore): void {
  test('does all its writes', async () => {
    const { store, key, read } = await given(makeStore, { n: 1 });
    const [fresh, gone, seen] = [freshKey(), freshKey(), freshKey()];
    await store.writeMany([put({ ...gone, a: 1 }), put({ ...seen, a: 1 })]);
    const writes = [update(key, [add('n', 1)]), put({ ...fresh, b: 2 }), del(gone), check(seen, equal('a', 1))];
    expect(await store.transact(writes, newTransaction())).toEqual({ done: true });
    expect(await read()).toEqual({ ...key, n: 2 });
    expect(await store.getMany([fresh, gone], { consistent: true })).toEqual([{ ...fresh, b: 2 }]);
  });

  test('does none if one is refused, and says which and what stood in the way', async () => {
    const { store, key, read } = await given(makeStore, { n: 1 });
    const [fresh, missing] = [freshKey(), freshKey()];
    const writes = [
      put({ ...fresh, b: 2 }, absent()),
      update(key, [add('n', 1)], equal('n', 9)),
      update(missing, [add('n', 1)], exists()),
    ];
    const transacted = await store.transact(writes, newTransaction());
    expect(transacted).toEqual({ done: false, refused: [undefined, { item: { ...key, n: 1 } }, {}] });
    expect(await read()).toEqual({ ...key, n: 1 });
    expect(await store.get(fresh, { consistent: true })).toBeUndefined();
  });

  test('does once what is repeated with the same token', async () => {
    const { store, key, read } = await given(makeStore, { n: 1 });
    const token = newTransaction();
    const writes = [update(key, [add('n', 1)], equal('n', 1))];
    expect(await store.transact(writes, token)).toEqual({ done: true });
    expect(await store.transact(writes, token)).toEqual({ done: true });
    expect(await read()).toEqual({ ...key, n: 2 });
  });

  test('tries anew what was refused before, with the same token', async () => {
    const { store, key, read } = await given(makeStore, { n: 1 });
    const token = newTransaction();
    const writes = [update(key, [add('n', 1)], equal('n', 2))];
    expect((await store.transact(writes, token)).done).toBe(false);
    await store.write(update(key, [set('n', 2)]));
    expect(await store.transact(writes, token)).toEqual({ done: true });
    expect(await read()).toEqual({ ...key, n: 3 });
  });

  test('takes no item over 400 KB, by whichever way it grew', async () => {
    const store = await makeStore();
    const [whole, grown] = [freshKey(), freshKey()];
    await expect(store.write(put({ ...whole, text: 'x'.repeat(410_000) }))).rejects.toThrow();
    await store.write(put({ ...grown, text: 'x'.repeat(300_000) }));
    await expect(store.write(update(grown, [set('more', 'x'.repeat(110_000))]))).rejects.toThrow();
    expect((await store.get(grown, { consistent: true }))?.more).toBeUndefined();
  });

  test('refuses to touch an item twice', async () => {
    const { store, key } = await given(makeStore, { n: 1 });
    await expect(store.transact([update(key, [add('n', 1)]), del(key)], newTransaction())).rejects.toThrow();
  });
}

function describeQueries(makeStore: MakeStore): void {
  async function queue() {
    const store = await makeStore();
    const { pk } = freshKey();
    const sks = ['META', 'Q#1', 'Q#2', 'Q#3', 'R#1'];
    await store.writeMany(sks.map((sk, n) => put({ pk, sk, n })));
    return { store, pk };
  }
  const sksOf = (items: readonly Item[]) => items.map((item) => item.sk);

  test('lists a prefix in order, or backwards', async () => {
    const { store, pk } = await queue();
    const query = { pk, prefix: 'Q#', limit: 10, consistent: true };
    expect(sksOf((await store.query(query)).items)).toEqual(['Q#1', 'Q#2', 'Q#3']);
    expect(sksOf((await store.query({ ...query, descending: true })).items)).toEqual(['Q#3', 'Q#2', 'Q#1']);
  });

  test('lists from a bound, which belongs to it, to another, which does not', async () => {
    const { store, pk } = await queue();
    const between = { pk, from: 'Q#1', before: 'Q#3', limit: 10, consistent: true };
    expect(sksOf((await store.query(between)).items)).toEqual(['Q#1', 'Q#2']);
    expect(sksOf((await store.query({ pk, before: 'Q#1', limit: 10, consistent: true })).items)).toEqual(['META']);
    expect(await store.query({ ...between, from: 'Q#3', before: 'Q#1' })).toEqual({ items: [] });
    expect(sksOf((await store.query({ pk, from: 'Q#3', limit: 10, consistent: true })).items)).toEqual(['Q#3', 'R#1']);
  });

  test('goes on where a page ended, and ends', async () => {
    const { store, pk } = await queue();
    const seen: string[] = [];
    let page = await store.query({ pk, limit: 2, consistent: true });
    for (let pages = 0; pages < 5; pages += 1) {
      seen.push(...sksOf(page.items));
      if (!page.next) break;
      page = await store.query({ pk, limit: 2, consistent: true, start: page.next });
    }
    expect(seen).toEqual(['META', 'Q#1', 'Q#2', 'Q#3', 'R#1']);
    expect(page.next).toBeUndefined();
  });

  test('filters after it has counted the limit', async () => {
    const { store, pk } = await queue();
    const page = await store.query({ pk, limit: 3, consistent: true, filter: compare('n', '>=', 2) });
    expect(sksOf(page.items)).toEqual(['Q#2']);
    expect(page.next).toBeDefined();
  });

  test('shows in an index what has both of its keys, as soon as it has them and no longer', async () => {
    const { store, key } = await given(makeStore, { gsi3pk: 'other', a: 1 });
    const gsi3pk = `DUE#${key.pk}`;
    const due = async () => {
      const page = await store.query({ index: 'gsi3', pk: gsi3pk, before: '5', limit: 10 });
      return page.items.map(({ pk, sk }) => ({ pk, sk }));
    };
    await store.write(update(key, [set('gsi3pk', gsi3pk)]));
    await expect.poll(due).toEqual([]);
    await store.write(update(key, [set('gsi3sk', '3')]));
    await expect.poll(due).toEqual([key]);
    await store.write(update(key, [set('gsi3sk', '7')]));
    await expect.poll(due).toEqual([]);
    await store.write(update(key, [remove('gsi3sk')]));
    await expect.poll(due).toEqual([]);
  });

  test('pages through an index', async () => {
    const store = await makeStore();
    const gsi1pk = `WS#${freshKey().pk}`;
    await store.writeMany(Array.from({ length: 5 }, (_, n) => put({ ...freshKey(), gsi1pk, gsi1sk: `t${n}` })));
    const list = async () => {
      const seen: Item[] = [];
      let page = await store.query({ index: 'gsi1', pk: gsi1pk, limit: 2, descending: true });
      seen.push(...page.items);
      while (page.next) {
        page = await store.query({ index: 'gsi1', pk: gsi1pk, limit: 2, descending: true, start: page.next });
        seen.push(...page.items);
      }
      return seen.map((item) => item.gsi1sk);
    };
    await expect.poll(list).toEqual(['t4', 't3', 't2', 't1', 't0']);
  });
}
