import { beforeEach, describe, expect, it } from 'vitest';
import { afterCall, HEALTHY, type Health } from '#lib/domain/reaction/delivery.ts';
import { runTask } from '#lib/reactions/deliver.ts';
import { readDelivery, taskOf } from '#lib/reactions/delivery.ts';
import { idsOf } from '#lib/reactions/dispatch.ts';
import type { Reply } from '#lib/sender/provider.ts';
import { deliveryPartition, dueListKey, waitingList } from '#lib/store/keys.ts';
import { del, put, remove, type Store, StoreUnavailable, set, update } from '#lib/store/store.ts';
import { itemsOf, message } from '#test/functions/admin/admin-bench.ts';
import type { Commit } from '#test/support/memory-store.ts';
import { diesAtEachStep, Mortal } from '#test/support/mortal.ts';
import { ReactionBench } from '#test/support/reactions.ts';
import { tasksBy } from '#test/support/tasks.ts';

const MINUTE = 60;
const answered = (status: number): Reply => ({ kind: 'answered', status, headers: {}, text: '' });

let bench: ReactionBench;
let hook: string;
beforeEach(async () => {
  bench = new ReactionBench();
  hook = (await bench.admin.webhook()).url;
});
const receive = async (n: number, more: object = {}) =>
  String((await bench.admin.post(hook, message(n, more))).body.id);
const rowsOf = async (id: string) => (await bench.admin.store.query({ pk: deliveryPartition(id), limit: 1000 })).items;
const statesOf = async (id: string) => [...new Set((await rowsOf(id)).map(({ state }) => state))];

/** Of an endpoint that fails `count` notices wait. */
async function failing(count: number) {
  const { id } = await bench.endpoint();
  bench.admin.answer = () => answered(500);
  for (let n = 1; n <= count; n++) await receive(n);
  await bench.wait(30);
  expect(await bench.show(id)).toMatchObject({ state: 'failing' });
  return id;
}

describe('what waits for an endpoint that is well again', () => {
  it('is all delivered, also where a call fails in between', async () => {
    const id = await failing(60);
    let calls = 0;
    bench.admin.answer = () => answered(++calls === 12 ? 500 : 200);
    await bench.wait(10 * MINUTE);
    expect(await statesOf(id)).toEqual(['delivered']);
  });

  it('is delivered where the task that hands it out is lost', async () => {
    const id = await failing(60);
    bench.admin.answer = () => answered(200);
    await bench.wait(31);
    bench.loseTasks();
    await bench.wait(3 * MINUTE);
    await bench.watch();
    await bench.wait(10 * MINUTE);
    expect(await statesOf(id)).toEqual(['delivered']);
  });

  it('is delivered where a crash came before the task that hands it out', async () => {
    const id = await failing(20);
    bench.admin.answer = () => answered(200);
    const { tasks } = bench.delivering;
    const dying = { ...bench.delivering, tasks: tasksBy(() => Promise.reject(new Error('died'))) };
    bench.now += MINUTE * 1000;
    const probe = { kind: 'probe', workspace: 'main', endpoint: id } as const;
    await expect(runTask(dying, probe)).rejects.toThrow('died');
    await tasks.send(probe);
    await bench.wait(2 * MINUTE);
    await bench.watch();
    await bench.wait(10 * MINUTE);
    expect(await statesOf(id)).toEqual(['delivered']);
  });

  it('is delivered where the list of what waits shows it a minute late', async () => {
    const id = await failing(20);
    const late = (await rowsOf(id)).filter(({ gsi3pk }) => gsi3pk === `WAIT#${id}`).slice(-3);
    for (const { pk, sk } of late)
      await bench.admin.store.write(update({ pk, sk }, [remove('gsi3pk'), remove('gsi3sk')]));
    bench.admin.answer = () => answered(200);
    await bench.wait(MINUTE + 50);
    for (const row of late) await bench.admin.store.write(put(row));
    await bench.wait(10 * MINUTE);
    expect(await statesOf(id)).toEqual(['delivered']);
  });

  it('is delivered where the list showed nothing at all when it was asked', async () => {
    const id = await failing(6);
    const late = (await rowsOf(id)).filter(({ gsi3pk }) => gsi3pk === `WAIT#${id}`);
    for (const { pk, sk } of late)
      await bench.admin.store.write(update({ pk, sk }, [remove('gsi3pk'), remove('gsi3sk')]));
    bench.admin.answer = () => answered(200);
    await bench.wait(MINUTE);
    for (const row of late) await bench.admin.store.write(put(row));
    await bench.wait(10 * MINUTE);
    expect(await statesOf(id)).toEqual(['delivered']);
  });

  it('is left to its schedule where it goes by that again, though the list shows it as waiting', async () => {
    const id = await failing(8);
    await bench.admin.done('POST', `/api/endpoints/${id}/enable`);
    const [drain] = bench.tasks.filter(({ task }) => task.kind === 'drain');
    const [row] = await rowsOf(id);
    if (!drain || !row) throw new Error('nothing drains');
    const { event, pk, sk } = row;
    const { store } = bench.delivering;
    const listed = await store.query({ index: 'gsi3', pk: waitingList(id), limit: 10 });
    const again = [set('nextAt', bench.now + 3_600_000), set('gsi3pk', dueListKey('delivery', 0)), set('gsi3sk', '9')];
    await bench.store.write(update({ pk, sk }, again));
    const before = bench.told.length;
    bench.admin.answer = () => answered(200);
    const query: typeof store.query = async (asked) => (asked.index === 'gsi3' ? listed : store.query(asked));
    await runTask({ ...bench.delivering, store: { ...store, query } }, drain.task);
    const told = bench.told.slice(before).map((one) => one.id);
    expect(told).toHaveLength(7);
    expect(told).not.toContain(event);
  });

  it('comes no faster where the task that hands it out is doubled', async () => {
    await failing(100);
    bench.admin.answer = () => answered(200);
    await bench.wait(30);
    const [drain] = bench.tasks.filter(({ task }) => task.kind === 'drain');
    if (!drain) throw new Error('nothing drains');
    const before = bench.told.length;
    for (let i = 0; i < 5; i++) await bench.delivering.tasks.send(drain.task);
    await bench.settle();
    expect(bench.told.length - before).toBeLessThanOrEqual(20);
  });
});

