import { beforeEach, describe, expect, it } from 'vitest';
import { auditedKey, ledgerKey, quotaKey } from '#lib/store/keys.ts';
import { add, put, update } from '#lib/store/store.ts';
import { AdminBench, itemsOf } from './admin-bench.ts';

let hub: AdminBench;
beforeEach(() => {
  hub = new AdminBench();
});

const prepaid = (granted: number) => ({
  epoch: 'lifetime',
  granted,
  available: granted,
  reserved: 0,
  spent: 0,
  quota: { kind: 'prepaid' },
});

describe('credits', () => {
  it('are there from the start for the first workspace, and for others as many as they were given', async () => {
    expect(await hub.done('GET', '/api/credits')).toEqual(prepaid(1_000));
    const { id } = await hub.done('POST', '/api/workspaces', { body: { name: 'Rich', credits: 7 } });
    expect(await hub.done('GET', '/api/credits', { workspace: String(id) })).toEqual(prepaid(7));
    const { key } = await hub.workspaceWithKey();
    expect(await hub.done('GET', '/api/credits', { key })).toEqual(prepaid(0));
  });

  it('grow by a grant, which the ledger tells', async () => {
    expect(await hub.done('POST', '/api/credits/grants', { body: { credits: 5, reason: 'bought' } })).toEqual(
      prepaid(1_005),
    );
    const { items } = await hub.walk('/api/credits/ledger?limit=1');
    expect(items.map(({ kind, credits, reason }) => [kind, credits, reason]).sort()).toEqual([
      ['grant', 1_000, 'lifetime begins'],
      ['grant', 5, 'bought'],
    ]);
  });

  it('are told of by the ledger in kinds, through however many of another', async () => {
    await hub.done('POST', '/api/accounts', { body: { provider: 'sandbox', channel: 'whatsapp', credentials: {} } });
    const { url } = await hub.webhook({ kind: 'send', provider: undefined });
    await hub.send(url);
    const [entry] = itemsOf(await hub.done('GET', '/api/credits/ledger?kind=reserve'));
    expect(entry).toMatchObject({ kind: 'reserve', credits: 1 });
    const many = Array.from({ length: 1_200 }, (_, n) => {
      const at = hub.bench.now + n;
      return put({
        ...ledgerKey('main', at, `rev_${n}`),
        at,
        entry: 'reserve',
        credits: 1,
        epoch: 'lifetime',
        expiresAt: 9e9,
      });
    });
    for (const one of many) await hub.store.write(one);
    const first = await hub.done('GET', '/api/credits/ledger?kind=grant&limit=1');
    expect(first).toMatchObject({ items: [], cursor: expect.any(String) });
    await hub.done('POST', '/api/credits/grants', { body: { credits: 5, reason: 'bought' } });
    const { items } = await hub.walk('/api/credits/ledger?kind=grant&limit=1');
    expect(items.map(({ credits }) => credits).sort()).toEqual([1_000, 5]);
  });

  it('are taken back where they were granted by mistake, never below what is spent or reserved', async () => {
    await hub.done('POST', '/api/accounts', { body: { provider: 'sandbox', channel: 'whatsapp', credentials: {} } });
    const { url } = await hub.webhook({ kind: 'send', provider: undefined });
    await hub.send(url);
    const correct = (credits: number) =>
      hub.call('POST', '/api/credits/grants', { body: { credits, reason: 'a slip' } });
    expect((await correct(-400)).json).toMatchObject({ granted: 600, available: 599, reserved: 1 });
    expect(await correct(-600)).toMatchObject({
      status: 409,
      json: { message: 'Only 599 credits are neither spent nor reserved: no more can be taken back' },
    });
    expect((await correct(-599)).json).toMatchObject({ granted: 1, available: 0, reserved: 1 });
    expect((await correct(-1)).status).toBe(409);
    const { items } = await hub.walk('/api/credits/ledger');
    expect(items.map(({ kind, credits }) => `${kind} ${credits}`).sort()).toEqual([
      ...['grant -400', 'grant -599', 'grant 1000', 'reserve 1'],
    ]);
    const { complete, ...audited } = await hub.done('GET', '/api/credits/audit');
    expect([complete, audited]).toEqual([
      true,
      { ok: true, differences: [], asOf: new Date(hub.bench.now).toISOString() },
    ]);
    // It stands beside the figures until the next one has come to its end.
    expect((await hub.done('GET', '/api/credits')).audit).toEqual(audited);
    await hub.store.write(update(quotaKey('main', 'lifetime'), [add('granted', 3)]));
    expect((await hub.done('GET', '/api/credits')).audit).toEqual(audited);
    hub.bench.now += 1_000;
    const { complete: _complete, ...found } = await hub.done('GET', '/api/credits/audit');
    expect((await hub.done('GET', '/api/credits')).audit).toEqual(found);
    expect(found).toMatchObject({ ok: false, differences: [expect.stringContaining('lifetime'), expect.anything()] });
    // One that was begun before another, and ends after it, says nothing new.
    const later = { ok: true, differences: [], asOf: hub.bench.now + 60_000 };
    await hub.store.write(put({ ...auditedKey('main'), ...later }));
    await hub.done('GET', '/api/credits/audit');
    expect((await hub.done('GET', '/api/credits')).audit).toMatchObject({ ok: true });
  });

  it('are taken back from what a workspace begins with as well, before anybody has sent', async () => {
    const body = { credits: -1_000, reason: 'none to begin with' };
    expect(await hub.done('POST', '/api/credits/grants', { body })).toEqual(prepaid(0));
    expect(await hub.done('GET', '/api/credits/audit')).toMatchObject({ ok: true, complete: true });
  });

  it('are granted once under one key, whoever repeats it', async () => {
    const headers = { 'idempotency-key': 'invoice-7' };
    const give = (credits: number) =>
      hub.call('POST', '/api/credits/grants', { headers, body: { credits, reason: 'bought' } });
    const [first, again, other] = [await give(5), await give(5), await give(6)];
    expect([first.headers['idempotent-replayed'], again.headers['idempotent-replayed']]).toEqual([undefined, 'true']);
    expect([first.status, again.status, again.json]).toEqual([201, 201, first.json]);
    expect(other).toMatchObject({ status: 422, json: { message: 'The Idempotency-Key was used with another body' } });
    const { id } = await hub.done('POST', '/api/workspaces', { body: { name: 'Another' } });
    const elsewhere = { workspace: String(id), headers, body: { credits: 5, reason: 'bought' } };
    expect(await hub.done('POST', '/api/credits/grants', elsewhere)).toMatchObject({ granted: 5 });
    hub.bench.now += 25 * 3_600_000;
    expect((await give(5)).json).toMatchObject({ granted: 1_010 });
    const long = { headers: { 'idempotency-key': 'x'.repeat(256) }, body: { credits: 5, reason: 'bought' } };
    expect((await hub.call('POST', '/api/credits/grants', long)).status).toBe(400);
  });

  it('are granted by who runs the hub, not by a workspace to itself', async () => {
    const { key } = await hub.workspaceWithKey();
    const body = { credits: 5, reason: 'please' };
    expect(await hub.call('POST', '/api/credits/grants', { key, body })).toMatchObject({ status: 403 });
    expect(await hub.call('PUT', '/api/credits/quota', { key, body: { kind: 'prepaid' } })).toMatchObject({
      status: 403,
    });
  });

  it('are reserved, refunded and found in order by the audit', async () => {
    await hub.done('POST', '/api/accounts', { body: { provider: 'sandbox', channel: 'whatsapp', credentials: {} } });
    const { url } = await hub.webhook({ kind: 'send', provider: undefined });
    await hub.send(url);
    hub.bench.now += 1;
    const id = await hub.send(url, { file_url: 'https://files.example/a.pdf', file_name: 'a.pdf' });
    hub.bench.now += 1;
    await hub.done('POST', `/api/sends/${id}/cancel`);
    expect(await hub.done('GET', '/api/credits')).toMatchObject({ available: 999, reserved: 1, spent: 0 });
    expect(await hub.done('GET', '/api/credits/audit')).toMatchObject({ ok: true, differences: [], complete: true });
    const { items, pages } = await hub.walk('/api/credits/ledger?limit=1');
    expect(pages).toBe(4);
    expect(items[0]).toEqual({
      at: '2026-03-01T12:00:00.002Z',
      kind: 'refund',
      credits: 2,
      epoch: 'lifetime',
      send: id,
      reason: 'cancelled',
    });
  });

  it('come anew each month if so wished', async () => {
    const quota = { kind: 'monthly', credits: 50 };
    expect(await hub.done('PUT', '/api/credits/quota', { body: quota })).toMatchObject({
      epoch: '2026-03',
      available: 50,
      quota,
    });
    hub.bench.now += 31 * 24 * 3_600_000;
    expect(await hub.done('GET', '/api/credits')).toMatchObject({ epoch: '2026-04', available: 50 });
  });

  it.each([
    ['POST', '/api/credits/grants', { credits: 0, reason: 'x' }, 'credits'],
    ['POST', '/api/credits/grants', { credits: 1.5, reason: 'x' }, 'credits'],
    ['POST', '/api/credits/grants', { credits: 1 }, 'reason'],
    ['PUT', '/api/credits/quota', { kind: 'yearly' }, 'kind'],
    ['PUT', '/api/credits/quota', { kind: 'monthly' }, 'credits'],
  ])('are not changed by what is not valid: %s %s %j', async (method, path, body, field) => {
    const { status, json } = await hub.call(method, path, { body });
    expect(status).toBe(422);
    expect(json.issues).toMatchObject([{ path: field }]);
  });
});
