import { beforeEach, describe, expect, it } from 'vitest';
import { toIso } from '#lib/domain/time.ts';
import { cancelAll } from '#lib/outbox/cancel.ts';
import { hold } from '#lib/sender/account.ts';
import { readAccount } from '#lib/sender/items.ts';
import { tick } from '#lib/sender/tick.ts';
import { accountKey, pointerKey, sendKey, sendListing, unknownSendKey } from '#lib/store/keys.ts';
import { put, StoreUnavailable, set, update } from '#lib/store/store.ts';
import { AdminBench, itemsOf } from './admin-bench.ts';

let hub: AdminBench;
let account: string;
let url: string;
beforeEach(async () => {
  hub = new AdminBench();
  account = await newAccount();
  ({ url } = await hub.webhook({ kind: 'send', provider: undefined }));
});

async function newAccount(call = {}): Promise<string> {
  const body = { provider: 'sandbox', channel: 'whatsapp', credentials: {} };
  return String((await hub.done('POST', '/api/accounts', { body, ...call })).id);
}

/** The state in which only an outcome can put it. */
const become = (messageId: string, ...states: string[]) =>
  hub.store.write(
    update(
      sendKey(messageId),
      states.map((state, part) => set(['parts', part, 'state'], state)),
    ),
  );

describe('a send', () => {
  it('is shown whole, with its place in the queue', async () => {
    const first = await hub.send(url);
    const second = await hub.send(url, { file_url: 'https://files.example/a.pdf', file_name: 'a.pdf' });
    expect(await hub.done('GET', `/api/sends/${first}`)).toMatchObject({ position: 1 });
    expect(await hub.done('GET', `/api/sends/${second}`)).toMatchObject({
      messageId: second,
      state: 'queued',
      creditState: 'reserved',
      credits: 2,
      accountId: account,
      provider: 'sandbox',
      recipient: { phone: '+15550100099', chatId: expect.stringMatching(/^chat_/) },
      parts: [
        { kind: 'file', fileName: 'a.pdf', fileUrl: 'https://files.example/a.pdf', state: 'queued' },
        { kind: 'text', text: 'hello', state: 'queued', creditState: 'reserved' },
      ],
      history: [{ at: '2026-03-01T12:00:00.000Z', state: 'queued' }],
      position: 2,
      etaAt: expect.stringMatching(/^2026-03-01T12:00:02/),
    });
  });

  it('says in a list what it waits for, and behind a thousand others its place by itself alone', async () => {
    const id = await hub.send(url, { account_id: account });
    const others = Array.from({ length: 1_000 }, (_, n) =>
      put({ ...pointerKey(account, 0, n), send: `other-${n}`, part: 0 }),
    );
    await hub.store.writeMany(others.slice(1));
    const listed = async () => itemsOf(await hub.done('GET', '/api/sends'))[0];
    expect(await listed()).toMatchObject({ messageId: id, waitingFor: 'turn', position: 1_000 });
    await hub.store.writeMany(others.slice(0, 1));
    expect(await listed()).toMatchObject({ messageId: id, waitingFor: 'turn' });
    expect(await listed()).not.toHaveProperty('position');
    expect(await hub.done('GET', `/api/sends/${id}`)).toMatchObject({ waitingFor: 'turn', position: 1_001 });
  });

  it('has no time while its account is paused', async () => {
    await hub.done('POST', `/api/accounts/${account}/pause`);
    const send = await hub.done('GET', `/api/sends/${await hub.send(url, { account_id: account })}`);
    expect(send).toMatchObject({ position: 1 });
    expect(send).not.toHaveProperty('etaAt');
  });

  it('is cancelled with its credits back while it waits, and not once it is being sent', async () => {
    const [waiting, sending] = [await hub.send(url), await hub.send(url)];
    await become(sending, 'sending');
    expect(await hub.done('POST', `/api/sends/${waiting}/cancel`)).toMatchObject({
      state: 'cancelled',
      creditState: 'refunded',
    });
    expect(await hub.done('GET', '/api/credits')).toMatchObject({ available: 999, reserved: 1 });
    for (const id of [waiting, sending]) {
      const answer = await hub.call('POST', `/api/sends/${id}/cancel`);
      expect(answer).toMatchObject({ status: 409, json: { status: 409, data: {} } });
    }
  });

  it('that failed is sent again, of several parts only those that did', async () => {
    const file = { file_url: 'https://files.example/a.pdf', file_name: 'a.pdf' };
    const [whole, text, waiting] = [await hub.send(url, file), await hub.send(url, file), await hub.send(url, file)];
    await become(whole, 'failed', 'failed');
    await become(text, 'sent', 'failed');
    await become(waiting, 'failed', 'queued');
    expect(await hub.done('POST', `/api/sends/${whole}/resend`)).toMatchObject({
      resendOf: whole,
      credits: 2,
      parts: [{ kind: 'file', fileUrl: file.file_url, state: 'queued' }, { kind: 'text' }],
    });
    const again = await hub.done('POST', `/api/sends/${text}/resend`);
    expect(again).toMatchObject({ credits: 1, parts: [{ kind: 'text', text: 'hello' }] });
    expect(again.parts).toHaveLength(1);
    expect(await hub.call('POST', `/api/sends/${waiting}/resend`)).toMatchObject({ status: 409 });
  });

  it('says what its provider said while it is tried again, and those behind it until when they wait', async () => {
    const [first, second] = [await hub.send(url), await hub.send(url)];
    const item = await hub.store.get(accountKey(account));
    if (!item) throw new Error('the account is gone');
    const { gen } = readAccount(item);
    hub.bench.now += 5_000;
    const { now } = hub.bench;
    const sender = { send: async () => ({ kind: 'retry', reason: 'http 429', retryAfterMs: 60_000 }) as const };
    const attachments = { fetch: async () => ({ kind: 'refused', reason: 'no files here' }) as const };
    const run = { id: 'run', endsAt: now + 45_000, received: { times: 1, firstAt: now } };
    await tick({ account, gen, at: now }, run, { ...hub.ports, sender, attachments }, hub.ports.config);
    const behind = { waitingFor: 'backoff', waitingUntil: toIso(now + 60_000) };
    expect(await hub.done('GET', `/api/sends/${first}`)).toMatchObject({ ...behind, waitingReason: 'http 429' });
    expect(await hub.done('GET', `/api/sends/${second}`)).toMatchObject(behind);
    expect(await hub.done('GET', `/api/sends/${second}`)).not.toHaveProperty('waitingReason');
    const reasons = itemsOf(await hub.done('GET', '/api/sends')).map(({ waitingReason }) => waitingReason);
    expect(reasons.filter(Boolean)).toEqual(['http 429']);
  });

  it.each([['cancelled'], ['delivered'], ['sending']])('that is %s is not sent again', async (state) => {
    const id = await hub.send(url);
    await become(id, state);
    expect(await hub.call('POST', `/api/sends/${id}/resend`)).toMatchObject({ status: 409 });
  });

  it('says what it waits for', async () => {
    const id = await hub.send(url, { account_id: account });
    const waiting = async () => {
      const { waitingFor, waitingReason, waitingUntil } = await hub.done('GET', `/api/sends/${id}`);
      return [waitingFor, waitingReason, waitingUntil];
    };
    expect(await waiting()).toEqual(['turn', undefined, undefined]);
    const backoff = [set('backoffUntil', hub.bench.now + 60_000)];
    await hub.store.write(update(accountKey(account), backoff));
    expect(await waiting()).toEqual(['backoff', undefined, '2026-03-01T12:01:00.000Z']);
    await hold(hub.ports, account, 'the phone is off', hub.ports.config);
    expect(await waiting()).toEqual(['hold', 'the phone is off', '2026-03-01T12:01:00.000Z']);
    await hub.done('POST', `/api/accounts/${account}/pause`, { body: { reason: 'lunch' } });
    expect(await waiting()).toEqual(['pause', 'lunch', undefined]);
    expect(itemsOf(await hub.done('GET', '/api/sends'))).toMatchObject([{ waitingFor: 'pause' }]);
    await hub.done('POST', `/api/sends/${id}/cancel`);
    expect(await waiting()).toEqual([undefined, undefined, undefined]);
  });

  it('is sent again only if nobody knows what became of it, and only once', async () => {
    const id = await hub.send(url);
    expect(await hub.call('POST', `/api/sends/${id}/resend`)).toMatchObject({ status: 409 });
    await become(id, 'unknown');
    const again = await hub.done('POST', `/api/sends/${id}/resend`);
    expect(again).toMatchObject({ state: 'queued', resendOf: id, parts: [{ text: 'hello' }] });
    expect(await hub.done('GET', `/api/sends/${id}`)).toMatchObject({ state: 'unknown', resentAs: again.messageId });
    const once = await hub.call('POST', `/api/sends/${id}/resend`);
    expect(once.json.message).toBe(`It was sent again already, as ${again.messageId}`);
  });

  it('of another workspace is as good as none', async () => {
    const id = await hub.send(url);
    const { key } = await hub.workspaceWithKey();
    expect(itemsOf(await hub.done('GET', '/api/sends', { key }))).toEqual([]);
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/cancel'],
      ['POST', '/resend'],
    ] as const) {
      const theirs = await hub.call(method, `/api/sends/${id}${path}`, { key });
      const nobodys = await hub.call(method, `/api/sends/wa_backend:3EB00000000000000000${path}`, { key });
      expect([theirs.status, theirs.json]).toEqual([404, nobodys.json]);
    }
    expect(await hub.done('GET', `/api/sends/${id}`)).toMatchObject({ state: 'queued' });
    for (const path of ['pause', 'resume']) {
      expect(await hub.call('POST', `/api/accounts/${account}/${path}`, { key })).toMatchObject({ status: 404 });
    }
  });
});

