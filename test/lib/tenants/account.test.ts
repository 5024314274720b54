import { beforeEach, describe, expect, it } from 'vitest';
import { accountKey, directoryKey } from '#lib/store/keys.ts';
import { accountFinder, accountMeant, type NamedAccount } from '#lib/tenants/account.ts';
import { AdminBench, itemsOf } from '#test/functions/admin/admin-bench.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { stillPorts } from '#test/support/still-ports.ts';

const account = (id: string, more: Partial<NamedAccount> = {}): NamedAccount => ({
  id,
  scope: id,
  workspace: 'main',
  provider: 'green-api',
  channel: 'whatsapp',
  connectedAt: '2026-01-01T00:00:00.000Z',
  ...more,
});

describe('the account that an event means', () => {
  const first = account('acc_1', { instance: '7999000111', phone: '+15550100001' });
  const second = account('acc_2', {
    instance: '7999000222',
    phone: '+15550100001',
    connectedAt: '2026-02-01T00:00:00.000Z',
  });
  const unnamed = account('acc_3', { phone: '+15550100003', provider: 'timelinesai' });
  const mexican = account('acc_6', { phone: '+5215550000001', provider: 'timelinesai' });
  const all = [first, second, unnamed, mexican];

  it.each([
    ['its instance', 'green-api', { instance: '7999000111' }, 'acc_1'],
    ['its instance, whatever the number', 'green-api', { instance: '7999000111', phone: '+15550100009' }, 'acc_1'],
    ['its number', 'timelinesai', { phone: '+15550100003' }, 'acc_3'],
    ['its number in its other spelling', 'timelinesai', { phone: '+525550000001' }, 'acc_6'],
    ['the one connected last of two with a number', 'green-api', { phone: '+15550100001' }, 'acc_2'],
    ['no account of another provider', 'zender', { phone: '+15550100003' }, undefined],
    [
      'no account of another instance that has its number',
      'green-api',
      { instance: '1', phone: '+15550100001' },
      undefined,
    ],
    ['none that it does not name', 'green-api', {}, undefined],
  ])('is %s', (_, provider, named, expected) => {
    expect(accountMeant(all, provider, named)).toBe(expected);
  });

  it.each([
    ['its phone and SIM card', { device: 'd1', sim: 2 }, 'acc_8'],
    ['its phone, where the SIM card is not told: the one connected last', { device: 'd1' }, 'acc_8'],
    ['the only one of its phone', { device: 'd2', sim: 2 }, 'acc_9'],
    ['none of a phone with another SIM card', { device: 'd1', sim: 3 }, undefined],
    ['none of another phone', { device: 'd3', sim: 1 }, undefined],
  ])('is %s', (_, named, expected) => {
    const sms = { provider: 'zender', channel: 'sms' } as const;
    const phones = [
      account('acc_7', { ...sms, device: 'd1', sim: 1 }),
      account('acc_8', { ...sms, device: 'd1', sim: 2, connectedAt: '2026-02-01T00:00:00.000Z' }),
      account('acc_9', { ...sms, device: 'd2', sim: 1 }),
    ];
    expect(accountMeant(phones, 'zender', named)).toBe(expected);
  });

  it('is the WhatsApp account before the SMS account of a number', () => {
    const sms = account('acc_4', { channel: 'sms', phone: '+1555', connectedAt: '2026-03-01T00:00:00.000Z' });
    expect(accountMeant([sms, account('acc_5', { phone: '+1555' })], 'green-api', { phone: '+1555' })).toBe('acc_5');
  });
});

