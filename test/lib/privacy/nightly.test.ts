import { expect, it } from 'vitest';
import { chatId } from '#lib/chats/chat.ts';
import { introduce, sightChat } from '#lib/chats/people.ts';
import { applyNightly, MOST_WRITES, nightOf } from '#lib/privacy/retention.ts';
import {
  aliasKey,
  autoKey,
  chatKey,
  deliveryKey,
  eventKey,
  fillKey,
  mailHourKey,
  mutedKey,
  retentionWalkKey,
  ruleRefusedKey,
  runKey,
} from '#lib/store/keys.ts';
import { put, type Store, StoreUnavailable, set, update } from '#lib/store/store.ts';
import { findWorkspace } from '#lib/tenants/workspaces.ts';
import { message } from '#test/functions/admin/admin-bench.ts';
import { wrongRows } from '#test/support/found-rows.ts';
import { underRole } from '#test/support/under-role.ts';
import { ErasureHub, OTHER, PERSON } from './hub.ts';

const DAY_MS = 86_400_000;

const retain = (hub: ErasureHub, retentionDays: number | null, id = 'main') =>
  hub.done('PATCH', `/api/workspaces/${id}`, { body: { retentionDays } });

/** One run of the watchdog's. */
const run = (hub: ErasureHub, store: Store = hub.memory) =>
  applyNightly({ ...hub.ports, store: underRole(store, 'watchdog') }, Number.POSITIVE_INFINITY);

/** Runs until a night is done; answers how many it took. */
async function night(hub: ErasureHub, store?: Store): Promise<number> {
  for (let runs = 1; runs < 200; runs += 1) {
    expect(await run(hub, store)).toEqual([]);
    if (hub.memory.peek(fillKey('retention'))?.night === nightOf(hub.bench.now)) return runs;
  }
  throw new Error('the night did not end');
}

const appliedTo = async (hub: ErasureHub, id = 'main') => (await findWorkspace(hub.memory, id))?.retentionApplied;
const textOf = (hub: ErasureHub, messageId: string) =>
  JSON.stringify(hub.memory.peek({ pk: `MSG#${messageId}`, sk: 'META' }));

/** Counts what goes to the table, and lets time pass with each write. */
function slowly(hub: ErasureHub, milliseconds = 0) {
  const keys: string[] = [];
  const asked = { reads: 0, writes: 0, keys };
  const wrote = () => {
    asked.writes += 1;
    hub.bench.now += milliseconds;
  };
  const store: Store = {
    get: (key, options) => {
      asked.reads += 1;
      return hub.memory.get(key, options);
    },
    getMany: (keys, options) => {
      asked.reads += 1;
      asked.keys.push(...keys.map(({ pk }) => pk));
      return hub.memory.getMany(keys, options);
    },
    query: (query) => {
      asked.reads += 1;
      return hub.memory.query(query);
    },
    write: (write, options) => {
      wrote();
      return hub.memory.write(write, options);
    },
    transact: (writes, token) => {
      wrote();
      return hub.memory.transact(writes, token);
    },
    writeMany: (writes) => {
      wrote();
      return hub.memory.writeMany(writes);
    },
  };
  return { store, asked };
}

it('applies the retention of every workspace, and shows when and what', async () => {
  const hub = new ErasureHub();
  const { id: other } = await hub.workspaceWithKey();
  const { id: kept } = await hub.workspaceWithKey();
  const sends = new Map<string, string>();
  for (const workspace of ['main', other, kept]) {
    const account = await hub.account(workspace);
    const ending = { kind: 'sent', providerId: 'P1' } as const;
    sends.set(workspace, await hub.accepted(account, { phone: OTHER }, 'hello', ending, workspace));
  }
  await retain(hub, 30);
  await retain(hub, 30, other);
  hub.bench.now += 31 * DAY_MS;
  await night(hub);
  expect([...sends.values()].map((id) => textOf(hub, id).includes('hello'))).toEqual([false, false, true]);
  const items = (await hub.walk('/api/workspaces')).items;
  const applied = { at: new Date(hub.bench.now).toISOString(), sends: 1 };
  expect(items.find(({ id }) => id === 'main')).toMatchObject({ retentionApplied: applied });
  expect(items.find(({ id }) => id === other)).toMatchObject({ retentionApplied: applied });
  for (const item of items) expect(item).not.toHaveProperty('retentionPending');
  for (const item of items) expect(item).not.toHaveProperty('retentionMark');
  expect(await appliedTo(hub, kept)).toBeUndefined();
});

