import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Hub, startHub } from '#infra/local/hub.ts';
import { type FaultProxy, startFaultProxy } from '#test/support/fault-proxy.ts';
import { fixtureService } from '#test/support/fixture-service.ts';

let hub: Hub;
const proxies = new Map<string, FaultProxy>();

beforeAll(async () => {
  hub = await startHub({
    serverlessFile: fixtureService,
    environment: { PORT: '0', HOOKLINE_DATA: ':memory:' },
    report: () => undefined,
    between: async (engine, endpoint) => {
      const proxy = await startFaultProxy(endpoint);
      proxies.set(engine, proxy);
      return proxy.endpoint;
    },
  });
});

afterAll(async () => {
  await hub.stop();
  await Promise.all([...proxies.values()].map((proxy) => proxy.stop()));
});

test.each([
  ['dynamoDb', 'DynamoDB_20120810.ListTables', {}],
  ['sqs', 'AmazonSQS.ListQueues', {}],
  ['ssm', 'AmazonSSM.GetParameter', { Name: '$HOOKLINE_SECRETS_PREFIX/admin-key' }],
])('lets a test break %s for the functions', async (engine, target, input) => {
  const call = async () => {
    const init = {
      method: 'POST',
      headers: { 'x-aws': target, 'content-type': 'text/plain' },
      body: JSON.stringify(input),
    };
    return fetch(`${hub.url}/api/x`, init);
  };
  expect(JSON.parse(await (await call()).text()).status).toBe(200);
  proxies.get(engine)?.inject({ when: () => true, fault: { kind: 'refuse' }, times: 1 });
  expect((await call()).status).toBe(500);
  expect(JSON.parse(await (await call()).text()).status).toBe(200);
});
