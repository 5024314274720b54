import { describe, expect, it } from 'vitest';
import { type Route, takesBody } from '#functions/admin/route.ts';
import { routesOf } from '#functions/admin/routes.ts';
import { providers } from '#functions/providers.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { exists, remove, StoreUnavailable, update } from '#lib/store/store.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { AdminBench, message } from './admin-bench.ts';

const routes = await routesOf(providers);
const guarded = routes.filter(({ access }) => access !== 'public');
const title = ({ method, path }: Route) => `${method.toUpperCase()} ${path}`;
const urlOf = ({ path }: Route, id = 'x_0') => path.replace(/\{\w+\}/g, id);

describe('every route below /api', () => {
  it.each(guarded.map((route) => [title(route), route] as const))('%s needs a key', async (_title, route) => {
    const hub = new AdminBench();
    const wrong = ['wrong', '', 'a b', ' ', 'x'.repeat(5000)];
    for (const key of [undefined, ...wrong]) {
      const { status, json, headers } = await hub.call(route.method.toUpperCase(), urlOf(route), { key });
      expect(status).toBe(401);
      expect(json).toEqual({ status: 401, data: {}, message: expect.any(String) });
      expect(headers['www-authenticate']).toBe('Bearer');
    }
    expect(
      (await hub.call('GET', urlOf(route), { key: undefined, headers: { authorization: 'Basic eDp5' } })).status,
    ).toBe(401);
  });

  it('answers the same for what is missing and for what another workspace has', async () => {
    const hub = new AdminBench();
    const account = { provider: 'sandbox', channel: 'whatsapp', credentials: {} };
    const { id: accountId } = await hub.done('POST', '/api/accounts', { body: account });
    const webhook = await hub.webhook({ accountId });
    const { body: stored } = await hub.post(webhook.url, message(1));
    const { chatId } = await hub.done('GET', `/api/messages/${stored.id}`);
    const { id: keyId } = await hub.done('POST', '/api/workspaces/main/keys');
    const { key } = await hub.workspaceWithKey();
    const made = async (path: string, body: object) => hub.done('POST', path, { body });
    const send = await made('/api/sends', { phone: '+15550100', text: 'hello', account_id: accountId });
    const endpoint = await made('/api/endpoints', { url: 'https://crm.example/in' });
    const replay = await made(`/api/endpoints/${endpoint.id}/replay`, {
      since: new Date(hub.bench.now - 3_600_000).toISOString(),
      only: 'all',
    });
    const rule = await made('/api/rules', {
      name: 'All',
      on: ['message.received'],
      do: [{ action: 'forward', endpoint: endpoint.id }],
    });
    const ids = {
      ...{ accounts: accountId, webhooks: webhook.id, events: stored.id, messages: stored.id, chats: chatId },
      ...{ sends: send.messageId, endpoints: endpoint.id, replays: replay.id, rules: rule.id, workspaces: 'main' },
    };
    // A person is nobody's: erasing a number that is not there is erasing nothing.
    const named = guarded.filter(({ path }) => path.includes('{') && !path.startsWith('/api/contacts/'));
    for (const route of named.filter(({ access }) => access === 'workspace')) {
      const theirs = Object.entries(ids).find(([name]) => route.path.startsWith(`/api/${name}/`))?.[1];
      const call = { key, ...(takesBody(route.body) && { body: route.example }) };
      const foreign = await hub.call(route.method.toUpperCase(), urlOf(route, String(theirs)), call);
      const missing = await hub.call(route.method.toUpperCase(), urlOf(route), call);
      expect(foreign.status, title(route)).toBe(404);
      expect(foreign.bytes.equals(missing.bytes), title(route)).toBe(true);
      expect(foreign.headers).toEqual(missing.headers);
    }
    expect((await hub.call('DELETE', `/api/workspaces/ws_0/keys/${keyId}`)).status).toBe(404);
    for (const path of ['accounts', 'webhooks', 'events', 'messages', 'chats']) {
      expect(await hub.done('GET', `/api/${path}`, { key })).toEqual({ items: [] });
    }
    expect((await hub.call('GET', `/api/messages?chat=${chatId}`, { key })).json).toEqual({ items: [] });
    expect((await hub.post(webhook.url, message(2))).status).toBe(200);
  });
});

