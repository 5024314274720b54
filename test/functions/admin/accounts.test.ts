import { describe, expect, it } from 'vitest';
import { readAccount } from '#lib/sender/items.ts';
import type { ProviderRequest, Reply } from '#lib/sender/provider.ts';
import { accountKey } from '#lib/store/keys.ts';
import { ADMIN, AdminBench, itemsOf } from './admin-bench.ts';

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

  it('take credentials as long as a parameter has room for, new ones as well', async () => {
    const hub = new AdminBench();
    const long = (length: number) => ({
      credentials: { ...greenApi.credentials, apiTokenInstance: 'a'.repeat(length) },
    });
    const { id } = await hub.done('POST', '/api/accounts', { body: { ...greenApi, ...long(3_800) } });
    expect(hub.secretValues.get(`accounts/${id}`)?.length).toBeLessThan(4_096);
    const { status, json } = await hub.call('PATCH', `/api/accounts/${id}`, { body: long(4_000) });
    const message = "are too long: they may have 4000 bytes together, and no provider's are as long";
    expect([status, json.issues]).toEqual([422, [{ path: 'credentials', message }]]);
  });

  it('say whether they can quote: by their provider and channel', async () => {
    const hub = new AdminBench();
    const sms = { mode: 'credits', gateway: '1', secret: SECRET, baseUrl: 'https://zender.example' };
    const bodies = [
      greenApi,
      { provider: 'sandbox', channel: 'whatsapp', credentials: {} },
      { provider: 'sandbox', channel: 'sms', credentials: {} },
      { provider: 'timelinesai', channel: 'whatsapp', phone: '15550100998', credentials: { apiToken: 'abc' } },
      { provider: 'zender', channel: 'sms', credentials: sms },
      { provider: 'cooby', channel: 'whatsapp', credentials: {} },
    ];
    const made = [];
    for (const body of bodies) made.push(await hub.done('POST', '/api/accounts', { body }));
    expect(made.map(({ canQuote }) => canQuote)).toEqual([true, true, false, true, false, false]);
    const listed = itemsOf(await hub.done('GET', '/api/accounts'));
    const found = made.map(({ id }) => listed.find((one) => one.id === id)?.canQuote);
    expect(found).toEqual(made.map(({ canQuote }) => canQuote));
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
  });

  it('need a number where their provider tells them by it, and keep it', async () => {
    const hub = new AdminBench();
    const body = { provider: 'timelinesai', channel: 'whatsapp', credentials: { apiToken: 'abc' } };
    const { status, json } = await hub.call('POST', '/api/accounts', { body });
    expect([status, json.issues]).toEqual([
      422,
      [{ path: 'phone', message: expect.stringContaining('give the phone of the one that is to send') }],
    ]);
    const { id } = await hub.done('POST', '/api/accounts', { body: { ...body, phone: '+15550100999' } });
    const without = await hub.call('PATCH', `/api/accounts/${id}`, { body: { phone: null } });
    expect([without.status, without.json.issues]).toMatchObject([422, [{ path: 'phone' }]]);
  });

  it.each([
    ['+1 (555) 010-0999', '+15550100999'],
    ['15550100999', '+15550100999'],
    ['tel:+15550100999', '+15550100999'],
    ['1234567', undefined],
    ['+123', undefined],
    ['15550100999@c.us', undefined],
  ])('keep the phone %s as %s, or refuse it', async (phone, kept) => {
    const { status, json } = await new AdminBench().call('POST', '/api/accounts', { body: { ...greenApi, phone } });
    expect([status, json.phone]).toEqual([kept === undefined ? 422 : 201, kept]);
  });

  it('tell all that is missing at once', async () => {
    const { status, json } = await new AdminBench().call('POST', '/api/accounts', { body: { provider: 'green-api' } });
    expect(status).toBe(422);
    expect(json.issues).toEqual([
      { path: 'channel', message: 'is missing: it must be "whatsapp"' },
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
    [
      'credentials for which no parameter has room',
      { credentials: { ...greenApi.credentials, apiTokenInstance: 'a'.repeat(4_000) } },
      'credentials',
    ],
  ])('are refused with %s, by its path', async (_what, change, path) => {
    const { status, json } = await new AdminBench().call('POST', '/api/accounts', { body: { ...greenApi, ...change } });
    expect(status).toBe(422);
    expect(itemsOf({ items: json.issues })[0]?.path).toMatch(new RegExp(`^${path.replace('.', '\\.')}`));
  });

  const timelinesAi = {
    provider: 'timelinesai',
    channel: 'whatsapp',
    phone: '+15550100999',
    credentials: { apiToken: 'abc' },
  };
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

describe('a test of an account', () => {
  const says = (body: object, status = 200): Reply => ({
    kind: 'answered',
    status,
    headers: {},
    text: JSON.stringify(body),
  });
  const timelinesAi = {
    provider: 'timelinesai',
    channel: 'whatsapp',
    phone: '+15550100999',
    credentials: { apiToken: SECRET },
  };
  const zender = {
    provider: 'zender',
    channel: 'whatsapp',
    phone: '+15550100999',
    credentials: { baseUrl: 'https://gw.example', secret: SECRET, account: 'a1' },
  };
  const numbers = (status: string, phone = '+15550100999') =>
    says({ status: 'ok', data: { whatsapp_accounts: [{ phone, status }] } });
  const greenApiSays = (state: string, settings: Reply) => (request: ProviderRequest) =>
    request.url.includes('/getStateInstance/') ? says({ stateInstance: state }) : settings;
  const linked = says({ phone: '15550100999', stateInstance: 'authorized' });

  it.each<[string, object, (request: ProviderRequest) => Reply, object]>([
    [
      'GREEN-API',
      greenApi,
      greenApiSays('authorized', linked),
      { ok: true, state: 'authorized', phone: '+15550100999' },
    ],
    [
      'GREEN-API without its number',
      greenApi,
      greenApiSays('authorized', says({}, 500)),
      { ok: true, state: 'authorized' },
    ],
    [
      'GREEN-API with another number',
      greenApi,
      greenApiSays('authorized', says({ phone: '447700900123' })),
      { ok: true, state: 'authorized', phone: '+447700900123', message: expect.stringContaining('phone') },
    ],
    [
      'GREEN-API with its number in another spelling',
      { ...greenApi, phone: '+5215550000001' },
      greenApiSays('authorized', says({ phone: '525550000001' })),
      { ok: true, state: 'authorized', phone: '+525550000001' },
    ],
    [
      'GREEN-API, linked to no phone',
      greenApi,
      greenApiSays('notAuthorized', linked),
      { ok: false, state: 'notAuthorized', message: expect.stringContaining('QR code') },
    ],
    [
      'GREEN-API, starting',
      greenApi,
      greenApiSays('starting', linked),
      { ok: false, state: 'starting', message: expect.stringContaining('in a minute') },
    ],
    [
      'GREEN-API, with a wrong token',
      greenApi,
      () => says({ message: `Unauthorized ${SECRET}` }, 401),
      { ok: false, message: expect.stringContaining('credentials') },
    ],
    ['TimelinesAI', timelinesAi, () => numbers('active'), { ok: true, state: 'active', phone: '+15550100999' }],
    [
      'TimelinesAI, disconnected',
      timelinesAi,
      () => numbers('disconnected'),
      { ok: false, state: 'disconnected', phone: '+15550100999', message: expect.stringContaining('connect it') },
    ],
    [
      'TimelinesAI without this number',
      timelinesAi,
      () => numbers('active', '+15550100001'),
      { ok: false, message: expect.stringContaining('phone of one that is') },
    ],
    [
      'TimelinesAI, with a wrong token',
      timelinesAi,
      () => says({ status: 'error', message: SECRET }, 401),
      { ok: false, message: expect.stringContaining('token') },
    ],
    [
      'Zender',
      zender,
      () => says({ status: 200, data: [{ unique: 'a1', phone: '15550100999', status: 'connected' }] }),
      { ok: true, state: 'connected', phone: '+15550100999' },
    ],
    [
      'Zender without this account',
      zender,
      () => says({ status: 200, data: [{ unique: 'b2', status: 'connected' }] }),
      { ok: false, message: expect.stringContaining('unique id') },
    ],
    [
      'Zender with a wrong key',
      zender,
      () => says({ status: 401, message: `Invalid API Key! ${SECRET}`, data: false }),
      { ok: false, message: expect.stringContaining('API key') },
    ],
    [
      'a provider that is not there',
      zender,
      () => ({ kind: 'broken', breakdown: 'dns' }),
      { ok: false, message: expect.stringContaining('address') },
    ],
    [
      'a page in place of an answer',
      zender,
      () => says([]),
      { ok: false, message: expect.stringContaining('address') },
    ],
    ['the sandbox', { provider: 'sandbox', channel: 'sms', credentials: {} }, () => says({}), { ok: true }],
    [
      'a provider that only tells',
      { provider: 'cooby', channel: 'whatsapp', credentials: {} },
      () => says({}),
      { ok: false, message: expect.stringContaining('nothing to ask') },
    ],
  ])('tells of %s how it is and what to do', async (_, body, provider, expected) => {
    const hub = new AdminBench();
    hub.provider = provider;
    const beforehand = await hub.done('POST', '/api/accounts/test', { body });
    expect(itemsOf(await hub.done('GET', '/api/accounts'))).toEqual([]);
    expect([...hub.secretValues.values()].join()).not.toContain(SECRET);
    const made = await hub.done('POST', '/api/accounts', { body });
    const found = await hub.done('POST', `/api/accounts/${made.id}/test`);
    expect(beforehand).toEqual(found);
    expect(found).toEqual({ ...expected, ...('state' in found && { state: found.state }) });
    // What a new account is told unasked is the same, and nothing where there is nothing to do.
    const isAsked = !('message' in found) || made.provider === 'cooby';
    expect(made.warning).toEqual(isAsked ? undefined : found.message);
    expect(JSON.stringify([beforehand, made, found, hub.logged])).not.toContain(SECRET);
    expect((await hub.call('GET', `/api/accounts/${made.id}`)).json).not.toHaveProperty('warning');
  });

  it('is of this workspace alone, and changes nothing', async () => {
    const hub = new AdminBench();
    const made = await hub.done('POST', '/api/accounts', { body: zender });
    const before = await hub.store.get(accountKey(String(made.id)));
    await hub.done('POST', `/api/accounts/${made.id}/test`);
    expect(await hub.store.get(accountKey(String(made.id)))).toEqual(before);
    const other = await hub.done('POST', '/api/workspaces', { body: { name: 'Other' } });
    const foreign = await hub.call('POST', `/api/accounts/${made.id}/test`, { workspace: String(other.id) });
    expect(foreign.status).toBe(404);
  });

  it('of what is no account yet asks nobody whom an account may not be at, and is for a key that may change things', async () => {
    const hub = new AdminBench();
    const asked: string[] = [];
    hub.provider = ({ url }) => {
      asked.push(url);
      return says({});
    };
    const inside = { ...zender, credentials: { ...zender.credentials, baseUrl: 'https://10.0.0.1' } };
    const refused = await hub.call('POST', '/api/accounts/test', { body: inside });
    expect([refused.status, itemsOf({ items: refused.json.issues })[0]?.path]).toEqual([422, 'credentials.baseUrl']);
    const { key } = await hub.done('POST', '/api/workspaces/main/keys', { body: { scope: 'read' } });
    expect((await hub.call('POST', '/api/accounts/test', { body: zender, key: String(key) })).status).toBe(403);
    expect(asked).toEqual([]);
  });

  it('of what is no account yet is made five times a minute where it comes to nothing, and keeps nobody from signing in', async () => {
    const hub = new AdminBench();
    const test = async () => (await hub.call('POST', '/api/accounts/test', { body: zender })).status;
    hub.provider = () => says({ status: 200, data: [{ unique: 'a1', status: 'connected' }] });
    for (let n = 0; n < 7; n++) expect(await test()).toBe(200);
    hub.provider = () => says({ status: 401 });
    for (let n = 0; n < 5; n++) expect(await test()).toBe(200);
    const slow = await hub.call('POST', '/api/accounts/test', { body: zender });
    expect([slow.status, slow.headers['retry-after']]).toEqual([429, '60']);
    const headers = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };
    const signedIn = await hub.call('POST', '/api/session', { key: undefined, headers, body: { key: ADMIN } });
    expect(signedIn.status).toBe(201);
    hub.bench.now += 60_000;
    expect(await test()).toBe(200);
  });

  it('does not stop an account from being made, whatever it comes to', async () => {
    const hub = new AdminBench();
    hub.provider = () => {
      throw new Error(`the socket is gone, ${SECRET}`);
    };
    const made = await hub.done('POST', '/api/accounts', { body: zender });
    expect(made.warning).toEqual(expect.stringContaining('test the account later'));
    expect((await hub.call('GET', `/api/accounts/${made.id}`)).status).toBe(200);
  });

  it('gives the provider three seconds where somebody waits for the account alone', async () => {
    const hub = new AdminBench();
    const given: number[] = [];
    hub.provider = (_request, deadline) => {
      given.push(deadline - hub.ports.clock.monotonic());
      return { kind: 'broken', breakdown: 'unanswered' };
    };
    const { id } = await hub.done('POST', '/api/accounts', { body: zender });
    await hub.done('POST', `/api/accounts/${id}/test`);
    expect(given.map(Math.round)).toEqual([3_000, 8_000]);
  });

  it('is made of new credentials as of a new account', async () => {
    const hub = new AdminBench();
    hub.provider = () => numbers('active');
    const { id } = await hub.done('POST', '/api/accounts', { body: timelinesAi });
    hub.provider = ({ headers }) =>
      says({ status: 'error' }, headers?.authorization === 'Bearer another-token' ? 401 : 500);
    const body = { credentials: { apiToken: 'another-token' } };
    expect((await hub.done('PATCH', `/api/accounts/${id}`, { body })).warning).toContain('token');
    expect(await hub.done('PATCH', `/api/accounts/${id}`, { body: { name: 'Shop' } })).not.toHaveProperty('warning');
  });
});
