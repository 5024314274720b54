import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { type Count, raise } from '#lib/activity/counters.ts';
import { summaryOf } from '#lib/activity/summary.ts';
import { toIso } from '#lib/domain/time.ts';
import {
  accountKey,
  changesKey,
  endpointKey,
  mutedKey,
  probeKey,
  quarantineCounter,
  quotaKey,
  ruleKey,
  rulesPausedKey,
  sendKey,
  unknownSendKey,
} from '#lib/store/keys.ts';
import { put, set, update } from '#lib/store/store.ts';
import { AdminBench } from '#test/functions/admin/admin-bench.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { inRounds } from '#test/support/round-trips.ts';

const Hours = v.looseObject({ hours: v.array(v.unknown()) });
const HOUR = 3_600_000;
const WEEK = 7 * 24 * HOUR;
const NOON = Date.parse('2026-03-02T12:30:00Z');

function benchAt(now = NOON) {
  const store = new MemoryStore();
  const admin = new AdminBench({ store });
  admin.bench.now = now;
  return { store, admin, summary: (query = '') => admin.done('GET', `/api/summary${query}`) };
}

let last = 0;
const counted = (store: MemoryStore, what: Count['what'], at: number, times = 1) => {
  const one = { workspace: 'main', provider: 'sandbox', what, at };
  const counts = Array.from({ length: times }, () => ({ ...one, sequence: String(++last) }));
  return raise(store, 'a', { workspace: 'main', counts, kinds: [] }, at);
};

describe('the figures of today', () => {
  it('stand against those of a week ago, up to the same time', async () => {
    const { store, summary } = benchAt();
    await counted(store, 'received', NOON - HOUR, 3);
    await counted(store, 'received', NOON - 24 * HOUR, 50);
    await counted(store, 'sent', NOON, 2);
    await counted(store, 'received', NOON - HOUR - WEEK, 4);
    // Half of this hour has gone by.
    await counted(store, 'received', NOON - WEEK, 10);
    await counted(store, 'failed', NOON + HOUR - WEEK, 7);
    const found = await summary();
    expect(found.today).toMatchObject({ received: 3, sent: 2, failed: 0 });
    expect(found.lastWeek).toMatchObject({ received: 9, sent: 0, failed: 0 });
    const { today, lastWeek } = v.parse(v.looseObject({ today: Hours, lastWeek: Hours }), found);
    expect([today.hours.length, lastWeek.hours.length]).toEqual([13, 24]);
    expect(lastWeek.hours[13]).toEqual({ at: '2026-02-23T13:00:00.000Z', received: 0, sent: 0, failed: 7 });
  });

  it('begin when the day began for whoever asks', async () => {
    const { store, admin, summary } = benchAt();
    await counted(store, 'received', Date.parse('2026-03-02T04:00:00Z'));
    await counted(store, 'received', Date.parse('2026-03-02T06:00:00Z'));
    expect((await summary('?since=2026-03-02T05:00:00Z')).today).toMatchObject({ received: 1 });
    for (const since of ['2026-03-02T13:00:00Z', '2026-02-27T00:00:00Z'])
      expect((await admin.call('GET', `/api/summary?since=${since}`)).status).toBe(422);
  });
});

