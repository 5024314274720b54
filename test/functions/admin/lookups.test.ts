import { beforeEach, describe, expect, it } from 'vitest';
import { CHATS_FILL } from '#lib/chats/list.ts';
import { chatsFill } from '#lib/outbox/fill-chats.ts';
import { readSend } from '#lib/sender/items.ts';
import { keptThread, sentEventId, sightRecipient } from '#lib/sender/sent-event.ts';
import { accountKey, fillKey } from '#lib/store/keys.ts';
import { del, put, remove, set, update } from '#lib/store/store.ts';
import { fillOn } from '#lib/store/walk.ts';
import { allWorkspaces } from '#lib/tenants/workspaces.ts';
import { ErasureHub } from '#test/lib/privacy/hub.ts';
import { underRole } from '#test/support/under-role.ts';
import { itemsOf, message } from './admin-bench.ts';

const PHONE = '+15550199';
const thread = keptThread({ chat: 'chat_1', providerChatId: PHONE });

let hub: ErasureHub;
let account: string;
let url: string;
beforeEach(async () => {
  hub = new ErasureHub();
  account = await hub.account();
  ({ url } = await hub.webhook({ accountId: account }));
});

const sent = (providerId: string, recipient: Record<string, string> = { phone: PHONE, ...thread }) =>
  hub.accepted(account, recipient, 'hello', { kind: 'sent', providerId });

const statusOf = async (id: string) => {
  const { body } = await hub.post(url, { event: 'status', id, status: 'read' });
  return hub.done('GET', `/api/events/${body.id}`);
};

describe('a status', () => {
  it('tells of which send it is, in which chat and to whom', async () => {
    const sendId = await sent('P1');
    expect(await statusOf('P1')).toMatchObject({ sendId, chatId: 'chat_1', recipient: { phone: PHONE } });
    const [listed] = itemsOf(await hub.done('GET', '/api/events?kind=status'));
    expect(listed).toMatchObject({ sendId, chatId: 'chat_1', recipient: { phone: PHONE } });
  });

  it('names a recipient without a number by its id', async () => {
    await sent('P1', { chat_id: '1234@lid', ...keptThread({ chat: 'chat_2', providerChatId: '1234@lid' }) });
    expect(await statusOf('P1')).toMatchObject({ chatId: 'chat_2', recipient: { id: '1234@lid' } });
  });

  it('tells the chat of a message that was sent elsewhere and echoed', async () => {
    const { body } = await hub.post(url, message(1, { id: 'E1', direction: 'outbound', via: 'api' }));
    const { chatId } = await hub.done('GET', `/api/messages/${body.id}`);
    const status = await statusOf('E1');
    expect(status.chatId).toBe(chatId);
    expect(status).not.toHaveProperty('sendId');
  });

  it('tells nothing of a message that nobody knows, nor of one that was erased', async () => {
    expect(await statusOf('unheard')).not.toHaveProperty('chatId');
    await sent('P1');
    await statusOf('P1');
    await hub.done('DELETE', `/api/contacts/%2B${PHONE.slice(1)}`);
    const { items } = await hub.walk('/api/events?kind=status');
    expect(JSON.stringify(items)).not.toContain(PHONE);
  });
});

it('a message of ours shows the number of our account as its sender', async () => {
  await sent('P1');
  const [shown] = itemsOf(await hub.done('GET', '/api/messages'));
  expect(shown).toMatchObject({ message: { id: 'P1', direction: 'outbound', sender: { phone: '+15550111' } } });
});

describe('sends are found', () => {
  const found = async (query: string) =>
    (await hub.walk(`/api/sends?${query}`)).items.map(({ messageId }) => messageId);

  it.each([
    ['a number', '%2B15550199'],
    ['a JID', '15550199@c.us'],
    ['a JID of another spelling', '15550199@s.whatsapp.net'],
  ])('by their recipient: %s', async (_, recipient) => {
    const mine = await sent('P1');
    await sent('P2', { phone: '+15550123' });
    expect(await found(`recipient=${recipient}`)).toEqual([mine]);
  });

  it.each([
    ['the other national spelling of its number', '%2B525512345678'],
    ['the same with marks between', '0052 (55) 1234-5678'],
    ['its LID', '1234@lid'],
  ])('by all that is known of their recipient: %s', async (_, recipient) => {
    const mine = await sent('P1', { phone: '+5215512345678', lid: '1234@lid' });
    await sent('P2', { phone: '+5215512345679' });
    expect(await found(`recipient=${recipient}`)).toEqual([mine]);
  });

  it('by an id that its provider alone understands', async () => {
    const mine = await sent('P1', { chat_id: '15550199_15550111@whatsapp' });
    expect(await found('recipient=15550199_15550111@whatsapp')).toEqual([mine]);
    expect(await found('recipient=15550199_15550112@whatsapp')).toEqual([]);
  });

  it('by their chat', async () => {
    const mine = await sent('P1');
    await sent('P2', { phone: PHONE });
    expect(await found('chat=chat_1')).toEqual([mine]);
  });

  it('by the provider’s id of a message, and by nothing like it', async () => {
    const mine = await sent('P1');
    await sent('P2');
    expect(await found('providerMessageId=P1')).toEqual([mine]);
    expect(await found(`providerMessageId=P1&account=${account}`)).toEqual([mine]);
    expect(await found('providerMessageId=P1&account=acc_other')).toEqual([]);
    expect(await found('providerMessageId=P')).toEqual([]);
    // Whatever the account has been called since.
    const renamed = [set('scope', 'another'), set('formerScopes', [account])];
    await hub.store.write(update(accountKey(account), renamed));
    expect(await found('providerMessageId=P1')).toEqual([mine]);
    await hub.store.write(update(accountKey(account), [remove('formerScopes')]));
    expect(await found('providerMessageId=P1'), 'by its id, as of an earlier release').toEqual([mine]);
    const { key } = await hub.workspaceWithKey();
    expect((await hub.walk('/api/sends?providerMessageId=P1', { key })).items).toEqual([]);
  });

  it('by when they were accepted', async () => {
    const first = await sent('P1');
    const between = new Date(hub.bench.now + 500).toISOString();
    hub.bench.now += 1000;
    const second = await sent('P2');
    expect(await found(`after=${between}`)).toEqual([second]);
    expect(await found(`before=${between}`)).toEqual([first]);
    expect(await found('after=2026-03-01&before=2026-03-02')).toEqual([second, first]);
    expect(await found('before=2026-03-01')).toEqual([]);
  });
});

