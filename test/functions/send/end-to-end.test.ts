import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Hub, startHub } from '#infra/local/hub.ts';
import { hubClient, postJson } from '#test/support/hub-client.ts';

const SENDER = '+15105566777';
let hub: Hub;
let url: string;
let account: string;
let api: ReturnType<typeof hubClient>['api'];
let until: ReturnType<typeof hubClient>['until'];
const faults: string[] = [];

beforeAll(async () => {
  hub = await startHub({
    environment: { PORT: '0', HOOKLINE_DATA: ':memory:', HOOKLINE_WATCHDOG_MS: '1000' },
    report: (name, error) => faults.push(`${name}: ${error}`),
  });
  ({ api, until } = hubClient(hub));
  const sandbox = { provider: 'sandbox', channel: 'whatsapp', phone: SENDER, credentials: {} };
  account = (await api('POST', '/api/accounts', sandbox)).id;
  ({ url } = await api('POST', '/api/webhooks', { kind: 'send' }));
}, 30_000);

afterAll(() => hub.stop());

const post = (body: string, headers: Record<string, string> = {}) => postJson(url, body, headers);
const messageIn = (body: string): string => JSON.parse(body).data.message_id;
const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8');

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
  expect(await postJson(hook, { ...echo, id: send.parts[0].providerMessageId })).toMatchObject({ status: 200 });
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
  expect(await api('GET', '/api/credits/audit')).toMatchObject({ ok: true, differences: [], complete: true });
}, 20_000);

test('what is refused says why, over HTTP as well', async () => {
  expect(await post(fixture('timelinesai-send-file.broken'))).toMatchObject({
    status: 400,
    body: expect.stringMatching(
      /^{"status":400,"data":{},"message":"not valid JSON at line 5, column 1: a comma or double quote is missing/,
    ),
  });
  const answer = await fetch(`${hub.url}/send/unknown`, { method: 'POST', body: '{}' });
  expect(answer.status).toBe(404);
  expect(await answer.text()).toBe('{"status":404,"data":{},"message":"Webhook not found"}');
});

test.each(['//send/', '/send//', '/send/'])('a slash too many is the same URL: %s', async (before) => {
  const token = url.split('/').at(-1);
  for (const after of ['/', '//', '?source=crm']) {
    const answer = await fetch(`${hub.url}${before}${token}${after}`, { method: 'POST', body: '{}' });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('action is missing')]);
  }
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