it('a probe is sent after a minute, however many calls were under way when the endpoint began to fail', () => {
  const failed = { result: { kind: 'failed', reason: 'timeout' }, ms: 5 } as const;
  let health: Health = HEALTHY;
  for (let i = 0; i < 9; i++) health = afterCall(health, failed, 1000);
  expect(health).toMatchObject({ state: 'failing', probes: 0, probeAt: 61_000 });
  expect(afterCall(health, { ...failed, isProbe: true }, 61_000)).toMatchObject({ probes: 1, probeAt: 181_000 });
});

it('five calls that fail at the same time are five failures', async () => {
  const { id } = await bench.endpoint();
  for (let n = 0; n < 5; n++) await receive(n);
  await bench.dispatchAll();
  const gates: (() => void)[] = [];
  const http = {
    call: () => new Promise<Reply>((resolve) => gates.push(() => resolve(answered(500)))),
  };
  const calls = bench.takeTasks().map((task) => runTask({ ...bench.delivering, http }, task));
  await expect.poll(() => gates.length).toBe(5);
  for (const open of gates) open();
  await Promise.all(calls);
  expect(await bench.show(id)).toMatchObject({ state: 'failing' });
});

it('an endpoint that is switched off while it is being drained stays switched off', async () => {
  const id = await failing(6);
  bench.admin.answer = () => answered(200);
  await bench.admin.done('POST', `/api/endpoints/${id}/enable`);
  const [drain] = bench.takeTasks().filter(({ kind }) => kind === 'drain');
  if (!drain) throw new Error('nothing drains');
  const { store } = bench.delivering;
  const query: typeof store.query = async (...given) => {
    await bench.admin.done('POST', `/api/endpoints/${id}/disable`);
    return store.query(...given);
  };
  await runTask({ ...bench.delivering, store: { ...store, query } }, drain);
  expect(await bench.show(id)).toMatchObject({ state: 'disabled' });
  expect(bench.tasks).toEqual([]);
});

