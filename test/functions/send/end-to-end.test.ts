import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Hub, startHub } from '#infra/local/hub.ts';

let hub: Hub;
let url: string;
const faults: string[] = [];

beforeAll(async () => {
  hub = await startHub({
    environment: { PORT: '0', HOOKLINE_DATA: ':memory:', HOOKLINE_WATCHDOG_MS: '1000' },
    report: (name, error) => faults.push(`${name}: ${error}`),
  });
  await api('POST', '/api/accounts', {
    provider: 'sandbox',
    channel: 'whatsapp',
    phone: '+15550100001',
    credentials: {},
  });
  ({ url } = await api('POST', '/api/webhooks', { kind: 'send' }));
}, 30_000);

afterAll(() => hub.stop());

async function api(method: string, path: string, body?: object) {
  const response = await fetch(`${hub.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${hub.adminKey}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = JSON.parse(await response.text());
  if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

async function send(body: object, headers: Record<string, string> = {}) {
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ action: 'send', ...body }) });
  return { response, body: JSON.parse(await response.text()) };
}

test('a message goes out through the sandbox', async () => {
  const { response, body } = await send({ phone: '+15550100099', text: 'hello' });
  expect(response.status).toBe(200);
  console.log(body, url);
  await sleep(6000);
  console.log(
    faults,
    await api('GET', `/api/sends/${body.data.message_id}`).catch(String),
    await api('GET', '/api/events'),
  );
}, 20_000);