describe('a key that opens nothing', () => {
  it('is counted', async () => {
    const hub = new AdminBench();
    await hub.call('GET', '/api/accounts', { key: 'hk_wrong' });
    expect(hub.counted).toEqual(['RefusedKeys']);
  });

  it('is not counted where none was given, or a right one', async () => {
    const hub = new AdminBench();
    await hub.call('GET', '/api/accounts', { key: undefined });
    await hub.call('GET', '/api/accounts');
    expect(hub.counted).toEqual([]);
  });
});

describe('what cannot be an id', () => {
  const odd = ['x'.repeat(3000), 'x'.repeat(201), '%EF%BF%BF', '%00', 'a%20b', '😀'];

  it.each(guarded.filter(({ path }) => path.includes('{')).map((route) => [title(route), route] as const))(
    '%s does not find',
    async (_title, route) => {
      const hub = new AdminBench();
      const body = takesBody(route.body) ? { body: {} } : {};
      // The gateway hands over whatever a path decodes to.
      for (const id of [...odd, '\ud800']) {
        const path = decodeURIComponent(id);
        const { status, json } = await hub.call(route.method.toUpperCase(), urlOf(route, path), body);
        expect([status, json.data], id.slice(0, 20)).toEqual([404, {}]);
      }
    },
  );

  it.each(['/api/messages?chat=', '/api/messages?account=', '/api/chats?account=', '/api/sends?account='])(
    '%s does not take',
    async (url) => {
      for (const id of odd) expect((await new AdminBench().call('GET', url + id)).status, id.slice(0, 20)).toBe(422);
    },
  );

  it('is no workspace either', async () => {
    const hub = new AdminBench();
    const { key } = await hub.workspaceWithKey();
    for (const workspace of ['x'.repeat(3000), 'é', '€', '']) {
      expect((await hub.call('GET', '/api/events', { workspace })).status).toBe(404);
      expect((await hub.call('GET', '/api/events', { workspace, key })).status).toBe(404);
    }
  });

  it('is refused in a body', async () => {
    const hub = new AdminBench();
    const accountId = 'x'.repeat(3000);
    const webhook = { kind: 'receive', provider: 'sandbox', accountId };
    expect((await hub.call('POST', '/api/webhooks', { body: webhook })).status).toBe(422);
    expect((await hub.call('POST', '/api/events/replay', { body: { ids: [accountId] } })).status).toBe(422);
    for (const body of ['{"name":"\\ud800"}', '{"name":"x","\\udc00":1}', '{"name":["\\udc00\\ud800"]}']) {
      expect((await hub.call('POST', '/api/workspaces', { body })).status).toBe(400);
    }
    expect((await hub.call('POST', '/api/workspaces', { body: '{"name":"\\ud83d\\ude00"}' })).status).toBe(201);
  });
});

describe('a workspace key', () => {
  it('opens its workspace and no other, and nothing that needs the admin key', async () => {
    const hub = new AdminBench();
    const { id, key } = await hub.workspaceWithKey();
    expect((await hub.call('GET', '/api/webhooks', { key })).status).toBe(200);
    expect((await hub.call('GET', '/api/webhooks', { key, workspace: id })).status).toBe(200);
    expect((await hub.call('GET', '/api/webhooks', { key, workspace: 'main' })).status).toBe(404);
    for (const route of routes.filter(({ access }) => access === 'admin')) {
      expect((await hub.call(route.method.toUpperCase(), urlOf(route), { key })).status, title(route)).toBe(403);
    }
    await hub.webhook({ name: 'Theirs' }, { key });
    expect((await hub.walk('/api/webhooks', { workspace: id })).items).toMatchObject([
      { name: 'Theirs', workspace: id },
    ]);
    expect((await hub.walk('/api/webhooks')).items).toEqual([]);
  });

  it('opens nothing once it is deleted', async () => {
    const hub = new AdminBench();
    const { id, key } = await hub.workspaceWithKey();
    const named = await hub.done('POST', `/api/workspaces/${id}/keys`, { body: { name: 'Back office' } });
    await hub.done('DELETE', `/api/workspaces/${id}/keys/${named.id}`);
    expect(named).toMatchObject({ name: 'Back office' });
    const { items } = await hub.walk(`/api/workspaces/${id}/keys`);
    expect(items).toMatchObject([{ workspace: id, prefix: key.slice(0, 9) }]);
    expect(JSON.stringify(items)).not.toContain(key);
    const path = `/api/workspaces/${id}/keys/${items[0]?.id}`;
    expect((await hub.call('DELETE', path)).status).toBe(204);
    expect((await hub.call('GET', '/api/webhooks', { key })).status).toBe(401);
    expect((await hub.call('DELETE', path)).status).toBe(404);
  });
});

