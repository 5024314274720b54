import { beforeEach, describe, expect, it } from 'vitest';
import { AdminBench } from './admin-bench.ts';

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
    ['POST', '/api/credits/grants', { credits: -1, reason: 'x' }, 'credits'],
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
