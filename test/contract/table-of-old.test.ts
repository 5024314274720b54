import * as v from 'valibot';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SendOutcome } from '#lib/domain/send/outcome.ts';
import { readAccount, readSend } from '#lib/sender/items.ts';
import { tick } from '#lib/sender/tick.ts';
import { accountKey, sendKey } from '#lib/store/keys.ts';
import { watchdog } from '#lib/watchdog/watchdog.ts';
import { AdminBench } from '#test/functions/admin/admin-bench.ts';
import type { MemoryStore } from '#test/support/memory-store.ts';
import { tableOfOld } from '#test/support/table-of-old.ts';
import { underRole } from '#test/support/under-role.ts';

const HOUR = 3_600_000;

let memory: MemoryStore;
let hub: AdminBench;
let nameOf: (what: string) => string;
beforeEach(async () => {
  const table = await tableOfOld();
  ({ store: memory, nameOf } = table);
  hub = new AdminBench({ store: memory });
  hub.bench.now = table.now;
});

const stateOf = (what: string) => {
  const item = memory.peek(sendKey(nameOf(what)));
  return item && readSend(item).parts.map(({ state, creditState }) => `${state}/${creditState}`);
};

/** One run of the sender on an account, whatever its gates say. */
async function run(account: string, outcome: SendOutcome = { kind: 'accepted', providerId: 'new' }): Promise<void> {
  const item = memory.peek(accountKey(nameOf(account)));
  if (!item) throw new Error(`${account} is gone`);
  const { id, gen, nextSendAt, backoffUntil, leaseUntil = 0 } = readAccount(item);
  hub.bench.now = 1 + Math.max(hub.bench.now, nextSendAt, backoffUntil, leaseUntil);
  const ports = {
    ...hub.ports,
    store: underRole(memory, 'sender'),
    sender: { send: async () => outcome },
    attachments: { fetch: async () => ({ kind: 'refused', reason: 'no files here' }) as const },
  };
  const received = { times: 1, firstAt: hub.bench.now };
  const end = hub.bench.now + 45_000;
  await tick({ account: id, gen, at: hub.bench.now }, { id: 'run', endsAt: end, received }, ports, hub.ports.config);
}

async function watch(): Promise<void> {
  const ports = {
    ...hub.ports,
    store: underRole(memory, 'watchdog'),
    prober: { probe: async () => ({ kind: 'ok' }) as const },
    evidence: { find: async () => ({ kind: 'none' }) as const, echoed: async () => ({ kind: 'none' }) as const },
  };
  await watchdog(ports, hub.bench.now + 60_000, hub.ports.config);
}

const WORKSPACES = ['otherWorkspace', 'monthlyWorkspace', 'bareWorkspace'];
const inEach = () => ['main', ...WORKSPACES.map(nameOf)];

/** The first audit tells of what was spent before spent credits were counted, counts it, and finds nothing else. */
async function expectSound(workspace: string): Promise<void> {
  const { differences } = await hub.done('GET', '/api/credits/audit', { workspace });
  for (const words of v.parse(v.array(v.string()), differences)) expect(words).toMatch(/not counted; now it is$/);
  expect(await hub.done('GET', '/api/credits/audit', { workspace })).toMatchObject({ ok: true, differences: [] });
}

