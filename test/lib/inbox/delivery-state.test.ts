import { describe, expect, it } from 'vitest';
import { known } from '#lib/domain/schema.ts';
import { keepLinked, noteStatus, touchState, unheard } from '#lib/inbox/delivery-state.ts';
import { stateKey } from '#lib/store/keys.ts';
import { del, type Item, put, type Store, set, update } from '#lib/store/store.ts';
import { MemoryStore } from '#test/support/memory-store.ts';

const NOW = 1_800_000_000;
const key = stateKey({ workspace: 'main', provider: 'fake', scope: 'a' }, '3EB01');
const link = update(key, [set('send', 'wa_1'), set('part', 0)]);

/** A table in which somebody else's write falls right before the given write of ours, the first being 1. */
function interrupted(before: number, meanwhile: (memory: MemoryStore) => Promise<unknown>, state?: object) {
  const memory = new MemoryStore();
  let writes = 0;
  const store: Store = {
    get: (...asked) => memory.get(...asked),
    getMany: (...asked) => memory.getMany(...asked),
    query: (...asked) => memory.query(...asked),
    transact: (...asked) => memory.transact(...asked),
    writeMany: (...asked) => memory.writeMany(...asked),
    write: async (...asked) => {
      writes += 1;
      if (writes === before) await meanwhile(memory);
      return memory.write(...asked);
    },
  };
  const begin = state ? memory.write(put({ ...key, ...state })) : Promise.resolve();
  return { store, begin, state: (): Item | undefined => memory.peek(key) };
}

const alone = (state: object) => interrupted(0, async () => undefined, state);
const touch = (store: Store, expiresAt?: number) => touchState(store, key, [set('at_read', 5)], known({ expiresAt }));

describe('the state of a message', () => {
  it('keeps a link that falls right before it is written to, and has no end from then on', async () => {
    const { store, begin, state } = interrupted(1, (memory) => memory.write(link), { at_sent: 1, expiresAt: NOW });
    await begin;
    await touch(store, NOW + 9);
    await keepLinked(store, key, NOW);
    expect(state()).toMatchObject({ send: 'wa_1', part: 0, at_read: 5 });
    expect(state()).not.toHaveProperty('expiresAt');
  });

  it.each([
    ['a status was told of it', { at_delivered: 1 }],
    ['it had run out', { expiresAt: NOW }],
  ])('is looked at after it was linked where %s', (_why, state) => {
    expect(unheard({ ...key, ...state }, NOW)).toBeUndefined();
    expect(unheard({ ...key, echo: 'evt_1', expiresAt: NOW + 1 }, NOW)).toBeDefined();
  });

  it('is not begun by the last time of a failure whose first went meanwhile', async () => {
    const { store, begin, state } = interrupted(2, (memory) => memory.write(del(key)), {
      at_failed: 1,
      expiresAt: NOW + 1,
    });
    await begin;
    const failed = { state: 'failed', messageId: '3EB01' } as const;
    await noteStatus(store, key, failed, 7, { isTheirs: true, expiresAt: NOW + 9 });
    expect(state()).toBeUndefined();
  });

  it('keeps the last time of a failure, in whatever order two of them come', async () => {
    const later = (memory: MemoryStore) => memory.write(update(key, [set('last_failed', 9)]));
    const { store, begin, state } = interrupted(2, later, { at_failed: 1 });
    await begin;
    const failed = { state: 'failed', messageId: '3EB01' } as const;
    await noteStatus(store, key, failed, 7, { isTheirs: true });
    expect(state()).toMatchObject({ at_failed: 1, last_failed: 9 });
  });
});

describe('what leads to a send', () => {
  it.each([
    ['that an earlier version gave an end', { at_sent: 1, expiresAt: NOW - 1 }],
    ['that has none', { at_sent: 1 }],
  ])('has no end where more is told of it: one %s', async (_which, words) => {
    const { store, begin, state } = alone({ send: 'wa_1', part: 0, ...words });
    await begin;
    expect(await touch(store, NOW + 9)).toEqual({ ...key, send: 'wa_1', part: 0, at_sent: 1, at_read: 5 });
    expect(state()).not.toHaveProperty('expiresAt');
  });

  it.each([
    ['keeps the words that are not at their end', NOW + 1, { at_failed: 1 }],
    ['loses the words that are', NOW, {}],
  ])('%s when it is linked', async (_what, expiresAt, left) => {
    const { store, begin, state } = alone({ send: 'wa_1', part: 0, at_failed: 1, expiresAt });
    await begin;
    expect(await keepLinked(store, key, NOW)).toEqual({ ...key, send: 'wa_1', part: 0, ...left });
    expect(state()).toEqual({ ...key, send: 'wa_1', part: 0, ...left });
  });
});
