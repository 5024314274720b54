import { expect, it } from 'vitest';
import { readSend } from '#lib/sender/items.ts';
import { aliasKey, deliveryKey, eventKey, sendKey } from '#lib/store/keys.ts';
import { del, type Item, put } from '#lib/store/store.ts';
import { ErasureHub, OTHER, PERSON } from '#test/lib/privacy/hub.ts';
import { LONG } from '#test/support/long.ts';
import { message } from './admin-bench.ts';

const DAY_SECONDS = 86_400;
const DAY_MS = DAY_SECONDS * 1000;

const retain = (hub: ErasureHub, retentionDays: number | null, id = 'main') =>
  hub.done('PATCH', `/api/workspaces/${id}`, { body: { retentionDays } });
const apply = (hub: ErasureHub, id = 'main') => hub.done('POST', `/api/workspaces/${id}/retention/apply`);
const events = (hub: ErasureHub): readonly Item[] => hub.memory.all().filter(({ pk }) => pk.startsWith('EVT#'));
const endsOf = (hub: ErasureHub) => new Set(events(hub).map(({ expiresAt }) => expiresAt));

it('applies to what comes in from then on, also through webhooks made or rotated later', async () => {
  const hub = new ErasureHub();
  const before = await hub.webhook();
  expect(await retain(hub, 30)).toMatchObject({ id: 'main', retentionDays: 30, retentionPending: true });
  const after = await hub.webhook();
  const { url: rotated } = await hub.done('POST', `/api/webhooks/${before.id}/rotate`);
  for (const [n, url] of [after.url, String(rotated)].entries()) await hub.post(url, message(n));
  expect(endsOf(hub)).toEqual(new Set([Math.floor(hub.bench.now / 1000) + 30 * DAY_SECONDS]));
});

it('is not gone through again where it is said again as it is', async () => {
  const hub = new ErasureHub();
  const name = (retentionDays: number | null) =>
    hub.done('PATCH', '/api/workspaces/main', { body: { name: 'Ours', retentionDays } });
  expect(await name(null)).not.toHaveProperty('retentionPending');
  expect(await name(30)).toMatchObject({ retentionDays: 30, retentionPending: true });
  expect(await name(30)).toMatchObject({ retentionPending: true });
  await apply(hub);
  expect(await name(30)).toMatchObject({ name: 'Ours', retentionDays: 30 });
  expect(await name(30)).not.toHaveProperty('retentionPending');
  expect(await name(null)).toMatchObject({ retentionPending: true });
});

it('is part of a workspace from its creation, and of no other', async () => {
  const hub = new ErasureHub();
  const { id } = await hub.done('POST', '/api/workspaces', { body: { name: 'Short', retentionDays: 40 } });
  const { url } = await hub.webhook({}, { workspace: String(id) });
  await hub.post(url, message(1));
  expect(endsOf(hub)).toEqual(new Set([Math.floor(hub.bench.now / 1000) + 40 * DAY_SECONDS]));
  await hub.post((await hub.webhook()).url, message(1));
  expect(endsOf(hub)).toContain(undefined);
  expect((await hub.walk('/api/workspaces')).items).toMatchObject([{ retentionDays: 40 }, { id: 'main' }]);
});

it('applies to what is stored once that is asked for, chunks included, and not before', async () => {
  const hub = new ErasureHub();
  const { url } = await hub.webhook();
  await hub.post(url, message(1, { text: LONG }));
  await retain(hub, 30);
  expect(endsOf(hub)).toEqual(new Set([undefined]));
  expect(await apply(hub)).toMatchObject({ applied: { events: 1 } });
  expect(events(hub).length).toBeGreaterThan(2);
  expect(endsOf(hub)).toEqual(new Set([Math.floor(hub.bench.now / 1000) + 30 * DAY_SECONDS]));
  const [main] = (await hub.walk('/api/workspaces')).items;
  const counts = { events: 1, attempts: 1, sends: 0, chats: 0, ledgerEntries: 0 };
  const retentionApplied = { at: new Date(hub.bench.now).toISOString(), ...counts };
  expect(main).toEqual({ id: 'main', name: 'main', retentionDays: 30, retentionApplied });
  expect(await apply(hub)).toMatchObject({ applied: { events: 0 } });
  await retain(hub, null);
  expect(await apply(hub)).toMatchObject({ applied: { events: 1 } });
  expect(endsOf(hub)).toEqual(new Set([undefined]));
});