describe('what needs a hand', () => {
  it('is nothing in a hub that is well, where only the first steps are open', async () => {
    const found = await benchAt().summary();
    expect(found).toMatchObject({
      waiting: 0,
      credits: { available: 1000, granted: 1000 },
      needs: {
        accounts: [],
        unknown: 0,
        quarantine: [],
        endpoints: [],
        rules: [],
        muted: 0,
        credits: false,
        damaged: [],
      },
      steps: { webhook: false, event: false, account: false, send: false, rule: false },
    });
  });

  it('is told with what leads to it', async () => {
    const { store, admin, summary } = benchAt();
    const account = async (name: string) => {
      const body = { provider: 'sandbox', channel: 'whatsapp', credentials: {}, name };
      return String((await admin.done('POST', '/api/accounts', { body })).id);
    };
    const [well, held, silent, paused] = [
      await account('well'),
      await account('held'),
      await account('silent'),
      await account('paused'),
    ];
    await store.write(update(accountKey(well), [set('pending', 2)]));
    await store.write(
      update(accountKey(held), [set('held', true), set('holdReason', 'logged out'), set('pending', 5)]),
    );
    await store.write(update(accountKey(silent), [set('held', true), set('holdReason', 'no answer')]));
    await store.write(put({ ...probeKey(held), account: held, tries: 1, gsi3sk: '1' }));
    await store.write(put({ ...probeKey(silent), account: silent, tries: 1, gsi3sk: '1', silent: true }));
    await admin.done('POST', `/api/accounts/${paused}/pause`, { body: { reason: 'lunch' } });
    const { url } = await admin.webhook();
    await admin.post(url, { event: 'unheard of' });
    await store.write(
      update(quarantineCounter('main', 'sandbox', 'heard of'), [
        set('seen', 3),
        set('replayed', 2),
        set('dismissed', 1),
        set('firstAt', toIso(NOON)),
        set('type', 'heard of'),
        set('provider', 'sandbox'),
      ]),
    );
    const endpoint = async () =>
      String((await admin.done('POST', '/api/endpoints', { body: { url: 'https://crm.example/in' } })).id);
    const [failing, off] = [await endpoint(), await endpoint()];
    await store.write(update(endpointKey('main', failing), [set('state', 'failing')]));
    await admin.done('POST', `/api/endpoints/${off}/disable`);
    const rule = { name: 'A', on: ['message.received'], do: [{ action: 'reply', text: 'hi' }] };
    const { id } = await admin.done('POST', '/api/rules', { body: rule });
    await store.write(update(ruleKey('main', String(id)), [set('disabledBecause', 'it failed ten times')]));
    await store.write(put({ ...rulesPausedKey('main'), at: toIso(NOON), why: 'too many' }));
    await store.write(
      put({ ...mutedKey('main', 'chat_1'), chatId: 'chat_1', rule: 'r', why: 'a machine', until: toIso(NOON + HOUR) }),
    );
    await store.write(
      put({ ...mutedKey('main', 'chat_2'), chatId: 'chat_2', rule: 'r', why: 'a machine', until: toIso(NOON - HOUR) }),
    );
    const found = await summary();
    expect(found.waiting).toBe(7);
    expect(found.needs).toEqual({
      accounts: expect.arrayContaining([
        { id: held, provider: 'sandbox', name: 'held', state: 'held', reason: 'logged out' },
        { id: silent, provider: 'sandbox', name: 'silent', state: 'silent', reason: 'no answer' },
        { id: paused, provider: 'sandbox', name: 'paused', state: 'paused', reason: 'lunch' },
      ]),
      unknown: 0,
      quarantine: [{ provider: 'sandbox', type: 'unheard of', waiting: 1 }],
      endpoints: [{ id: failing, url: 'https://crm.example/in', state: 'failing' }],
      rules: [{ id, name: 'A', reason: 'it failed ten times' }],
      paused: { at: toIso(NOON), why: 'too many' },
      muted: 1,
      credits: false,
      damaged: [],
    });
  });

  it('is credits of which less than a tenth is left, by the quota that holds', async () => {
    const { store, admin, summary } = benchAt();
    await store.write(
      put({ ...quotaKey('main', 'lifetime'), kind: 'quota', epoch: 'lifetime', granted: 100, available: 9 }),
    );
    expect(await summary()).toMatchObject({ credits: { available: 9, granted: 100 }, needs: { credits: true } });
    await admin.done('PUT', '/api/credits/quota', { body: { kind: 'monthly', credits: 50 } });
    expect(await summary()).toMatchObject({ credits: { available: 50, granted: 50 }, needs: { credits: false } });
  });

  it('is sends of which nobody knows, for as long as nobody does', async () => {
    const { store, admin, summary } = benchAt();
    await admin.done('POST', '/api/accounts', { body: { provider: 'sandbox', channel: 'whatsapp', credentials: {} } });
    const sent = await admin.done('POST', '/api/sends', { body: { phone: '+15550100099', text: 'hello' } });
    const id = String(sent.messageId);
    await store.write(put({ ...unknownSendKey('main', id) }));
    expect((await summary()).needs).toMatchObject({ unknown: 0 });
    await store.write(update(sendKey(id), [set(['parts', 0, 'state'], 'unknown')]));
    expect((await summary()).needs).toMatchObject({ unknown: 1 });
  });
});

it('the first steps tick themselves', async () => {
  const { store, admin, summary } = benchAt();
  await admin.webhook();
  await store.write(put({ ...changesKey('main'), events: 3, chats: 3 }));
  expect((await summary()).steps).toEqual({ webhook: true, event: true, account: false, send: false, rule: false });
});

it('a summary takes two round trips to the table, however many accounts, rules and muted chats there are', async () => {
  const { admin } = benchAt();
  for (let i = 0; i < 60; i++)
    await admin.done('POST', '/api/accounts', { body: { provider: 'sandbox', channel: 'whatsapp', credentials: {} } });
  const body = { name: 'A', on: ['message.received'], do: [{ action: 'reply', text: 'hi' }] };
  const { id } = await admin.done('POST', '/api/rules', { body });
  const rule = await admin.store.get(ruleKey('main', String(id)));
  for (let i = 0; i < 250; i++) {
    const muted = { chatId: `chat_${i}`, rule: 'r', why: 'a machine', until: toIso(NOON + HOUR) };
    await admin.store.write(put({ ...mutedKey('main', muted.chatId), ...muted }));
    await admin.store.write(put({ ...rule, ...ruleKey('main', `rule_${i}`), id: `rule_${i}` }));
  }
  const { store, count } = inRounds(admin.store);
  const ports = { ...admin.ports, store };
  const rounds = await count(() => summaryOf(ports, 'main', NOON - 12 * HOUR));
  expect(rounds).toBe(2);
});