describe('the list of sends', () => {
  it('goes by time, account and state, page by page', async () => {
    const other = await newAccount();
    const ids: string[] = [];
    for (let i = 0; i < 12; i += 1) {
      hub.bench.now += 1_000;
      ids.unshift(await hub.send(url, { account_id: i % 3 === 0 ? other : account }));
    }
    for (const [index, id] of ids.entries()) if (index % 4 === 0) await become(id, 'unknown');
    const listed = async (query: string) =>
      (await hub.walk(`/api/sends?limit=2${query}`)).items.map((send) => send.messageId);
    expect(await listed('')).toEqual(ids);
    expect(await listed('&state=unknown')).toEqual(ids.filter((_, index) => index % 4 === 0));
    expect(await listed(`&account=${other}`)).toEqual(ids.filter((_, index) => (11 - index) % 3 === 0));
    expect(await listed('&state=unknown,cancelled,queued')).toEqual(ids);
    expect(await listed('&state=read,unknown')).toEqual(ids.filter((_, index) => index % 4 === 0));
    for (const state of ['lost', 'unknown,lost', '', 'unknown,'])
      expect(await hub.call('GET', `/api/sends?state=${state}`)).toMatchObject({ status: 422 });
  });

  it('has an unknown one however many are newer, once, in its place and where the other filters fit', async () => {
    const { store } = hub;
    const [settled, old] = [await hub.send(url), await hub.send(url)];
    await become(old, 'unknown');
    const marked = [old, settled, 'wa_backend:many0', 'wa_backend:many500'];
    for (const id of marked) await store.write(put({ ...unknownSendKey('main', id) }));
    const [item, begin] = [await store.get(sendKey(old)), hub.bench.now];
    const newer = Array.from({ length: 1_200 }, (_, n) => {
      const messageId = `wa_backend:many${n}`;
      const parts = Array.isArray(item?.parts) ? item.parts : [];
      const state = n % 500 === 0 ? 'unknown' : 'sent';
      const changed = { messageId, createdAt: begin + n + 1, parts: parts.map((part) => ({ ...Object(part), state })) };
      return put({ ...item, ...sendKey(messageId), ...changed, ...sendListing('main', messageId, begin + n + 1) });
    });
    await store.writeMany(newer);
    const listed = async (query: string) =>
      (await hub.walk(`/api/sends?state=unknown${query}`)).items.map((send) => send.messageId);
    const all = ['wa_backend:many1000', 'wa_backend:many500', 'wa_backend:many0', old];
    expect(itemsOf(await hub.done('GET', '/api/sends?state=unknown'))).toContainEqual(
      expect.objectContaining({ messageId: old }),
    );
    for (const limit of [1, 2, 50]) expect(await listed(`&limit=${limit}`)).toEqual(all);
    expect(await listed(`&account=${account}&before=${toIso(begin + 1)}`)).toEqual([old]);
    expect(await listed(`&after=${toIso(begin)}`)).toEqual(all.slice(0, 3));
    expect(await listed('&account=acc_other')).toEqual([]);
  });
});