it('what is delivered by hand while it is about to be called is not called again', async () => {
  const id = await failing(6);
  bench.admin.answer = () => answered(200);
  await bench.admin.done('POST', `/api/endpoints/${id}/enable`);
  const [drain] = bench.takeTasks().filter(({ kind }) => kind === 'drain');
  const [row] = (await rowsOf(id)).map(readDelivery);
  if (!drain || !row) throw new Error('nothing waits');
  const { store } = bench.delivering;
  const getMany: typeof store.getMany = async (...given) => {
    const items = await store.getMany(...given);
    await runTask(bench.delivering, { ...taskOf(row), now: true });
    return items;
  };
  await runTask({ ...bench.delivering, store: { ...store, getMany } }, drain);
  expect((await rowsOf(id)).map(({ state, gsi3pk }) => [state, gsi3pk !== undefined])).toEqual([
    ...Array.from({ length: 6 }, () => ['delivered', false]),
  ]);
  expect(bench.told.filter((one) => one.id === row.event && one.attempt !== '1')).toHaveLength(1);
});

it('a task of the content that was replaced meanwhile neither calls nor forgets the newer one', async () => {
  const { id } = await bench.endpoint();
  const event = await receive(1);
  const [stored] = bench.stream.splice(0);
  const storedAt = String(stored?.after?.storedAt);
  const task = { kind: 'delivery', workspace: 'main', endpoint: id, event, storedAt } as const;
  await bench.admin.done('POST', `/api/endpoints/${id}/disable`);
  await runTask(bench.delivering, { ...task, content: 'fedcba98' });
  await runTask(bench.delivering, task);
  await bench.admin.done('POST', `/api/endpoints/${id}/enable`);
  await bench.settle();
  expect(bench.told.map((one) => one.id)).toEqual([`${event}_fedcba98`]);
});

it('of two tasks of one delivery, the call that went well stands', async () => {
  const { id } = await bench.endpoint();
  await receive(1);
  const [stored] = bench.stream.splice(0);
  const event = String(stored?.after?.eventId);
  const task = {
    ...({ kind: 'delivery', workspace: 'main', endpoint: id, event } as const),
    storedAt: String(stored?.after?.storedAt),
  } as const;
  const gates: ((reply: Reply) => void)[] = [];
  const http = { call: () => new Promise<Reply>((resolve) => gates.push(resolve)) };
  const both = [1, 2].map(() => runTask({ ...bench.delivering, http }, task));
  await expect.poll(() => gates.length).toBe(2);
  gates[0]?.(answered(200));
  await both[0];
  gates[1]?.(answered(500));
  await both[1];
  expect(itemsOf(await bench.admin.done('GET', `/api/endpoints/${id}/deliveries`))).toMatchObject([
    { state: 'delivered' },
  ]);
});

it('what is due for an endpoint that was deleted is found once by the watchdog, and no more', async () => {
  const { id } = await bench.endpoint();
  bench.admin.answer = () => answered(500);
  await receive(1);
  await bench.settle();
  await bench.admin.call('DELETE', `/api/endpoints/${id}`);
  await bench.wait(2 * MINUTE);
  await bench.watch();
  const lists = await Promise.all(
    Array.from({ length: 16 }, (_, shard) =>
      bench.admin.store.query({ index: 'gsi3', pk: dueListKey('delivery', shard), limit: 10 }),
    ),
  );
  expect(lists.flatMap(({ items }) => items)).toEqual([]);
});

