import { expect, it } from 'vitest';
import { sha256 } from '#lib/domain/ids.ts';
import { AdminBench, type Call } from './admin-bench.ts';

const OWN = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };
const HOURS = 3_600_000;

function signIn(hub: AdminBench, body: object, call: Call = {}) {
  return hub.call('POST', '/api/session', { key: undefined, headers: OWN, body, ...call });
}

async function signedIn(hub: AdminBench, body: object = { key: 'the-admin-key' }): Promise<string> {
  const { status, cookies, text } = await signIn(hub, body);
  expect(status, text).toBe(201);
  return cookies[0]?.split(';')[0] ?? '';
}

const withCookie = (cookie: string, more: Call = {}): Call => ({ key: undefined, cookies: [cookie], ...more });

it('signs in with a key, by a cookie that scripts and other origins never see', async () => {
  const hub = new AdminBench();
  const { cookies, json } = await signIn(hub, { key: 'the-admin-key' });
  expect(cookies).toEqual([
    expect.stringMatching(/^__Host-hookline=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure$/),
  ]);
  expect(json).toEqual({ workspace: 'main', admin: true, scope: 'all', expiresAt: expect.any(String) });
  const call = withCookie(cookies[0]?.split(';')[0] ?? '');
  expect((await hub.call('GET', '/api/session', call)).json).toEqual(json);
  expect((await hub.call('GET', '/api/accounts', call)).status).toBe(200);
});

it.each([
  ['http://127.0.0.1', 'hookline'],
  ['http://127.0.0.1:3001', 'hookline-3001'],
  ['https://hub.example:8443', '__Host-hookline-8443'],
  ['https://hub.example/hub/', '__Host-hookline-hub'],
  ['https://hub.example:8443/a/b', '__Host-hookline-8443-a-b'],
])('of %s the cookie is called %s: a hub elsewhere on the host has another', async (publicUrl, name) => {
  const cookie = await signedIn(new AdminBench({ publicUrl: 'http://127.0.0.1:3000' }));
  const hub = new AdminBench({ publicUrl });
  const { cookies } = await signIn(hub, { key: 'the-admin-key' }, { cookies: [cookie] });
  expect(cookies).toEqual([expect.stringMatching(new RegExp(`^${name}=[\\w-]{43};`))]);
  const both = { key: undefined, cookies: [cookie, cookies[0]?.split(';')[0] ?? ''] };
  expect((await hub.call('GET', '/api/session', both)).status).toBe(200);
});

it('keeps no token and no key', async () => {
  const hub = new AdminBench();
  const { key } = await hub.workspaceWithKey();
  const token = (await signedIn(hub, { key })).split('=')[1] ?? '';
  const kept = await hub.store.get({ pk: `SESS#${sha256(token)}`, sk: 'META' });
  expect(kept).toMatchObject({ use: 'session' });
  expect(JSON.stringify(kept)).not.toContain(token);
  expect(JSON.stringify(kept)).not.toContain(key);
});

it('works in the workspace that was named, and opens no other than the key does', async () => {
  const hub = new AdminBench();
  const { id, key } = await hub.workspaceWithKey();
  const ofAdmin = await signedIn(hub, { key: 'the-admin-key', workspace: id });
  await hub.webhook({ name: 'Theirs' }, { key });
  expect((await hub.call('GET', '/api/webhooks', withCookie(ofAdmin))).json.items).toMatchObject([{ name: 'Theirs' }]);
  expect((await hub.call('GET', '/api/webhooks', withCookie(ofAdmin, { workspace: 'main' }))).json.items).toEqual([]);
  const ofKey = await signedIn(hub, { key });
  expect((await hub.call('GET', '/api/session', withCookie(ofKey))).json).toMatchObject({
    workspace: id,
    admin: false,
    scope: 'all',
  });
  expect((await hub.call('GET', '/api/webhooks', withCookie(ofKey, { workspace: 'main' }))).status).toBe(404);
  expect((await hub.call('GET', '/api/workspaces', withCookie(ofKey))).status).toBe(403);
  expect((await signIn(hub, { key, workspace: 'main' })).status).toBe(404);
});

