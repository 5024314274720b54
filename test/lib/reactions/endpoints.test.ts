import { Webhook } from 'standardwebhooks';
import * as v from 'valibot';
import { beforeEach, describe, expect, it, test, vi } from 'vitest';
import { exampleOf } from '#functions/admin/examples.ts';
import { ALL_NOTICE_TYPES, typeOf } from '#lib/domain/reaction/notice.ts';
import { feedFill } from '#lib/inbox/feed.ts';
import { runTask } from '#lib/reactions/deliver.ts';
import { type Batch, beginBatch } from '#lib/reactions/dispatch.ts';
import type { Reply } from '#lib/sender/provider.ts';
import { deliveryKey, fillKey } from '#lib/store/keys.ts';
import { put } from '#lib/store/store.ts';
import { AdminBench, itemsOf, message } from '#test/functions/admin/admin-bench.ts';
import { ReactionBench } from '#test/support/reactions.ts';
import { tasksBy } from '#test/support/tasks.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const answer =
  (status: number, headers: Record<string, string> = {}, text = ''): (() => Reply) =>
  () => ({
    kind: 'answered',
    ...{ status, headers, text },
  });

let bench: ReactionBench;
let hook: string;
beforeEach(async () => {
  bench = new ReactionBench();
  hook = (await bench.admin.webhook()).url;
});
const receive = async (n: number, more: object = {}) => {
  const { body } = await bench.admin.post(hook, message(n, more));
  return String(body.id);
};
const deliveriesOf = async (id: string) => itemsOf(await bench.admin.done('GET', `/api/endpoints/${id}/deliveries`));

