import { describe, expect, it } from 'vitest';
import { MemoryStore } from '#test/support/memory-store.ts';
import { AdminBench, itemsOf, message } from './admin-bench.ts';

describe('webhooks', () => {
  it('show their URL on creation and never again', async () => {
    const hub = new AdminBench();
    const made = await hub.done('POST', '/api/webhooks', {
      body: { kind: 'receive', provider: 'sandbox', name: 'One' },
    });
    expect(made).toMatchObject({ kind: 'receive', provider: 'sandbox', name: 'One', enabled: true, hasSecret: false });
    expect(made.url).toMatch(/^https:\/\/hub\.example\/hooks\/sandbox\/[\w-]{43}$/);
    const shown = await hub.done('GET', `/api/webhooks/${made.id}`);
    expect(shown).toEqual({ ...made, url: undefined });
    const token = String(made.url).split('/').pop() ?? '';
    expect(JSON.stringify([await hub.done('GET', '/api/webhooks'), hub.logged])).not.toContain(token);
    expect(shown.tokenPrefix).toBe(token.slice(0, 6));
  });

  it('of kind send have a URL below /send', async () => {
    const made = await new AdminBench().done('POST', '/api/webhooks', { body: { kind: 'send' } });
    expect(made.url).toMatch(/^https:\/\/hub\.example\/send\/[\w-]{43}$/);
  });

  it('take in events until they are switched off, and again once they are switched on', async () => {
    const hub = new AdminBench();
    const { id, url } = await hub.webhook();
    expect((await hub.post(url, message(1))).status).toBe(200);
    expect(await hub.done('PATCH', `/api/webhooks/${id}`, { body: { enabled: false } })).toMatchObject({
      enabled: false,
    });
    expect((await hub.post(url, message(2))).status).toBe(404);
    await hub.done('PATCH', `/api/webhooks/${id}`, { body: { enabled: true } });
    expect((await hub.post(url, message(2))).status).toBe(200);
  });

  it('take a name and a secret, and lose them by null', async () => {
    const hub = new AdminBench();
    const { id } = await hub.webhook({ provider: 'zender' });
    const body = { name: 'Two', secret: 'open sesame' };
    expect(await hub.done('PATCH', `/api/webhooks/${id}`, { body })).toMatchObject({ name: 'Two', hasSecret: true });
    const cleared = await hub.done('PATCH', `/api/webhooks/${id}`, { body: { name: null, secret: null } });
    expect(cleared).toMatchObject({ hasSecret: false });
    expect(cleared.name).toBeUndefined();
  });

  it('answer 404 at the old URL at once when they are rotated', async () => {
    const hub = new AdminBench();
    const { id, url } = await hub.webhook({ name: 'Kept' });
    const rotated = await hub.done('POST', `/api/webhooks/${id}/rotate`);
    expect(rotated).toMatchObject({ id, name: 'Kept' });
    expect((await hub.post(url, message(1))).status).toBe(404);
    hub.bench.now += 1;
    expect((await hub.post(String(rotated.url), message(1))).status).toBe(200);
    const { items } = await hub.done('GET', `/api/webhooks/${id}/attempts`);
    expect(items).toMatchObject([
      { outcome: 'stored' },
      { outcome: 'not_found', message: expect.stringContaining('newer') },
    ]);
  });

  it('have exactly one live URL however many rotate them at once', async () => {
    const hub = new AdminBench();
    const { id, url } = await hub.webhook();
    const answers = await Promise.all(Array.from({ length: 10 }, () => hub.call('POST', `/api/webhooks/${id}/rotate`)));
    const rotated = answers.filter(({ status }) => status === 200);
    expect(rotated.length).toBeGreaterThan(0);
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
    const urls = [url, ...rotated.map(({ json }) => String(json.url))];
    const live = await Promise.all(urls.map(async (one, n) => (await hub.post(one, message(n))).status));
    expect(live.filter((status) => status === 200)).toHaveLength(1);
    expect(itemsOf(await hub.done('GET', '/api/webhooks'))).toHaveLength(1);
  });

  it('stay off when they are rotated in the moment they are switched off', async () => {
    const hub = new AdminBench();
    const { id, url } = await hub.webhook();
    const [patched, rotated] = await Promise.all([
      hub.call('PATCH', `/api/webhooks/${id}`, { body: { enabled: false } }),
      hub.call('POST', `/api/webhooks/${id}/rotate`),
    ]);
    expect(patched.status).toBe(200);
    const current = rotated.status === 200 ? String(rotated.json.url) : url;
    expect((await hub.post(current, message(1))).status).toBe(404);
  });

  it('stay off, and keep all that was set, when they are rotated later', async () => {
    const hub = new AdminBench();
    const { id } = await hub.webhook({ provider: 'zender' });
    const body = { enabled: false, name: 'Off', secret: 'open sesame' };
    await hub.done('PATCH', `/api/webhooks/${id}`, { body });
    const { url, tokenPrefix, ...rotated } = await hub.done('POST', `/api/webhooks/${id}/rotate`);
    expect(rotated).toMatchObject({ id, enabled: false, name: 'Off', hasSecret: true });
    expect((await hub.post(String(url), message(1))).status).toBe(404);
    expect(await hub.done('GET', `/api/webhooks/${id}`)).toEqual({
      ...rotated,
      tokenPrefix,
      lastCall: expect.objectContaining({ status: 404 }),
    });
  });

  // The new row is a copy: what is changed between the look and the write must not come back with it.
  it.each([
    ['switched off', { enabled: false }, { enabled: false }],
    ['renamed', { name: 'New' }, { name: 'New' }],
    ['given a secret', { secret: 'another' }, { hasSecret: true }],
    ['robbed of its secret', { secret: null }, { hasSecret: false }],
    ['given a country', { defaultCountry: 'ID' }, { defaultCountry: 'ID' }, { kind: 'send', provider: undefined }],
  ])('are not rotated in the moment in which one is %s', async (_, body, shown, wanted?: object) => {
    const memory = new MemoryStore();
    const hub = new AdminBench({ store: memory });
    const secret = 'secret' in body && body.secret === null ? { secret: 'open sesame' } : {};
    const { id, url } = await hub.webhook(wanted ?? { provider: 'zender', ...secret });
    const transact = memory.transact.bind(memory);
    memory.transact = async (writes, token) => {
      memory.transact = transact;
      await hub.done('PATCH', `/api/webhooks/${id}`, { body });
      return transact(writes, token);
    };
    expect((await hub.call('POST', `/api/webhooks/${id}/rotate`)).status).toBe(409);
    expect(await hub.done('GET', `/api/webhooks/${id}`)).toMatchObject({ id, ...shown });
    expect(await hub.done('POST', `/api/webhooks/${id}/rotate`)).toMatchObject({ id, ...shown });
    if (!wanted) expect((await hub.post(url, {})).status).toBe(404);
  });

  it('that are switched off in the moment in which they are rotated are off under their new URL', async () => {
    const memory = new MemoryStore();
    const hub = new AdminBench({ store: memory });
    const { id } = await hub.webhook();
    const transact = memory.transact.bind(memory);
    let rotated: object | undefined;
    memory.transact = async (writes, token) => {
      memory.transact = transact;
      rotated = await hub.done('POST', `/api/webhooks/${id}/rotate`);
      return transact(writes, token);
    };
    await hub.done('PATCH', `/api/webhooks/${id}`, { body: { enabled: false } });
    expect(rotated).toMatchObject({ enabled: true });
    expect(await hub.done('GET', `/api/webhooks/${id}`)).toMatchObject({ enabled: false });
    expect((await hub.post(String(Object(rotated).url), message(1))).status).toBe(404);
  });

  it('are gone when they are deleted, but not what came in through them', async () => {
    const hub = new AdminBench();
    const { id, url } = await hub.webhook();
    const { body } = await hub.post(url, message(1));
    expect((await hub.call('DELETE', `/api/webhooks/${id}`)).status).toBe(204);
    expect((await hub.post(url, message(2))).status).toBe(404);
    expect((await hub.call('GET', `/api/webhooks/${id}`)).status).toBe(404);
    expect((await hub.call('DELETE', `/api/webhooks/${id}`)).status).toBe(404);
    expect((await hub.call('GET', `/api/events/${body.id}`)).status).toBe(200);
  });

  it.each([
    ['an unknown provider', { kind: 'receive', provider: 'nobody' }, 'provider'],
    ['no kind', {}, 'kind'],
    ['a field that is not known', { kind: 'send', secret: 'x' }, 'secret'],
    ['an account that does not exist', { kind: 'receive', provider: 'sandbox', accountId: 'acc_0' }, 'accountId'],
    ['an empty name', { kind: 'send', name: '' }, 'name'],
    ['a secret that its provider would not check', { kind: 'receive', provider: 'cooby', secret: 'x' }, 'secret'],
  ])('are refused with %s, by its path', async (_what, body, path) => {
    const { status, json } = await new AdminBench().call('POST', '/api/webhooks', { body });
    expect(status).toBe(422);
    expect(json).toMatchObject({ status: 422, data: {}, issues: [{ path }] });
  });

  it('take a secret of those providers alone that are checked by one', async () => {
    const hub = new AdminBench();
    const kinds = ['cooby', 'sandbox', 'timelinesai'].map((provider) => ({ kind: 'receive', provider }));
    for (const body of [...kinds, { kind: 'send' }]) {
      const { id } = await hub.done('POST', '/api/webhooks', { body });
      const { status, json } = await hub.call('PATCH', `/api/webhooks/${id}`, { body: { secret: 'x' } });
      expect([status, json.message]).toEqual([
        422,
        'The request is not valid: secret is not taken: nothing but the URL proves who calls this webhook',
      ]);
    }
    for (const provider of ['green-api', 'zender']) await hub.webhook({ provider, secret: 'x' });
  });

  it('of kind send take an account and a country, and lose them by null', async () => {
    const hub = new AdminBench();
    const account = { provider: 'sandbox', channel: 'whatsapp', credentials: {} };
    const accountId = (await hub.done('POST', '/api/accounts', { body: account })).id;
    const made = await hub.done('POST', '/api/webhooks', { body: { kind: 'send', accountId, defaultCountry: 'id' } });
    expect(made).toMatchObject({ accountId, defaultCountry: 'ID' });
    const path = `/api/webhooks/${made.id}`;
    expect(await hub.done('GET', path)).toMatchObject({ accountId, defaultCountry: 'ID' });
    expect(await hub.done('POST', `${path}/rotate`)).toMatchObject({ accountId, defaultCountry: 'ID' });
    const none = await hub.done('PATCH', path, { body: { accountId: null, defaultCountry: null } });
    expect([none.accountId, none.defaultCountry]).toEqual([undefined, undefined]);
    expect(await hub.done('PATCH', path, { body: { accountId, defaultCountry: 'GB' } })).toMatchObject({
      accountId,
      defaultCountry: 'GB',
    });
  });

  it.each([
    [{ kind: 'send', accountId: 'acc_0' }, 'accountId is no account in this workspace'],
    [{ kind: 'receive', provider: 'zender', accountId: 'acc_0' }, 'accountId is no account of this provider'],
    [{ kind: 'send', defaultCountry: 'UK' }, 'defaultCountry must be the code of a country in ISO 3166, as ID or GB'],
    [{ kind: 'send', defaultCountry: 'Indonesia' }, 'defaultCountry must be the code of a country'],
    [{ kind: 'receive', provider: 'zender', defaultCountry: 'ID' }, 'defaultCountry is not known here'],
  ])('say what is wrong with an account or a country: %j', async (body, message) => {
    const hub = new AdminBench();
    const { kind, provider, ...changes } = { provider: undefined, ...body };
    const created = await hub.call('POST', '/api/webhooks', { body });
    expect(created).toMatchObject({ status: 422, json: { message: expect.stringContaining(message) } });
    const { id } = await hub.done('POST', '/api/webhooks', { body: { kind, ...(provider && { provider }) } });
    const patched = await hub.call('PATCH', `/api/webhooks/${id}`, { body: changes });
    expect(patched).toMatchObject({ status: 422, json: { message: expect.stringContaining(message) } });
  });

  it('are not tied to an account that cannot send, nor is it the default one', async () => {
    const hub = new AdminBench();
    const body = { provider: 'cooby', channel: 'whatsapp', credentials: {} };
    const { id: accountId } = await hub.done('POST', '/api/accounts', { body });
    const { id } = await hub.done('POST', '/api/webhooks', { body: { kind: 'send' } });
    for (const [method, path, told] of [
      ['POST', '/api/webhooks', { kind: 'send', accountId }],
      ['PATCH', `/api/webhooks/${id}`, { accountId }],
      ['PATCH', '/api/workspaces/main', { defaultAccountId: accountId }],
    ] as const) {
      const { status, json } = await hub.call(method, path, { body: told });
      expect([status, json.message]).toEqual([
        422,
        expect.stringContaining('ccountId is an account that cannot send: cooby offers no way to'),
      ]);
    }
    expect(
      await hub.done('POST', '/api/webhooks', { body: { kind: 'receive', provider: 'cooby', accountId } }),
    ).toMatchObject({ accountId });
  });

  it('of kind receive are bound to an account later, and expect its instance from then on', async () => {
    const memory = new MemoryStore();
    const hub = new AdminBench({ store: memory });
    const credentials = { apiUrl: 'https://1.api.example', idInstance: '7999000111', apiTokenInstance: 'x' };
    const body = { provider: 'green-api', channel: 'whatsapp', credentials };
    const accountId = String((await hub.done('POST', '/api/accounts', { body })).id);
    const { id } = await hub.webhook({ provider: 'green-api' });
    const instance = () => memory.all().find(({ webhookId }) => webhookId === id)?.instance;
    expect(instance()).toBeUndefined();
    expect(await hub.done('PATCH', `/api/webhooks/${id}`, { body: { accountId } })).toMatchObject({ accountId });
    expect(instance()).toBe('7999000111');
    await hub.done('PATCH', `/api/webhooks/${id}`, { body: { accountId: null } });
    expect(instance()).toBeUndefined();
  });

  it('send from the default account of the workspace where they name none', async () => {
    const hub = new AdminBench();
    const body = { provider: 'sandbox', channel: 'whatsapp', credentials: {} };
    const first = (await hub.done('POST', '/api/accounts', { body })).id;
    hub.bench.now += 1_000;
    const last = (await hub.done('POST', '/api/accounts', { body })).id;
    const { url } = await hub.done('POST', '/api/webhooks', { body: { kind: 'send' } });
    const sender = async () => (await hub.done('GET', `/api/sends/${await hub.send(String(url))}`)).accountId;
    expect(await sender()).toBe(last);
    const patch = (defaultAccountId: unknown) =>
      hub.call('PATCH', '/api/workspaces/main', { body: { defaultAccountId } });
    expect((await patch(first)).json).toMatchObject({ defaultAccountId: first });
    expect(await sender()).toBe(first);
    expect(await patch('acc_0')).toMatchObject({
      status: 422,
      json: { message: expect.stringContaining('defaultAccountId is no account in this workspace') },
    });
    await patch(null);
    expect(await sender()).toBe(last);
  });

  it('read numbers by the country of the workspace where they say none', async () => {
    const hub = new AdminBench();
    await hub.done('POST', '/api/accounts', { body: { provider: 'sandbox', channel: 'whatsapp', credentials: {} } });
    await hub.done('PATCH', '/api/workspaces/main', { body: { defaultCountry: 'ID' } });
    const { url } = await hub.done('POST', '/api/webhooks', { body: { kind: 'send' } });
    const id = await hub.send(String(url), { phone: '0812-0000-0099' });
    expect(await hub.done('GET', `/api/sends/${id}`)).toMatchObject({ recipient: { phone: '+6281200000099' } });
    const shown = await hub.done('PATCH', '/api/workspaces/main', { body: { defaultCountry: null } });
    expect(shown.defaultCountry).toBeUndefined();
    await expect(hub.send(String(url), { phone: '0812-0000-0099' })).rejects.toThrow('does not tell its country');
  });

  it('and accounts take no change that changes nothing', async () => {
    const hub = new AdminBench();
    const { id } = await hub.webhook();
    const account = { provider: 'sandbox', channel: 'whatsapp', credentials: {} };
    const { id: accountId } = await hub.done('POST', '/api/accounts', { body: account });
    for (const path of [`/api/webhooks/${id}`, `/api/accounts/${accountId}`]) {
      const { status, json } = await hub.call('PATCH', path, { body: {} });
      expect([status, json.message]).toEqual([422, 'The request is not valid: there is nothing to change']);
    }
  });
});

