import { beforeEach, describe, expect, it } from 'vitest';
import { contextFor } from '#infra/local/lambda.ts';
import { deliverHandler } from '#lib/aws/deliver-handler.ts';
import type { Task } from '#lib/reactions/delivery.ts';
import type { Patience, ProviderRequest, Reply } from '#lib/sender/provider.ts';
import { deliveryPartition, healthKey, secondKey } from '#lib/store/keys.ts';
import { add, put, StoreUnavailable, set, update } from '#lib/store/store.ts';
import { itemsOf, message } from '#test/functions/admin/admin-bench.ts';
import { ReactionBench } from '#test/support/reactions.ts';
import { recordsOf } from '#test/support/tasks.ts';

interface Call {
  readonly url: string;
  readonly id: string;
  /** It is slow by now: false where it was broken off for that. */
  readonly isSlow: () => Promise<boolean>;
  readonly mayGoOn: () => Promise<boolean>;
  readonly answer: (status: number) => void;
}

const context = contextFor({ name: 'deliver', timeoutMs: 45_000, memoryMb: 128 });

let bench: ReactionBench;
let hook: string;
let calls: Call[];
let n: number;
beforeEach(async () => {
  bench = new ReactionBench();
  hook = (await bench.admin.webhook()).url;
  calls = [];
  n = 0;
});

const http = {
  call: ({ url, headers }: ProviderRequest, _deadline: number, patience?: Patience) =>
    new Promise<Reply>((resolve) => {
      const mayGoOn = async () => (await patience?.mayGoOn()) ?? true;
      calls.push({
        mayGoOn,
        ...{ url, id: String(headers?.['webhook-id']) },
        isSlow: async () => {
          const may = await mayGoOn().catch(() => false);
          if (!may) resolve({ kind: 'broken', breakdown: 'unanswered' });
          return may;
        },
        answer: (status) => resolve({ kind: 'answered', status, headers: {}, text: '' }),
      });
    }),
};

/** A batch of the deliverer, under way. */
function batch(tasks: readonly Task[]) {
  const ended = { is: false };
  const done = deliverHandler({ ...bench.delivering, http })({ Records: recordsOf(tasks) }, context).then((answer) => {
    ended.is = true;
    return answer.batchItemFailures.length;
  });
  return { done, ended };
}

async function tasksOf(count: number): Promise<readonly Task[]> {
  for (let i = 0; i < count; i++) await bench.admin.post(hook, message(n++));
  await bench.dispatchAll();
  return due();
}
/** What is due in the queue, taken out of it. */
function due(): readonly Task[] {
  const tasks = bench.waiting.filter(({ at }) => at <= bench.now);
  for (const one of tasks) bench.waiting.splice(bench.waiting.indexOf(one), 1);
  return tasks.map(({ task }) => task);
}
const under = (count: number) => expect.poll(() => calls.length).toBe(count);
const rowsOf = async (id: string) => (await bench.store.query({ pk: deliveryPartition(id), limit: 100 })).items;

/** Two batches with one call each of an endpoint that has not answered them for a second. */
async function twoThatHang() {
  const { id } = await bench.endpoint({ timeoutMs: 30_000 });
  const [one, two] = await tasksOf(2);
  if (!one || !two) throw new Error('no tasks');
  const [first, second] = [batch([one]), batch([two])];
  await under(2);
  const [a, b] = calls;
  if (!a || !b) throw new Error('no calls');
  return { id, first, second, a, b };
}

