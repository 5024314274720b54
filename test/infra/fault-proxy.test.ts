import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { callAws } from '#infra/local/engines/local-aws.ts';
import { freshTable, type TestTable } from '#test/support/engine.ts';
import { type FaultProxy, startFaultProxy } from '#test/support/fault-proxy.ts';

let table: TestTable;
let proxy: FaultProxy;

beforeAll(async () => {
  table = await freshTable();
  proxy = await startFaultProxy(table.endpoint);
});

beforeEach(() => proxy.clear());

afterAll(() => proxy.stop());

const call = async (action: string, input: object) => {
  const { status, output } = await callAws(proxy.endpoint, `DynamoDB_20120810.${action}`, input);
  return { status, output: JSON.parse(JSON.stringify(output)) };
};
const add = (pk: string) =>
  call('UpdateItem', {
    TableName: table.table,
    Key: { pk: { S: pk }, sk: { S: 'META' } },
    UpdateExpression: 'ADD n :one',
    ExpressionAttributeValues: { ':one': { N: '1' } },
  });
const count = async (pk: string): Promise<number> => {
  const { output } = await call('GetItem', { TableName: table.table, Key: { pk: { S: pk }, sk: { S: 'META' } } });
  return Number(output.Item?.n.N ?? 0);
};
const updates = { when: ({ action }: { action: string }) => action === 'UpdateItem' };

test('passes calls on and remembers them', async () => {
  expect((await add('passed')).status).toBe(200);
  expect(await count('passed')).toBe(1);
  expect(proxy.calls.map(({ action }) => action)).toEqual(['UpdateItem', 'GetItem']);
});

test('refuses a call before it has had an effect, as often as it is told', async () => {
  proxy.inject({ ...updates, fault: { kind: 'refuse' }, times: 1 });
  await expect(add('refused')).rejects.toThrow();
  expect(await count('refused')).toBe(0);
  expect((await add('refused')).status).toBe(200);
});

test('loses the answer to a call that was done', async () => {
  proxy.inject({ ...updates, fault: { kind: 'lose-answer' } });
  await expect(add('lost')).rejects.toThrow();
  expect(await count('lost')).toBe(1);
});

test('repeats a call', async () => {
  proxy.inject({ ...updates, fault: { kind: 'repeat' } });
  await add('repeated');
  expect(await count('repeated')).toBe(2);
});

test('delays a call', async () => {
  proxy.inject({ ...updates, fault: { kind: 'delay', ms: 50 } });
  const startedAt = performance.now();
  await add('delayed');
  expect(performance.now() - startedAt).toBeGreaterThan(45);
});

test.each([
  ['conflict', 400, 'TransactionConflictException'],
  ['throttle', 400, 'ThrottlingException'],
  ['error', 500, 'InternalServerError'],
] as const)('answers a %s in the words of DynamoDB', async (kind, status, name) => {
  proxy.inject({ ...updates, fault: { kind } });
  const answer = await add(kind);
  expect([answer.status, answer.output.__type.split('#')[1]]).toEqual([status, name]);
  expect(await count(kind)).toBe(0);
});

test('gives one reason for each write of a transaction in conflict', async () => {
  proxy.inject({ when: ({ text }) => text.includes('in-conflict'), fault: { kind: 'conflict' } });
  const write = (pk: string) => ({ Put: { TableName: table.table, Item: { pk: { S: pk }, sk: { S: 'META' } } } });
  const { output } = await call('TransactWriteItems', { TransactItems: [write('in-conflict'), write('b')] });
  expect(output).toMatchObject({ CancellationReasons: [{ Code: 'TransactionConflict' }, { Code: 'None' }] });
  expect((await call('TransactWriteItems', { TransactItems: [write('c')] })).status).toBe(200);
});
