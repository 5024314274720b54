import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { functionNames, grantsOf, roles } from '#infra/grants.ts';
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

test('a store under a role refuses what IAM would refuse', async () => {
  const store = underRole(new MemoryStore(), 'cooby');
  await expect(store.get({ pk: 'HOOK#1', sk: 'META' })).resolves.toBeUndefined();
  await expect(store.get({ pk: 'MSG#1', sk: 'META' })).rejects.toThrow(
    'does not grant cooby GetItem on Table for MSG#1',
  );
  await expect(store.query({ index: 'gsi1', pk: 'WS#main#SEND#0', limit: 1 })).rejects.toThrow('Query on gsi1');
  expect(takeRefusals()).toHaveLength(2);
});