describe('a rule that answers', () => {
  const SANDBOX = { provider: 'sandbox', channel: 'whatsapp', phone: '+15550199001', credentials: {} };
  const reply = {
    ...{ name: 'Echo', on: ['message.received'], do: [{ action: 'reply', text: 'I heard {{ text }}' }] },
    guard: { perContact: { max: 9, seconds: 1 } },
  };
  let rule: string;
  let n: number;
  beforeEach(async () => {
    const accountId = String((await bench.admin.done('POST', '/api/accounts', { body: SANDBOX })).id);
    hook = (await bench.admin.webhook({ accountId })).url;
    rule = String((await bench.admin.done('POST', '/api/rules', { body: reply })).id);
    n = 100;
  });
  const say = async (text: string) => {
    n += 1;
    bench.now += 30_000;
    await receive(n, { text, at: new Date(bench.now).toISOString(), from: '+15550100' });
    return [...bench.stream];
  };
  const told = async () => itemsOf(await bench.admin.done('GET', '/api/events?kind=rule'));

  it('keeps for a month that it has answered', async () => {
    await say('one');
    await bench.settle();
    const [mark] = bench.store.all().filter(({ pk }) => pk.startsWith('IDEM#'));
    expect(Number(mark?.expiresAt)).toBeGreaterThan(bench.now / 1000 + 29 * 86_400);
  });

  it('says that a chat is muted, also where it died after it had muted it', async () => {
    const again: Commit[] = [];
    for (let i = 0; i < 3; i++) {
      again.splice(0, again.length, ...(await say('the same')));
      await bench.settle();
    }
    expect(await told()).toMatchObject([{ rule: { state: 'muted' } }]);
    // As if it had died right after the chat's state was written.
    await bench.forgetRuns(rule);
    for (const { pk, sk } of bench.store.all().filter(({ sk: key }) => key.startsWith('MUTED#')))
      await bench.admin.store.write(del({ pk, sk }));
    bench.stream.push(...again);
    await bench.settle();
    expect(itemsOf(await bench.admin.done('GET', '/api/rules/muted'))).toHaveLength(1);
    expect(await told()).toHaveLength(1);
  });

  it('answers what it was allowed to answer only while that is not too old', async () => {
    const again = await say('one');
    const dispatching = bench.dispatching;
    bench.dispatching = { ...dispatching, submit: () => Promise.reject(new Error('died')) };
    await expect(bench.settle()).rejects.toThrow('died');
    bench.dispatching = dispatching;
    bench.now += 3600_000;
    bench.stream.push(...again);
    await bench.settle();
    expect(itemsOf(await bench.admin.done('GET', '/api/sends'))).toEqual([]);
  });

  it('is stopped by a pause at once', async () => {
    await bench.admin.store.write(
      put({ pk: 'WS#main', sk: 'RULESPAUSED', at: new Date(bench.now).toISOString(), why: 'asked' }),
    );
    await say('one');
    await bench.settle();
    expect(itemsOf(await bench.admin.done('GET', `/api/rules/${rule}/runs`))).toMatchObject([{ result: 'guarded' }]);
    expect(itemsOf(await bench.admin.done('GET', '/api/sends'))).toEqual([]);
  });

  it('answers the message that takes the place of one that only held it', async () => {
    await say('one');
    const [stored] = bench.stream.splice(0);
    const after = stored?.after;
    if (!after) throw new Error('nothing was stored');
    bench.stream.push({ before: { ...after, placeholder: true, contentHash: 'held' }, after });
    await bench.settle();
    expect(itemsOf(await bench.admin.done('GET', '/api/sends'))).toHaveLength(1);
  });
});

describe('an endpoint that has its whims', () => {
  it('that answers 500 for a day is told everything, and others are told at once all the while', async () => {
    const { id } = await bench.endpoint();
    await bench.endpoint({ url: 'https://well.example/' });
    const end = bench.now + 24 * 60 * MINUTE * 1000;
    bench.admin.answer = ({ url }) => answered(url === 'https://well.example/' || bench.now >= end ? 200 : 500);
    for (let n = 0; n < 24; n++) {
      await receive(n);
      await bench.settle();
      expect(bench.told.filter(({ url }) => url === 'https://well.example/')).toHaveLength(n + 1);
      await bench.wait(60 * MINUTE);
      await bench.watch();
    }
    // What was called before it was spared has waits of its own, of hours.
    for (let hour = 0; hour < 6; hour++) {
      await bench.wait(60 * MINUTE);
      await bench.watch();
    }
    expect(await statesOf(id)).toEqual(['delivered']);
    // Five calls until it is spared, those under way, and one probe each quarter of an hour.
    const ill = bench.told.filter(({ url }) => url !== 'https://well.example/');
    expect(ill.length).toBeLessThan(24 + 24 * 4 + 20);
  });

  it('that says 429 with a Retry-After in years is called again after twice the wait at most', async () => {
    await bench.endpoint();
    let calls = 0;
    bench.admin.answer = () =>
      ++calls === 1 ? { ...answered(429), headers: { 'retry-after': '99999999' } } : answered(200);
    await receive(1);
    await bench.wait(59);
    expect(calls).toBe(1);
    await bench.wait(2 * MINUTE - 58);
    expect(calls).toBe(2);
  });

  it('is called no earlier by a watchdog whose clock is an hour ahead', async () => {
    await bench.endpoint();
    bench.admin.answer = () => answered(503);
    await receive(1);
    await bench.settle();
    await bench.wake(60 * MINUTE * 1000);
    await bench.settle();
    expect(bench.told).toHaveLength(1);
    await failing(6);
    const calls = bench.told.length;
    await bench.wake(60 * MINUTE * 1000);
    await bench.settle();
    expect(bench.told).toHaveLength(calls);
  });
});