it('costs one look a minute once the night is done, and nothing where all is kept for ever', async () => {
  const hub = new ErasureHub();
  await night(hub);
  const { store, asked } = slowly(hub);
  await run(hub, store);
  expect(asked).toEqual({ reads: 1, writes: 0, keys: [] });
  expect(hub.memory.peek({ pk: 'WORKSPACES', sk: 'main' })).toBeUndefined();
});

it('begins anew with the next night, at two o’clock, and makes up for one that was slept through', async () => {
  const hub = new ErasureHub();
  await retain(hub, 30);
  hub.bench.now = Date.parse('2026-03-05T01:59:59.000Z');
  await night(hub);
  expect(await appliedTo(hub)).toMatchObject({ at: '2026-03-05T01:59:59.000Z' });
  hub.bench.now = Date.parse('2026-03-05T02:00:00.000Z');
  await night(hub);
  expect(await appliedTo(hub)).toMatchObject({ at: '2026-03-05T02:00:00.000Z' });
  hub.bench.now = Date.parse('2026-03-09T15:00:00.000Z');
  await night(hub);
  expect(await appliedTo(hub)).toMatchObject({ at: '2026-03-09T15:00:00.000Z' });
});

it('goes on where the run before stopped, within its time', async () => {
  const hub = new ErasureHub();
  const account = await hub.account();
  const ids: string[] = [];
  for (const n of Array.from({ length: 30 }, (_, i) => i)) {
    ids.push(await hub.accepted(account, { phone: OTHER }, 'hello', { kind: 'sent', providerId: `P${n}` }));
  }
  await retain(hub, 30);
  hub.bench.now += 31 * DAY_MS;
  const { store } = slowly(hub, 1_000);
  const begun = hub.bench.now;
  await run(hub, store);
  // What was begun when time was up is brought to its end.
  expect(hub.bench.now - begun).toBeLessThan(20_000);
  expect(hub.memory.peek(retentionWalkKey('main'))).toMatchObject({ at: expect.anything() });
  expect(await appliedTo(hub)).toBeUndefined();
  expect(await night(hub, store)).toBeGreaterThan(2);
  expect(ids.filter((id) => textOf(hub, id).includes('hello'))).toEqual([]);
  expect(await appliedTo(hub)).toMatchObject({ sends: 30 });
  expect(hub.memory.peek(retentionWalkKey('main'))).toBeUndefined();
});

/** An event takes two writes, its row in the feed and itself, and is listed many times over. */
async function crowded(): Promise<ErasureHub> {
  const hub = new ErasureHub();
  const { url } = await hub.webhook();
  for (const n of Array.from({ length: 40 }, (_, i) => i)) await hub.post(url, message(n));
  await retain(hub, 30);
  const like = hub.memory.all().filter(({ pk }) => pk.startsWith('EVT#'));
  for (const copy of Array.from({ length: 30 }, (_, i) => i)) {
    for (const item of like) {
      const pk = `${item.pk}${copy}`;
      await hub.memory.write(put({ ...item, pk, eventId: `${item.eventId}${copy}`, gsi1sk: `${item.gsi1sk}${copy}` }));
    }
  }
  return hub;
}

it('writes no more than its budget in one run', async () => {
  const hub = await crowded();
  const { store, asked } = slowly(hub);
  await run(hub, store);
  expect(asked.writes).toBeGreaterThan(MOST_WRITES - 10);
  expect(asked.writes).toBeLessThan(MOST_WRITES + 10);
  await night(hub);
  const events = hub.memory.all().filter(({ pk }) => pk.startsWith('EVT#'));
  expect(events).toHaveLength(40 * 31);
  expect(events.filter(({ expiresAt }) => expiresAt === undefined)).toEqual([]);
});

