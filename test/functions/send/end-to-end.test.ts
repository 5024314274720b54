import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Hub, startHub } from '#infra/local/hub.ts';

const SENDER = '+15105566777';
let hub: Hub;
let url: string;
let account: string;
const faults: string[] = [];

beforeAll(async () => {
  hub = await startHub({
    environment: { PORT: '0', HOOKLINE_DATA: ':memory:', HOOKLINE_WATCHDOG_MS: '1000' },
    report: (name, error) => faults.push(`${name}: ${error}`),
  });
  const sandbox = { provider: 'sandbox', channel: 'whatsapp', phone: SENDER, credentials: {} };
  account = (await api('POST', '/api/accounts', sandbox)).id;
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

async function post(body: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { method: 'POST', headers, body });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

const messageIn = (body: string): string => JSON.parse(body).data.message_id;
const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8');

async function until(path: string, isSo: (answer: { state?: string; items?: object[] }) => boolean) {
  for (let tries = 0; tries < 60; tries += 1) {
    const answer = await api('GET', path);
    if (isSo(answer)) return answer;
    await sleep(150);
  }
  throw new Error(`${path} never came to that: ${JSON.stringify(await api('GET', path))}`);
}

test('a message goes out, is reported on, and stands in the history of its chat once', async () => {
  const sent = await post(fixture('timelinesai-send-phone'));
  expect(sent.status).toBe(200);
  expect(sent.body).toMatch(/^\{"status":"success","data":\{"message_id":"wa_backend:3EB0[0-9A-F]{16}"\}\}$/);
  const send = await until(`/api/sends/${messageIn(sent.body)}`, ({ state }) => state === 'read');
  expect(send).toMatchObject({ accountId: account, creditState: 'spent', parts: [{ kind: 'text', state: 'read' }] });
  expect(send.history.map(({ state }: { state: string }) => state)).toEqual(
    expect.arrayContaining(['queued', 'sending', 'sent', 'read']),
  );
  // The sandbox echoes nothing by itself, so this is what another provider would post.
  const { url: hook } = await api('POST', '/api/webhooks', {
    kind: 'receive',
    provider: 'sandbox',
    accountId: account,
  });
  const echo = { event: 'message', direction: 'outbound', via: 'api', chat: '+14151231234', text: 'lorem ipsum' };
  const body = JSON.stringify({ ...echo, id: send.parts[0].providerMessageId });
  expect((await fetch(hook, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status).toBe(
    200,
  );
  const { items } = await api('GET', `/api/messages?chat=${send.recipient.chatId}`);
  expect(items).toMatchObject([
    { sendId: send.messageId, delivery: { state: 'read' }, message: { via: 'api', content: { text: 'lorem ipsum' } } },
  ]);
  expect(await api('GET', '/api/chats')).toMatchObject({ items: [{ id: send.recipient.chatId, accountId: account }] });
}, 20_000);

test('two messages keep their distance and their order, and the last can be cancelled in time', async () => {
  const ids = [];
  for (const text of ['one', 'two', 'three']) {
    ids.push(messageIn((await post(JSON.stringify({ action: 'send', phone: '+15550100098', text }))).body));
  }
  const third = await api('POST', `/api/sends/${ids[2]}/cancel`);
  expect(third).toMatchObject({ state: 'cancelled', creditState: 'refunded' });
  const [first, second] = [
    await until(`/api/sends/${ids[0]}`, ({ state }) => state !== 'queued' && state !== 'sending'),
    await until(`/api/sends/${ids[1]}`, ({ state }) => state !== 'queued' && state !== 'sending'),
  ];
  const at = (send: { history: { at: string; state: string }[] }, wanted: string) =>
    Date.parse(send.history.find(({ state }) => state === wanted)?.at ?? '');
  expect(at(second, 'sending') - at(first, 'sent')).toBeGreaterThanOrEqual(1_500);
  expect(await api('GET', '/api/credits/audit')).toEqual({ ok: true, differences: [] });
}, 20_000);

test('what is refused says why, over HTTP as well', async () => {
  expect(await post(fixture('timelinesai-send-file.broken'))).toMatchObject({
    status: 400,
    body: '{"status":400,"data":{},"message":"not valid JSON at line 5, column 1"}',
  });
  const answer = await fetch(`${hub.url}/send/unknown`, { method: 'POST', body: '{}' });
  expect(answer.status).toBe(404);
  expect(await answer.text()).toBe('{"status":404,"data":{},"message":"Webhook not found"}');
});

test('a repeat with the same key is answered alike, and says so', async () => {
  const body = JSON.stringify({ action: 'send', phone: '+15550100097', text: 'once' });
  const first = await post(body, { 'idempotency-key': 'a' });
  const again = await post(body, { 'idempotency-key': 'a' });
  expect([again.status, again.body]).toEqual([200, first.body]);
  expect([first.headers.get('idempotent-replayed'), again.headers.get('idempotent-replayed')]).toEqual([null, 'true']);
});

test('a browser may ask first', async () => {
  const preflight = await fetch(url, { method: 'OPTIONS' });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-headers')).toContain('idempotency-key');
});

test('no function failed meanwhile', () => {
  expect(faults).toEqual([]);
});
