import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { parseJson } from '#lib/domain/json.ts';
import { ownEventId, tellEvent } from '#lib/inbox/event-store.ts';
import { type Draft, type Reading, readByName, reader } from '#lib/inbox/provider.ts';
import { eventKey, quarantineCounter } from '#lib/store/keys.ts';
import { del, set, update } from '#lib/store/store.ts';
import type { Provider } from '#lib/tenants/account.ts';
import { LONG } from '#test/support/long.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { AdminBench, itemsOf } from './admin-bench.ts';

const Note = v.looseObject({ id: v.string(), text: v.string(), more: v.optional(v.array(v.string()), []) });

/** A provider whose reader can be replaced, as a new release does. */
class Changing {
  read: (body: unknown) => Reading = readByName('event', {});

  learn(prefix = ''): void {
    this.read = readByName('event', {
      note: reader(Note, ({ id, text, more }) => {
        const others = more.map((one, i) => draft(`${id}-${i}`, prefix + one));
        return [draft(id, prefix + text), ...others];
      }),
    });
  }

  provider(): Provider {
    return {
      account: { name: 'changing', channels: ['whatsapp'], canSend: false, credentials: () => v.strictObject({}) },
      receiving: { name: 'changing', parse: parseJson, read: (body) => this.read(body) },
    };
  }
}

function draft(id: string, text: string): Draft {
  return {
    identity: { type: 'note', id },
    payload: {
      kind: 'message',
      message: {
        id,
        chat: { id: 'c1', kind: 'individual', title: 'Notes' },
        direction: 'inbound',
        via: 'unknown',
        channel: 'whatsapp',
        sender: {},
        account: {},
        content: { type: 'text', text },
      },
    },
  };
}

async function hubWith(bodies: readonly (object | string)[], store?: MemoryStore) {
  const release = new Changing();
  const hub = new AdminBench({ providers: [release.provider()], ...(store && { store }) });
  const { url } = await hub.webhook({ provider: 'changing' });
  const ids: string[] = [];
  for (const body of bodies) ids.push(String((await hub.post(url, body)).body.id));
  return { hub, url, ids, release };
}

const note = (n: number, more: object = {}) => ({ event: 'note', id: `n${n}`, text: `text ${n}`, ...more });

describe('a quarantined event', () => {
  it('stays there while nobody understands it, and says why', async () => {
    const { hub, ids } = await hubWith([note(1)]);
    const replayed = await hub.done('POST', `/api/events/${ids[0]}/replay`);
    expect(replayed).toMatchObject({ result: 'quarantined', issues: [{ path: 'event' }] });
    expect((await hub.walk('/api/events?quarantined=true')).items).toHaveLength(1);
  });

  it('becomes exactly one event once it is understood, however often it is replayed', async () => {
    const { hub, url, ids, release } = await hubWith([note(1)]);
    release.learn();
    const answers = await Promise.all([1, 2, 3].map(() => hub.done('POST', `/api/events/${ids[0]}/replay`)));
    const [first] = answers;
    expect(new Set(answers.map(({ events }) => JSON.stringify(events))).size).toBe(1);
    expect(first).toMatchObject({ result: 'replayed', events: [expect.stringMatching(/^evt_/)] });
    expect((await hub.walk('/api/messages')).items).toMatchObject([{ message: { content: { text: 'text 1' } } }]);
    expect((await hub.walk('/api/events?quarantined=true')).items).toEqual([]);
    expect((await hub.walk('/api/chats?title=Notes')).items).toHaveLength(1);
    const { events } = v.parse(v.looseObject({ events: v.array(v.string()) }), first);
    expect(await hub.done('GET', `/api/events/${ids[0]}`)).toMatchObject({ quarantined: false, replayedAs: events });
    expect((await hub.post(url, note(1))).body).toMatchObject({ status: 'duplicate', id: events[0] });
  });

  it('becomes as many events as its body holds', async () => {
    const { hub, ids, release } = await hubWith([note(1, { more: ['a', 'b'] })]);
    release.learn();
    const { events } = await hub.done('POST', `/api/events/${ids[0]}/replay`);
    expect(events).toHaveLength(3);
    expect((await hub.walk('/api/messages')).items).toHaveLength(3);
  });

  it('is not lost and not doubled when the hub dies between storing and releasing it', async () => {
    const store = new MemoryStore();
    const { hub, ids, release } = await hubWith([note(1)], store);
    release.learn();
    const write = store.write.bind(store);
    store.write = async (wanted, options) => {
      if (wanted.kind === 'put' && wanted.item.pk === eventKey(ids[0] ?? '').pk) throw new Error('the hub dies');
      return write(wanted, options);
    };
    await hub.done('POST', `/api/events/${ids[0]}/replay`);
    store.write = write;
    expect((await hub.walk('/api/events?quarantined=true')).items).toHaveLength(1);
    expect((await hub.walk('/api/messages')).items).toHaveLength(1);
    expect(await hub.done('POST', `/api/events/${ids[0]}/replay`)).toMatchObject({ result: 'replayed' });
    expect((await hub.walk('/api/messages')).items).toHaveLength(1);
    expect((await hub.walk('/api/events?quarantined=true')).items).toEqual([]);
  });
});