it('lets every workspace have its turn beside a large one', async () => {
  const hub = new ErasureHub();
  const { id: small } = await hub.workspaceWithKey();
  for (const [workspace, many] of [
    ['main', 25],
    [small, 1],
  ] as const) {
    const account = await hub.account(workspace);
    for (const n of Array.from({ length: many }, (_, i) => i)) {
      await hub.accepted(account, { phone: OTHER }, 'hello', { kind: 'sent', providerId: `P${n}` }, workspace);
    }
    await retain(hub, 30, workspace);
  }
  hub.bench.now += 31 * DAY_MS;
  const { store } = slowly(hub, 2_000);
  for (const _ of ['first', 'second']) await run(hub, store);
  expect([await appliedTo(hub), await appliedTo(hub, small)]).toMatchObject([undefined, { sends: 1 }]);
});

it.each([
  ['a longer one', 60, 60],
  ['none', null, undefined],
])('begins anew where the retention was changed in the middle to %s', async (_, then, days) => {
  const hub = new ErasureHub();
  const { url } = await hub.webhook();
  for (const n of Array.from({ length: 12 }, (_, i) => i)) await hub.post(url, message(n));
  const received = Math.floor(hub.bench.now / 1000);
  await retain(hub, 30);
  const { store } = slowly(hub, 2_000);
  await run(hub, store);
  expect(hub.memory.peek(retentionWalkKey('main'))).toBeDefined();
  await retain(hub, then);
  await night(hub, store);
  const ends = hub.memory.all().flatMap(({ pk, expiresAt }) => (pk.startsWith('EVT#') ? [expiresAt] : []));
  expect(new Set(ends)).toEqual(new Set([days && received + days * 86_400]));
  expect(await findWorkspace(hub.memory, 'main')).not.toHaveProperty('retentionPending');
});

it('looks at what came since the last walk only, and at what has grown old', async () => {
  const hub = new ErasureHub();
  const account = await hub.account();
  const { url } = await hub.webhook();
  await retain(hub, 30);
  const first = await hub.accepted(account, { phone: OTHER }, 'hello', { kind: 'sent', providerId: 'P1' });
  const at = () => new Date(hub.bench.now).toISOString();
  for (const n of [1, 2, 3]) await hub.post(url, { ...message(n), at: at() });
  hub.bench.now += 31 * DAY_MS;
  await hub.done('POST', '/api/workspaces/main/retention/apply');
  expect(textOf(hub, first)).not.toContain('hello');
  const second = await hub.accepted(account, { phone: OTHER }, 'again', { kind: 'sent', providerId: 'P2' });
  hub.bench.now += 31 * DAY_MS;
  for (const n of [4, 5]) await hub.post(url, { ...message(n), at: at() });
  const { store, asked } = slowly(hub);
  await night(hub, store);
  expect(textOf(hub, second)).not.toContain('again');
  expect(asked.keys).not.toContain(`MSG#${first}`);
  expect(asked.keys).toContain(`MSG#${second}`);
  // Of the five messages the last two.
  expect(asked.keys.filter((pk) => pk.startsWith('EVT#'))).toHaveLength(2);
});

/** A hub that has told of a failed send since its last night. */
async function withReport(): Promise<ErasureHub> {
  const hub = new ErasureHub();
  const account = await hub.account();
  await retain(hub, 30);
  await night(hub);
  hub.bench.now += 2 * DAY_MS;
  await hub.accepted(account, { phone: OTHER }, 'hello', { kind: 'failed', reason: 'gone' });
  return hub;
}