describe('an endpoint', () => {
  it('is told what comes in, signed so that the library verifies it', async () => {
    const { id, secret } = await bench.endpoint();
    const event = await receive(1);
    await bench.settle();
    const [request] = bench.admin.posted;
    if (request?.body?.kind !== 'raw') throw new Error('nothing was posted');
    expect(request).toMatchObject({ method: 'POST', url: 'https://crm.example/in', headers: { 'webhook-id': event } });
    const headers = { ...request.headers, 'webhook-timestamp': String(Math.floor(Date.now() / 1000)) };
    expect(() => new Webhook(secret).verify(request.body?.kind === 'raw' ? request.body.text : '', headers)).toThrow();
    const at = new Date(bench.now);
    expect(request.headers?.['webhook-signature']).toBe(new Webhook(secret).sign(event, at, request.body.text));
    expect(JSON.parse(request.body.text)).toMatchObject({
      type: 'message.received',
      data: { id: event, kind: 'message', message: { content: { type: 'text', text: 'text 1' } } },
    });
    expect(await deliveriesOf(id)).toMatchObject([
      { event, state: 'delivered', type: 'message.received', attempts: [{ status: 204 }] },
    ]);
  });

  it('is told from where on the feed holds all that was stored since', async () => {
    await bench.admin.store.write(put({ ...fillKey(feedFill.name), workspace: '', done: true }));
    const stored: string[] = [];
    const says = async (n: number, later: number) => {
      bench.now += later;
      stored.push(await receive(n));
    };
    await says(1, 0);
    await says(2, 60_000);
    await bench.endpoint();
    // Stored before the one that is told first, and seen by nobody until later.
    await says(3, 60_000);
    await says(4, 5000);
    bench.stream.splice(0, 3);
    await bench.settle();
    await says(5, 60_000);
    bench.now += 60_000;
    const [request] = bench.admin.posted;
    const { cursor, data } = JSON.parse(request?.body?.kind === 'raw' ? request.body.text : '{}');
    expect(data.id).toBe(stored[3]);
    const { items } = await bench.admin.done('GET', `/api/events?order=received&cursor=${cursor}`);
    expect(v.parse(v.array(v.object({ id: v.string() })), items).map(({ id }) => id)).toEqual(stored.slice(2));
  });

  it('hears of nothing but its types, and of these only where its condition holds', async () => {
    await bench.endpoint({ url: 'https://a.example/', types: ['reaction.*', 'send.failed'] });
    await bench.endpoint({ url: 'https://b.example/', where: { field: 'text', matches: '^text [2-3]$' } });
    await receive(1);
    await receive(2);
    await bench.settle();
    expect(bench.told.map(({ url, data }) => [url, data.kind])).toEqual([['https://b.example/', 'message']]);
  });

  it('is told once, however often its task comes, and again with other content', async () => {
    await bench.endpoint();
    await receive(1);
    const again = [...bench.stream];
    await bench.settle();
    bench.stream.push(...again);
    await bench.settle();
    expect(bench.told).toHaveLength(1);
    const after = again[0]?.after;
    if (!after) throw new Error('no item');
    bench.stream.push({
      before: { ...after, placeholder: true },
      after: { ...after, contentHash: 'fedcba9876543210' },
    });
    // Newer data of the same message, as another link, are told to nobody.
    bench.stream.push({ before: after, after: { ...after, contentHash: 'abcdef9876543210' } });
    bench.stream.push({ before: after, after: { ...after, replayed: true } });
    await bench.settle();
    expect(bench.told.map(({ id }) => id)).toEqual([bench.told[0]?.id, `${bench.told[0]?.id}_fedcba98`]);
  });

  it('is told once of a message of ours, by its own event or by its echo', async () => {
    await bench.endpoint();
    const [own, echo] = [await receive(1, { outbound: true }), await receive(2, { outbound: true })];
    const stateKey = 'PID#main#sandbox#1#m1';
    await bench.admin.store.write(put({ pk: stateKey, sk: 'META' }));
    const changes = bench.stream.splice(0).map(({ after }) => after && { ...after, direction: 'outbound', stateKey });
    for (let round = 0; round < 2; round++) {
      for (const after of changes) bench.stream.push({ before: undefined, after });
      await bench.settle();
    }
    expect(own).not.toBe(echo);
    expect(bench.told.map(({ id }) => id)).toEqual([own]);
  });

  it('is told of what we sent, with how far it has got', async () => {
    await bench.endpoint({ types: ['message.sent'] });
    const event = await receive(1, { direction: 'outbound', from: '+15550199001', chat: '+15550100' });
    await bench.settle();
    expect(bench.told).toMatchObject([
      { id: event, type: 'message.sent', data: { message: { direction: 'outbound' } } },
    ]);
  });

  it('is told ids alone where it asks for no more, or where there is too much', async () => {
    await bench.endpoint({ payload: 'thin' });
    await bench.endpoint({ url: 'https://large.example/' });
    await receive(1, { text: 'x'.repeat(300_000) });
    await bench.settle();
    for (const { data } of bench.told) {
      expect(data).toMatchObject({ truncated: true, kind: 'message', chatId: expect.stringMatching(/^chat_/) });
      expect(data).not.toHaveProperty('message');
    }
    expect(bench.told).toHaveLength(2);
  });

  it('is not told what was erased meanwhile', async () => {
    const { id } = await bench.endpoint();
    await receive(1);
    bench.admin.answer = answer(500);
    await bench.settle();
    bench.admin.answer = answer(200);
    await bench.admin.done('POST', '/api/contacts/erase', { body: { phone: '+15550100' } }).catch(() => undefined);
    const erased = bench.told.length;
    await bench.wait(10);
    expect(await deliveriesOf(id)).toHaveLength(bench.told.length === erased ? 0 : 1);
  });
});

it('says of each endpoint how much of the last day it took, of 200 deliveries at most', async () => {
  const { id } = await bench.endpoint();
  const other = await bench.endpoint({ url: 'https://b.example/', types: ['call.*'] });
  bench.admin.answer = answer(200);
  await receive(1);
  await bench.settle();
  await bench.wait(25 * HOUR);
  bench.admin.answer = answer(500);
  const event = await receive(2, { at: new Date(bench.now).toISOString() });
  await bench.settle();
  const shown = async () => {
    const items = itemsOf(await bench.admin.done('GET', '/api/endpoints?last24h=true'));
    return Object.fromEntries(items.map(({ id, last24h }) => [id, last24h]));
  };
  const none = { total: 0, delivered: 0, more: false };
  expect(await shown()).toEqual({ [id]: { ...none, total: 1 }, [other.id]: none });
  expect(itemsOf(await bench.admin.done('GET', '/api/endpoints'))[0]).not.toHaveProperty('last24h');
  const row = { workspace: 'main', endpoint: id, event, state: 'delivered', tries: 1, attempts: [], expiresAt: 1e10 };
  const many = async (from: number, to: number) => {
    for (let n = from; n < to; n++) {
      const storedAt = new Date(bench.now - 1000 * n).toISOString();
      await bench.store.write(put({ ...deliveryKey(id, storedAt, `evt_${n}`), ...row, storedAt }));
    }
  };
  await many(0, 199);
  expect((await shown())[id]).toEqual({ total: 200, delivered: 199, more: false });
  await many(199, 201);
  expect((await shown())[id]).toEqual({ total: 200, delivered: expect.any(Number), more: true });
  expect((await bench.admin.done('GET', `/api/endpoints/${id}`)).last24h).toEqual((await shown())[id]);
});

