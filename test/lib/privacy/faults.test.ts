import { expect, it } from 'vitest';
import { toPhone } from '#lib/domain/person.ts';
import { type Erased, eraseContact } from '#lib/privacy/erase.ts';
import type { Item, Store } from '#lib/store/store.ts';
import { message } from '#test/functions/admin/admin-bench.ts';
import { LONG } from '#test/support/long.ts';
import type { MemoryStore } from '#test/support/memory-store.ts';
import { copyOf, DIGITS, ErasureHub, LONGER, names, OTHER, PERSON, snapshot, textsByPartition } from './hub.ts';

const phone = toPhone(PERSON);
if (!phone) throw new Error('no phone');
const person = { workspace: 'main', phone, groups: false };

class Crash extends Error {}

/** Hears of every call of the table before it is made; to die there is to die after the call before. */
function watched(store: MemoryStore, onCall: () => void): Store {
  const over = async <Result>(effect: () => Promise<Result>) => {
    onCall();
    return effect();
  };
  return {
    get: (key, options) => over(() => store.get(key, options)),
    getMany: (keys, options) => over(() => store.getMany(keys, options)),
    query: (query) => over(() => store.query(query)),
    write: (write, options) => over(() => store.write(write, options)),
    transact: (writes, token) => over(() => store.transact(writes, token)),
    writeMany: async (writes) => {
      for (const write of writes) await over(() => store.writeMany([write]));
    },
  };
}

/** Everything that there is to erase, once, and something beside it. */
async function fullTable(): Promise<readonly Item[]> {
  const hub = new ErasureHub();
  const { url, id } = await hub.webhook();
  await hub.post(url, message(1, { chat: PERSON, title: 'Ana', text: LONG }));
  await hub.post(url, message(2, { chat: 'chat-77', from: PERSON }));
  await hub.post(url, message(3, { chat: 'chat-77', direction: 'outbound' }));
  await hub.post(url, { event: 'status', id: 'm3', status: 'read', at: message(3).at });
  await hub.post(url, { event: 'new thing', who: DIGITS });
  await hub.post(url, { event: `of ${DIGITS}` });
  await hub.post(url, message(4, { chat: LONGER }));
  await hub.post(url, message(5, { chat: OTHER }));
  const account = await hub.account();
  await hub.accepted(account, { phone: PERSON }, 'hi', { kind: 'failed', reason: `${DIGITS} is unknown` });
  await hub.accepted(account, { phone: OTHER }, `ask ${PERSON}`, { kind: 'sent', providerId: 'P1' });
  await hub.accepted(account, { phone: PERSON }, 'soon');
  await hub.done('DELETE', `/api/webhooks/${id}`);
  return hub.memory.all();
}

// One source for every call, those after a crash included: what it draws names transactions.
const { clock, random, log } = new ErasureHub().ports;

function portsOn(store: Store, monotonic: () => number) {
  return { store, random, log, clock: { ...clock, monotonic } };
}

/** Calls until it is over, as a client would. */
async function eraseAll(store: Store, monotonic: () => number = () => 0): Promise<{ last: Erased; calls: number }> {
  let from: Parameters<typeof eraseContact>[2];
  for (let calls = 1; ; calls++) {
    const last = await eraseContact(portsOn(store, monotonic), person, from);
    if (last.kind !== 'erased' || !last.next) return { last, calls };
    from = last.next;
    if (calls > 2_000) throw new Error('it never ends');
  }
}

it('comes to the same wherever it breaks off', async () => {
  const items = await fullTable();
  const undisturbed = await copyOf(items);
  let calls = 0;
  await eraseAll(watched(undisturbed, () => calls++));
  const expected = snapshot(undisturbed);
  const left = [...textsByPartition(undisturbed.all())].filter(([, text]) => names(text));
  expect(left.map(([pk]) => pk.split('#')[0])).toEqual(['MSG']);
  expect(calls).toBeGreaterThan(70);
  for (let crashAt = 0; crashAt < calls; crashAt++) {
    const store = await copyOf(items);
    let at = 0;
    const dying = watched(store, () => {
      if (at++ === crashAt) throw new Crash();
    });
    await expect(eraseAll(dying)).rejects.toThrow(Crash);
    await eraseAll(store);
    expect(snapshot(store), `crash at ${crashAt}`).toEqual(expected);
  }
}, 60_000);

it.each([300, 1_000, 3_000, 9_000])(
  'comes to the same in many calls, when the table takes %i ms',
  async (each) => {
    const items = await fullTable();
    const atOnce = await copyOf(items);
    const { last: whole } = await eraseAll(atOnce);
    const store = await copyOf(items);
    let now = 0;
    const slow = watched(store, () => {
      now += each;
    });
    const { last, calls } = await eraseAll(slow, () => now);
    expect(calls).toBeGreaterThan(1);
    expect(last).toMatchObject({ kind: 'erased', erased: whole.kind === 'erased' ? whole.erased : {} });
    expect(snapshot(store)).toEqual(snapshot(atOnce));
  },
  60_000,
);