describe('the scope of a key', () => {
  const ofWorkspace = routes.filter(({ access }) => access === 'workspace');
  const isSession = ({ path }: Route) => path.startsWith('/api/session');
  const isOfSends = ({ path }: Route) => /^\/api\/sends(\/|$)/.test(path);
  const scopes = [
    ['all', () => true],
    ['read', (route: Route) => route.method === 'get' || isSession(route)],
    ['send', (route: Route) => isOfSends(route) || isSession(route)],
  ] as const;

  it.each(scopes)('%s opens what it names, of all routes, and nothing else', async (scope, opens) => {
    const hub = new AdminBench();
    const { id } = await hub.done('POST', '/api/workspaces', { body: { name: 'Another' } });
    const made = await hub.done('POST', `/api/workspaces/${id}/keys`, { body: { scope } });
    const key = String(made.key);
    expect(made).toMatchObject({ scope });
    expect(await hub.done('GET', '/api/session', { key })).toMatchObject({ scope });
    for (const route of ofWorkspace) {
      const body = takesBody(route.body) ? { body: route.example } : {};
      const { status, json } = await hub.call(route.method.toUpperCase(), urlOf(route), { key, ...body });
      const said = opens(route) ? [false, undefined] : [true, expect.stringContaining(`scope ${scope}`)];
      expect([status === 403, status === 403 ? json.message : undefined], title(route)).toEqual(said);
    }
    const admins = routes.filter(({ access }) => access === 'admin');
    for (const route of admins) {
      expect((await hub.call(route.method.toUpperCase(), urlOf(route), { key })).status, title(route)).toBe(403);
    }
  });

  it('shows in the list, and is all where none is named', async () => {
    const hub = new AdminBench();
    await hub.done('POST', '/api/workspaces/main/keys', { body: { scope: 'read' } });
    await hub.done('POST', '/api/workspaces/main/keys', { body: { name: 'Old habit' } });
    expect((await hub.walk('/api/workspaces/main/keys')).items.map(({ scope }) => scope).sort()).toEqual([
      'all',
      'read',
    ]);
    expect((await hub.call('POST', '/api/workspaces/main/keys', { body: { scope: 'admin' } })).status).toBe(422);
  });

  it('of a key that an earlier release made is all', async () => {
    const hub = new AdminBench();
    const { id, key } = await hub.workspaceWithKey();
    const row = { pk: `KEY#${sha256(key)}`, sk: 'META' };
    await hub.store.write(update(row, [remove('scope')], exists()));
    expect((await hub.call('POST', '/api/webhooks', { key, body: { kind: 'send' } })).status).toBe(201);
    expect((await hub.walk(`/api/workspaces/${id}/keys`)).items).toMatchObject([{ scope: 'all' }]);
  });

  it('goes with a link and the session that it opens', async () => {
    const hub = new AdminBench();
    const { key } = await hub.done('POST', '/api/workspaces/main/keys', { body: { scope: 'read' } });
    const { token } = await hub.done('POST', '/api/session/links', { key: String(key) });
    const page = { key: undefined, headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' } };
    const signedIn = await hub.call('POST', '/api/session', { ...page, body: { key: token } });
    expect(signedIn.json).toMatchObject({ scope: 'read' });
    const cookies = signedIn.cookies.map((cookie) => cookie.split(';')[0] ?? '');
    expect((await hub.call('GET', '/api/webhooks', { ...page, cookies })).status).toBe(200);
    expect((await hub.call('POST', '/api/webhooks', { ...page, cookies, body: { kind: 'send' } })).status).toBe(403);
  });
});

describe('the admin key', () => {
  it('picks a workspace by a header, and only one that exists', async () => {
    const hub = new AdminBench();
    expect((await hub.call('GET', '/api/events', { workspace: 'ws_0' })).status).toBe(404);
    expect((await hub.call('GET', '/api/events', { workspace: 'main' })).status).toBe(200);
    expect((await hub.call('POST', '/api/workspaces/ws_0/keys')).status).toBe(404);
  });

  it('opens nothing where none is set up', async () => {
    const hub = new AdminBench();
    hub.secretValues.clear();
    for (const key of ['', 'undefined', 'the-admin-key']) {
      expect((await hub.call('GET', '/api/events', { key })).status).toBe(401);
    }
  });
});

describe('every answer', () => {
  it.each([
    ['GET', '/health', 200],
    ['GET', '/openapi.json', 200],
    ['GET', '/console/nothing.js', 404],
    ['GET', '/console/', 302],
    ['GET', '/docs', 200],
    ['GET', '/docs/main.js', 200],
    ['GET', '/docs/nothing.js', 404],
    ['GET', '/nothing', 404],
    ['GET', '/api/nothing', 404],
    ['PUT', '/api/webhooks', 405],
    ['POST', '/health', 405],
    ['HEAD', '/health', 200],
    ['HEAD', '/docs', 200],
    ['TRACE', '/health', 405],
    ['TRACE', '/docs', 405],
    ['TRACE', '/nothing', 404],
    ['POST', '/openapi.json', 405],
    ['DELETE', '/docs/main.js', 405],
    ['PUT', '/', 405],
    ['GET', '/api/events/a%2Fb', 404],
    ['GET', '/', 302],
    ['GET', '/docs/', 302],
    ['GET', '/hooks/sandbox/a-token', 405],
    ['GET', '/send/a-token', 405],
    ['GET', '/send/a-token/', 405],
    ['HEAD', '/hooks/sandbox/a-token/', 405],
    ['POST', '/hooks/nobody/a-token', 404],
    ['GET', '/hooks/sandbox', 404],
  ])('to %s %s is %i and is kept by nobody', async (method, url, expected) => {
    const { status, headers } = await new AdminBench().call(method, url);
    expect(status).toBe(expected);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
  });

  it('to a URL with a slash too many in it says so, where the path tells nothing else', async () => {
    const messageOf = async (url: string) => (await new AdminBench().call('POST', url)).json.message;
    expect(await messageOf('/send//a-token/x')).toBe('There is nothing at this path: write each of its slashes once');
    expect(await messageOf('/nothing')).toBe('There is nothing at this path; /docs lists what there is');
  });

  it('to a fault of ours says nothing about it, and the log says it once', async () => {
    const store = new MemoryStore();
    const hub = new AdminBench({ store });
    store.query = async () => {
      throw new Error('a detail of ours');
    };
    const { status, text, headers } = await hub.call('GET', '/api/events');
    expect([status, text.includes('detail'), headers['cache-control']]).toEqual([500, false, 'no-store']);
    expect(hub.logged).toHaveLength(1);
    expect(hub.logged[0]).toContain('a detail of ours');
    expect(hub.logged[0]).toContain('/api/events');
  });

  it('is 503 while the table does not answer, after some patience', async () => {
    const store = new MemoryStore();
    const hub = new AdminBench({ store });
    store.get = async () => {
      throw new StoreUnavailable('throttled');
    };
    const { status, headers } = await hub.call('GET', '/api/events/evt_1');
    expect(status).toBe(503);
    expect(headers['retry-after']).toBe('1');
  });
});