it('lists deliveries by their state, however far apart, and looks at so many at first', async () => {
  const { id } = await bench.endpoint();
  for (let n = 0; n < 1_400; n++) {
    const storedAt = new Date(bench.now - 1000 * n).toISOString();
    const state = n % 500 === 5 ? 'dead' : 'waiting';
    const told = { workspace: 'main', endpoint: id, event: `evt_${n}`, tries: 1, attempts: [], expiresAt: 1e10 };
    await bench.store.write(put({ ...deliveryKey(id, storedAt, `evt_${n}`), ...told, state, storedAt }));
  }
  const url = `/api/endpoints/${id}/deliveries?state`;
  const first = await bench.admin.done('GET', `${url}=dead`);
  expect([itemsOf(first).map(({ event }) => event), first.cursor]).toEqual([['evt_5', 'evt_505'], expect.any(String)]);
  for (const limit of [1, 2, 200]) {
    const { items } = await bench.admin.walk(`${url}=dead&limit=${limit}`);
    expect(items.map(({ event }) => event)).toEqual(['evt_5', 'evt_505', 'evt_1005']);
  }
  expect((await bench.admin.walk(`${url}=waiting&limit=150`)).items).toHaveLength(1_397);
  expect((await bench.admin.walk(`${url}=delivered`)).items).toEqual([]);
});