describe('an endpoint that does not answer', () => {
  it('holds one batch, and is broken off in every other one', async () => {
    const { id, first, second, a, b } = await twoThatHang();
    expect([await a.isSlow(), await b.isSlow()]).toEqual([true, false]);
    expect(await second.done).toBe(0);
    expect(first.ended.is).toBe(false);
    // What was broken off waits, with its whole schedule before it, and says nothing of the endpoint.
    expect(await rowsOf(id)).toMatchObject([{ state: 'waiting', tries: 0, attempts: [], gsi3pk: `WAIT#${id}` }]);
    expect(await bench.show(id)).toMatchObject({ state: 'active' });
    a.answer(200);
    await first.done;
  });

  it('is not called by another batch meanwhile: what comes in waits', async () => {
    const { id, first, a, b } = await twoThatHang();
    await a.isSlow();
    await b.isSlow();
    expect(await batch(await tasksOf(3)).done).toBe(0);
    expect(calls).toHaveLength(2);
    expect((await rowsOf(id)).map(({ state }) => state)).toEqual(['waiting', 'waiting', 'waiting', 'waiting']);
    a.answer(200);
    await first.done;
  });

  it('is called by one batch from then on, two calls of it side by side, until it is quick for a minute', async () => {
    const { id, first, second, a, b } = await twoThatHang();
    await a.isSlow();
    await b.isSlow();
    await second.done;
    bench.now += 3000;
    a.answer(200);
    await first.done;
    const item = async () => bench.store.get(healthKey('main', id));
    expect(await item()).toMatchObject({ slowAt: bench.now });
    // What was broken off waits, and so does all that comes in.
    const drains = due();
    await Promise.all((await tasksOf(4)).map((task) => batch([task]).done));
    expect(calls).toHaveLength(2);
    const steps = drains.map((task) => batch([task]));
    await under(4);
    expect(due()).toEqual([]);
    bench.now += 60_000;
    for (const call of calls.slice(2)) call.answer(200);
    await Promise.all(steps.map(({ done }) => done));
    await bench.wait(1);
    expect(bench.told).toHaveLength(3);
    await bench.wait(120);
    await bench.admin.post(hook, message(n++));
    await bench.settle();
    expect(bench.told).toHaveLength(4);
    expect(await item()).not.toHaveProperty('slowAt');
  });

  it('is called again, and once only, what was broken off', async () => {
    const { id, first, second, a, b } = await twoThatHang();
    await a.isSlow();
    await b.isSlow();
    a.answer(200);
    await Promise.all([first.done, second.done]);
    await bench.wait(10);
    expect(bench.told.map((one) => one.id)).toEqual([b.id]);
    expect((await rowsOf(id)).map(({ state }) => state)).toEqual(['delivered', 'delivered']);
  });

  it('is called again where the batch died that had it', async () => {
    const { id, second, a, b } = await twoThatHang();
    await a.isSlow();
    await b.isSlow();
    await second.done;
    // What became of a call has to be written down as well.
    await bench.wait(34);
    expect(bench.told).toEqual([]);
    await bench.wait(16);
    expect(bench.told.map((one) => one.id)).toEqual([b.id]);
    expect(await bench.show(id)).toMatchObject({ state: 'active' });
  });

  it('is not made anew where it was deleted meanwhile', async () => {
    const { id, first, second, a, b } = await twoThatHang();
    await bench.admin.call('DELETE', `/api/endpoints/${id}`);
    expect([await a.isSlow(), await b.isSlow()]).toEqual([false, false]);
    await Promise.all([first.done, second.done]);
    expect(await bench.store.get(healthKey('main', id))).toBeUndefined();
  });

  it('is asked by a probe whoever else has it: broken off, that counts as a probe', async () => {
    const { id, first, second, a, b } = await twoThatHang();
    await a.isSlow();
    await b.isSlow();
    await second.done;
    const failing = [set('state', 'failing'), set('failures', 6), set('failingSince', 1), set('probeAt', bench.now)];
    await bench.store.write(update(healthKey('main', id), failing));
    const probe = batch([{ kind: 'probe', workspace: 'main', endpoint: id }]);
    await under(3);
    await calls[2]?.isSlow();
    calls[2]?.answer(500);
    await probe.done;
    expect((await rowsOf(id))[0]).toMatchObject({ attempts: [{ probe: true }] });
    a.answer(200);
    await first.done;
  });

  it('is put off, and not taken for one that fails, where nobody can tell who else calls it', async () => {
    const { id } = await bench.endpoint();
    const { store } = bench.delivering;
    let isAway = true;
    const transact: typeof store.transact = async (...given) => {
      if (!isAway) return store.transact(...given);
      isAway = false;
      throw new StoreUnavailable('unreachable');
    };
    bench.delivering = { ...bench.delivering, store: { ...store, transact } };
    const { done } = batch(await tasksOf(1));
    await under(1);
    expect(await calls[0]?.isSlow()).toBe(false);
    await done;
    expect(await rowsOf(id)).toMatchObject([{ state: 'waiting', tries: 0, attempts: [] }]);
    expect(await bench.store.get(healthKey('main', id))).toMatchObject({ state: 'active', failures: 0 });
  });

  it('is known to be slow still where a probe found nothing that waits', async () => {
    const { id } = await bench.endpoint();
    const failing = [set('state', 'failing'), set('failures', 6), set('failingSince', 1), set('probeAt', bench.now)];
    await bench.store.write(update(healthKey('main', id), [...failing, set('slowAt', bench.now)]));
    await batch([{ kind: 'probe', workspace: 'main', endpoint: id }]).done;
    expect(await bench.store.get(healthKey('main', id))).toMatchObject({ state: 'active', slowAt: bench.now });
  });

  it('counts as failing by the call that went on', async () => {
    const { id, first, a, b } = await twoThatHang();
    await a.isSlow();
    await b.isSlow();
    a.answer(500);
    await first.done;
    expect(await bench.show(id)).toMatchObject({ state: 'active', lastFailure: { status: 500 } });
    expect(await bench.store.get(healthKey('main', id))).toMatchObject({ failures: 1 });
  });

  it('is put off although it answered in the last moment: that answer counts', async () => {
    const { id, first, second, a, b } = await twoThatHang();
    await a.isSlow();
    expect(await b.mayGoOn()).toBe(false);
    b.answer(200);
    await second.done;
    expect((await rowsOf(id)).map(({ state }) => state)).toEqual(['delivered']);
    a.answer(200);
    await first.done;
  });
});

