import { expect, inject, test } from 'vitest';
import { startHub } from '#infra/local/hub.ts';
import { fixtureService } from '#test/support/fixture-service.ts';

const start = (environment: Record<string, string>) =>
  startHub({ serverlessFile: fixtureService, environment: { PORT: '0', HOOKLINE_DATA: ':memory:', ...environment } });

test('starts after a start that failed, on a DynamoDB that runs already', async () => {
  // Port 9 discards what it gets, where it is open at all.
  const failed = start({ HOOKLINE_DYNAMODB_ENDPOINT: 'http://127.0.0.1:9' });
  await expect(failed).rejects.toThrow('HOOKLINE_DYNAMODB_ENDPOINT: http://127.0.0.1:9 gives no answer');
  const hub = await start({ HOOKLINE_DYNAMODB_ENDPOINT: inject('dynamoDbEndpoint') });
  expect((await fetch(`${hub.url}/api/x`)).status).toBe(200);
  await hub.stop();
});

test('makes a key for the operator unless one is given', async () => {
  const first = await start({});
  await first.stop();
  const second = await start({});
  await second.stop();
  expect(first.adminKey).toMatch(/^[\w-]{32}$/);
  expect(second.adminKey).not.toBe(first.adminKey);
});