/** As the loop in docs/operations.md: one event a call, since writing one takes all of a call's time. */
async function applySlowly(hub: ErasureHub, between: (call: number) => Promise<unknown>): Promise<void> {
  const write = hub.memory.write.bind(hub.memory);
  hub.memory.write = async (wanted, options) => {
    if (wanted.kind === 'update' && wanted.key.pk.startsWith('EVT#')) hub.bench.now += 25_000;
    return write(wanted, options);
  };
  let cursor: unknown;
  let call = 0;
  do {
    const body = cursor === undefined ? {} : { cursor };
    ({ cursor } = await hub.done('POST', '/api/workspaces/main/retention/apply', { body }));
    call += 1;
    await between(call);
  } while (cursor !== undefined && call < 50);
  hub.memory.write = write;
}

it.each([
  ['a longer one', [60], 60],
  ['none', [null], undefined],
  ['another one and back', [60, 30], 30],
])('gives everything the same end where it was changed in the middle of its walk to %s', async (_, changes, days) => {
  const hub = new ErasureHub();
  const { url } = await hub.webhook();
  for (const n of [1, 2, 3, 4]) await hub.post(url, message(n));
  const received = Math.floor(hub.bench.now / 1000);
  await retain(hub, 30);
  await applySlowly(hub, async (call) => {
    if (call !== 2) return;
    for (const change of changes) await retain(hub, change);
  });
  expect(endsOf(hub)).toEqual(new Set([days && received + days * DAY_SECONDS]));
  expect((await hub.walk('/api/workspaces')).items).not.toMatchObject([{ retentionPending: true }]);
});

it('is not applied where it was changed during the last call, and the loop goes on', async () => {
  const hub = new ErasureHub();
  const { url } = await hub.webhook();
  await hub.post(url, message(1));
  const received = Math.floor(hub.bench.now / 1000);
  await retain(hub, 30);
  const query = hub.memory.query.bind(hub.memory);
  hub.memory.query = async (wanted) => {
    // The last stage of the walk.
    if (String(wanted.pk).includes('#CHAT#')) {
      hub.memory.query = query;
      await retain(hub, 60);
      await retain(hub, 30);
      await retain(hub, 90);
    }
    return query(wanted);
  };
  await applySlowly(hub, async () => undefined);
  expect(endsOf(hub)).toEqual(new Set([received + 90 * DAY_SECONDS]));
  expect((await hub.walk('/api/workspaces')).items).not.toMatchObject([{ retentionPending: true }]);
});

it('brings nothing back that has run out', async () => {
  const hub = new ErasureHub();
  await retain(hub, 30);
  const { url } = await hub.webhook();
  await hub.post(url, message(1));
  hub.bench.now += 31 * DAY_MS;
  await retain(hub, null);
  expect(await apply(hub)).toMatchObject({ applied: { events: 0 } });
  expect((await hub.walk('/api/messages')).items).toEqual([]);
});

it('empties old sends, forgets quiet chats and shortens logs', async () => {
  const hub = new ErasureHub();
  const account = await hub.account();
  const { id, url } = await hub.webhook();
  await hub.post(url, message(1, { chat: 'old', from: OTHER }));
  const sent = await hub.accepted(account, { phone: OTHER }, 'hello', { kind: 'sent', providerId: 'P1' });
  const waiting = await hub.accepted(account, { phone: OTHER }, 'soon');
  hub.bench.now += 31 * DAY_MS;
  await hub.post(url, message(2, { chat: 'new', from: '+15550199', at: new Date(hub.bench.now).toISOString() }));
  const fresh = await hub.accepted(account, { phone: OTHER }, 'again', { kind: 'sent', providerId: 'P2' });
  await retain(hub, 30);
  expect(await apply(hub)).toMatchObject({ applied: { sends: 1, chats: 1, attempts: 2, events: 2 } });
  const textOf = (messageId: string) => JSON.stringify(hub.memory.peek({ pk: `MSG#${messageId}`, sk: 'META' }));
  expect(textOf(sent)).not.toContain('hello');
  expect(textOf(waiting)).toContain('soon');
  expect(textOf(fresh)).toContain('again');
  expect((await hub.walk('/api/chats')).items).toMatchObject([{ providerChatId: 'new' }]);
  const ends = hub.memory.all().filter(({ pk }) => pk === `ATT#${id}`);
  expect(ends.map(({ sk, expiresAt }) => Number(expiresAt) * 1000 - Date.parse(sk.split('#')[0] ?? ''))).toEqual([
    30 * DAY_MS,
    30 * DAY_MS,
  ]);
});

