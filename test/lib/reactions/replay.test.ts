import { beforeEach, describe, expect, it } from 'vitest';
import { feedFill } from '#lib/inbox/feed.ts';
import type { Reply } from '#lib/sender/provider.ts';
import { fillKey } from '#lib/store/keys.ts';
import { del, put, set, update } from '#lib/store/store.ts';
import { itemsOf, message } from '#test/functions/admin/admin-bench.ts';
import { diesAtEachStep, Mortal } from '#test/support/mortal.ts';
import { ReactionBench } from '#test/support/reactions.ts';

const MINUTE = 60;
const answered = (status: number): Reply => ({ kind: 'answered', status, headers: {}, text: '' });

let bench: ReactionBench;
let hook: string;
let began: string;
const begin = async (made: ReactionBench) => {
  bench = made;
  hook = (await bench.admin.webhook()).url;
  began = new Date(bench.now).toISOString();
  await bench.admin.store.write(put({ ...fillKey(feedFill.name), workspace: '', done: true }));
};
beforeEach(() => begin(new ReactionBench()));

const receive = async (n: number, more: object = {}) =>
  String((await bench.admin.post(hook, message(n, more))).body.id);
const receiveSome = async (count: number, from = 1) => {
  const ids: string[] = [];
  for (let n = from; n < from + count; n++) {
    bench.now += 1000;
    ids.push(await receive(n));
  }
  return ids;
};
/** SQS has lost what was queued. */
const lose = async () => {
  await bench.dispatchAll();
  bench.loseTasks();
};
const replay = (id: string, body: object) => bench.admin.call('POST', `/api/endpoints/${id}/replay`, { body });
const replayed = async (id: string, body: object) => {
  bench.now += 15_000;
  const { status, json } = await replay(id, { since: began, ...body });
  expect(status).toBe(202);
  await bench.wait(10 * MINUTE);
  return bench.admin.done('GET', `/api/replays/${json.id}`);
};
const dueNow = () => bench.store.all().filter(({ gsi3pk }) => String(gsi3pk).startsWith('DUE#'));
const tell = () => bench.told.map(({ id }) => id);