describe('an account', () => {
  it('stops and goes on at a word', async () => {
    expect(await hub.done('POST', `/api/accounts/${account}/pause`, { body: { reason: 'lunch' } })).toMatchObject({
      paused: true,
      pauseReason: 'lunch',
    });
    await hub.send(url, { account_id: account });
    const before = hub.ticks.length;
    const resumed = await hub.done('POST', `/api/accounts/${account}/resume`);
    expect(resumed).toMatchObject({ paused: false, held: false, pending: 1 });
    expect(resumed).not.toHaveProperty('pauseReason');
    expect(hub.ticks.length).toBeGreaterThan(before);
  });

  it('loses all that waits at a word, with the credits back, and keeps what is being sent', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 120; i += 1) ids.push(await hub.send(url, { account_id: account }));
    const sending = ids[0] ?? '';
    await become(sending, 'sending');
    const other = await newAccount();
    await hub.send(url, { account_id: other });
    expect(await hub.done('POST', `/api/accounts/${account}/cancel`)).toEqual({ cancelled: 119, more: false });
    expect(await hub.done('GET', `/api/accounts/${account}`)).toMatchObject({ pending: 1 });
    expect(await hub.done('GET', `/api/accounts/${other}`)).toMatchObject({ pending: 1 });
    expect(await hub.done('GET', `/api/sends/${sending}`)).toMatchObject({ state: 'sending' });
    expect(await hub.done('GET', '/api/credits')).toMatchObject({ available: 998, reserved: 2 });
    expect(await hub.done('POST', `/api/accounts/${account}/cancel`)).toEqual({ cancelled: 0, more: false });
  });

  it('keeps what is accepted while it loses the rest', async () => {
    for (let i = 0; i < 101; i += 1) await hub.send(url, { account_id: account });
    const transact = hub.store.transact.bind(hub.store);
    hub.store.transact = async (...given) => {
      hub.store.transact = transact;
      await hub.send(url, { account_id: account });
      return transact(...given);
    };
    expect(await hub.done('POST', `/api/accounts/${account}/cancel`)).toEqual({ cancelled: 101, more: false });
    expect(await hub.done('GET', `/api/accounts/${account}`)).toMatchObject({ pending: 1 });
  });

  it('goes on cancelling with the next call where time was up', async () => {
    for (let i = 0; i < 3; i += 1) await hub.send(url, { account_id: account });
    const none = await cancelAll(hub.ports, 'main', account, hub.ports.config, 0);
    expect(none).toEqual({ cancelled: 0, more: true });
    expect(await cancelAll(hub.ports, 'main', account, hub.ports.config)).toEqual({ cancelled: 3, more: false });
    expect(await cancelAll(hub.ports, 'ws_0', account, hub.ports.config)).toBeUndefined();
  });

  it('with messages in its queue stays', async () => {
    const id = await hub.send(url);
    expect(await hub.call('DELETE', `/api/accounts/${account}`)).toMatchObject({
      status: 409,
      json: { message: expect.stringContaining('cancel them by POST /api/accounts/{id}/cancel') },
    });
    await hub.done('POST', `/api/sends/${id}/cancel`);
    expect(await hub.call('DELETE', `/api/accounts/${account}`)).toMatchObject({ status: 204 });
  });
});

