import { describe, expect, it } from 'vitest';
import { readAccount } from '#lib/sender/items.ts';
import { accountKey } from '#lib/store/keys.ts';
import { AdminBench, itemsOf } from './admin-bench.ts';

const SECRET = 'd75b3a66374942c5b3c019c698abc2067e151558acbd412345';
const greenApi = {
  provider: 'green-api',
  channel: 'whatsapp',
  phone: '15550100999',
  credentials: { apiUrl: 'https://7103.api.greenapi.com', idInstance: '7103000000', apiTokenInstance: SECRET },
};

describe('accounts', () => {
  it('show what they are, never their credentials', async () => {
    const hub = new AdminBench();
    const made = await hub.done('POST', '/api/accounts', { body: { ...greenApi, name: 'Shop' } });
    expect(made).toMatchObject({
      provider: 'green-api',
      channel: 'whatsapp',
      name: 'Shop',
      phone: '+15550100999',
      instance: '7103000000',
      pacing: { minMs: 1600, maxMs: 2400 },
      paused: false,
      held: false,
      pending: 0,
    });
    const all = [made, await hub.done('GET', `/api/accounts/${made.id}`), await hub.done('GET', '/api/accounts')];
    expect(JSON.stringify([all, hub.logged])).not.toContain(SECRET);
    expect(hub.secretValues.get(`accounts/${made.id}`)).toContain(SECRET);
  });

  it('are known by their number where their provider tells them so, and by nothing else there', async () => {
    const hub = new AdminBench();
    const body = {
      provider: 'timelinesai',
      channel: 'whatsapp',
      phone: '15550100999',
      credentials: { apiToken: 'abc' },
    };
    const { id } = await hub.done('POST', '/api/accounts', { body });
    const scope = async () => (await hub.store.get(accountKey(String(id))))?.scope;
    expect(await scope()).toBe('+15550100999');
    await hub.done('PATCH', `/api/accounts/${id}`, {
      body: { phone: '+15550100998', credentials: { apiToken: 'def' } },
    });
    expect(await scope()).toBe('+15550100998');
    await hub.done('PATCH', `/api/accounts/${id}`, { body: { name: 'Shop' } });
    expect(await scope()).toBe('+15550100998');
    await hub.done('PATCH', `/api/accounts/${id}`, { body: { phone: null } });
    expect(await scope()).toBe(id);
  });

  it('tell all that is missing at once', async () => {
    const { status, json } = await new AdminBench().call('POST', '/api/accounts', { body: { provider: 'green-api' } });
    expect(status).toBe(422);
    expect(json.issues).toEqual([
      { path: 'channel', message: 'is missing' },
      { path: 'credentials', message: 'is missing' },
    ]);
  });

  it.each([
    ['ftp://api.example', 'must be a URL, as https://example.com'],
    ['https://api.example/?a=1', 'must not have a query or fragment'],
    ['api', 'must be a URL, as https://example.com'],
  ])('tell of the host %s what it should look like', async (apiUrl, message) => {
    const credentials = { apiUrl, idInstance: '7103000000', apiTokenInstance: 'abc' };
    const { json } = await new AdminBench().call('POST', '/api/accounts', { body: { ...greenApi, credentials } });
    expect(json.issues).toContainEqual({ path: 'credentials.apiUrl', message });
  });

  it('are ready for the sender from the start', async () => {
    const hub = new AdminBench();
    const { id } = await hub.done('POST', '/api/accounts', { body: greenApi });
    const item = await hub.store.get(accountKey(String(id)));
    expect(item && readAccount(item)).toMatchObject({ chain: 'IDLE', gen: 0, pending: 0, scope: '7103000000' });
  });

  it('hand their instance to the webhooks that name them, now and when it changes', async () => {
    const hub = new AdminBench();
    const { id } = await hub.done('POST', '/api/accounts', { body: greenApi });
    const { url } = await hub.webhook({ provider: 'green-api', accountId: id });
    const body = (idInstance: number) => ({
      typeWebhook: 'stateInstanceChanged',
      instanceData: { idInstance, wid: '15550100999@c.us', typeInstance: 'whatsapp' },
      timestamp: 1772366400,
      stateInstance: 'authorized',
    });
    expect((await hub.post(url, body(7103000000))).status).toBe(200);
    expect((await hub.post(url, body(7103000001))).status).toBe(401);
    const credentials = { ...greenApi.credentials, idInstance: '7103000001' };
    await hub.done('PATCH', `/api/accounts/${id}`, { body: { credentials } });
    expect((await hub.post(url, body(7103000001))).status).toBe(200);
    expect((await hub.post(url, body(7103000000))).status).toBe(401);
  });

  it('change name, phone and pace, and lose a name by null', async () => {
    const hub = new AdminBench();
    const { id } = await hub.done('POST', '/api/accounts', { body: { ...greenApi, name: 'Shop' } });
    const body = { name: null, phone: '+447700900123', pacing: { minMs: 3000, maxMs: 4000 } };
    const patched = await hub.done('PATCH', `/api/accounts/${id}`, { body });
    expect(patched).toMatchObject({ phone: '+447700900123', pacing: { minMs: 3000, maxMs: 4000 } });
    expect(patched.name).toBeUndefined();
  });

  it('are deleted with their secret, unless sends are waiting', async () => {
    const hub = new AdminBench();
    const { id } = await hub.done('POST', '/api/accounts', { body: greenApi });
    const key = accountKey(String(id));
    await hub.store.write({ kind: 'update', key, changes: [{ kind: 'add', path: 'pending', by: 1 }] });
    expect((await hub.call('DELETE', `/api/accounts/${id}`)).status).toBe(409);
    await hub.store.write({ kind: 'update', key, changes: [{ kind: 'add', path: 'pending', by: -1 }] });
    expect((await hub.call('DELETE', `/api/accounts/${id}`)).status).toBe(204);
    expect((await hub.call('GET', `/api/accounts/${id}`)).status).toBe(404);
    expect(itemsOf(await hub.done('GET', '/api/accounts'))).toEqual([]);
    expect([...hub.secretValues.keys()]).toEqual(['admin-key']);
  });

  it.each([
    ['credentials of another shape', { credentials: { apiUrl: 'https://example.com' } }, 'credentials.'],
    ['a channel that the provider has not', { channel: 'sms' }, 'channel'],
    ['a phone that is none', { phone: 'call me' }, 'phone'],
    ['a pace that is too fast', { pacing: { minMs: 10, maxMs: 20 } }, 'pacing.minMs'],
    ['a pace the wrong way round', { pacing: { minMs: 5000, maxMs: 4000 } }, 'pacing'],
    ['a field that is not known', { token: 'x' }, 'token'],
  ])('are refused with %s, by its path', async (_what, change, path) => {
    const { status, json } = await new AdminBench().call('POST', '/api/accounts', { body: { ...greenApi, ...change } });
    expect(status).toBe(422);
    expect(itemsOf({ items: json.issues })[0]?.path).toMatch(new RegExp(`^${path.replace('.', '\\.')}`));
  });

  const timelinesAi = { provider: 'timelinesai', channel: 'whatsapp', credentials: { apiToken: 'abc' } };
  const zender = {
    provider: 'zender',
    channel: 'sms',
    credentials: { baseUrl: 'https://gw.example', secret: 'abc', mode: 'credits', gateway: '1' },
  };
  it.each([
    ['apiUrl', 'https://7103.api.greenapi.com:8443', 'must be on port 443: leave the port out', greenApi],
    ['mediaUrl', 'https://10.0.0.1', 'must be on the public internet', greenApi],
    ['baseUrl', 'http://app.timelines.ai', 'must begin with https://', timelinesAi],
    ['baseUrl', 'https://gw.example:8443', 'must be on port 443: leave the port out', zender],
  ])('are refused a %s that this hub does not call: %s %s', async (field, url, message, account) => {
    const hub = new AdminBench();
    const credentials = { ...account.credentials, [field]: url };
    const refusal = { status: 422, json: { issues: [{ path: `credentials.${field}`, message }] } };
    expect(await hub.call('POST', '/api/accounts', { body: { ...account, credentials } })).toMatchObject(refusal);
    const { id } = await hub.done('POST', '/api/accounts', { body: account });
    expect(await hub.call('PATCH', `/api/accounts/${id}`, { body: { credentials } })).toMatchObject(refusal);
    const free = new AdminBench({ reach: { anyPort: true, privateHosts: true } });
    await free.done('POST', '/api/accounts', { body: { ...account, credentials } });
  });

  it('are refused new credentials of another shape, by their path', async () => {
    const hub = new AdminBench();
    const { id } = await hub.done('POST', '/api/accounts', { body: greenApi });
    const { status, json } = await hub.call('PATCH', `/api/accounts/${id}`, { body: { credentials: {} } });
    expect(status).toBe(422);
    expect(itemsOf({ items: json.issues })[0]?.path).toMatch(/^credentials\./);
  });
});
