import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Hub, startHub } from '#infra/local/hub.ts';
import { hubClient, postJson } from '#test/support/hub-client.ts';
import { listening } from '#test/support/listening.ts';
import { FakeGreenApi } from '#test/support/providers/fake-green-api.ts';
import { answer } from '#test/support/providers/fake-http.ts';

const TOKEN = 'd75b3a66374942c5b3c019c698abc2067e151558acbd412345';
const INSTANCE = 7999000111;
const CHAT = '12025550142@c.us';
const PDF = Buffer.from('%PDF-1.4\n1 0 obj\n<< >>\nendobj\n%%EOF\n');

const provider = new FakeGreenApi(TOKEN);
let files: Server;
let hub: Hub;
let api: ReturnType<typeof hubClient>['api'];
let until: ReturnType<typeof hubClient>['until'];
let url: string;
let hook: string;
let account: string;

beforeAll(async () => {
  await provider.http.start();
  files = await listening(createServer((_, response) => response.end(PDF)));
  hub = await startHub({
    environment: {
      PORT: '0',
      HOOKLINE_DATA: ':memory:',
      HOOKLINE_ALLOW_PRIVATE_HOSTS: '1',
      HOOKLINE_WATCHDOG_MS: '500',
    },
  });
  ({ api, until } = hubClient(hub));
  const credentials = provider.credentials(String(INSTANCE));
  account = (await api('POST', '/api/accounts', { provider: 'green-api', channel: 'whatsapp', credentials })).id;
  // Tied to no account: whose reports they are, the provider's own id of the account tells.
  hook = (await api('POST', '/api/webhooks', { kind: 'receive', provider: 'green-api' })).url;
  url = (await api('POST', '/api/webhooks', { kind: 'send' })).url;
}, 30_000);

afterAll(async () => {
  await hub.stop();
  files.close();
  await provider.http.stop();
});

async function send(body: object): Promise<string> {
  const sent = await postJson(url, { action: 'send', phone: '+12025550142', text: 'hello', ...body });
  expect(sent).toMatchObject({ status: 200 });
  return JSON.parse(sent.body).data.message_id;
}

const report = async (body: object): Promise<void> => {
  const instanceData = { idInstance: INSTANCE, wid: '12025550100@c.us', typeInstance: 'whatsapp' };
  const timestamp = Math.floor(Date.now() / 1000);
  expect(await postJson(hook, { instanceData, timestamp, ...body })).toMatchObject({ status: 200 });
};

const echo = (idMessage: string, textMessage: string) =>
  report({
    typeWebhook: 'outgoingAPIMessageReceived',
    idMessage,
    senderData: { chatId: CHAT, sender: '12025550100@c.us' },
    messageData: { typeMessage: 'extendedTextMessage', extendedTextMessageData: { text: textMessage } },
  });

const path = (messageId: string) => `/api/sends/${messageId}`;

test('a message reaches the provider, and its webhooks move it on', async () => {
  const id = await send({ text: 'first' });
  const { parts } = await until(path(id), ({ state }) => state === 'sent');
  expect(provider.taken.at(-1)).toMatchObject({ chatId: CHAT, text: 'first', idMessage: parts[0].providerMessageId });
  const status = { typeWebhook: 'outgoingMessageStatus', chatId: CHAT, idMessage: parts[0].providerMessageId };
  await report({ ...status, status: 'delivered', sendByApi: true });
  expect(await api('GET', path(id))).toMatchObject({ state: 'delivered' });
  await echo(parts[0].providerMessageId, 'first');
  const { items } = await api('GET', '/api/messages');
  expect(items).toMatchObject([
    { sendId: id, delivery: { state: 'delivered' }, message: { content: { text: 'first' } } },
  ]);
}, 20_000);

test('a file goes out as the bytes that were checked, and its text after it', async () => {
  const address = files.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const id = await send({ text: 'see the file', file_url: `http://127.0.0.1:${port}/x`, file_name: 'offer.pdf' });
  expect(await until(path(id), ({ state }) => state === 'sent')).toMatchObject({ credits: 2, creditState: 'spent' });
  const [file, text] = provider.taken.slice(-2);
  expect(file?.form?.files[0]).toMatchObject({ name: 'offer.pdf', type: 'application/pdf', bytes: PDF });
  expect(text?.text).toBe('see the file');
}, 20_000);

test('a message of which nobody knows is settled by its echo', async () => {
  provider.next.push(answer(500, 'oops'));
  const id = await send({ text: 'lost answer' });
  expect(await until(path(id), ({ state }) => state === 'unknown')).toMatchObject({ creditState: 'reserved' });
  await echo('BAE5FFFFFFFFFFFF', 'lost answer');
  expect(await api('GET', path(id))).toMatchObject({ state: 'sent', creditState: 'spent' });
  expect(await api('GET', '/api/credits/audit')).toMatchObject({ ok: true, differences: [], complete: true });
}, 20_000);

test('an account that was logged out waits, and goes on by itself when the provider lets it', async () => {
  provider.state = 'notAuthorized';
  provider.next.push(answer(401, { message: 'Unauthorized' }));
  const id = await send({ text: 'patience' });
  await until(`/api/accounts/${account}`, ({ held }) => held === true);
  expect(await api('GET', path(id))).toMatchObject({ state: 'queued', creditState: 'reserved', position: 1 });
  provider.state = 'authorized';
  await until(path(id), ({ state }) => state === 'sent');
  expect(await api('GET', `/api/accounts/${account}`)).toMatchObject({ held: false });
}, 20_000);

test('an account that was changed to another instance sends through it at once', async () => {
  const other = String(INSTANCE + 1);
  await api('PATCH', `/api/accounts/${account}`, { credentials: provider.credentials(other) });
  const id = await send({ text: 'from the other one' });
  await until(path(id), ({ state }) => state === 'sent');
  expect(provider.taken.at(-1)?.seen.path).toContain(`/waInstance${other}/`);
}, 20_000);

test('the token of the account stands nowhere', async () => {
  const lists = ['/api/sends', '/api/accounts', '/api/events', '/api/messages', '/api/credits/ledger'];
  for (const list of lists) expect(JSON.stringify(await api('GET', list))).not.toContain(TOKEN);
});