describe('a call that fails', () => {
  it('is repeated by the schedule, with the same id, until it is given up after ten attempts', async () => {
    const { id } = await bench.endpoint();
    bench.admin.answer = answer(400, {}, 'no');
    // Others go well in between, so that the endpoint is not spared.
    await receive(1);
    let n = 2;
    for (let i = 0; i < 10; i++) {
      await bench.settle();
      bench.admin.answer = answer(200);
      await receive(n++);
      await bench.settle();
      bench.admin.answer = answer(400, {}, 'no');
      await bench.wait(29 * HOUR);
      await bench.watch();
    }
    const failed = (await deliveriesOf(id)).find(({ state }) => state !== 'delivered');
    expect(failed).toMatchObject({ state: 'dead' });
    const attempts = bench.told.filter(({ id: told }) => told === failed?.event);
    expect(attempts.map(({ attempt }) => attempt)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
  });

  it('waits in the table where that is longer than a queue can hold it, and the watchdog finds it', async () => {
    await bench.endpoint();
    bench.admin.answer = answer(500);
    await receive(1);
    await bench.wait(6 * MINUTE);
    expect(bench.told).toHaveLength(3);
    expect(bench.tasks).toEqual([]);
    await bench.wait(38 * MINUTE);
    await bench.watch();
    expect(bench.told).toHaveLength(4);
  });

  it('can be tried again by hand', async () => {
    const { id } = await bench.endpoint();
    bench.admin.answer = answer(500);
    await receive(1);
    await bench.settle();
    bench.admin.answer = answer(200);
    const [failed] = await deliveriesOf(id);
    expect((await bench.admin.call('POST', `/api/deliveries/${failed?.id}/retry`)).status).toBe(202);
    await bench.settle();
    expect(await bench.admin.done('GET', `/api/deliveries/${failed?.id}`)).toMatchObject({
      state: 'delivered',
      attempts: [{ status: 500 }, { status: 200 }],
    });
  });

  it('keeps the beginning of the answer, secrets taken out', async () => {
    const { id } = await bench.endpoint();
    bench.admin.answer = answer(500, {}, `{"password":"hunter2","${'x'.repeat(2000)}`);
    await receive(1);
    await bench.settle();
    const [delivery] = await deliveriesOf(id);
    const answered = v.parse(v.tuple([v.object({ answer: v.string() })]), delivery?.attempts)[0].answer;
    expect(answered).toHaveLength(1000);
    expect(answered).not.toContain('hunter2');
  });

  it('keeps no value of its headers and no half of a secret, where an endpoint answers with them', async () => {
    const { id } = await bench.endpoint({ headers: { 'x-shop': 'Zk3-value-of-ours' } });
    const said = 'unknown shop Zk3-value-of-ours at https://shop:';
    bench.admin.answer = answer(500, {}, `${said.padStart(990, '.')}hunter2hunter2hunter2@shop.example/`);
    await receive(1);
    await bench.settle();
    const kept = JSON.stringify(await deliveriesOf(id));
    expect(kept).toContain('unknown shop');
    expect(kept).not.toMatch(/value-of-ours|hunter2/);
  });
});

describe('an endpoint that fails', () => {
  /** Five failures in a row. */
  async function failing() {
    const { id } = await bench.endpoint();
    bench.admin.answer = answer(500);
    for (let n = 1; n <= 5; n++) await receive(n);
    await bench.settle();
    expect(await bench.show(id)).toMatchObject({ state: 'failing', waiting: 1 });
    return id;
  }

  it('is spared: what comes in waits, and one call a minute later asks', async () => {
    const id = await failing();
    for (let n = 6; n <= 20; n++) await receive(n);
    await bench.wait(59);
    expect(bench.told.length).toBeLessThanOrEqual(5 + 4);
    const before = bench.told.length;
    await bench.wait(2);
    expect(bench.told).toHaveLength(before + 1);
    expect(await bench.show(id)).toMatchObject({ state: 'failing' });
  });

  it('is drained once it is well, oldest first and not all at once', async () => {
    const id = await failing();
    for (let n = 6; n <= 40; n++) await receive(n);
    await bench.wait(30);
    const before = bench.told.length;
    bench.admin.answer = answer(200);
    await bench.wait(31);
    expect(await bench.show(id)).toMatchObject({ state: 'active' });
    expect(bench.told.length - before).toBeLessThanOrEqual(31);
    await bench.wait(5);
    expect(await bench.show(id)).toMatchObject({ state: 'active', waiting: 0 });
    expect((await deliveriesOf(id)).every(({ state }) => state === 'delivered')).toBe(true);
    const firsts = bench.told.slice(before).map(({ id: event }) => event);
    expect(new Set(firsts).size).toBe(40);
  });

  it('gives up nothing while it is asked, for days', async () => {
    const id = await failing();
    await bench.wait(100 * HOUR);
    expect(await bench.show(id)).toMatchObject({ state: 'failing' });
    expect((await deliveriesOf(id)).map(({ state }) => state)).not.toContain('dead');
    bench.admin.answer = answer(200);
    await bench.wait(16 * MINUTE);
    expect((await deliveriesOf(id)).every(({ state }) => state === 'delivered')).toBe(true);
  });

  it('is switched off after five days, and what waits is delivered once it is switched on again', async () => {
    const id = await failing();
    await bench.wait(121 * HOUR);
    expect(await bench.show(id)).toMatchObject({ state: 'disabled', disabledBecause: 'failing' });
    bench.admin.answer = answer(200);
    await bench.admin.done('POST', `/api/endpoints/${id}/enable`);
    await bench.wait(10);
    expect(await bench.show(id)).toMatchObject({ state: 'active', waiting: 0 });
    expect((await deliveriesOf(id)).every(({ state }) => state === 'delivered')).toBe(true);
  });

  it('is asked by the watchdog where its own task was lost', async () => {
    const id = await failing();
    bench.loseTasks();
    bench.admin.answer = answer(200);
    await bench.wait(2 * MINUTE + 1);
    expect(await bench.show(id)).toMatchObject({ state: 'failing' });
    await bench.watch();
    await bench.wait(10);
    expect(await bench.show(id)).toMatchObject({ state: 'active', waiting: 0 });
  });

  it('keeps no other waiting', async () => {
    await failing();
    await bench.endpoint({ url: 'https://well.example/' });
    await receive(30);
    await bench.settle();
    expect(bench.told.filter(({ url }) => url === 'https://well.example/')).toHaveLength(1);
  });
});

test('an endpoint that says 410 is switched off at once', async () => {
  const { id } = await bench.endpoint();
  bench.admin.answer = answer(410);
  await receive(1);
  await bench.settle();
  expect(await bench.show(id)).toMatchObject({ state: 'disabled', disabledBecause: 'gone' });
  await receive(2);
  await bench.wait(HOUR);
  expect(bench.told).toHaveLength(1);
});

test('while a secret is rotated, each call is signed with both', async () => {
  const { id, secret: old } = await bench.endpoint();
  const { secret } = await bench.admin.done('POST', `/api/endpoints/${id}/rotate`, { body: { graceSeconds: 60 } });
  await receive(1);
  await bench.settle();
  const signatures = () => bench.admin.posted.at(-1)?.headers?.['webhook-signature']?.split(' ') ?? [];
  const [request] = bench.admin.posted;
  const body = request?.body?.kind === 'raw' ? request.body.text : '';
  const at = new Date(bench.now);
  const by = (key: string) => new Webhook(key).sign(bench.told[0]?.id ?? '', at, body);
  expect(signatures()).toEqual([by(String(secret)), by(old)]);
  bench.now += 61_000;
  await receive(2);
  await bench.settle();
  expect(signatures()).toHaveLength(1);
});

test('a secret that is rotated twice signs until its own time is over', async () => {
  const { id, secret: first } = await bench.endpoint();
  const rotated = async (graceSeconds: number) => {
    const { secret } = await bench.admin.done('POST', `/api/endpoints/${id}/rotate`, { body: { graceSeconds } });
    return String(secret);
  };
  const second = await rotated(60);
  const third = await rotated(3600);
  const signedBy = async (n: number, keys: readonly string[]) => {
    await receive(n);
    await bench.settle();
    const request = bench.admin.posted.at(-1);
    const body = request?.body?.kind === 'raw' ? request.body.text : '';
    const signatures = request?.headers?.['webhook-signature']?.split(' ');
    const at = new Date(bench.now);
    expect(signatures).toEqual(keys.map((key) => new Webhook(key).sign(bench.told.at(-1)?.id ?? '', at, body)));
  };
  await signedBy(1, [third, second, first]);
  bench.now += 61_000;
  await signedBy(2, [third, second]);
  const fourth = await rotated(0);
  await signedBy(3, [fourth]);
});

describe('the headers of an endpoint', () => {
  const sent = async (n: number) => {
    await receive(n);
    await bench.settle();
    return bench.admin.posted.at(-1)?.headers?.['x-key'];
  };
  const patched = (id: string, body: object) => bench.admin.done('PATCH', `/api/endpoints/${id}`, { body });

  it('go with it to another path, and to no other host', async () => {
    const { id, secret } = await bench.endpoint({ headers: { 'x-key': 'ours' } });
    expect(await patched(id, { url: 'https://CRM.example:443/other' })).not.toHaveProperty('headersDropped');
    expect(await sent(1)).toBe('ours');
    expect(await patched(id, { url: 'https://crm2.example/in' })).toMatchObject({ headersDropped: ['x-key'] });
    expect(await sent(2)).toBeUndefined();
    const request = bench.admin.posted.at(-1);
    const body = request?.body?.kind === 'raw' ? request.body.text : '';
    const signed = new Webhook(secret).sign(bench.told.at(-1)?.id ?? '', new Date(bench.now), body);
    expect([request?.url, request?.headers?.['webhook-signature']]).toEqual(['https://crm2.example/in', signed]);
    expect(await patched(id, { url: 'https://crm.example/in' })).not.toHaveProperty('headersDropped');
    expect(await sent(3)).toBeUndefined();
  });

  it('go to another host where they are given again', async () => {
    const { id } = await bench.endpoint({ headers: { 'x-key': 'ours' } });
    const body = { url: 'https://crm2.example/in', headers: { 'x-key': 'theirs' } };
    expect(await patched(id, body)).not.toHaveProperty('headersDropped');
    expect(await sent(1)).toBe('theirs');
    await patched(id, { headers: null });
    expect(await sent(2)).toBeUndefined();
  });

  it('are lost neither by a rotation of the same moment, nor is its secret by them', async () => {
    const { id } = await bench.endpoint();
    const [{ secret }] = await Promise.all([
      bench.admin.done('POST', `/api/endpoints/${id}/rotate`, { body: { graceSeconds: 0 } }),
      patched(id, { headers: { 'x-key': 'ours' } }),
    ]);
    expect(await sent(1)).toBe('ours');
    const request = bench.admin.posted.at(-1);
    const body = request?.body?.kind === 'raw' ? request.body.text : '';
    const signed = new Webhook(String(secret)).sign(bench.told.at(-1)?.id ?? '', new Date(bench.now), body);
    expect(request?.headers?.['webhook-signature']).toBe(signed);
  });
});

describe('what is no endpoint is refused with the name of the field', () => {
  it.each([
    [{ url: 'http://crm.example/' }, 'url', 'https'],
    [{ url: 'https://user:pass@crm.example/' }, 'url', 'credentials'],
    [{ url: 'https://crm.example:8443/' }, 'url', '443'],
    [{ url: 'https://127.0.0.1/' }, 'url', 'public internet'],
    [{ url: 'https://169.254.169.254/latest' }, 'url', 'public internet'],
    [{ url: 'https://hub.example/hooks/sandbox/x' }, 'url', 'the hub itself'],
    [{ url: 'https://HUB.example.:443/' }, 'url', 'the hub itself'],
    [{ types: ['message.arrived'] }, 'types.0', 'no type of notice'],
    [{ where: { all: [{ not: { field: 'text', matches: '(' } }] } }, 'where.all.0.not.matches', 'no pattern'],
    [{ where: { field: 'text', words: ['price', '👍'] } }, 'where', 'without a letter'],
    [
      { headers: Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`x-${i}`, 'v'.repeat(1000)])) },
      'headers',
      '3500 bytes',
    ],
    [{ headers: { 'webhook-id': 'x' } }, 'headers', 'sets itself'],
    [{ headers: { Trailer: 'x' } }, 'headers.Trailer', 'sets itself'],
    [{ timeoutMs: 31_000 }, 'timeoutMs', 'at most 30000'],
  ])('%j', async (more, path, words) => {
    const { status, json } = await bench.admin.call('POST', '/api/endpoints', {
      body: { url: 'https://crm.example/', ...more },
    });
    expect(status).toBe(422);
    expect(json.issues).toContainEqual({
      path: expect.stringContaining(path),
      message: expect.stringContaining(words),
    });
  });
});