it('says in the words of the form that a workspace is not there', async () => {
  const hub = new AdminBench();
  const { status, json } = await signIn(hub, { key: 'the-admin-key', workspace: 'demo' });
  expect({ status, detail: json.message }).toEqual({
    status: 404,
    detail: '`workspace` names none that this key opens: give its id, as ws_…, or leave it out',
  });
});

it('ends after twelve hours', async () => {
  const hub = new AdminBench();
  const cookie = await signedIn(hub);
  hub.bench.now += 12 * HOURS - 1000;
  expect((await hub.call('GET', '/api/session', withCookie(cookie))).status).toBe(200);
  hub.bench.now += 1000;
  expect((await hub.call('GET', '/api/session', withCookie(cookie))).status).toBe(401);
});

it('ends at once when its key is deleted, or the admin key replaced', async () => {
  const hub = new AdminBench();
  const { id, key } = await hub.workspaceWithKey();
  const ofKey = await signedIn(hub, { key });
  const ofAdmin = await signedIn(hub);
  const [made] = (await hub.walk(`/api/workspaces/${id}/keys`)).items;
  await hub.done('DELETE', `/api/workspaces/${id}/keys/${made?.id}`);
  expect((await hub.call('GET', '/api/session', withCookie(ofKey))).status).toBe(401);
  hub.secretValues.set('admin-key', 'another');
  expect((await hub.call('GET', '/api/session', withCookie(ofAdmin))).status).toBe(401);
});

it('ends by signing out', async () => {
  const hub = new AdminBench();
  const cookie = await signedIn(hub);
  const { status, cookies } = await hub.call('DELETE', '/api/session', withCookie(cookie, { headers: OWN }));
  expect(status).toBe(204);
  expect(cookies).toEqual([expect.stringContaining('__Host-hookline=; Path=/; Max-Age=0')]);
  expect((await hub.call('GET', '/api/session', withCookie(cookie))).status).toBe(401);
});

it('never takes over a session that the browser brought along', async () => {
  const hub = new AdminBench();
  const planted = await signedIn(hub);
  const { cookies } = await signIn(hub, { key: 'the-admin-key' }, { cookies: [planted] });
  expect(cookies[0]).not.toContain(planted);
  expect((await hub.call('GET', '/api/session', withCookie(planted))).status).toBe(401);
  const made = await signIn(hub, { key: 'the-admin-key' }, { cookies: ['__Host-hookline=of-somebody'] });
  expect(made.cookies[0]).not.toContain('of-somebody');
});

const json = { 'content-type': 'application/json' };