describe('a message that a program hands in with its key', () => {
  const MESSAGE = { phone: '+15550100099', text: 'hello' };
  const hand = (body: object, headers = {}, call: object = {}) =>
    hub.call('POST', '/api/sends', { body, headers, ...call });

  it('is charged and queued as by a send webhook', async () => {
    const { status, json } = await hand(MESSAGE);
    expect([status, json]).toEqual([
      201,
      {
        messageId: expect.stringMatching(/^wa_backend:[0-9A-F]{20}$/),
        credits: 1,
        position: 1,
        etaAt: expect.stringMatching(/^2026-03-01T12:00/),
      },
    ]);
    expect(await hub.done('GET', `/api/sends/${json.messageId}`)).toMatchObject({
      ...{ state: 'queued', accountId: account, recipient: { phone: '+15550100099' } },
      parts: [{ kind: 'text', text: 'hello' }],
    });
    expect(await hub.done('GET', '/api/credits')).toMatchObject({ available: 999, reserved: 1 });
    expect(hub.ticks).toHaveLength(1);
  });

  it('gets the same answer under its key when the account is gone meanwhile', async () => {
    const key = { 'idempotency-key': 'order-1' };
    const { messageId } = (await hand(MESSAGE, key)).json;
    await hub.done('POST', `/api/sends/${messageId}/cancel`);
    expect(await hub.call('DELETE', `/api/accounts/${account}`)).toMatchObject({ status: 204 });
    expect(await hand(MESSAGE, key)).toMatchObject({ status: 201, json: { messageId } });
  });

  it('is one message under one key, and another workspace knows nothing of that key', async () => {
    const key = { 'idempotency-key': 'order-1' };
    const [first, again, other] = [await hand(MESSAGE, key), await hand(MESSAGE, key), await hand(MESSAGE)];
    expect(again.json.messageId).toBe(first.json.messageId);
    expect([first.headers['idempotent-replayed'], again.headers['idempotent-replayed']]).toEqual([undefined, 'true']);
    expect(other.json.messageId).not.toBe(first.json.messageId);
    expect(await hand({ ...MESSAGE, text: 'bye' }, key)).toMatchObject({
      status: 422,
      json: {
        status: 422,
        message: 'The Idempotency-Key was used with another body: give each message a key of its own',
      },
    });
    expect(await hand(MESSAGE, { 'idempotency-key': 'x'.repeat(256) })).toMatchObject({ status: 400 });
    const { id, key: theirs } = await hub.workspaceWithKey();
    await newAccount({ workspace: id });
    await hub.done('POST', '/api/credits/grants', { workspace: id, body: { credits: 5, reason: 'test' } });
    const foreign = await hand(MESSAGE, key, { key: theirs });
    expect(foreign.status).toBe(201);
    expect(foreign.json.messageId).not.toBe(first.json.messageId);
  });

  it.each([
    [{ ...MESSAGE, text: [5] }, 422, 'text', 'must be a string'],
    [{ text: 'hello' }, 422, '', 'exactly one of'],
    [{ ...MESSAGE, phone: '12' }, 422, 'phone', ''],
    [{ ...MESSAGE, fileUrl: 'https://files.example/a.pdf' }, 422, 'fileUrl', ''],
    [{ ...MESSAGE, file_url: 'ftp://files.example/a.pdf', file_name: 'a.pdf' }, 422, 'file_url', ''],
    [{ ...MESSAGE, action: 'receive' }, 422, 'action', ''],
  ])('names the field that is wrong: %j', async (body, status, path, message) => {
    const answer = await hand(body);
    expect(answer).toMatchObject({
      status,
      json: { status, data: {}, issues: [{ path, message: expect.stringContaining(message) }] },
    });
    expect(await hub.done('GET', '/api/credits')).toMatchObject({ available: 1000, reserved: 0 });
  });

  it('is refused where there is no such chat, or nothing to pay it with', async () => {
    expect(await hand({ chat_name: 'Nobody', text: 'hello' })).toMatchObject({ status: 404, json: { status: 404 } });
    const { id, key } = await hub.workspaceWithKey();
    expect(await hand(MESSAGE, {}, { key })).toMatchObject({ status: 404 });
    await newAccount({ workspace: id });
    expect(await hand(MESSAGE, {}, { key })).toMatchObject({ status: 402, json: { status: 402, data: {} } });
  });

  it('may be queued where the table does not answer, so only a key makes its repeat safe', async () => {
    const transact = hub.ports.store.transact;
    hub.ports.store.transact = () => Promise.reject(new StoreUnavailable('unreachable'));
    const answer = await hand(MESSAGE);
    hub.ports.store.transact = transact;
    expect(answer).toMatchObject({
      status: 503,
      json: { status: 503, message: expect.stringContaining('Idempotency-Key') },
    });
  });
});