it('an endpoint that begins to fail is asked by one probe, however many calls were under way', async () => {
  const { id } = await bench.endpoint();
  const all = (await tasksOf(7)).map((task) => batch([task]));
  await under(7);
  for (const [i, { done }] of all.entries()) {
    calls[i]?.answer(500);
    await done;
  }
  expect(await bench.show(id)).toMatchObject({ state: 'failing' });
  expect(bench.takeTasks().filter(({ kind }) => kind === 'probe')).toHaveLength(1);
});

it('an endpoint that answers at once is never written to', async () => {
  const { id } = await bench.endpoint();
  const before = await bench.store.get(healthKey('main', id));
  const { done } = batch(await tasksOf(2));
  await under(2);
  for (const call of calls) call.answer(200);
  await done;
  expect(await bench.store.get(healthKey('main', id))).toEqual(before);
});

it('a URL that a rule calls is called by one batch at a time as well', async () => {
  const { id } = await bench.admin.done('POST', '/api/rules', {
    body: { name: 'Call', on: ['message.received'], do: [{ action: 'call', url: 'https://crm.example/in' }] },
  });
  const [one, two] = await tasksOf(2);
  if (!one || !two) throw new Error('no tasks');
  const [first, second] = [batch([one]), batch([two])];
  await under(2);
  expect([await calls[0]?.isSlow(), await calls[1]?.isSlow()]).toEqual([true, false]);
  expect(await second.done).toBe(0);
  calls[0]?.answer(200);
  await first.done;
  // What a rule's calls leave behind goes by itself.
  expect(await bench.store.get(healthKey('main', String(id)))).toMatchObject({ expiresAt: expect.any(Number) });
  await bench.wait(10);
  expect(bench.told).toHaveLength(1);
  expect(itemsOf(await bench.admin.done('GET', `/api/rules/${String(id)}/runs`))).toHaveLength(2);
});