describe('bounds of time', () => {
  it('are taken as dates, which begin at midnight in UTC', async () => {
    const { body } = await hub.post(url, message(1, { at: '2026-02-28T23:59:59.000Z' }));
    const other = await hub.post(url, message(2, { at: '2026-03-01T00:00:01.000Z' }));
    const ids = async (query: string) => (await hub.walk(`/api/messages?${query}`)).items.map(({ id }) => id);
    expect(await ids('before=2026-03-01')).toEqual([body.id]);
    expect(await ids('after=2026-03-01')).toEqual([other.body.id]);
  });

  it.each(['2026-13-01', '2026-02-31', '2026-03', 'yesterday', '2026-03-01T12:00:00', '20260301', '1772323200'])(
    'are refused: %s',
    async (after) => {
      const { status, text } = await hub.call('GET', `/api/messages?after=${after}`);
      expect(status).toBe(422);
      expect(text).toContain('2026-03-01');
    },
  );
});

describe('what something is to be found by', () => {
  it.each(['chats?phone=', 'chats?jid=%20', 'chats?title=', 'messages?phone=', 'sends?recipient=', 'events?type='])(
    'is not empty: %s',
    async (query) => {
      const { status, text } = await hub.call('GET', `/api/${query}`);
      expect([status, text]).toEqual([422, expect.stringContaining('must not be empty: leave it out')]);
    },
  );
});

describe('a cursor', () => {
  it.each([
    ['events?order=received', 'events?'],
    ['events?', 'events?order=received'],
    ['messages?order=received', 'chats?'],
    ['sends?', 'messages?'],
  ])('is refused by /api/%s where it comes from /api/%s', async (list, other) => {
    for (const n of [1, 2]) await hub.post(url, message(n, { chat: `+1555012${n}` }));
    hub.bench.now += 60_000;
    const { cursor } = await hub.done('GET', `/api/${other}&limit=1`);
    const { status, text } = await hub.call('GET', `/api/${list}&cursor=${cursor}`);
    expect([status, text]).toEqual([422, expect.stringContaining('cursor is not a cursor of this list in this order')]);
    await hub.done('GET', `/api/${other}&limit=1&cursor=${cursor}`);
  });
});