describe('a quarantined event of a body that holds several', () => {
  it('stays there for what is still not understood, and becomes the rest', async () => {
    const { hub, ids, release } = await hubWith([note(1)]);
    const issues = [{ path: 'more', message: 'is missing' }];
    release.read = () => ({ drafts: [draft('n1', 'text 1')], unread: { type: 'note', issues } });
    const replay = () => hub.done('POST', `/api/events/${ids[0]}/replay`);
    const first = await replay();
    expect(first).toMatchObject({ result: 'quarantined', issues, events: [expect.stringMatching(/^evt_/)] });
    expect(await replay()).toEqual(first);
    expect((await hub.walk('/api/messages')).items).toHaveLength(1);
    release.learn();
    expect(await replay()).toMatchObject({ result: 'replayed', events: first.events });
    expect((await hub.walk('/api/events?quarantined=true')).items).toEqual([]);
  });
});

describe('replaying many', () => {
  const bodies = [note(1), note(2), { event: 'other', id: 'o' }, note(3)];

  it('takes all that is in quarantine, and leaves what is still not understood', async () => {
    const { hub, release } = await hubWith(bodies);
    release.learn();
    const { items, cursor } = await hub.done('POST', '/api/events/replay');
    expect(
      itemsOf({ items })
        .map(({ result }) => result)
        .sort(),
    ).toEqual(['quarantined', 'replayed', 'replayed', 'replayed']);
    expect(cursor).toBeUndefined();
    expect((await hub.walk('/api/messages')).items).toHaveLength(3);
  });

  it('takes one type alone', async () => {
    const { hub } = await hubWith(bodies);
    const { items } = await hub.done('POST', '/api/events/replay', { body: { type: 'other' } });
    expect(items).toMatchObject([{ result: 'quarantined' }]);
  });

  it('leaves what the hub itself tells as it is', async () => {
    const { hub } = await hubWith([]);
    const told = { workspace: 'main', payload: { kind: 'account', account: { state: 'held' } } } as const;
    await tellEvent(hub.ports, { ...told, identity: ['acc_1'] });
    const id = ownEventId('main', 'account', ['acc_1']);
    expect(await hub.done('POST', `/api/events/${id}/replay`)).toEqual({ id, result: 'unchanged' });
  });

  it('takes those without a type under the name by which they are counted', async () => {
    const { hub, ids } = await hubWith([...bodies, '{"broken']);
    const counted = itemsOf(await hub.done('GET', '/api/events/quarantine')).map(({ type }) => type);
    expect(counted).toContain('unreadable');
    const { items } = await hub.done('POST', '/api/events/replay', { body: { type: 'unreadable' } });
    expect(items).toMatchObject([{ id: ids.at(-1), result: 'quarantined' }]);
  });

  it('takes the named events, unknown ones included', async () => {
    const { hub, ids, release } = await hubWith(bodies);
    release.learn();
    const body = { ids: [ids[0], 'evt_nobody'] };
    const { items } = await hub.done('POST', '/api/events/replay', { body });
    expect(items).toMatchObject([
      { id: ids[0], result: 'replayed' },
      { id: 'evt_nobody', result: 'not_found' },
    ]);
  });

  it('stops when time is short and goes on from the cursor', async () => {
    const { hub, release } = await hubWith(Array.from({ length: 230 }, (_, n) => note(n)));
    release.learn();
    const { read } = release;
    // Each event takes a fifth of a second.
    release.read = (body) => {
      hub.bench.now += 200;
      return read(body);
    };
    const results: unknown[] = [];
    let cursor: unknown;
    let calls = 0;
    do {
      const page = await hub.done('POST', '/api/events/replay', { body: cursor === undefined ? {} : { cursor } });
      results.push(...itemsOf(page));
      cursor = page.cursor;
      calls++;
    } while (cursor !== undefined && calls < 10);
    expect(results).toHaveLength(230);
    expect(calls).toBeGreaterThan(1);
    expect((await hub.walk('/api/events?quarantined=true')).items).toEqual([]);
  });

  it('stops at named events when time is short, and tells how many are left', async () => {
    const { hub, ids, release } = await hubWith(Array.from({ length: 100 }, (_, n) => note(n)));
    release.learn();
    const { read } = release;
    release.read = (body) => {
      hub.bench.now += 500;
      return read(body);
    };
    const first = await hub.done('POST', '/api/events/replay', { body: { ids } });
    expect(itemsOf(first).map(({ id }) => id)).toEqual(ids.slice(0, 32));
    expect(first.left).toBe(68);
    const rest = await hub.done('POST', '/api/events/replay', { body: { ids: ids.slice(-8) } });
    expect(itemsOf(rest)).toHaveLength(8);
    expect(rest).not.toHaveProperty('left');
  });

  it('answers with no more than a Lambda may, however much there is to say', async () => {
    const { hub, release, ids } = await hubWith(Array.from({ length: 200 }, (_, n) => note(n)));
    const issues = Array.from({ length: 100 }, (_, n) => ({ path: `${n}.${'x'.repeat(1000)}`, message: 'is missing' }));
    release.read = () => ({ issues });
    const named = await hub.call('POST', '/api/events/replay', { body: { ids } });
    expect(named.bytes.length).toBeLessThan(5_000_000);
    expect(itemsOf(named.json)).toHaveLength(200);
    expect(itemsOf(named.json)[0]?.issues).toEqual(
      issues.slice(0, 5).map(({ path, message }) => ({ path: path.slice(0, 500), message })),
    );
    const alone = await hub.done('POST', `/api/events/${ids[0]}/replay`);
    expect(alone.issues).toEqual(issues);
  });

  it('goes on from the cursor where the answer is full', async () => {
    const { hub, release } = await hubWith(Array.from({ length: 480 }, (_, n) => note(n)));
    const issues = ['a', 'b', 'c'].map((name) => ({ path: name.repeat(8000), message: 'is missing' }));
    release.read = () => ({ issues });
    const seen: unknown[] = [];
    let cursor: unknown;
    do {
      const body = cursor === undefined ? {} : { cursor };
      const page = await hub.call('POST', '/api/events/replay', { body });
      expect(page.bytes.length).toBeLessThan(5_000_000);
      seen.push(...itemsOf(page.json).map(({ id }) => id));
      cursor = page.json.cursor;
    } while (cursor !== undefined && seen.length < 1000);
    expect([seen.length, new Set(seen).size]).toEqual([480, 480]);
  });

  it('counts what was seen and what was understood since, by type', async () => {
    const { hub, release } = await hubWith([...bodies, '{', { id: 'no event' }]);
    release.learn();
    await hub.done('POST', '/api/events/replay');
    const { items } = await hub.done('GET', '/api/events/quarantine');
    expect(items).toMatchObject([
      { type: 'note', seen: 3, replayed: 3 },
      { type: 'unreadable', seen: 2, replayed: 0 },
      { type: 'other', seen: 1, replayed: 0 },
    ]);
    const listed = itemsOf({ items }).map(async ({ events }) => (await hub.walk(String(events))).items.length);
    // Those without a name are listed with all that wait.
    expect(await Promise.all(listed)).toEqual([0, 3, 1]);
  });
});