describe('a table that version 0.1 has written', () => {
  it.each([
    ['/api/workspaces', 4],
    ['/api/accounts', 8],
    ['/api/webhooks', 7],
    ['/api/events', 26],
    ['/api/events?kind=status', 4],
    ['/api/events/quarantine', 2],
    ['/api/messages', 18],
    ['/api/chats', 10],
    ['/api/sends', 23],
    ['/api/sends?state=unknown', 3],
    ['/api/credits/ledger', 30],
  ])('is listed: %s', async (path, count) => {
    const { items } = await hub.walk(path);
    expect(items).toHaveLength(count);
  });

  it('is shown, one by one', async () => {
    for (const path of ['/api/accounts', '/api/webhooks', '/api/events', '/api/messages', '/api/chats']) {
      for (const { id } of (await hub.walk(path)).items) {
        expect(await hub.call('GET', `${path}/${encodeURIComponent(String(id))}`)).toMatchObject({ status: 200 });
      }
    }
    for (const { messageId } of (await hub.walk('/api/sends')).items) {
      expect(await hub.done('GET', `/api/sends/${messageId}`)).toMatchObject({ messageId });
    }
    for (const webhook of ['plainHook', 'sendHook']) {
      expect((await hub.walk(`/api/webhooks/${nameOf(webhook)}/attempts`)).items.length).toBeGreaterThan(8);
    }
    const raw = await hub.call('GET', `/api/events/${nameOf('chunkedEvent')}/raw`);
    expect(JSON.parse(raw.text)).toMatchObject({ event: 'message', id: 'm4' });
  });

  it.each([
    ['main', { granted: 1_025, available: 1_005, reserved: 11, spent: 9 }],
    ['otherWorkspace', { granted: 7, available: 6, reserved: 0, spent: 1 }],
    ['monthlyWorkspace', { epoch: '2026-03', granted: 50, available: 48, reserved: 1, spent: 1 }],
    ['bareWorkspace', { epoch: '2026-03', granted: 5, available: 5, reserved: 0, spent: 0 }],
  ])('has its credits: %s', async (name, credits) => {
    const workspace = name === 'main' ? name : nameOf(name);
    await expectSound(workspace);
    expect(await hub.done('GET', '/api/credits', { workspace })).toMatchObject(credits);
  });

  it('is opened by its key, and by no other workspace', async () => {
    const key = nameOf('otherKey');
    expect((await hub.walk('/api/sends', { key })).items).toMatchObject([{ messageId: nameOf('foreignSent') }]);
    expect(await hub.call('GET', `/api/sends/${nameOf('sentOnly')}`, { key })).toMatchObject({ status: 404 });
  });

  it('takes in what its webhooks get, as they stand', async () => {
    const message = { event: 'message', id: 'n1', chat: '+15550100077', text: 'Hello again' };
    expect(await hub.post(nameOf('plainUrl'), message)).toMatchObject({ status: 200, body: { status: 'stored' } });
    expect(await hub.post(nameOf('rotatedUrl'), message)).toMatchObject({ status: 200 });
    for (const closed of ['rotatedOldUrl', 'offUrl', 'formerUrl']) {
      expect(await hub.post(nameOf(closed), message)).toMatchObject({ status: 404 });
    }
    const repeated = { ...message, id: 'm1', from: '+15550100077', name: 'Ana', text: 'Good morning' };
    expect(await hub.post(nameOf('plainUrl'), repeated)).toMatchObject({ status: 200 });
  });

  it('reads its events again', async () => {
    for (const { id } of (await hub.walk('/api/events')).items) {
      expect(await hub.call('POST', `/api/events/${id}/replay`)).toMatchObject({ status: 200 });
    }
  });

  it('answers a repeated request as before, and sends what waits', async () => {
    const body = { phone: '+15550100099', account_id: nameOf('waiting'), text: 'once' };
    expect(await hub.send(nameOf('sendUrl'), body, { 'idempotency-key': 'order-1' })).toBe(nameOf('waitingSend'));
    await run('waiting');
    expect(stateOf('waitingSend')).toEqual(['sent/spent']);
    await run('backing-off');
    expect(stateOf('retrying')).toEqual(['sent/spent']);
    await hub.done('POST', `/api/accounts/${nameOf('paused')}/resume`);
    await run('paused');
    expect(stateOf('queuedText')).toEqual(['sent/spent']);
    await hub.done('POST', `/api/sends/${nameOf('queuedFile')}/cancel`);
    expect(stateOf('queuedFile')).toEqual(['cancelled/refunded', 'cancelled/refunded']);
    await run('monthly');
    expect(stateOf('monthlyWaiting')).toEqual(['sent/spent']);
    await hub.send(nameOf('monthlySendUrl'), { account_id: nameOf('monthly') });
  });

  it('never sends again what was being sent', async () => {
    await run('crashed', { kind: 'accepted', providerId: 'behind' });
    expect([stateOf('sendingSend'), stateOf('behindSending')]).toEqual([['unknown/reserved'], ['sent/spent']]);
  });

  it('settles what nobody knew, by its limit', async () => {
    hub.bench.now += 25 * HOUR;
    await watch();
    for (const send of ['unknown', 'unknownForEver', 'unknownResent'])
      expect(stateOf(send)).toEqual(['expired/refunded']);
    await hub.done('POST', `/api/sends/${nameOf('unknownForEver')}/resend`);
  });

  it('lets a held account go, and refunds what failed after it was sent', async () => {
    hub.bench.now += 60 * 60_000;
    await watch();
    await run('held');
    expect(stateOf('heldSend')).toEqual(['sent/spent']);
    const failed = { event: 'status', id: 'p-sentOnly', account: nameOf('plain'), status: 'failed' };
    expect(await hub.post(nameOf('plainUrl'), failed)).toMatchObject({ status: 200 });
    expect(stateOf('sentOnly')).toEqual(['failed/refunded']);
  });

  it('forgets a person, and what its retention says', async () => {
    expect(await hub.done('DELETE', '/api/contacts/%2B15550100077')).toMatchObject({ erased: { events: 5, chats: 2 } });
    hub.bench.now += 400 * 24 * HOUR;
    expect(await hub.done('POST', '/api/workspaces/main/retention/apply', { body: {} })).toMatchObject({
      applied: { sends: 12 },
    });
  });
});

describe('whatever is done to it', () => {
  it('its books stay balanced', async () => {
    for (const account of ['waiting', 'crashed', 'held', 'monthly', 'green']) await run(account);
    await hub.done('POST', `/api/accounts/${nameOf('paused')}/resume`);
    await run('paused', { kind: 'rejected', reason: 'no such number' });
    hub.bench.now += 25 * HOUR;
    await watch();
    await hub.done('DELETE', `/api/accounts/${nameOf('texter')}`);
    await hub.done('POST', '/api/credits/grants', { body: { credits: 3, reason: 'Bought' } });
    for (const workspace of inEach()) await expectSound(workspace);
  });
});