describe('chats are found', () => {
  const found = async (query: string) => (await hub.walk(`/api/chats?${query}`)).items.map(({ title }) => title);
  beforeEach(async () => {
    await hub.post(url, message(1, { chat: '+15550103', title: 'Ana Sofia' }));
    await hub.post(url, message(2, { chat: '+15550104', title: 'ana b' }));
    await hub.post(url, message(3, { chat: '120363042@g.us', title: 'The group' }));
  });

  it.each([
    ['phone=%2B15550103', ['Ana Sofia']],
    ['phone=%2B1 555-0103', ['Ana Sofia']],
    ['jid=15550103@s.whatsapp.net', ['Ana Sofia']],
    ['jid=120363042@g.us', ['The group']],
    ['phone=%2B15550109', []],
    ['titlePrefix=ana', ['ana b', 'Ana Sofia']],
    ['titlePrefix=ana s', ['Ana Sofia']],
    ['titlePrefix=sofia', []],
    ['titlePrefix=\uff21na', ['ana b', 'Ana Sofia']],
    ['title=The group', ['The group']],
    ['title=the group', []],
    ['q=sof', ['Ana Sofia']],
    ['q=an', ['ana b', 'Ana Sofia']],
    ['q=0103', ['Ana Sofia']],
    ['title=The group&phone=%2B15550103', []],
    ['phone=%2B15550103&jid=15550103@c.us', ['Ana Sofia']],
    ['phone=%2B15550103&jid=120363042@g.us', []],
  ])('by %s', async (query, titles) => {
    // Before and after all chats have their rows.
    for (const done of [false, true]) {
      await hub.memory.write(put({ ...fillKey(CHATS_FILL.name), workspace: '', done }));
      expect(await found(query)).toEqual(titles);
      expect(await found(`${query}&limit=1`)).toEqual(titles);
    }
  });

  it('in their own workspace and on the account that is asked for', async () => {
    const { key } = await hub.workspaceWithKey();
    expect((await hub.walk('/api/chats?phone=%2B15550103', { key })).items).toEqual([]);
    expect(await found('phone=%2B15550103&account=acc_other')).toEqual([]);
    expect(await found(`phone=%2B15550103&account=${account}`)).toEqual(['Ana Sofia']);
  });

  it('without their last messages, for whoever looks for the chats alone', async () => {
    const query = '/api/chats?phone=%2B15550103';
    const [whole] = itemsOf(await hub.done('GET', query));
    const { lastMessage, ...rest } = whole ?? {};
    expect(lastMessage).toMatchObject({ id: 'm1' });
    expect(itemsOf(await hub.done('GET', `${query}&brief=true`))).toEqual([rest]);
  });

  it('with the messages of the person', async () => {
    const ids = async (query: string) =>
      itemsOf(await hub.done('GET', `/api/messages?${query}`)).map(({ message }) => message);
    expect(await ids('phone=%2B15550103')).toMatchObject([{ id: 'm1' }]);
    expect(await ids('phone=%2B15550109')).toEqual([]);
    hub.bench.now += 13_000;
    expect(await ids('order=received&phone=%2B15550103')).toMatchObject([{ id: 'm1' }]);
  });
});

describe('a chat shows its last message', () => {
  const HERE = '+15550103';
  const last = async () => {
    const [chat] = itemsOf(await hub.done('GET', '/api/chats?phone=%2B15550103'));
    const one = await hub.done('GET', `/api/chats/${String(chat?.id)}`);
    expect(one.lastMessage).toEqual(chat?.lastMessage);
    return chat?.lastMessage;
  };
  const receive = (n: number, more: object = {}) => hub.post(url, message(n, { chat: HERE, ...more }));

  it('in a line, with its time, whatever the order in which they come', async () => {
    await receive(1);
    await receive(3, { text: ` two\n lines ${'x'.repeat(200)}` });
    await receive(2);
    const shown = { id: 'm3', at: message(3).at, direction: 'inbound', type: 'text' };
    expect(await last()).toEqual({ ...shown, text: `two lines ${'x'.repeat(109)}…` });
  });

  it('also where we sent it', async () => {
    await receive(1);
    const { id } = itemsOf(await hub.done('GET', '/api/chats'))[0] ?? {};
    const sendId = await sent('P1', { phone: HERE, ...keptThread({ chat: String(id), providerChatId: HERE }) });
    const send = await hub.memory.get({ pk: `MSG#${sendId}`, sk: 'META' });
    if (!send) throw new Error('no send');
    await sightRecipient(hub.memory, readSend(send), hub.bench.now, { event: sentEventId(sendId, 0) });
    expect(await last()).toMatchObject({ id: 'P1', direction: 'outbound', text: 'hello' });
  });

  it('until its event is gone', async () => {
    const { body } = await receive(1, { text: 'to be forgotten' });
    const key = { pk: `EVT#${body.id}`, sk: 'META' };
    await hub.memory.write(update(key, [set('expiresAt', Math.floor(hub.bench.now / 1000))]));
    expect(await last()).toBeUndefined();
    await hub.memory.write(update(key, [remove('expiresAt'), remove('event')]));
    expect(await last()).toBeUndefined();
    await hub.memory.write(del(key));
    expect(await last()).toBeUndefined();
    expect(JSON.stringify(hub.memory.all().filter(({ pk }) => pk.startsWith('CHAT#')))).not.toContain('forgotten');
  });

  it('that came late, where something else has happened in it since', async () => {
    await receive(1);
    const [{ id = '' } = {}] = itemsOf(await hub.done('GET', '/api/chats'));
    const later = new Date(hub.bench.now).toISOString();
    await hub.memory.write(update({ pk: `CHAT#${id}`, sk: 'META' }, [set('lastAt', later)]));
    await receive(2);
    expect(await last()).toMatchObject({ id: 'm2' });
    await receive(0);
    expect(await last()).toMatchObject({ id: 'm2' });
  });
});

it('chats found by who they are with are said to be all once those of earlier releases are gone through', async () => {
  const complete = async (query: string) => (await hub.done('GET', `/api/chats${query}`)).complete;
  for (const query of ['?phone=%2B15550103', '?jid=120363042@g.us']) expect(await complete(query)).toBe(false);
  expect(await complete('')).toBeUndefined();
  const ports = { ...hub.ports, store: underRole(hub.memory, 'watchdog') };
  await fillOn(
    ports,
    chatsFill,
    () => allWorkspaces(ports.store),
    () => false,
  );
  expect(await complete('?phone=%2B15550103')).toBeUndefined();
});