describe('a webhook that names no account', () => {
  let hub: AdminBench;
  let id: string;
  let url: string;

  const received = (idMessage: string, idInstance = 7_999_000_111) => ({
    typeWebhook: 'incomingMessageReceived',
    instanceData: { idInstance, wid: '15550100001@c.us', typeInstance: 'whatsapp' },
    timestamp: 1_772_366_000,
    idMessage,
    senderData: { chatId: '15550100099@c.us', sender: '15550100099@c.us', chatName: 'Ana Ruiz', senderName: 'Ana' },
    messageData: { typeMessage: 'textMessage', textMessageData: { textMessage: 'the answer' } },
  });
  const credentials = { apiUrl: 'https://7999.api.green-api.com', idInstance: '7999000111', apiTokenInstance: 'abc' };
  const connect = async () =>
    String(
      (await hub.done('POST', '/api/accounts', { body: { provider: 'green-api', channel: 'whatsapp', credentials } }))
        .id,
    );

  beforeEach(async () => {
    hub = new AdminBench();
    id = await connect();
    ({ url } = await hub.webhook({ provider: 'green-api' }));
  });

  it('keeps a conversation that we began in one chat, of that account', async () => {
    const { url: out } = await hub.webhook({ kind: 'send', provider: undefined });
    await hub.send(out, { phone: '+15550100099', text: 'first by us' });
    const { body } = await hub.post(url, received('m1'));
    const event = await hub.done('GET', `/api/events/${String(body.id)}`);
    expect(event.accountId).toBe(id);
    const chats = itemsOf(await hub.done('GET', `/api/chats?account=${id}`));
    expect(chats.map((chat) => [chat.id, chat.accountId])).toEqual([[event.chatId, id]]);
    const other = await hub.send(out, { phone: undefined, chat_id: '15550100099@c.us', text: 'by their id' });
    expect((await hub.done('GET', `/api/sends/${other}`)).accountId).toBe(id);
    expect(itemsOf(await hub.done('GET', '/api/chats'))).toHaveLength(1);
  });

  it('leaves the event of an instance that is none of ours without an account', async () => {
    const { body } = await hub.post(url, received('m2', 42));
    expect((await hub.done('GET', `/api/events/${String(body.id)}`)).accountId).toBeUndefined();
  });

  it('keeps a conversation by SMS in one chat, by the phone that it goes through', async () => {
    const credentials = { baseUrl: 'https://gw.example', secret: 's3cret', mode: 'devices', device: 'd1' };
    const sms = await hub.done('POST', '/api/accounts', { body: { provider: 'zender', channel: 'sms', credentials } });
    const receiving = await hub.webhook({ provider: 'zender' });
    const data = { id: 1, device: 'd1', sim: '1', phone: '+15550100099', message: 'hello', timestamp: '1772366000' };
    const { body } = await hub.post(receiving.url, { type: 'sms', data });
    const event = await hub.done('GET', `/api/events/${body.id}`);
    expect(event).toMatchObject({ accountId: sms.id });
    const asked = { phone: '+15550100099', text: 'an answer', account_id: sms.id };
    const { messageId } = await hub.done('POST', '/api/sends', { body: asked });
    const sent = await hub.done('GET', `/api/sends/${encodeURIComponent(String(messageId))}`);
    expect(sent).toMatchObject({ recipient: { chatId: event.chatId } });
  });

  it('is that of the phone through which an SMS came, whatever account the webhook is for', async () => {
    const connectSms = async (device: string) => {
      const credentials = { baseUrl: 'https://gw.example', secret: 's3cret', mode: 'devices', device };
      const body = { provider: 'zender', channel: 'sms', credentials };
      return String((await hub.done('POST', '/api/accounts', { body })).id);
    };
    const [first, second] = [await connectSms('d1'), await connectSms('d2')];
    const bound = await hub.webhook({ provider: 'zender', accountId: second });
    const accountOf = async (id: number, more: object) => {
      const data = { id, phone: '+15550100099', message: 'hello', timestamp: '1772366000', ...more };
      const { body } = await hub.post(bound.url, { type: 'sms', data });
      return (await hub.done('GET', `/api/events/${body.id}`)).accountId;
    };
    expect(await accountOf(1, { device: 'd1', sim: '1' })).toBe(first);
    expect(await accountOf(2, { device: 'd3', sim: '1' })).toBe(second);
    expect(await accountOf(3, {})).toBe(second);
  });

  it('is told by its number in the words of the sandbox', async () => {
    const body = { provider: 'sandbox', channel: 'whatsapp', phone: '+15550100001', credentials: {} };
    const ours = (await hub.done('POST', '/api/accounts', { body })).id;
    const sandbox = await hub.webhook({ provider: 'sandbox' });
    const told = { account: '+1 555 010 0001', from: '+15550100099' };
    const events = [
      { event: 'message', id: 'm1', text: 'hello' },
      { event: 'reaction', id: 'm1', emoji: '👍' },
      { event: 'call', id: 'c1', status: 'missed' },
      { event: 'status', id: 'm2', status: 'read' },
    ];
    for (const event of events) {
      const { body: answer } = await hub.post(sandbox.url, { ...told, ...event });
      expect(await hub.done('GET', `/api/events/${answer.id}`)).toMatchObject({ accountId: ours });
    }
    const { body: answer } = await hub.post(sandbox.url, { ...told, event: 'message', id: 'm3', account: 'demo' });
    expect(await hub.done('GET', `/api/events/${answer.id}`)).not.toHaveProperty('accountId');
  });

  it.each([
    ['nothing', {}],
    ['the number of the account', { account: '+15550100001' }],
  ])('keeps a conversation in one chat when it is bound, though its events named %s', async (_, named) => {
    const { url: hook, id: webhook } = await hub.webhook({ provider: 'sandbox' });
    const received = async (message: string, more: object = {}) => {
      const body = { event: 'message', id: message, from: '+15550100099', text: 'hello', ...more };
      const answer = await hub.post(hook, body);
      return hub.done('GET', `/api/events/${answer.body.id}`);
    };
    const { chatId } = await received('m1', named);
    hub.bench.now += 1_000;
    const body = { provider: 'sandbox', channel: 'whatsapp', phone: '+15550100001', credentials: {} };
    const { id: accountId } = await hub.done('POST', '/api/accounts', { body });
    await hub.done('PATCH', `/api/webhooks/${webhook}`, { body: { accountId } });
    expect(await received('m2')).toMatchObject({ accountId, chatId });
    const { url: out } = await hub.webhook({ kind: 'send', provider: undefined, accountId: String(accountId) });
    const sent = await hub.send(out, { phone: '+15550100099', text: 'an answer' });
    expect(await hub.done('GET', `/api/sends/${sent}`)).toMatchObject({ recipient: { chatId } });
    expect(itemsOf(await hub.done('GET', '/api/chats'))).toMatchObject([{ id: chatId, accountId }]);
  });

  it('is that of the chat in which its message stands, where the message names none', async () => {
    const credentials = { apiToken: 'made-up-token' };
    const body = { provider: 'timelinesai', channel: 'whatsapp', phone: '+15550100001', credentials };
    const ours = (await hub.done('POST', '/api/accounts', { body })).id;
    const { url: hook } = await hub.webhook({ provider: 'timelinesai' });
    const accountOf = async (message_uid: string, more: object) => {
      const data = { chat_id: 510_234, chat_name: 'Ana Ruiz', text: 'hello', message_uid, ...more };
      const { body: answer } = await hub.post(hook, { event_type: 'message:received:new', data });
      return (await hub.done('GET', `/api/events/${answer.id}`)).accountId;
    };
    expect(await accountOf('k-1', {})).toBeUndefined();
    expect(await accountOf('k-2', { whatsapp_account_id: '15550100001@s.whatsapp.net' })).toBe(ours);
    expect(await accountOf('k-3', {})).toBe(ours);
    expect(await accountOf('k-4', { chat_id: 510_235 })).toBeUndefined();
    expect(itemsOf(await hub.done('GET', `/api/messages?account=${ours}`))).toHaveLength(2);
  });

  it('is found through a provider that reports nothing of sends, too', async () => {
    const credentials = { baseUrl: 'https://zender.example', secret: 'a-key', account: 'a-unique-id' };
    const body = { provider: 'zender', channel: 'whatsapp', phone: '+639760713666', credentials };
    const { id: ours } = await hub.done('POST', '/api/accounts', { body });
    const { url: hook } = await hub.webhook({ provider: 'zender', secret: 'my-webhook-secret' });
    const data = { id: 2, wid: '+639760713666', phone: '+639760666713', message: 'Hello', timestamp: 1_645_684_231 };
    const { body: answer } = await hub.post(hook, { secret: 'my-webhook-secret', type: 'whatsapp', data });
    expect((await hub.done('GET', `/api/events/${String(answer.id)}`)).accountId).toBe(ours);
  });

  it('gives an event its account on a replay, where it was connected later', async () => {
    await hub.call('DELETE', `/api/accounts/${id}`);
    const { body } = await hub.post(url, received('m3'));
    expect((await hub.done('GET', `/api/events/${String(body.id)}`)).accountId).toBeUndefined();
    const again = await connect();
    expect(await hub.done('POST', `/api/events/${String(body.id)}/replay`)).toMatchObject({ result: 'updated' });
    expect((await hub.done('GET', `/api/events/${String(body.id)}`)).accountId).toBe(again);
  });
});