describe('what dies between any two of its steps', () => {
  const SANDBOX = { provider: 'sandbox', channel: 'whatsapp', phone: '+15550199001', credentials: {} };
  const RULE = {
    ...{ name: 'Echo', on: ['message.received'] },
    do: [
      { action: 'reply', text: 'I heard {{ text }}' },
      { action: 'call', url: 'https://rule.example/' },
    ],
  };
  const prepared = async (mortal: Mortal) => {
    bench = new ReactionBench({ within: mortal.store });
    const accountId = String((await bench.admin.done('POST', '/api/accounts', { body: SANDBOX })).id);
    hook = (await bench.admin.webhook({ accountId })).url;
  };

  it('and hands on what was stored tells the endpoint, calls, and answers once', async () => {
    const deaths = await diesAtEachStep(async (dyingAt) => {
      const mortal = new Mortal();
      await prepared(mortal);
      await bench.endpoint();
      await bench.admin.done('POST', '/api/rules', { body: RULE });
      const event = await receive(1, { at: new Date(bench.now).toISOString(), from: '+15550100' });
      const [change] = bench.stream;
      if (!change) throw new Error('nothing was stored');
      const { dispatching } = bench;
      bench.dispatching = { ...dispatching, tasks: mortal.tasks(dispatching.tasks.send) };
      const lived = await mortal.lives(dyingAt, () => bench.dispatchAll());
      bench.stream.unshift(change);
      await bench.wait(MINUTE);
      const told = bench.told.map(({ url, id }) => `${url} ${id}`);
      expect(told).toContain(`https://crm.example/in ${event}`);
      expect(told).toContain(`https://rule.example/ ${event}_1`);
      expect(itemsOf(await bench.admin.done('GET', '/api/sends'))).toHaveLength(1);
      return lived;
    });
    expect(deaths).toBeGreaterThan(15);
  });

  it('and calls an endpoint calls it at least once, and is never without a next step', async () => {
    for (const status of [200, 500]) {
      const deaths = await diesAtEachStep(async (dyingAt) => {
        const mortal = new Mortal();
        await prepared(mortal);
        const { id } = await bench.endpoint();
        const event = await receive(1);
        await bench.dispatchAll();
        const [task] = bench.takeTasks();
        if (!task) throw new Error('no task');
        const { http, tasks } = bench.delivering;
        const call: typeof http.call = (...given) => mortal.step(() => http.call(...given));
        const dying = { ...bench.delivering, tasks: mortal.tasks(tasks.send), http: { call } };
        bench.admin.answer = () => answered(status);
        const lived = await mortal.lives(dyingAt, () => runTask(dying, task));
        bench.admin.answer = () => answered(200);
        await tasks.send(task, 270);
        await bench.wait(10 * MINUTE);
        await bench.watch();
        expect(bench.told.at(-1)?.id).toBe(event);
        expect(await statesOf(id)).toEqual(['delivered']);
        return lived;
      });
      expect(deaths).toBeGreaterThan(4);
    }
  });
});