describe('an event that was understood before', () => {
  it('is left alone when it reads the same', async () => {
    const { hub, url, release } = await hubWith([]);
    release.learn();
    const { body } = await hub.post(url, note(1));
    expect(await hub.done('POST', `/api/events/${body.id}/replay`)).toMatchObject({ result: 'unchanged' });
  });

  it('is updated in place when it reads differently, and never stored beside itself', async () => {
    const { hub, url, release } = await hubWith([]);
    release.learn();
    const sent = note(1, { more: ['x'.repeat(800_000), 'b'] });
    const { body } = await hub.post(url, sent);
    release.learn('better ');
    const ids = (await hub.walk('/api/messages')).items.map(({ id }) => id);
    const { items: results } = await hub.done('POST', '/api/events/replay', { body: { ids } });
    expect(results).toMatchObject(ids.map((id) => ({ id, result: 'updated' })));
    const { items } = await hub.walk('/api/messages');
    expect(items.map(({ id }) => id)).toEqual(ids);
    expect(items.find(({ id }) => id === body.id)).toMatchObject({ message: { content: { text: 'better text 1' } } });
    expect(items.filter(({ conflict }) => conflict)).toEqual([]);
    expect((await hub.post(url, sent)).body).toMatchObject({ status: 'duplicate' });
  });

  it('is left as it was when it is not understood any more', async () => {
    const { hub, url, release } = await hubWith([]);
    release.learn();
    const { body } = await hub.post(url, note(1));
    release.read = readByName('event', {});
    expect(await hub.done('POST', `/api/events/${body.id}/replay`)).toMatchObject({ result: 'unreadable' });
    expect(await hub.done('GET', `/api/messages/${body.id}`)).toMatchObject({ kind: 'message' });
  });
});