const QUEUE = {
  ...{ chain: 'IDLE', gen: 0, nextSendAt: 0, backoffUntil: 0, pending: 0, tailSeq: 0, failuresRunning: 0 },
  scope: 'x',
  paused: false,
  held: false,
  pacing: { minMs: 1600, maxMs: 2400 },
  createdAt: '2026-01-01T00:00:00.000Z',
};

it('remembers accounts, and looks again for a name that it does not know', async () => {
  const at = { now: 0, logged: [], counted: [] };
  let reads = 0;
  const store = new (class extends MemoryStore {
    override query(...given: Parameters<MemoryStore['query']>) {
      reads += 1;
      return super.query(...given);
    }
  })();
  const write = (one: NamedAccount) =>
    store.transact(
      [
        { kind: 'put', item: { ...accountKey(one.id), ...QUEUE, ...one } },
        { kind: 'put', item: { ...directoryKey('main', 'ACCOUNT', one.id) } },
      ],
      one.id,
    );
  await write(account('acc_1', { instance: '1' }));
  const find = accountFinder(stillPorts(at).clock);
  const found = async (instance: string) =>
    accountMeant(await find(store, 'main', 'green-api', [{ instance }]), 'green-api', { instance });
  expect([await found('1'), await found('1'), reads]).toEqual(['acc_1', 'acc_1', 1]);
  await write(account('acc_2', { instance: '2' }));
  at.now = 60;
  expect([await found('2'), reads]).toEqual(['acc_2', 2]);
  at.now = 40_000;
  expect([await found('2'), reads]).toEqual(['acc_2', 3]);
});
