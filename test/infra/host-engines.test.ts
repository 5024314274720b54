import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { callAws } from '#infra/local/engines/local-aws.ts';
import { type SqsEngine, startSqs } from '#infra/local/engines/sqs.ts';
import { type Hub, startHub } from '#infra/local/hub.ts';
import { fixtureService } from '#test/support/fixture-service.ts';

const folder = mkdtempSync(join(tmpdir(), 'hookline-engines-'));
const notes = join(folder, 'notes');
let hub: Hub;

beforeAll(async () => {
  process.env.FIXTURE_NOTES = notes;
  const environment = { PORT: '0', HOOKLINE_DATA: join(folder, 'data'), HOOKLINE_ADMIN_KEY: 'the-key-of-the-test' };
  hub = await startHub({ serverlessFile: fixtureService, environment });
});

afterAll(async () => {
  await hub.stop();
  rmSync(folder, { recursive: true });
});

/** Calls an engine from inside a function. */
async function aws(target: string, input: unknown): Promise<{ status: number; output: Record<string, unknown> }> {
  const headers = { 'x-aws': target, 'content-type': 'application/json' };
  const response = await fetch(`${hub.url}/api/x`, { method: 'POST', headers, body: JSON.stringify(input) });
  return JSON.parse(await response.text());
}

const sqs = (action: string, input: object) =>
  aws(`AmazonSQS.${action}`, { QueueUrl: '$HOOKLINE_FALLBACK_QUEUE_URL', ...input });
const ssm = (action: string, input: object) => aws(`AmazonSSM.${action}`, input);

test('takes from the queue what was done, and leaves what was not for later', async () => {
  const bodies = ['one', 'refuse two', 'three'];
  const Entries = bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
  expect((await sqs('SendMessageBatch', { Entries })).status).toBe(200);
  const counts = async () =>
    (await sqs('GetQueueAttributes', { AttributeNames: ['ApproximateNumberOfMessagesNotVisible'] })).output;
  const oneLeft = { Attributes: { ApproximateNumberOfMessagesNotVisible: '1' } };
  for (let tries = 0; tries < 100 && JSON.stringify(await counts()) !== JSON.stringify(oneLeft); tries += 1) {
    await sleep(10);
  }
  expect(await counts()).toEqual(oneLeft);
  const noted = readFileSync(notes, 'utf8').trim().split('\n');
  expect(noted.filter((line) => !line.startsWith('tick ')).sort()).toEqual(['one 1', 'refuse two 1', 'three 1']);
});

test('makes queues as the template says', async () => {
  const { output } = await sqs('GetQueueAttributes', { AttributeNames: ['VisibilityTimeout', 'RedrivePolicy'] });
  expect(output).toMatchObject({ Attributes: { VisibilityTimeout: '180' } });
  expect(JSON.stringify(output)).toMatch(/fixture-local-fallback-dead.*maxReceiveCount/);
});

test('hands a message out again that was given back', async () => {
  const QueueUrl = 'http://127.0.0.1/000000000000/fixture-local-fallback-dead';
  await sqs('SendMessage', { QueueUrl, MessageBody: 'again' });
  const receive = async () => {
    const { output } = await sqs('ReceiveMessage', { QueueUrl, AttributeNames: ['ApproximateReceiveCount'] });
    return JSON.parse(JSON.stringify(output)).Messages[0];
  };
  const { ReceiptHandle } = await receive();
  const { status } = await sqs('ChangeMessageVisibility', { QueueUrl, ReceiptHandle, VisibilityTimeout: 0 });
  expect(status).toBe(200);
  expect(await receive()).toMatchObject({ Body: 'again', Attributes: { ApproximateReceiveCount: '2' } });
});