it.each([
  ['another site', { ...json, 'sec-fetch-site': 'cross-site' }, 403],
  ['another host of the same site', { ...json, 'sec-fetch-site': 'same-site' }, 403],
  ['an address that was typed', { ...json, 'sec-fetch-site': 'none' }, 403],
  ['nobody knows where', json, 403],
  ['another origin', { ...json, origin: 'https://evil.example' }, 403],
  [
    'our origin, whatever the site says',
    { ...json, origin: 'https://hub.example', 'sec-fetch-site': 'cross-site' },
    403,
  ],
  ['a form', { 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' }, 415],
  ['a page of ours without a type', { 'sec-fetch-site': 'same-origin' }, 415],
  ['a page of ours', OWN, 201],
  ['our origin', { ...json, origin: 'https://hub.example' }, 201],
])('with a cookie, what changes something from %s is answered %#', async (_from, headers, expected) => {
  const hub = new AdminBench();
  const cookie = await signedIn(hub);
  const body = { kind: 'receive', provider: 'sandbox' };
  const answer = await hub.call('POST', '/api/webhooks', withCookie(cookie, { headers, body }));
  expect(answer.status).toBe(expected);
  expect((await hub.walk('/api/webhooks')).items).toHaveLength(expected === 201 ? 1 : 0);
  // A path that is not there tells it, too: it needs a session.
  const nowhere = await hub.call('POST', '/api/nothing', withCookie(cookie, { headers, body }));
  expect(nowhere.status).toBe(expected === 201 ? 404 : expected);
});

it('lets no other page sign a browser in, and a program without such headers', async () => {
  const hub = new AdminBench();
  const body = { key: 'the-admin-key' };
  for (const headers of [
    { ...json, 'sec-fetch-site': 'cross-site' },
    { ...json, origin: 'https://evil.example' },
  ]) {
    expect((await signIn(hub, body, { headers })).status).toBe(403);
  }
  expect((await signIn(hub, body, { headers: { 'content-type': 'text/plain' } })).status).toBe(415);
  expect((await signIn(hub, body, { headers: json })).status).toBe(201);
});

it('a key counts before a cookie', async () => {
  const hub = new AdminBench();
  const { id, key } = await hub.workspaceWithKey();
  const cookie = await signedIn(hub);
  expect((await hub.call('GET', '/api/session', { key, cookies: [cookie] })).json).toEqual({
    workspace: id,
    admin: false,
    scope: 'all',
  });
  expect((await hub.call('POST', '/api/webhooks', { key: 'wrong', cookies: [cookie] })).status).toBe(401);
});

it('takes five wrong keys a minute from an address, and then not even the right one', async () => {
  const hub = new AdminBench();
  for (let n = 0; n < 5; n++) expect((await signIn(hub, { key: `wrong-${n}` })).status).toBe(401);
  const { status, headers, cookies } = await signIn(hub, { key: 'the-admin-key' });
  expect([status, headers['retry-after'], cookies]).toEqual([429, '60', []]);
  hub.bench.now += 60_000;
  await signedIn(hub);
});

it('takes no more than five at once either', async () => {
  const hub = new AdminBench();
  const tries = await Promise.all(Array.from({ length: 12 }, (_, n) => signIn(hub, { key: `wrong-${n}` })));
  expect(tries.filter(({ status }) => status === 401)).toHaveLength(5);
  expect(tries.filter(({ status }) => status === 429)).toHaveLength(7);
});

it('counts no right key', async () => {
  const hub = new AdminBench();
  for (let n = 0; n < 8; n++) await signedIn(hub);
});

it('signs in by a link once, within ten minutes, as the one who made it', async () => {
  const hub = new AdminBench();
  const { id, key } = await hub.workspaceWithKey();
  const { token, url } = await hub.done('POST', '/api/session/links', { key });
  expect(url).toBe(`https://hub.example/console#${token}`);
  const cookie = await signedIn(hub, { key: token });
  expect((await hub.call('GET', '/api/session', withCookie(cookie))).json).toMatchObject({
    workspace: id,
    admin: false,
    scope: 'all',
  });
  expect((await signIn(hub, { key: token })).status).toBe(401);
  const late = await hub.done('POST', '/api/session/links', { key });
  hub.bench.now += 600_000;
  expect((await signIn(hub, { key: late.token })).status).toBe(401);
});

it('of two that follow a link at once, lets one in', async () => {
  const hub = new AdminBench();
  const { token } = await hub.done('POST', '/api/session/links');
  const both = await Promise.all([signIn(hub, { key: token }), signIn(hub, { key: token })]);
  expect(both.map(({ status }) => status).sort()).toEqual([201, 401]);
});

it('a link is no session, and a session is no link', async () => {
  const hub = new AdminBench();
  const { token } = await hub.done('POST', '/api/session/links');
  const bare = String(token).replace('once_', '');
  expect((await hub.call('GET', '/api/session', withCookie(`__Host-hookline=${bare}`))).status).toBe(401);
  const cookie = await signedIn(hub);
  expect((await signIn(hub, { key: `once_${cookie.split('=')[1]}` })).status).toBe(401);
});