describe('a replay', () => {
  it('of what is missing tells what was lost, in its order, and nothing that was told', async () => {
    const { id } = await bench.endpoint();
    const told = await receiveSome(3);
    await bench.settle();
    const lost = await receiveSome(5, 10);
    await lose();
    const later = await receiveSome(2, 20);
    await bench.settle();
    expect(tell()).toEqual([...told, ...later]);
    expect(await replayed(id, { only: 'missing' })).toMatchObject({
      ...{ endpoint: id, only: 'missing', state: 'finished', scanned: 10, queued: 5 },
      ...{ since: began, finishedAt: expect.any(String) },
    });
    expect(tell()).toEqual([...told, ...later, ...lost]);
    expect(await replayed(id, { only: 'missing' })).toMatchObject({ scanned: 10, queued: 0 });
  });

  it('of what failed tells what was given up, with a schedule of its own', async () => {
    const { id } = await bench.endpoint();
    const [first = ''] = await receiveSome(1);
    await bench.settle();
    const [second] = await receiveSome(1, 2);
    bench.admin.answer = () => answered(500);
    await bench.settle();
    const { items } = await bench.store.query({ pk: `EP#${id}`, limit: 10 });
    const row = items.find(({ event }) => event === second);
    if (!row) throw new Error('no row');
    const { gsi3pk: _pk, gsi3sk: _sk, nextAt: _at, ...given } = row;
    await bench.store.write(put({ ...given, state: 'dead', tries: 10 }));
    bench.loseTasks();
    let calls = 0;
    bench.admin.answer = () => answered(++calls === 1 ? 500 : 200);
    expect(await replayed(id, { only: 'failed' })).toMatchObject({ scanned: 2, queued: 1 });
    expect(tell()).toEqual([first, second, second, second]);
    expect(itemsOf(await bench.admin.done('GET', `/api/endpoints/${id}/deliveries`))).toMatchObject([
      { event: second, state: 'delivered', attempts: [{ status: 500 }, { status: 500 }, { status: 200 }] },
      { event: first, state: 'delivered', attempts: [{ status: 204 }] },
    ]);
  });

  it('of all tells what was delivered again, and lets no rule run', async () => {
    const { id } = await bench.endpoint();
    const body = { name: 'Call', on: ['message.received'], do: [{ action: 'call', url: 'https://rule.example/' }] };
    await bench.admin.done('POST', '/api/rules', { body });
    const ids = await receiveSome(3);
    await bench.settle();
    const before = bench.told.length;
    expect(await replayed(id, { only: 'all' })).toMatchObject({ queued: 3 });
    expect(tell().slice(before)).toEqual(ids);
  });

  it('tells what the endpoint asks for, of the types and the time that are named', async () => {
    const where = { field: 'text', matches: '^text [1-4]$' };
    const { id } = await bench.endpoint({ types: ['message.*'], where });
    const ids = await receiveSome(3);
    const until = new Date(bench.now + 500).toISOString();
    await receiveSome(3, 4);
    await lose();
    expect(await replayed(id, { only: 'missing', types: ['reaction.*'] })).toMatchObject({ scanned: 6, queued: 0 });
    const since = new Date(Date.parse(began) + 1500).toISOString();
    expect(await replayed(id, { only: 'missing', since, until })).toMatchObject({ scanned: 2, queued: 2 });
    expect(tell()).toEqual(ids.slice(1));
  });

  it('tells of a message of ours once, under the id under which it was told', async () => {
    const { id } = await bench.endpoint();
    const stateKey = 'PID#main#sandbox#1#m1';
    await bench.store.write(put({ pk: stateKey, sk: 'META' }));
    const [own = '', echo = ''] = await receiveSome(2);
    for (const event of [own, echo]) {
      const changes = [set('direction', 'outbound'), set('stateKey', stateKey)];
      await bench.store.write(update({ pk: `EVT#${event}`, sk: 'META' }, changes));
    }
    const [, , ...changes] = bench.stream.splice(0);
    bench.stream.push(...changes.map(({ after }) => ({ before: undefined, after })).toReversed());
    await bench.settle();
    expect(tell()).toEqual([echo]);
    expect(await replayed(id, { only: 'missing' })).toMatchObject({ scanned: 2, queued: 0 });
    expect(await replayed(id, { only: 'all' })).toMatchObject({ scanned: 2, queued: 1 });
    expect(tell()).toEqual([echo, echo]);
  });

  it('spares an endpoint that fails, and tells it all once it is well', async () => {
    const { id } = await bench.endpoint();
    const lost = await receiveSome(3);
    await lose();
    bench.admin.answer = () => answered(500);
    await receiveSome(6, 10);
    await bench.wait(30);
    expect(await bench.show(id)).toMatchObject({ state: 'failing' });
    const calls = bench.told.length;
    const { json } = await replay(id, { since: began, only: 'missing' });
    await bench.wait(20);
    expect(bench.told).toHaveLength(calls);
    expect(await bench.admin.done('GET', `/api/replays/${json.id}`)).toMatchObject({ state: 'finished', queued: 3 });
    bench.admin.answer = () => answered(200);
    await bench.wait(10 * MINUTE);
    for (const event of lost) expect(tell()).toContain(event);
    expect(await bench.show(id)).toMatchObject({ state: 'active', waiting: 0 });
  });

  it('tells one that is switched off once it is on again, and until then nobody is woken for it', async () => {
    const { id } = await bench.endpoint();
    await bench.admin.done('POST', `/api/endpoints/${id}/disable`);
    const lost = await receiveSome(3);
    expect(await replayed(id, { only: 'missing' })).toMatchObject({ state: 'finished', queued: 3 });
    expect(dueNow()).toEqual([]);
    expect(tell()).toEqual([]);
    await bench.admin.done('POST', `/api/endpoints/${id}/enable`);
    await bench.wait(10 * MINUTE);
    expect(tell()).toEqual(lost);
  });

  it('is told at once by one that looks but once a minute whether something waits', async () => {
    const { id } = await bench.endpoint();
    const lost = await receiveSome(3);
    await lose();
    await bench.admin.done('POST', `/api/endpoints/${id}/disable`);
    await bench.admin.done('POST', `/api/endpoints/${id}/enable`);
    await bench.wait(15);
    await replay(id, { since: began, only: 'missing' });
    await bench.wait(2);
    expect(tell()).toEqual(lost);
  });

  it('takes a step once, however often its task comes', async () => {
    const { id } = await bench.endpoint();
    await receiveSome(2);
    await lose();
    await bench.store.write(del(fillKey(feedFill.name)));
    bench.now += 15_000;
    await replay(id, { since: began, only: 'missing' });
    const [task] = bench.takeTasks();
    if (!task) throw new Error('no task');
    await Promise.all([bench.run(task), bench.run(task)]);
    for (let i = 0; i < 5; i++) await bench.run(task);
    expect(bench.tasks).toHaveLength(1);
  });

  it('is no faster than the endpoint allows', async () => {
    const { id } = await bench.endpoint({ ratePerSecond: 3 });
    await receiveSome(30);
    await lose();
    bench.now += 15_000;
    await replay(id, { since: began, only: 'missing' });
    for (let second = 0; second < 12; second++) {
      const before = bench.told.length;
      await bench.wait(1);
      expect(bench.told.length - before).toBeLessThanOrEqual(6);
    }
    await bench.wait(MINUTE);
    expect(bench.told).toHaveLength(30);
  });

  it('goes on where its task was lost', async () => {
    const { id } = await bench.endpoint();
    const lost = await receiveSome(3);
    await lose();
    bench.now += 15_000;
    await replay(id, { since: began, only: 'missing' });
    bench.loseTasks();
    await bench.wait(2 * MINUTE);
    expect(tell()).toEqual([]);
    await bench.wake(60 * MINUTE * 1000);
    await bench.wait(10 * MINUTE);
    expect(tell()).toEqual(lost);
  });

  it('waits until the feed holds what an earlier release stored', async () => {
    const { id } = await bench.endpoint();
    const lost = await receiveSome(2);
    await lose();
    await bench.store.write(del(fillKey(feedFill.name)));
    expect(await replayed(id, { only: 'missing' })).toMatchObject({ state: 'running', scanned: 0 });
    await bench.store.write(put({ ...fillKey(feedFill.name), workspace: '', done: true }));
    await bench.wait(10 * MINUTE);
    expect(tell()).toEqual(lost);
  });

  it('leaves out what is damaged, and says so in the log', async () => {
    const { id } = await bench.endpoint();
    const [first, damaged, last] = await receiveSome(3);
    await lose();
    await bench.store.write(update({ pk: `EVT#${damaged}`, sk: 'META' }, [set('event', 'gone')]));
    bench.stream.splice(0);
    expect(await replayed(id, { only: 'missing' })).toMatchObject({ state: 'finished', scanned: 3, queued: 2 });
    expect(tell()).toEqual([first, last]);
    expect(bench.admin.logged.join('\n')).toContain('left out of a replay');
  });

  it('stops where its endpoint is deleted', async () => {
    const { id } = await bench.endpoint();
    await receiveSome(2);
    await lose();
    bench.now += 15_000;
    const { json } = await replay(id, { since: began, only: 'all' });
    await bench.admin.call('DELETE', `/api/endpoints/${id}`);
    await bench.wait(MINUTE);
    expect(await bench.admin.done('GET', `/api/replays/${json.id}`)).toMatchObject({ state: 'stopped', queued: 0 });
    expect(dueNow()).toEqual([]);
  });

  it('says what it cannot do', async () => {
    const { id } = await bench.endpoint();
    const refused = async (body: object) => (await replay(id, body)).json.issues;
    expect(await refused({ since: new Date(bench.now + 1000).toISOString(), only: 'all' })).toMatchObject([
      { path: 'since', message: expect.stringContaining('before now') },
    ]);
    const old = new Date(bench.now - 30 * 86_400_000).toISOString();
    expect(await refused({ since: old, only: 'missing' })).toMatchObject([
      { path: 'since', message: expect.stringContaining('29 days') },
    ]);
    expect(await refused({ since: began, only: 'all', types: ['mesage.*'] })).toMatchObject([{ path: 'types.0' }]);
    expect(await replay('ep_none', { since: began, only: 'all' })).toMatchObject({ status: 404 });
    expect(await bench.admin.call('GET', '/api/replays/rpl_none')).toMatchObject({ status: 404 });
  });
});

it('a replay that dies between any two of its steps tells everything all the same', async () => {
  const deaths = await diesAtEachStep(async (dyingAt) => {
    const mortal = new Mortal();
    await begin(new ReactionBench({ within: mortal.store }));
    const { id } = await bench.endpoint();
    const lost = await receiveSome(3);
    await lose();
    bench.now += 15_000;
    await replay(id, { since: began, only: 'missing' });
    const [task] = bench.takeTasks();
    if (!task) throw new Error('no task');
    const lived = await mortal.lives(dyingAt, () => bench.run(task));
    await bench.delivering.tasks.send(task);
    await bench.wait(2 * MINUTE);
    await bench.watch();
    await bench.wait(10 * MINUTE);
    expect([...new Set(tell())].sort()).toEqual([...lost].sort());
    return lived;
  });
  expect(deaths).toBeGreaterThan(15);
});