describe('the last call of a webhook', () => {
  it('is shown with it, in the list too, from the first one on', async () => {
    const hub = new AdminBench();
    const first = await hub.webhook();
    const second = await hub.webhook();
    const lastCalls = async () => {
      const { items } = await hub.walk('/api/webhooks');
      return [first, second].map(({ id }) => items.find((one) => one.id === id)?.lastCall);
    };
    expect(await lastCalls()).toEqual([undefined, undefined]);
    const { body } = await hub.post(first.url, message(1));
    const at = new Date(hub.bench.now).toISOString();
    const stored = { at, status: 200, outcome: 'stored', id: body.id };
    expect(await lastCalls()).toEqual([stored, undefined]);
    expect(await hub.done('GET', `/api/webhooks/${first.id}`)).toMatchObject({ lastCall: stored });
    hub.bench.now += 1_000;
    await hub.done('PATCH', `/api/webhooks/${first.id}`, { body: { enabled: false } });
    await hub.post(first.url, message(2));
    const later = { at: expect.any(String), status: 404, outcome: 'not_found' };
    expect(await lastCalls()).toMatchObject([later, undefined]);
    expect((await lastCalls())[0]).not.toHaveProperty('request');
    hub.bench.now += 91 * 86_400_000;
    expect(await lastCalls()).toEqual([undefined, undefined]);
  });

  it('costs one request for each that is listed, and none when something comes in', async () => {
    const hub = new AdminBench();
    for (const _ of [1, 2, 3]) await hub.webhook();
    const query = hub.store.query.bind(hub.store);
    const asked: string[] = [];
    hub.store.query = (wanted) => {
      asked.push(`${wanted.pk.split('#')[0]} ${wanted.limit}`);
      return query(wanted);
    };
    await hub.done('GET', '/api/webhooks');
    expect(asked.filter((one) => one === 'ATT 1')).toHaveLength(3);
    expect(asked).toHaveLength(4);
  });
});
