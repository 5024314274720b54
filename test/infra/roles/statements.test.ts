import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { grantsOf, linesOf } from '#test/support/grants.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { takeRefusals, underRole } from '#test/support/under-role.ts';

const root = new URL('../../../', import.meta.url);
const functions = readdirSync(new URL('functions/', root));
const providers = functions.filter((name) => readdirSync(new URL(`functions/${name}/`, root)).includes('provider.ts'));
const isOnTheTable = (line: string) => / (Table|gsi\d) /.test(line);

/** What a role reaches beside the table. That it needs what it grants of the table is counted: see unused-grants.ts. */
const BESIDES: Readonly<Record<string, readonly string[]>> = {
  admin: [
    'sqs:SendMessage TicksQueue',
    'ssm:DeleteParameter accounts',
    'ssm:GetParameter admin-key',
    'ssm:PutParameter accounts',
  ],
  cooby: ['sqs:SendMessage FallbackQueue'],
  // Lambda itself takes the messages: it needs these three, and hides none.
  fallback: [
    'sqs:DeleteMessage FallbackQueue',
    'sqs:GetQueueAttributes FallbackQueue',
    'sqs:ReceiveMessage FallbackQueue',
    'sqs:SendMessage TicksQueue',
  ],
  'green-api': ['sqs:SendMessage FallbackQueue', 'sqs:SendMessage TicksQueue'],
  // It reports on no connection, so it never lets an account go on.
  sandbox: ['sqs:SendMessage FallbackQueue'],
  send: ['sqs:SendMessage TicksQueue'],
  sender: [
    'sqs:ChangeMessageVisibility TicksQueue',
    'sqs:DeleteMessage TicksQueue',
    'sqs:GetQueueAttributes TicksQueue',
    'sqs:ReceiveMessage TicksQueue',
    'sqs:SendMessage FallbackQueue',
    'sqs:SendMessage TicksQueue',
    'ssm:GetParameter accounts',
  ],
  timelinesai: ['sqs:SendMessage FallbackQueue', 'sqs:SendMessage TicksQueue'],
  watchdog: ['sqs:SendMessage TicksQueue', 'ssm:GetParameter accounts'],
  zender: ['sqs:SendMessage FallbackQueue'],
};

test.each(functions)('%s reaches nothing but the table, its log and what is written down here', (name) => {
  const lines = linesOf(name).filter((line) => !isOnTheTable(line));
  const besides = lines.map((line) => line.replace(/^(ssm:\w+) \*$/, '$1 accounts'));
  const ofItsLog = besides.filter((line) => line.startsWith('logs:'));
  expect(ofItsLog).toHaveLength(2);
  expect(besides.filter((line) => !line.startsWith('logs:')).sort()).toEqual(BESIDES[name]);
});

test.each(functions)('what %s may do with the keys of one request stands in one statement', (name) => {
  const grants = grantsOf(name).flatMap(({ actions, on }) =>
    actions.flatMap((action) => on.map((where) => `${action} ${where}`)),
  );
  expect(grants.length).toBeGreaterThan(5);
  expect([...new Set(grants)]).toEqual(grants);
});

test.each(providers)('the fallback function may do all that %s does with what it takes in', (provider) => {
  // It is called by no URL, and notes no attempt.
  const withIt = linesOf(provider).filter((line) => isOnTheTable(line) && !/ (HOOK|ATT)#/.test(line));
  expect(withIt.length).toBeGreaterThan(3);
  expect(linesOf('fallback')).toEqual(expect.arrayContaining(withIt));
});

test('a store under a role refuses what IAM would refuse', async () => {
  const store = underRole(new MemoryStore(), 'cooby');
  await expect(store.get({ pk: 'HOOK#1', sk: 'META' })).resolves.toBeUndefined();
  await expect(store.get({ pk: 'MSG#1', sk: 'META' })).rejects.toThrow('does not grant GetItem on Table for MSG#1');
  await expect(store.query({ index: 'gsi1', pk: 'WS#main#EVT#0', limit: 1 })).rejects.toThrow('Query on gsi1');
  expect(takeRefusals()).toHaveLength(2);
});