describe('what waited for an endpoint', () => {
  it('is called in its order, two calls side by side, by one batch', async () => {
    const { id } = await bench.endpoint();
    await bench.admin.done('POST', `/api/endpoints/${id}/disable`);
    const { store } = bench;
    await bench.admin.done('POST', `/api/endpoints/${id}/enable`);
    bench.takeTasks();
    // Failing meanwhile: all of it waits.
    bench.admin.answer = () => ({ kind: 'answered', status: 500, headers: {}, text: '' });
    for (let i = 0; i < 12; i++) {
      await bench.admin.post(hook, message(n++));
      bench.now += 1000;
    }
    await bench.wait(30);
    expect(await bench.show(id)).toMatchObject({ state: 'failing', waiting: 12 });
    bench.takeTasks();
    await bench.admin.done('POST', `/api/endpoints/${id}/enable`);
    const [drain] = bench.takeTasks();
    if (!drain) throw new Error('nothing drains');
    // The same task twice: SQS may double it.
    const [first, second] = [batch([drain]), batch([drain])];
    await under(2);
    for (let done = 0; done < 10; done += 1) {
      expect(calls.length - done).toBeLessThanOrEqual(2);
      calls[done]?.answer(200);
      if (done < 8) await under(done + 3);
    }
    await Promise.all([first.done, second.done]);
    const order = (await store.query({ pk: deliveryPartition(id), limit: 100 })).items.map(({ event }) => event);
    expect(calls.map((one) => one.id)).toEqual(order.slice(0, 10));
  });

  it('goes on waiting in its place from the first that may not be called in this second', async () => {
    const { id } = await bench.endpoint({ ratePerSecond: 8 });
    bench.admin.answer = () => ({ kind: 'answered', status: 500, headers: {}, text: '' });
    for (let i = 0; i < 12; i++) await bench.admin.post(hook, message(n++));
    await bench.wait(30);
    bench.takeTasks();
    const told = bench.told.length;
    await bench.store.write(update(secondKey(id, Math.floor(bench.now / 1000)), [add('count', 9)]));
    const reads: string[] = [];
    const { store } = bench.delivering;
    const get: typeof store.get = (key, ...given) => {
      if (key.sk.startsWith('DLV#')) reads.push(key.sk);
      return store.get(key, ...given);
    };
    await bench.admin.done('POST', `/api/endpoints/${id}/enable`);
    const [drain] = bench.takeTasks();
    if (!drain) throw new Error('nothing drains');
    await deliverHandler({ ...bench.delivering, store: { ...store, get } })({ Records: recordsOf([drain]) }, context);
    expect(bench.told).toHaveLength(told);
    // One of each of the two that call side by side.
    expect(reads.length).toBeLessThanOrEqual(2);
  });

  it('is begun to be called for a second at a time: a run that goes on with all of it would not end in time', async () => {
    const { id } = await bench.endpoint();
    bench.admin.answer = () => ({ kind: 'answered', status: 500, headers: {}, text: '' });
    for (let i = 0; i < 12; i++) await bench.admin.post(hook, message(n++));
    await bench.wait(30);
    await bench.admin.done('POST', `/api/endpoints/${id}/enable`);
    const [drain] = bench.takeTasks().filter(({ kind }) => kind === 'drain');
    if (!drain) throw new Error('nothing drains');
    let called = 0;
    const slow = {
      call: async (): Promise<Reply> => {
        called++;
        bench.now += 400;
        return { kind: 'answered', status: 200, headers: {}, text: '' };
      },
    };
    await deliverHandler({ ...bench.delivering, http: slow })({ Records: recordsOf([drain]) }, context);
    // The third begins after 800 ms; a fourth may be about to.
    expect([3, 4]).toContain(called);
    expect(bench.takeTasks()).toMatchObject([{ kind: 'drain' }]);
    expect((await rowsOf(id)).filter(({ state }) => state === 'waiting')).toHaveLength(12 - called);
  });

  it('waits for the table where that is away, and for nothing else', async () => {
    const { id } = await bench.endpoint();
    bench.admin.answer = () => ({ kind: 'answered', status: 500, headers: {}, text: '' });
    for (let i = 0; i < 8; i++) await bench.admin.post(hook, message(n++));
    await bench.wait(30);
    await bench.admin.done('POST', `/api/endpoints/${id}/enable`);
    const [drain] = bench.takeTasks().filter(({ kind }) => kind === 'drain');
    if (!drain) throw new Error('nothing drains');
    const { store } = bench.delivering;
    const get: typeof store.get = (key, ...given) => {
      if (key.pk.startsWith('EVT#')) throw new StoreUnavailable('unreachable');
      return store.get(key, ...given);
    };
    const ports = { ...bench.delivering, store: { ...store, get } };
    expect((await deliverHandler(ports)({ Records: recordsOf([drain]) }, context)).batchItemFailures).toHaveLength(1);
    // All of it waits where it did; the next step is under way.
    expect(bench.takeTasks()).toMatchObject([{ kind: 'drain' }]);
    expect((await rowsOf(id)).every(({ gsi3pk }) => gsi3pk === `WAIT#${id}`)).toBe(true);
  });

  it('is not held up by one that cannot be called for a fault of its own', async () => {
    const { id } = await bench.endpoint();
    bench.admin.answer = () => ({ kind: 'answered', status: 500, headers: {}, text: '' });
    for (let i = 0; i < 12; i++) await bench.admin.post(hook, message(n++));
    await bench.wait(30);
    await bench.admin.done('POST', `/api/endpoints/${id}/enable`);
    bench.admin.answer = () => ({ kind: 'answered', status: 200, headers: {}, text: '' });
    const [drain] = bench.takeTasks().filter(({ kind }) => kind === 'drain');
    if (!drain) throw new Error('nothing drains');
    const damaged = (await rowsOf(id)).slice(0, 3).map(({ event }) => String(event));
    const { store } = bench.delivering;
    const get: typeof store.get = (key, ...given) => {
      if (damaged.some((event) => key.pk.endsWith(event))) throw new Error('damaged');
      return store.get(key, ...given);
    };
    const ports = { ...bench.delivering, store: { ...store, get } };
    expect(await deliverHandler(ports)({ Records: recordsOf([drain]) }, context)).toEqual({ batchItemFailures: [] });
    expect(bench.told.slice(-7).every(({ id: event }) => !damaged.includes(event))).toBe(true);
    // Each is brought by a task of its own, and stands in the list of what is due.
    const tasks = bench.takeTasks().flatMap((task) => (task.kind === 'delivery' ? [task.event] : []));
    expect(tasks).toEqual(damaged);
  });

  it('is not brought again where it was delivered while another task met a fault with it', async () => {
    const { id } = await bench.endpoint();
    bench.admin.answer = () => ({ kind: 'answered', status: 500, headers: {}, text: '' });
    for (let i = 0; i < 8; i++) await bench.admin.post(hook, message(n++));
    await bench.wait(30);
    await bench.admin.done('POST', `/api/endpoints/${id}/enable`);
    bench.admin.answer = () => ({ kind: 'answered', status: 200, headers: {}, text: '' });
    const [drain] = bench.takeTasks().filter(({ kind }) => kind === 'drain');
    const [row] = await rowsOf(id);
    if (!drain || !row) throw new Error('nothing drains');
    const { gsi3pk: _pk, gsi3sk: _sk, ...others } = row;
    const delivered = { ...others, state: 'delivered' };
    const { store } = bench.delivering;
    const get: typeof store.get = async (key, ...given) => {
      if (!key.pk.endsWith(String(row.event))) return store.get(key, ...given);
      await bench.store.write(put(delivered));
      throw new Error('damaged');
    };
    const ports = { ...bench.delivering, store: { ...store, get } };
    await deliverHandler(ports)({ Records: recordsOf([drain]) }, context);
    expect((await rowsOf(id))[0]).toEqual(delivered);
    expect(bench.takeTasks()).toMatchObject([{ kind: 'drain' }]);
  });
});