test('the hub is not called under any of its addresses: it would be told of what it told', async () => {
  const admin = new AdminBench({ publicUrl: 'https://hub.of-mine.example/below' });
  const of = async (url: string) => (await admin.call('POST', '/api/endpoints', { body: { url } })).status;
  expect(await of('https://hub.of-mine.example/below/hooks/sandbox/x')).toBe(422);
  expect(await of('https://hub.example/hooks/sandbox/x')).toBe(422);
  expect(await of('https://crm.of-mine.example/')).toBe(201);
});

test('who listens is asked once for a batch, and again for the next', async () => {
  const heardIn = async (batch: Batch) => {
    const [change] = bench.stream.splice(0);
    if (!change) throw new Error('nothing was stored');
    await batch.dispatch(change);
    await batch.end();
    return bench.takeTasks().length;
  };
  const batch = beginBatch(bench.dispatching);
  await receive(1);
  expect(await heardIn(batch)).toBe(0);
  await bench.endpoint();
  await receive(2);
  const asked = vi.spyOn(bench.store, 'query');
  expect(await heardIn(batch)).toBe(0);
  expect(asked).not.toHaveBeenCalled();
  await receive(3);
  expect(await heardIn(beginBatch(bench.dispatching))).toBe(1);
});

test('another workspace has its own endpoints, and reaches no delivery of this one', async () => {
  const { id } = await bench.endpoint();
  await receive(1);
  await bench.settle();
  const [delivery] = await deliveriesOf(id);
  const { key } = await bench.admin.workspaceWithKey();
  for (const path of [`/api/endpoints/${id}`, `/api/endpoints/${id}/deliveries`, `/api/deliveries/${delivery?.id}`]) {
    expect((await bench.admin.call('GET', path, { key })).status).toBe(404);
  }
  expect((await bench.admin.call('POST', `/api/deliveries/${delivery?.id}/retry`, { key })).status).toBe(404);
});