it('deletes what an endpoint was answered about an event that has run out, and no more', async () => {
  const hub = new ErasureHub();
  const { url } = await hub.webhook();
  const { id } = await hub.done('POST', '/api/endpoints', { body: { url: 'https://crm.example/in' } });
  const told = async (n: number) => {
    const { body } = await hub.post(url, message(n));
    const storedAt = String(hub.memory.peek(eventKey(String(body.id)))?.storedAt);
    const key = deliveryKey(String(id), storedAt, String(body.id));
    await hub.memory.write(put({ ...key, event: String(body.id), attempts: [{ answer: 'noted' }] }));
    return key;
  };
  const old = await told(1);
  await retain(hub, 30);
  hub.bench.now += 31 * DAY_MS;
  const young = await told(2);
  await apply(hub);
  expect([old, young].map((key) => hub.memory.peek(key) !== undefined)).toEqual([false, true]);
});

it('forgets a quiet chat with those that were merged into it, and with what leads to it', async () => {
  const hub = new ErasureHub();
  const { url } = await hub.webhook();
  await hub.post(url, message(1, { chat: PERSON }));
  await hub.post(url, message(2, { chat: '190000000000042@lid' }));
  await hub.post(url, message(3, { chat: '190000000000042@lid', from: PERSON }));
  const ofChats = () => hub.memory.all().filter(({ pk }) => /^(?:CHAT|PERSON)#/.test(pk));
  expect((await hub.walk('/api/chats')).items).toHaveLength(1);
  expect(ofChats()).toHaveLength(4);
  hub.bench.now += 31 * DAY_MS;
  await retain(hub, 30);
  expect(await apply(hub)).toMatchObject({ applied: { chats: 1 } });
  expect(ofChats()).toEqual([]);
});

it('forgets a quiet chat to which more leads than one transaction takes', async () => {
  const hub = new ErasureHub();
  const { url } = await hub.webhook();
  await hub.post(url, message(1, { chat: PERSON }));
  const id = String((await hub.walk('/api/chats')).items[0]?.id);
  for (let n = 0; n < 120; n += 1) await hub.memory.write(put({ ...aliasKey(id, `a${n}`), chatId: id }));
  hub.bench.now += 31 * DAY_MS;
  await retain(hub, 30);
  expect(await apply(hub)).toMatchObject({ applied: { chats: 1 } });
  expect(hub.memory.all().filter(({ pk }) => /^(?:CHAT|PERSON)#/.test(pk))).toEqual([]);
});

const statesOf = (hub: ErasureHub) => hub.memory.all().filter(({ pk }) => pk.startsWith('PID#'));
const told = (hub: ErasureHub, status: string, detail?: string) => ({
  event: 'status',
  id: 'M1',
  status,
  via: 'api',
  at: new Date(hub.bench.now - 1000).toISOString(),
  ...(detail && { detail }),
});

it('ends the state of a message with the last that was told of it', async () => {
  const hub = new ErasureHub();
  await retain(hub, 30);
  const { url } = await hub.webhook();
  await hub.post(url, told(hub, 'failed', `${OTHER} is gone`));
  const seconds = () => Math.floor(hub.bench.now / 1000);
  expect(statesOf(hub)).toMatchObject([{ detail_failed: `${OTHER} is gone`, expiresAt: seconds() + 30 * DAY_SECONDS }]);
  hub.bench.now += 20 * DAY_MS;
  await hub.post(url, told(hub, 'delivered'));
  expect(statesOf(hub)).toMatchObject([{ expiresAt: seconds() + 30 * DAY_SECONDS }]);
});

/** A message that went out while the retention was 30 days, and of which the provider has told that it was delivered. */
async function sentUnderRetention() {
  const hub = new ErasureHub();
  await retain(hub, 30);
  const account = await hub.account();
  const { url } = await hub.webhook();
  const tell = (status: string, detail?: string) => hub.post(url, { ...told(hub, status, detail), account });
  const id = await hub.accepted(account, { phone: OTHER }, 'hello', { kind: 'sent', providerId: 'M1' });
  /** As TTL does. */
  const deleteExpired = async () => {
    const ended = hub.memory.all().filter(({ expiresAt }) => Number(expiresAt) * 1000 <= hub.bench.now);
    await hub.memory.writeMany(ended.map(({ pk, sk }) => del({ pk, sk })));
  };
  const part = () => readSend(hub.memory.peek(sendKey(id)) ?? { ...sendKey(id) }).parts[0];
  return { hub, tell, deleteExpired, part };
}

it.each([
  ['refunds', 'failed', { state: 'failed', creditState: 'refunded' }],
  ['shows', 'delivered', { state: 'delivered', creditState: 'spent' }],
])('%s what is told of a message after the end of what was told before: %s', async (_what, status, then) => {
  const { hub, tell, deleteExpired, part } = await sentUnderRetention();
  await tell('sent');
  hub.bench.now += 31 * DAY_MS;
  await deleteExpired();
  await tell(status, `${OTHER} is gone`);
  expect(part()).toMatchObject(then);
  expect(statesOf(hub)).toMatchObject([{ send: expect.anything(), [`at_${status}`]: expect.anything() }]);
  expect(statesOf(hub)[0]).not.toHaveProperty('expiresAt');
});

it("keeps a provider's words on a failure in the send alone, and empties both together", async () => {
  const { hub, tell, part } = await sentUnderRetention();
  await tell('failed', `${OTHER} is gone`);
  expect(part()).toMatchObject({ error: `${OTHER} is gone` });
  expect(statesOf(hub)).toMatchObject([expect.not.objectContaining({ detail_failed: expect.anything() })]);
  hub.bench.now += 31 * DAY_MS;
  await apply(hub);
  expect(part()).not.toHaveProperty('error');
  expect(statesOf(hub)).toEqual([]);
});

it('takes the end that an earlier version gave from what leads to a send', async () => {
  const { hub, tell } = await sentUnderRetention();
  await tell('delivered');
  const given = { expiresAt: Math.floor(hub.bench.now / 1000) + 5 };
  for (const state of statesOf(hub)) await hub.memory.write(put({ ...state, ...given }));
  await apply(hub);
  expect(statesOf(hub)).toMatchObject([{ send: expect.anything(), at_delivered: expect.anything() }]);
  expect(statesOf(hub)[0]).not.toHaveProperty('expiresAt');
});

it('gives its end to what a replay writes beside an event in this very moment', async () => {
  const hub = new ErasureHub();
  const { url } = await hub.webhook();
  await hub.post(url, message(1, { text: LONG }));
  await retain(hub, 30);
  const write = hub.memory.write.bind(hub.memory);
  let isReplayed = false;
  hub.memory.write = async (wanted, options) => {
    const [head] = events(hub).filter(({ sk }) => sk === 'META');
    if (!isReplayed && head && wanted.kind === 'update' && wanted.key.sk === 'META' && wanted.key.pk === head.pk) {
      isReplayed = true;
      await write(put({ ...head, receipt: 'a replay' }));
      await write(put({ pk: head.pk, sk: 'event#replayed#000', data: new Uint8Array([1]) }));
    }
    return write(wanted, options);
  };
  await apply(hub);
  expect(isReplayed).toBe(true);
  expect(endsOf(hub)).toEqual(new Set([Math.floor(hub.bench.now / 1000) + 30 * DAY_SECONDS]));
});

it.each([
  ['an end of its own', { expiresAt: 4_000_000_000 }, { expiresAt: 4_000_000_000 }],
  ['a send', { send: 'wa_1', part: 0 }, { send: 'wa_1' }],
])('leaves a state that got %s in this very moment as it is', async (_what, more, left) => {
  const hub = new ErasureHub();
  const { url } = await hub.webhook();
  await hub.post(url, told(hub, 'delivered'));
  await retain(hub, 30);
  const write = hub.memory.write.bind(hub.memory);
  hub.memory.write = async (wanted, options) => {
    if (wanted.kind === 'update' && wanted.key.pk.startsWith('PID#')) {
      for (const state of statesOf(hub)) await write(put({ ...state, ...more }));
    }
    return write(wanted, options);
  };
  await apply(hub);
  expect(statesOf(hub)).toMatchObject([left]);
  expect(Object.keys(statesOf(hub)[0] ?? {}).includes('expiresAt')).toBe('expiresAt' in more);
});

it('gives an end to states that have none, and takes it back', async () => {
  const hub = new ErasureHub();
  const { url } = await hub.webhook();
  await hub.post(url, told(hub, 'failed', `${OTHER} is gone`));
  const received = Math.floor(hub.bench.now / 1000);
  hub.bench.now += DAY_MS;
  await hub.post(url, told(hub, 'delivered'));
  expect(statesOf(hub)).toMatchObject([expect.not.objectContaining({ expiresAt: expect.anything() })]);
  await retain(hub, 30);
  await apply(hub);
  expect(statesOf(hub)).toMatchObject([{ expiresAt: received - 1 + 31 * DAY_SECONDS }]);
  await retain(hub, null);
  await apply(hub);
  expect(statesOf(hub)).toMatchObject([expect.not.objectContaining({ expiresAt: expect.anything() })]);
});

it('shows no state of a message that has run out', async () => {
  const hub = new ErasureHub();
  const { url } = await hub.webhook();
  const said = { ...message(1, { from: OTHER }), id: 'M1', direction: 'outbound', via: 'api' };
  await hub.post(url, said);
  await hub.post(url, told(hub, 'delivered'));
  const shown = async () => (await hub.walk('/api/messages')).items;
  expect(await shown()).toMatchObject([{ delivery: { state: 'delivered' } }]);
  for (const state of statesOf(hub)) {
    await hub.memory.write(put({ ...state, expiresAt: Math.floor(hub.bench.now / 1000) }));
  }
  expect(await shown()).toMatchObject([expect.not.objectContaining({ delivery: expect.anything() })]);
});

it("takes a provider's words out of old refunds, and leaves the figures and what operators wrote", async () => {
  const hub = new ErasureHub();
  const account = await hub.account();
  const failed = { kind: 'failed', reason: `${OTHER} is gone` } as const;
  await hub.accepted(account, { phone: OTHER }, 'hello', failed);
  hub.bench.now += 31 * DAY_MS;
  await hub.accepted(account, { phone: OTHER }, 'again', failed);
  await retain(hub, 30);
  expect(await apply(hub)).toMatchObject({ applied: { ledgerEntries: 1 } });
  const ledger = hub.memory.all().filter(({ kind }) => kind === 'ledger');
  expect(ledger.map(({ entry, reason, credits }) => ({ entry, reason, credits }))).toEqual([
    { entry: 'grant', reason: 'a test', credits: 100 },
    { entry: 'reserve', credits: 1 },
    { entry: 'refund', reason: 'erased', credits: 1 },
    { entry: 'reserve', credits: 1 },
    { entry: 'refund', reason: failed.reason, credits: 1 },
  ]);
  expect(await apply(hub)).toMatchObject({ applied: { ledgerEntries: 0 } });
});

it('reaches every webhook however the change and their making or rotating fall together', async () => {
  const hub = new ErasureHub();
  const made = await Promise.all([1, 2, 3].map(() => hub.webhook()));
  await Promise.all([
    retain(hub, 60),
    hub.webhook(),
    hub.call('POST', `/api/webhooks/${made[0]?.id}/rotate`),
    hub.webhook(),
    retain(hub, 60),
  ]);
  const live = hub.memory.all().filter(({ pk, rotated }) => pk.startsWith('HOOK#') && rotated !== true);
  expect(live).toHaveLength(5);
  expect(live.map(({ retentionDays }) => retentionDays)).toEqual([60, 60, 60, 60, 60]);
});

it.each(['made', 'rotated', 'given another one'])('reaches a webhook that is just being %s', async (how) => {
  const hub = new ErasureHub();
  const { id } = await hub.webhook();
  const transact = hub.memory.transact.bind(hub.memory);
  hub.memory.transact = async (writes, token) => {
    hub.memory.transact = transact;
    await retain(hub, 60);
    return transact(writes, token);
  };
  const rotate = () => hub.call('POST', `/api/webhooks/${id}/rotate`);
  if (how === 'made') await hub.webhook();
  else if (how === 'given another one') await retain(hub, 30);
  else if ((await rotate()).status === 409) await rotate();
  const live = hub.memory.all().filter(({ pk, rotated }) => pk.startsWith('HOOK#') && rotated !== true);
  expect(new Set(live.map(({ retentionDays }) => retentionDays))).toEqual(new Set([60]));
});

it('reaches the webhooks that a crash left out when it is applied', async () => {
  const hub = new ErasureHub();
  await hub.webhook();
  const transact = hub.memory.transact.bind(hub.memory);
  hub.memory.transact = async () => {
    throw new Error('a crash');
  };
  expect((await hub.call('PATCH', '/api/workspaces/main', { body: { retentionDays: 30 } })).status).toBe(500);
  hub.memory.transact = transact;
  expect((await hub.walk('/api/workspaces')).items).toMatchObject([{ retentionDays: 30, retentionPending: true }]);
  await apply(hub);
  const [webhook] = hub.memory.all().filter(({ pk }) => pk.startsWith('HOOK#'));
  expect(webhook?.retentionDays).toBe(30);
});

it.each([29, 0, -1, 30.5, '30'])('is refused as %j days', async (retentionDays) => {
  const { status, json } = await new ErasureHub().call('PATCH', '/api/workspaces/main', { body: { retentionDays } });
  expect(status).toBe(422);
  expect(json).toMatchObject({ issues: [{ path: 'retentionDays' }] });
});

it('is nothing of a workspace that does not exist', async () => {
  const hub = new ErasureHub();
  expect((await hub.call('PATCH', '/api/workspaces/ws_0', { body: { retentionDays: 30 } })).status).toBe(404);
  expect((await hub.call('POST', '/api/workspaces/ws_0/retention/apply')).status).toBe(404);
});
