import { beforeEach, describe, expect, it } from 'vitest';
import { sendKey } from '#lib/store/keys.ts';
import { set, update } from '#lib/store/store.ts';
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
const become = (messageId: string, state: string) =>
  hub.store.write(update(sendKey(messageId), [set(['parts', 0, 'state'], state)]));

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
    expect(await hub.call('GET', '/api/sends?state=lost')).toMatchObject({ status: 422 });
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

  it('with messages in its queue stays', async () => {
    const id = await hub.send(url);
    expect(await hub.call('DELETE', `/api/accounts/${account}`)).toMatchObject({ status: 409 });
    await hub.done('POST', `/api/sends/${id}/cancel`);
    expect(await hub.call('DELETE', `/api/accounts/${account}`)).toMatchObject({ status: 204 });
  });
});