describe('an event that is deleted while it is replayed', () => {
  const deleteAll = async (store: MemoryStore, pk: string) => {
    await store.writeMany(
      store
        .all()
        .filter((item) => item.pk === pk)
        .map((item) => del(item)),
    );
  };

  it.each(['in quarantine', 'understood'])('leaves no part of itself behind: %s', async (which) => {
    const store = new MemoryStore();
    const { hub, ids, url, release } = await hubWith(which === 'in quarantine' ? [note(1, { LONG })] : [], store);
    release.learn();
    if (which === 'understood') ids.push(String((await hub.post(url, note(1, { LONG }))).body.id));
    release.learn('again: ');
    const pk = `EVT#${ids[0]}`;
    const writeMany = store.writeMany.bind(store);
    store.writeMany = async (writes) => {
      store.writeMany = writeMany;
      await deleteAll(store, pk);
      await writeMany(writes);
    };
    await hub.call('POST', `/api/events/${ids[0]}/replay`);
    expect(store.all().filter((item) => item.pk === pk)).toEqual([]);
  });
});

describe('dismissing', () => {
  const waiting = async (hub: AdminBench) => (await hub.walk('/api/events?quarantined=true')).items.map(({ id }) => id);
  const aside = async (hub: AdminBench) => (await hub.walk('/api/events?dismissed=true')).items.map(({ id }) => id);
  const countsOf = async (hub: AdminBench) => itemsOf(await hub.done('GET', '/api/events/quarantine'));

  it('takes one event out of what waits, and keeps it as it came', async () => {
    const { hub, ids } = await hubWith([
      { event: 'note', id: 'n1', text: LONG },
      { event: 'note', id: 'n2', text: 'b' },
    ]);
    const raw = (await hub.call('GET', `/api/events/${ids[0]}/raw`)).bytes;
    const shown = await hub.done('POST', `/api/events/${ids[0]}/dismiss`);
    expect(shown).toMatchObject({ id: ids[0], kind: 'unknown', quarantined: false, dismissedAt: expect.any(String) });
    expect(await hub.done('GET', `/api/events/${ids[0]}`)).toEqual(shown);
    expect([await waiting(hub), await aside(hub)]).toEqual([[ids[1]], [ids[0]]]);
    expect((await hub.call('GET', `/api/events/${ids[0]}/raw`)).bytes.equals(raw)).toBe(true);
    expect((await hub.walk('/api/events')).items).toHaveLength(2);
    expect(await countsOf(hub)).toMatchObject([{ type: 'note', seen: 2, replayed: 0, dismissed: 1 }]);
    expect(hub.logged.join()).toContain('a quarantined event was dismissed');
    for (const id of [ids[0], 'evt_0']) {
      expect((await hub.call('POST', `/api/events/${id}/dismiss`)).status).toBe(id === 'evt_0' ? 404 : 409);
    }
  });

  it('takes all of a type out, also those without one, and no other', async () => {
    const { hub, ids } = await hubWith([
      { event: 'note', id: 'n1' },
      { event: 'poll', id: 'p1' },
      '{"broken',
      { event: 'note', id: 'n2' },
    ]);
    const [n1, poll, broken, n2] = ids;
    const dismiss = (body: object) => hub.done('POST', '/api/events/dismiss', { body });
    expect(await dismiss({ type: 'note', provider: 'another' })).toEqual({ dismissed: 0 });
    expect(await dismiss({ type: 'note', provider: 'changing' })).toEqual({ dismissed: 2 });
    expect(new Set(await waiting(hub))).toEqual(new Set([poll, broken]));
    expect(await dismiss({ type: 'unreadable' })).toEqual({ dismissed: 1 });
    expect(await waiting(hub)).toEqual([poll]);
    expect(new Set(await aside(hub))).toEqual(new Set([n1, n2, broken]));
    expect(await dismiss({ type: 'note' })).toEqual({ dismissed: 0 });
    expect((await hub.call('POST', '/api/events/dismiss', { body: {} })).status).toBe(422);
    expect(hub.logged.join()).toContain('quarantined events were dismissed');
  });

  it('goes on over several calls', async () => {
    const { hub, ids } = await hubWith(Array.from({ length: 130 }, (_, n) => ({ event: 'note', id: `n${n}` })));
    const write = hub.store.write.bind(hub.store);
    hub.store.write = (wanted, options) => {
      hub.bench.now += 200;
      return write(wanted, options);
    };
    const counts: unknown[] = [];
    let cursor: unknown;
    do {
      const body = { type: 'note', ...(cursor !== undefined && { cursor }) };
      const answer = await hub.done('POST', '/api/events/dismiss', { body });
      counts.push(answer.dismissed);
      cursor = answer.cursor;
    } while (cursor !== undefined);
    expect(counts).toEqual([40, 40, 40, 10]);
    expect(await waiting(hub)).toEqual([]);
    expect((await aside(hub)).length).toBe(ids.length);
  });

  it('leaves it to a replay by its id to understand it after all', async () => {
    const { hub, ids, release } = await hubWith([{ event: 'note', id: 'n1', text: 'a' }]);
    await hub.done('POST', `/api/events/${ids[0]}/dismiss`);
    expect(await hub.done('POST', `/api/events/${ids[0]}/replay`)).toMatchObject({ result: 'quarantined' });
    expect(await aside(hub)).toEqual(ids);
    release.learn();
    expect(await hub.done('POST', '/api/events/replay', { body: {} })).toEqual({ items: [] });
    expect(await hub.done('POST', `/api/events/${ids[0]}/replay`)).toMatchObject({ result: 'replayed' });
    expect([await waiting(hub), await aside(hub)]).toEqual([[], []]);
    expect(await countsOf(hub)).toMatchObject([{ seen: 1, replayed: 1, dismissed: 0 }]);
    expect(await hub.done('GET', `/api/events/${ids[0]}`)).not.toHaveProperty('dismissedAt');
    expect((await hub.walk('/api/messages')).items).toHaveLength(1);
  });

  it('and replaying leave no count of a type that was erased meanwhile', async () => {
    const { hub, ids, release } = await hubWith([note(1), note(2)]);
    await hub.store.write(del(quarantineCounter('main', 'changing', 'note')));
    await hub.done('POST', `/api/events/${ids[0]}/dismiss`);
    release.learn();
    expect(await hub.done('POST', `/api/events/${ids[1]}/replay`)).toMatchObject({ result: 'replayed' });
    expect(await countsOf(hub)).toEqual([]);
  });

  it('gives way to a replay in the same moment', async () => {
    const { hub, ids, release } = await hubWith([{ event: 'note', id: 'n1', text: 'a' }]);
    release.learn();
    const write = hub.store.write.bind(hub.store);
    hub.store.write = async (wanted, options) => {
      if (wanted.kind === 'put' && wanted.item.dismissed === true) {
        hub.store.write = write;
        await hub.done('POST', `/api/events/${ids[0]}/replay`);
      }
      return write(wanted, options);
    };
    expect((await hub.call('POST', `/api/events/${ids[0]}/dismiss`)).status).toBe(409);
    expect([await waiting(hub), await aside(hub)]).toEqual([[], []]);
  });

  it('keeps what became of the event in the same moment', async () => {
    const { hub, ids } = await hubWith([note(1)]);
    const key = eventKey(String(ids[0]));
    const write = hub.store.write.bind(hub.store);
    hub.store.write = async (wanted, options) => {
      if (wanted.kind === 'put' && wanted.item.dismissed === true) {
        hub.store.write = write;
        await write(update(key, [set('receipt', 'newer'), set('contentType', 'text/x-newer')]));
      }
      return write(wanted, options);
    };
    await hub.done('POST', `/api/events/${ids[0]}/dismiss`);
    expect(await hub.store.get(key)).toMatchObject({ contentType: 'text/x-newer', dismissed: true });
    expect(await countsOf(hub)).toMatchObject([{ dismissed: 1 }]);
  });

  it('is counted once where two do it in the same moment', async () => {
    const { hub, ids } = await hubWith([note(1), note(2)]);
    const path = `/api/events/${ids[0]}/dismiss`;
    const answers = await Promise.all([hub.call('POST', path), hub.call('POST', path)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await countsOf(hub)).toMatchObject([{ seen: 2, dismissed: 1 }]);
  });

  it('and replaying are counted where the answer of the table was lost', async () => {
    const { hub, ids, release } = await hubWith([note(1), note(2)]);
    const write = hub.store.write.bind(hub.store);
    hub.store.write = async (wanted, options) => {
      const first = await write(wanted, options);
      return wanted.kind === 'put' && wanted.item.pk.startsWith('EVT#') ? write(wanted, options) : first;
    };
    await hub.done('POST', `/api/events/${ids[0]}/dismiss`);
    release.learn();
    expect(await hub.done('POST', `/api/events/${ids[1]}/replay`)).toMatchObject({ result: 'replayed' });
    expect(await countsOf(hub)).toMatchObject([{ seen: 2, replayed: 1, dismissed: 1 }]);
  });

  it('is listed in the feed’s order as well', async () => {
    const { hub, ids } = await hubWith([
      { event: 'note', id: 'n1' },
      { event: 'note', id: 'n2' },
    ]);
    await hub.done('POST', `/api/events/${ids[1]}/dismiss`);
    hub.bench.now += 60_000;
    const { items } = await hub.done('GET', '/api/events?order=received&dismissed=true');
    expect(items).toMatchObject([{ id: ids[1] }]);
  });
});
