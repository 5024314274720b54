import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { functionNames, grantsOf, roles } from '#infra/grants.ts';
import { AdminBench } from '#test/functions/admin/admin-bench.ts';
import { tableLinesOf } from '#test/support/grants.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { takeRefusals } from '#test/support/role-use.ts';
import { underRole } from '#test/support/under-role.ts';

const providers = functionNames().filter((name) => grantsOf(name).table?.PutItem?.includes('ATT') && name !== 'send');

test.each(functionNames())('%s takes the role that is made for it', (name) => {
  const file = readFileSync(new URL(`../../../functions/${name}/function.yml`, import.meta.url), 'utf8');
  const role = /^role: (\w+)$/m.exec(file)?.[1] ?? 'none';
  expect(JSON.stringify(roles()[role])).toContain(`/aws/lambda/\${self:service}-\${sls:stage}-${name}:*`);
});

test.each(providers)('the fallback function may do all that %s does with what it takes in', (provider) => {
  // It is called by no URL, and notes no attempt.
  const withIt = tableLinesOf(provider).filter((line) => !/ (HOOK|ATT)#/.test(line));
  expect(withIt.length).toBeGreaterThan(3);
  expect(tableLinesOf('fallback')).toEqual(expect.arrayContaining(withIt));
});

test('no function of a provider reaches keys, credentials or an index, but for the list of events', () => {
  expect(providers.length).toBeGreaterThan(4);
  for (const name of providers) {
    expect(grantsOf(name)).not.toHaveProperty('parameters');
    // Whose text it may read anyway: it brings them up to date.
    expect(grantsOf(name).lists).toEqual({ gsi1: 'WS#*#EVT' });
    // What waited in the queue is stored under the retention of the day.
    const retention = name === 'fallback' ? 'GetItem Table WORKSPACES' : undefined;
    const lines = tableLinesOf(name).filter((line) => line !== retention);
    expect(lines.join()).not.toMatch(/ (KEY|IDEM|WORKSPACES)/);
  }
});

test('the sender reaches no webhook, and nobody but the admin function the keys of the API', () => {
  expect(tableLinesOf('sender').join()).not.toContain('HOOK');
  const knowing = functionNames().filter((name) => tableLinesOf(name).some((line) => line.includes('KEY#')));
  expect(knowing).toEqual(['admin']);
});

test('the deliverer reaches no webhook, key, session or send, an account to read it, and of what is secret that of endpoints and rules', () => {
  const lines = tableLinesOf('deliver');
  expect(lines.join()).not.toMatch(/ (ATT|HOOK|IDEM|KEY|MSG|SESS)#/);
  expect(lines.filter((line) => line.includes('ACC#'))).toEqual(['GetItem Table ACC#*']);
  expect(grantsOf('deliver').parameters).toEqual({ GetParameter: 'endpoints/* rules/*' });
});

test('what reads the stream is told no secret, and has no webhook, key or session of its own', () => {
  expect(tableLinesOf('events').join()).not.toMatch(/ (ATT|HOOK|KEY|SESS)#/);
  expect(grantsOf('events')).not.toHaveProperty('parameters');
});

test.each([
  ['accounts/*', ['admin', 'sender', 'watchdog']],
  ['endpoints/*', ['admin', 'deliver']],
  ['rules/*', ['admin', 'deliver']],
  ['admin-key', ['admin']],
])('secrets under %s are read by %s alone', (path, readers) => {
  const reading = functionNames().filter((name) => grantsOf(name).parameters?.GetParameter?.split(' ').includes(path));
  expect(reading).toEqual(readers);
});

/** IAM bounds a reader of the stream by no key: whatever lies in the table comes past `events`, and past a backup. */
test('the table holds no token, no key, no session, no secret and no credential', async () => {
  const store = new MemoryStore();
  const hub = new AdminBench({ store });
  const { key } = await hub.workspaceWithKey();
  const { url: receive } = await hub.webhook({ provider: 'green-api', secret: 'a-secret-of-webhooks' });
  const { url: send } = await hub.webhook({ kind: 'send', provider: undefined });
  const account = { provider: 'sandbox', channel: 'whatsapp', credentials: {} };
  await hub.done('POST', '/api/accounts', { body: account });
  const credentials = { apiUrl: 'https://api.green-api.com', idInstance: '7103000001', apiTokenInstance: 'a-token-1' };
  await hub.done('POST', '/api/accounts', { body: { ...account, provider: 'green-api', credentials } });
  const headers = { 'x-key': 'a-header-of-endpoints' };
  const endpoint = await hub.done('POST', '/api/endpoints', { body: { url: 'https://crm.example/in', headers } });
  const does = { action: 'call', url: 'https://crm.example/call', headers: { 'x-key': 'a-header-of-rules' }, json: {} };
  await hub.done('POST', '/api/rules', { body: { name: 'A', on: ['message.received'], do: [does] } });
  const own = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };
  const { cookies = [] } = await hub.call('POST', '/api/session', {
    key: undefined,
    headers: own,
    body: { key },
  });
  const cookie = /=([^;]+)/.exec(cookies.join())?.[1] ?? 'none';
  await hub.send(send, { text: 'hello', phone: '+15550100099' });
  const secrets = [
    ...[key, String(endpoint.secret), cookie, receive, send].map((text) => text.slice(text.lastIndexOf('/') + 1)),
    ...['a-secret-of-webhooks', 'a-token-1', 'a-header-of-endpoints', 'a-header-of-rules'],
  ];
  const text = JSON.stringify(store.all());
  expect(secrets.filter((secret) => secret.length < 8 || text.includes(secret))).toEqual([]);
  expect(text).toContain('hello');
});

test('a store under a role refuses what IAM would refuse', async () => {
  const store = underRole(new MemoryStore(), 'cooby');
  await expect(store.get({ pk: 'HOOK#1', sk: 'META' })).resolves.toBeUndefined();
  await expect(store.get({ pk: 'MSG#1', sk: 'META' })).rejects.toThrow(
    'does not grant cooby GetItem on Table for MSG#1',
  );
  await expect(store.query({ index: 'gsi1', pk: 'WS#main#SEND#0', limit: 1 })).rejects.toThrow('Query on gsi1');
  expect(takeRefusals()).toHaveLength(2);
});