test('hands out at once what waits for a time that a clock which was set back has not reached', async () => {
  const queues = join(folder, 'queues');
  const definition = { id: 'Queue', QueueName: 'queue' };
  const start = () => startSqs([definition], queues);
  const at = ({ endpoint, queues }: SqsEngine, action: string, input: object) =>
    callAws(endpoint, `AmazonSQS.${action}`, { QueueUrl: queues.get('Queue')?.url, ...input });
  const before = await start();
  await at(before, 'SendMessage', { MessageBody: 'of the future', DelaySeconds: 900 });
  await at(before, 'SendMessage', { MessageBody: 'delayed', DelaySeconds: 900 });
  await before.stop();
  using db = new DatabaseSync(join(queues, 'fauxqs.db'));
  db.exec("UPDATE sqs_messages SET delay_until = delay_until + 3600000 WHERE body = 'of the future'");
  const after = await start();
  const { output } = await at(after, 'ReceiveMessage', { MaxNumberOfMessages: 10 });
  await after.stop();
  expect(output).toMatchObject({ Messages: [{ Body: 'of the future' }] });
});

test('makes the table as the template says', async () => {
  const { output } = await aws('DynamoDB_20120810.DescribeTable', { TableName: '$HOOKLINE_TABLE' });
  const indexes = ['gsi1', 'gsi2', 'gsi3'].map((IndexName) => expect.objectContaining({ IndexName }));
  expect(output).toMatchObject({ Table: { TableName: 'fixture-local' } });
  expect(output).toMatchObject({ Table: { GlobalSecondaryIndexes: expect.arrayContaining(indexes) } });
  const timed = await aws('DynamoDB_20120810.DescribeTimeToLive', { TableName: '$HOOKLINE_TABLE' });
  expect(JSON.stringify(timed.output)).toContain('"AttributeName":"expiresAt"');
});

test('keeps the admin key where functions look for it', async () => {
  const Name = '$HOOKLINE_SECRETS_PREFIX/admin-key';
  expect(hub.adminKey).toBe('the-key-of-the-test');
  const { output } = await ssm('GetParameter', { Name, WithDecryption: true });
  expect(output).toMatchObject({ Parameter: { Type: 'SecureString', Value: 'the-key-of-the-test' } });
});

test('shows a secret only to those who ask for it in clear', async () => {
  const { output } = await ssm('GetParameter', { Name: '$HOOKLINE_SECRETS_PREFIX/admin-key' });
  expect(JSON.stringify(output)).not.toContain('the-key-of-the-test');
});

test('keeps, replaces and forgets parameters as AWS does', async () => {
  const parameter = { Name: '/a/b', Value: 'one', Type: 'SecureString' };
  const code = async (action: string, input: object) => {
    const { status, output } = await ssm(action, input);
    return `${status} ${output.__type ?? 'done'}`;
  };
  expect(await code('PutParameter', parameter)).toBe('200 done');
  expect(await code('PutParameter', parameter)).toBe('400 ParameterAlreadyExists');
  expect((await ssm('PutParameter', { ...parameter, Value: 'two', Overwrite: true })).output.Version).toBe(2);
  const { output } = await ssm('GetParameter', { Name: '/a/b', WithDecryption: true });
  expect(output).toMatchObject({ Parameter: { Name: '/a/b', Value: 'two' } });
  expect(await code('PutParameter', { ...parameter, Name: '/a/big', Value: 'x'.repeat(4097) })).toBe(
    '400 ValidationException',
  );
  expect(await code('DeleteParameter', { Name: '/a/b' })).toBe('200 done');
  expect(await code('DeleteParameter', { Name: '/a/b' })).toBe('400 ParameterNotFound');
  expect(await code('GetParameter', { Name: '/a/b' })).toBe('400 ParameterNotFound');
  expect(await code('DescribeParameters', {})).toBe('400 UnknownOperationException');
});

test('leaves no engine behind when the hub crashes', async () => {
  const engine = JSON.stringify(new URL('../../infra/local/engines/dynamodb.ts', import.meta.url).href);
  const script = `import { startDynamoDb } from ${engine};
const { endpoint } = await startDynamoDb({});
console.log(endpoint);
setImmediate(() => { throw new Error('crashed'); });`;
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  await vi.waitFor(() => expect(fetch(stdout.trim())).rejects.toThrow('fetch failed'));
});