it('gives what the hub told itself since the last walk its end', async () => {
  const hub = await withReport();
  const told = () => hub.memory.all().filter(({ pk, kind }) => /^(?:EVT|FEED)#/.test(pk) && kind === 'send');
  expect(told().map(({ expiresAt }) => expiresAt)).toEqual([undefined, undefined]);
  await night(hub);
  const end = Math.floor(hub.bench.now / 1000) + 30 * 86_400;
  expect(told().map(({ expiresAt }) => expiresAt)).toEqual([end, end]);
});

it('looks again at an event that is told anew while it gets its end', async () => {
  const hub = await withReport();
  const { store } = slowly(hub);
  let heads = 0;
  const changing: Store = {
    ...store,
    write: async (write, options) => {
      const key = write.kind === 'update' && write.key.pk.startsWith('EVT#') ? write.key : undefined;
      if (key) heads += 1;
      if (key && heads === 1) await hub.memory.write(update(key, [set('receipt', 'newer')]));
      return store.write(write, options);
    },
  };
  await night(hub, changing);
  const end = Math.floor(hub.bench.now / 1000) + 30 * 86_400;
  const told = hub.memory.all().filter(({ pk, kind }) => pk.startsWith('EVT#') && kind === 'send');
  expect([heads, told]).toMatchObject([2, [{ receipt: 'newer', expiresAt: end }]]);
});

it('comes back to an old send that was not settled when the last walk met it', async () => {
  const hub = new ErasureHub();
  const account = await hub.account();
  await retain(hub, 30);
  const waiting = await hub.accepted(account, { phone: OTHER }, 'soon');
  hub.bench.now += 31 * DAY_MS;
  await night(hub);
  expect(textOf(hub, waiting)).toContain('soon');
  for (const _ of [1, 2, 3]) {
    hub.bench.now += DAY_MS;
    await night(hub);
  }
  await hub.memory.write(update({ pk: `MSG#${waiting}`, sk: 'META' }, [set(['parts', 0, 'state'], 'cancelled')]));
  hub.bench.now += DAY_MS;
  await night(hub);
  expect(textOf(hub, waiting)).not.toContain('soon');
});

it('comes back to an old send that changed while it was being emptied', async () => {
  const hub = new ErasureHub();
  const account = await hub.account();
  await retain(hub, 30);
  const id = await hub.accepted(account, { phone: OTHER }, 'soon', { kind: 'sent', providerId: 'P1' });
  const part = ['parts', 0, 'state'] as const;
  const { store } = slowly(hub);
  let isChanged = false;
  const changing: Store = {
    ...store,
    transact: async (writes, token) => {
      if (!isChanged && writes.some((write) => write.kind === 'update' && write.key.pk === `MSG#${id}`)) {
        isChanged = true;
        await hub.memory.write(update({ pk: `MSG#${id}`, sk: 'META' }, [set(part, 'delivered')]));
      }
      return store.transact(writes, token);
    },
  };
  hub.bench.now += 31 * DAY_MS;
  await night(hub, changing);
  expect([isChanged, textOf(hub, id)]).toEqual([true, expect.stringContaining('soon')]);
  // For as long as the send has its id, what leads to it stays as well: reports come in, and no other send takes the id.
  const states = () => hub.memory.all().filter(({ pk }) => pk.startsWith('PID#'));
  expect(states()).toMatchObject([{ send: id }]);
  hub.bench.now += DAY_MS;
  await night(hub);
  expect(textOf(hub, id)).not.toContain('soon');
  expect(states()).toEqual([]);
});

it('goes past an item that cannot be read, and says which', async () => {
  const hub = new ErasureHub();
  const { url } = await hub.webhook();
  const { body } = await hub.post(url, message(1));
  await hub.post(url, message(2));
  await hub.memory.write(update({ pk: `EVT#${body.id}`, sk: 'META' }, [set('event', 'damaged')]));
  await retain(hub, 30);
  await night(hub);
  expect(await appliedTo(hub)).toMatchObject({ events: 1 });
  expect(hub.bench.logged.join()).toContain(String(body.id));
});

it('fails for one workspace, does the others, and tries again', async () => {
  const hub = new ErasureHub();
  const { id: other } = await hub.workspaceWithKey();
  await retain(hub, 30);
  await retain(hub, 30, other);
  const store: Store = {
    ...slowly(hub).store,
    query: (query) =>
      query.pk.startsWith('WS#main#SEND') ? Promise.reject(new StoreUnavailable('refused')) : hub.memory.query(query),
  };
  expect(await run(hub, store)).toHaveLength(1);
  expect([await appliedTo(hub), await appliedTo(hub, other)]).toMatchObject([undefined, { sends: 0 }]);
  expect(await night(hub)).toBe(1);
  expect(await appliedTo(hub)).toMatchObject({ sends: 0 });
});

it('deletes a quiet chat whole, whatever it has gathered, and what rules keep of it', async () => {
  const hub = new ErasureHub();
  const { url } = await hub.webhook();
  await hub.post(url, message(1, { chat: PERSON }));
  const id = String((await hub.walk('/api/chats')).items[0]?.id);
  const chat = hub.memory.peek(chatKey(id));
  if (!chat) throw new Error('no chat');
  await introduce(hub.memory, chat, [PERSON, 'id:other'], {
    workspace: 'main',
    provider: 'sandbox',
    accountKey: String(chat.accountKey),
  });
  // More than one transaction takes.
  for (const n of Array.from({ length: 230 }, (_, i) => i)) {
    await hub.memory.write(put({ ...aliasKey(id, `a${n}`), chatId: id }));
  }
  await hub.memory.write(put({ ...autoKey(id), workspace: 'main', version: 1, answers: '[]' }));
  await hub.memory.write(put({ ...mutedKey('main', id), chatId: id, rule: 'rule_1', why: 'so', until: '2026' }));
  await retain(hub, 30);
  hub.bench.now += 31 * DAY_MS;
  await night(hub);
  const left = hub.memory
    .all()
    .filter((item) => /^(?:CHAT|FIND|PERSON|AUTO)#/.test(item.pk) || item.sk.startsWith('MUTED#'));
  expect(left).toEqual([]);
  expect(await appliedTo(hub)).toMatchObject({ chats: 1 });
});

it('keeps a chat that wakes up while what leads to it is being deleted', async () => {
  const hub = new ErasureHub();
  const { url } = await hub.webhook();
  await hub.post(url, message(1, { chat: PERSON }));
  const id = String((await hub.walk('/api/chats')).items[0]?.id);
  for (const n of Array.from({ length: 96 }, (_, i) => i)) {
    await hub.memory.write(put({ ...aliasKey(id, `a${n}`), chatId: id }));
  }
  await retain(hub, 30);
  hub.bench.now += 31 * DAY_MS;
  const { store } = slowly(hub);
  let woken = false;
  const waking: Store = {
    ...store,
    write: async (one, options) => {
      const done = await store.write(one, options);
      if (!woken && one.kind === 'delete' && one.key.sk === aliasKey(id, 'a50').sk) {
        woken = true;
        await hub.post(url, { ...message(2, { chat: PERSON }), at: new Date(hub.bench.now).toISOString() });
      }
      return done;
    },
  };
  await night(hub, waking);
  expect(woken).toBe(true);
  expect((await hub.walk('/api/chats')).items).toMatchObject([{ id }]);
  expect(hub.memory.all().some(({ pk }) => pk.startsWith('PERSON#'))).toBe(true);
  expect(wrongRows(hub.memory.all())).toEqual([]);
});

it('takes what a chat is found by that an older instance merged into another, and left there', async () => {
  const hub = new ErasureHub();
  const { id: webhook, url } = await hub.webhook();
  const lid = '190000000000042@lid';
  const young = { workspace: 'main', provider: 'sandbox', accountKey: webhook, providerChatId: lid } as const;
  await hub.post(url, message(1, { chat: PERSON, title: 'Ana' }));
  await sightChat(hub.memory, { ...young, kind: 'individual', at: hub.bench.now, title: 'Maria' });
  const before = hub.memory.all().filter((item) => item.title === 'Maria' || item.sk.startsWith('maria'));
  await hub.post(url, message(2, { chat: lid, from: PERSON, title: 'Ana' }));
  const merged = hub.memory.peek(chatKey(chatId(young)));
  expect(merged).toMatchObject({ mergedInto: expect.any(String) });
  for (const { foundBy, ...item } of before)
    await hub.memory.write(put(foundBy === undefined ? item : { ...merged, ...chatKey(chatId(young)), foundBy }));
  expect(JSON.stringify(hub.memory.all().map(({ sk }) => sk))).toContain('maria');
  await retain(hub, 30);
  hub.bench.now += 31 * DAY_MS;
  await night(hub);
  expect(hub.memory.all().filter(({ pk }) => /^(?:CHAT|FIND)#/.test(pk))).toEqual([]);
});

it('leaves nothing of a title that a quiet chat gets while it is being deleted', async () => {
  const hub = new ErasureHub();
  const { id: webhook, url } = await hub.webhook();
  await hub.post(url, message(1, { chat: PERSON, title: undefined }));
  await retain(hub, 30);
  hub.bench.now += 31 * DAY_MS;
  const late = { workspace: 'main', provider: 'sandbox', accountKey: webhook, providerChatId: PERSON } as const;
  let isTold = false;
  const store: Store = {
    ...slowly(hub).store,
    transact: async (writes, token) => {
      if (!isTold && writes.some((write) => write.kind === 'delete' && write.key.pk.startsWith('CHAT#'))) {
        isTold = true;
        await sightChat(hub.memory, { ...late, kind: 'individual', at: 0, title: 'Ana' });
      }
      return hub.memory.transact(writes, token);
    },
  };
  await night(hub, store);
  expect(isTold).toBe(true);
  expect(wrongRows(hub.memory.all())).toEqual([]);
  expect((await hub.walk('/api/chats')).items).toMatchObject([{ title: 'Ana' }]);
  hub.bench.now += DAY_MS;
  await night(hub);
  expect(hub.memory.all().filter(({ pk }) => /^(?:CHAT|FIND|PERSON)#/.test(pk))).toEqual([]);
});

/** A rule, and what it has noted: one run of an event that is there, and figures. */
async function ruleWithRun(hub: ErasureHub) {
  const { url } = await hub.webhook();
  const at = new Date(hub.bench.now).toISOString();
  const { body } = await hub.post(url, { ...message(1), at });
  const event = String(body.id);
  const told = { name: 'a', on: ['*'], do: [{ action: 'call', url: 'https://crm.example/' }] };
  const rule = String((await hub.done('POST', '/api/rules', { body: told })).id);
  const storedAt = String(hub.memory.peek(eventKey(event))?.storedAt);
  const run = runKey(rule, storedAt, event);
  await hub.memory.write(put({ ...run, workspace: 'main', rule, event, actions: [] }));
  return { rule, run };
}

it('deletes what an endpoint was answered about an event that has run out', async () => {
  const hub = new ErasureHub();
  const { url } = await hub.webhook();
  const { id } = await hub.done('POST', '/api/endpoints', { body: { url: 'https://crm.example/in' } });
  const { body } = await hub.post(url, message(1));
  const storedAt = String(hub.memory.peek(eventKey(String(body.id)))?.storedAt);
  const told = deliveryKey(String(id), storedAt, String(body.id));
  await hub.memory.write(put({ ...told, event: String(body.id), attempts: [{ answer: 'noted' }] }));
  await retain(hub, 30);
  await night(hub);
  expect(hub.memory.peek(told)).toBeDefined();
  hub.bench.now += 31 * DAY_MS;
  await night(hub);
  expect(hub.memory.peek(told)).toBeUndefined();
});

it('leaves the figures by which a rule’s mails and notices are bounded', async () => {
  const hub = new ErasureHub();
  const { rule, run: noted } = await ruleWithRun(hub);
  const bounds = [mailHourKey(rule, 1), ruleRefusedKey(rule)];
  for (const key of bounds) await hub.memory.write(put({ ...key, count: 100 }));
  await retain(hub, 30);
  await night(hub);
  expect([...bounds, noted].filter((key) => hub.memory.peek(key) === undefined)).toEqual([]);
  hub.bench.now += 31 * DAY_MS;
  await night(hub);
  expect(hub.memory.peek(noted)).toBeUndefined();
});

it('looks for the events of those calls only that are old enough to have lost them', async () => {
  const hub = new ErasureHub();
  const { run: noted } = await ruleWithRun(hub);
  await retain(hub, 30);
  await night(hub);
  hub.bench.now += 5 * DAY_MS;
  const asked: string[] = [];
  const store: Store = {
    ...slowly(hub).store,
    get: (key, options) => {
      asked.push(key.pk);
      return hub.memory.get(key, options);
    },
  };
  await night(hub, store);
  expect(asked.filter((pk) => pk.startsWith('EVT#'))).toEqual([]);
  hub.bench.now += 27 * DAY_MS;
  await night(hub, store);
  expect(hub.memory.peek(noted)).toBeUndefined();
});