describe('the table', () => {
  it('that refuses for a minute delays what is told and answered, and loses and doubles nothing', async () => {
    let awayUntil = 0;
    const unlessAway = async <Result>(effect: () => Promise<Result>): Promise<Result> => {
      if (bench.now < awayUntil) throw new StoreUnavailable('unreachable');
      return effect();
    };
    const within = (store: Store): Store => ({
      get: (...given) => unlessAway(() => store.get(...given)),
      getMany: (...given) => unlessAway(() => store.getMany(...given)),
      query: (...given) => unlessAway(() => store.query(...given)),
      write: (...given) => unlessAway(() => store.write(...given)),
      transact: (...given) => unlessAway(() => store.transact(...given)),
      writeMany: (...given) => unlessAway(() => store.writeMany(...given)),
    });
    bench = new ReactionBench({ within });
    const SANDBOX = { provider: 'sandbox', channel: 'whatsapp', phone: '+15550199001', credentials: {} };
    const accountId = String((await bench.admin.done('POST', '/api/accounts', { body: SANDBOX })).id);
    hook = (await bench.admin.webhook({ accountId })).url;
    const { id } = await bench.endpoint();
    const reply = { name: 'Echo', on: ['message.received'], do: [{ action: 'reply', text: 'I heard {{ text }}' }] };
    await bench.admin.done('POST', '/api/rules', { body: reply });
    const event = await receive(1, { at: new Date(bench.now).toISOString(), from: '+15550100' });
    const [change] = bench.stream;
    if (!change) throw new Error('nothing was stored');

    awayUntil = bench.now + MINUTE * 1000;
    for (let tries = 0; tries < 6; tries++) {
      await expect(bench.dispatchAll()).rejects.toThrow(StoreUnavailable);
      bench.stream.unshift(change);
      bench.now += 10_000;
    }
    await bench.dispatchAll();
    const [task] = bench.takeTasks();
    if (!task) throw new Error('no task');
    awayUntil = bench.now + MINUTE * 1000;
    for (let tries = 0; tries < 6; tries++) {
      await expect(runTask(bench.delivering, task)).rejects.toThrow(StoreUnavailable);
      bench.now += 10_000;
    }
    await runTask(bench.delivering, task);
    expect(bench.told.map((one) => one.id)).toEqual([event]);
    expect(await statesOf(id)).toEqual(['delivered']);
    expect(itemsOf(await bench.admin.done('GET', '/api/sends'))).toHaveLength(1);
    expect(await bench.admin.done('GET', '/api/credits/audit')).toMatchObject({ ok: true });
  });
});

it('credits that run out in the middle stop the answers and nothing else, and the books balance', async () => {
  const SANDBOX = { provider: 'sandbox', channel: 'whatsapp', phone: '+15550199001', credentials: {} };
  const accountId = String((await bench.admin.done('POST', '/api/accounts', { body: SANDBOX })).id);
  hook = (await bench.admin.webhook({ accountId })).url;
  await bench.endpoint();
  await bench.admin.done('PUT', '/api/credits/quota', { body: { kind: 'monthly', credits: 2 } });
  const reply = { name: 'Echo', on: ['message.received'], do: [{ action: 'reply', text: 'I heard {{ text }}' }] };
  const rule = String((await bench.admin.done('POST', '/api/rules', { body: reply })).id);
  for (let n = 1; n <= 4; n++) {
    const phone = `+1555010${n}`;
    await receive(n, { text: `${n}`, at: new Date(bench.now).toISOString(), from: phone, chat: phone });
    await bench.settle();
  }
  const results = itemsOf(await bench.admin.done('GET', `/api/rules/${rule}/runs`)).map(({ result }) => result);
  expect(results.toSorted()).toEqual(['done', 'done', 'refused', 'refused']);
  expect(bench.told.filter(({ type }) => type === 'message.received')).toHaveLength(4);
  expect(bench.told.filter(({ type }) => type === 'rule.refused')).toHaveLength(1);
  expect(await bench.admin.done('GET', '/api/credits')).toMatchObject({ available: 0, reserved: 2 });
  expect(await bench.admin.done('GET', '/api/credits/audit')).toMatchObject({ ok: true });
});