test('each type of notice has an example that is told under its name', () => {
  expect(ALL_NOTICE_TYPES.map((type) => typeOf(exampleOf(type)))).toEqual(ALL_NOTICE_TYPES);
});

test('the types of notices are listed with schema and example, and an endpoint can be tried with each', async () => {
  const items = itemsOf(await bench.admin.done('GET', '/api/event-types'));
  expect(items).toHaveLength(ALL_NOTICE_TYPES.length);
  expect(items[0]).toMatchObject({
    type: 'message.received',
    schema: { type: 'object' },
    example: { kind: 'message' },
  });
  const { id } = await bench.endpoint();
  const tried = await bench.admin.done('POST', `/api/endpoints/${id}/test`, { body: { type: 'ussd.answered' } });
  expect(tried).toMatchObject({ status: 204 });
  expect(bench.told).toMatchObject([{ type: 'ussd.answered', id: expect.stringMatching(/^test_/) }]);
});

describe('an endpoint with a rate', () => {
  /** How many were called in each second of the next ones. */
  const callsBySecond = async (seconds: number) => {
    const counts = new Map<number, number>();
    const { answer: usual } = bench.admin;
    bench.admin.answer = (request) => {
      const second = Math.floor(bench.now / 1000);
      counts.set(second, (counts.get(second) ?? 0) + 1);
      return usual(request);
    };
    await bench.wait(seconds);
    return counts;
  };

  it('is called no more often in any second, and told everything, what waited in its order', async () => {
    const { id } = await bench.endpoint({ ratePerSecond: 5 });
    const ids: string[] = [];
    for (let n = 0; n < 40; n++) ids.push(await receive(n));
    const counts = await callsBySecond(30);
    expect(Math.max(...counts.values())).toBe(5);
    expect(counts.size).toBeLessThanOrEqual(12);
    expect(bench.told.map((one) => one.id).sort()).toEqual(ids.sort());
    expect(await bench.show(id)).toMatchObject({ state: 'active', waiting: 0 });
  });

  it('is called no more often while more comes in, and by what is drained', async () => {
    await bench.endpoint({ ratePerSecond: 3 });
    for (let n = 0; n < 12; n++) await receive(n);
    const counts = callsBySecond(0);
    await counts;
    const before = bench.told.length;
    for (let n = 100; n < 110; n++) {
      await receive(n);
      await bench.wait(1);
    }
    await bench.wait(60);
    expect(before).toBe(3);
    expect(Math.max(...(await counts).values())).toBe(3);
    expect(bench.told).toHaveLength(22);
  });

  it('is told what found no place where the function died after it had written that down', async () => {
    await bench.endpoint({ ratePerSecond: 1 });
    await receive(1);
    await receive(2);
    await bench.dispatchAll();
    const [first, second] = bench.takeTasks();
    if (!first || !second) throw new Error('no tasks');
    await bench.run(first);
    const { tasks } = bench.delivering;
    const dying = { ...bench.delivering, tasks: tasksBy(() => Promise.reject(new Error('died'))) };
    await expect(runTask(dying, second)).rejects.toThrow('died');
    await bench.wait(2 * MINUTE);
    await bench.watch();
    await tasks.send(second);
    await bench.wait(MINUTE);
    expect(bench.told).toHaveLength(2);
  });

  it('is counted nowhere without one', async () => {
    await bench.endpoint();
    await receive(1);
    await bench.settle();
    expect(bench.store.all().filter(({ pk }) => pk.endsWith('#RATE'))).toEqual([]);
  });
});

test('what an endpoint was answered about a person is erased with that person, also once it is deleted', async () => {
  const { id } = await bench.endpoint();
  bench.admin.answer = answer(500, {}, 'no room for +15550100');
  await receive(1, { from: '+15550100' });
  await bench.settle();
  await bench.admin.call('DELETE', `/api/endpoints/${id}`);
  const rows = async () => bench.store.all().filter(({ pk }) => pk.startsWith(`EP#${id}`));
  expect(await rows()).toHaveLength(1);
  await bench.admin.done('DELETE', '/api/contacts/+15550100');
  expect(await rows()).toEqual([]);
});