it('tasks of a rule that SQS doubles call and mail once', async () => {
  const rule = {
    ...{ name: 'Tells', on: ['message.received'] },
    do: [
      { action: 'call', url: 'https://rule.example/' },
      { action: 'email', to: ['ana@example.com'], subject: 'came', text: '{{ text }}' },
    ],
  };
  await bench.admin.done('POST', '/api/rules', { body: rule });
  const event = await receive(1);
  await bench.dispatchAll();
  for (const task of [...bench.waiting]) bench.waiting.push(task, task);
  await bench.settle();
  expect(bench.told.map(({ id }) => id)).toEqual([`${event}_0`]);
  expect(bench.mails.map(({ id }) => id)).toEqual([`${event}_1`]);
});

it('a batch that comes twice, in another order and again after a day tells each notice once', async () => {
  await bench.endpoint();
  const ids = [await receive(1), await receive(2), await receive(3)];
  const batch = [...bench.stream];
  bench.stream.push(...batch.toReversed());
  await bench.settle();
  bench.now += 24 * 60 * MINUTE * 1000;
  bench.stream.push(...batch);
  await bench.settle();
  expect(bench.told.map(({ id }) => id)).toEqual(ids);
});

describe('where reads lag', () => {
  let isStale: boolean;
  beforeEach(async () => {
    isStale = false;
    bench = new ReactionBench({ isStale: () => isStale });
    hook = (await bench.admin.webhook()).url;
  });
  async function doneOnce() {
    await receive(1);
    await bench.dispatchAll();
    const tasks = bench.takeTasks();
    for (const task of tasks) await bench.run(task);
    return tasks;
  }

  it('an endpoint is called again at most, for a task that comes twice, and its delivery stays what it was', async () => {
    const { id } = await bench.endpoint();
    const [task] = await doneOnce();
    if (!task) throw new Error('there is no task');
    bench.admin.answer = () => answered(500);
    isStale = true;
    await bench.run(task);
    expect(bench.told).toHaveLength(2);
    isStale = false;
    await bench.run(task);
    expect(bench.told).toHaveLength(2);
    expect(await statesOf(id)).toEqual(['delivered']);
    expect(bench.tasks).toEqual([]);
  });

  it('what is put back to be told again is told', async () => {
    const { id } = await bench.endpoint();
    const [task] = await doneOnce();
    const [row] = await rowsOf(id);
    if (!task || !row) throw new Error('there is no delivery');
    await bench.admin.store.write(update({ pk: row.pk, sk: row.sk }, [set('state', 'waiting')]));
    isStale = true;
    await bench.run(task);
    expect(bench.told).toHaveLength(2);
  });

  it('a mail is sent once, and what was erased is not told', async () => {
    const email = { action: 'email', to: ['ana@example.com'], subject: 'It came', text: '{{ text }}' };
    const rule = { name: 'Tell the office', on: ['message.received'], do: [email] };
    await bench.admin.done('POST', '/api/rules', { body: rule });
    await bench.endpoint();
    const tasks = await doneOnce();
    expect(tasks.map(({ kind }) => kind)).toEqual(['action', 'delivery']);
    isStale = true;
    for (const task of tasks) if (task.kind === 'action') await bench.run(task);
    expect(bench.mails).toHaveLength(1);
    const event = await receive(2);
    await bench.dispatchAll();
    await bench.admin.store.write(del({ pk: `EVT#${event}`, sk: 'META' }));
    for (const task of bench.takeTasks()) await bench.run(task);
    expect([bench.mails.length, bench.told.length]).toEqual([1, 1]);
  });
});

it('what cannot be dispatched is set aside by our own ids alone, whatever its words and numbers', () => {
  const after = {
    ...{ pk: 'EVT#evt_1', sk: 'META', workspace: 'main', eventId: 'evt_1', storedAt: '2026-03-01T12:00:00.000Z' },
    ...{ direction: 'outbound', stateKey: 'PID#main#zender#+15550199#3EB0', text: 'hush', contentHash: 'abc' },
  };
  const ids = { item: 'EVT#evt_1', workspace: 'main', event: 'evt_1', storedAt: '2026-03-01T12:00:00.000Z' };
  expect(idsOf({ after })).toEqual(ids);
  expect(idsOf({ before: after })).toEqual(ids);
  expect(idsOf({ after: { pk: 'MSG#wa_backend:1', sk: 'META' } })).toEqual({ item: 'MSG#wa_backend:1' });
});
