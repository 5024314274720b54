import { beforeEach, describe, expect, it } from 'vitest';
import { updateChat } from '#lib/chats/chat.ts';
import { sightChat } from '#lib/chats/people.ts';
import { isRecord } from '#lib/domain/json.ts';
import { chatsFill } from '#lib/outbox/fill-chats.ts';
import { chatKey } from '#lib/store/keys.ts';
import { del, remove, set, update } from '#lib/store/store.ts';
import { fillOn, isFilled } from '#lib/store/walk.ts';
import { Conversation } from '#test/support/conversation.ts';
import { underRole } from '#test/support/under-role.ts';

const NOW = Date.parse('2026-03-01T11:59:00.000Z') / 1000;
const ANA = '15550100099@c.us';
const LID = '190000000000042@lid';
const instanceData = { idInstance: 7999000111, wid: '15550100001@c.us', typeInstance: 'whatsapp' };

interface Told extends Readonly<Record<string, unknown>> {
  readonly type?: string;
  readonly id?: string;
  readonly at?: number;
  readonly text?: string;
}
let count = 0;
/** What GREEN-API tells of a message; `at` in seconds after the first. */
function told(chatId: string, more: Told = {}) {
  const { type = 'incomingMessageReceived', id = `M${++count}`, at = count, text = 'hello', ...senderData } = more;
  return {
    typeWebhook: type,
    instanceData,
    timestamp: NOW + at,
    idMessage: id,
    senderData: { chatId, sender: chatId, chatName: '', senderName: '', ...senderData },
    messageData: { typeMessage: 'textMessage', textMessageData: { textMessage: text } },
  };
}
const echoed = (chatId: string, id: string, more: Told = {}) =>
  told(chatId, {
    type: 'outgoingAPIMessageReceived',
    sender: instanceData.wid,
    senderName: 'Corner Shop',
    id,
    ...more,
  });
const statusOf = (id: string, chatId: string, status = 'delivered') => ({
  ...{ typeWebhook: 'outgoingMessageStatus', instanceData, timestamp: NOW + 50, chatId, idMessage: id },
  ...{ status, sendByApi: true },
});

const bodies = (requests: readonly { readonly body?: unknown }[]) =>
  requests.map(({ body }) => (isRecord(body) ? body.value : undefined));
const part = (id: string) => green.bench.send(id).parts[0];
const recipientOf = (id: string) => green.bench.send(id).recipient;

let green: Conversation;
beforeEach(async () => {
  count = 0;
  green = await new Conversation('green-api').begin();
});

describe('a hidden number', () => {
  it('that has written is written to by its jid as by its chat', async () => {
    const { chatId } = Object(await green.receive(told(LID, { chatName: 'Bo', senderName: 'Bo' })));
    const id = await green.send({ jid: LID });
    expect(bodies(await green.deliver())).toEqual([{ chatId: LID, message: 'hello' }]);
    expect(part(id)?.state).toBe('sent');
    expect(await green.chats()).toMatchObject([{ id: chatId, title: 'Bo', messages: ['M1', 'P1'] }]);
  });

  it('that nobody has seen is refused at once, and nothing is charged', async () => {
    await expect(green.send({ jid: LID })).rejects.toThrow(
      '400 jid hides a number, and no chat under it is known: give the phone number, or wait until they have written',
    );
    expect(green.bench.available()).toBe(100);
  });

  it('settles a send whose answer was lost, and is known for the number from then on', async () => {
    green.answers.push({ status: 502, headers: { 'content-type': 'text/html' }, text: 'bad gateway' });
    const id = await green.send({ phone: '+15550100099', text: 'Lost answer' });
    await green.deliver();
    expect(part(id)?.state).toBe('unknown');
    green.bench.now += 5_000;
    const at = green.bench.now / 1000 - NOW;
    await green.receive(echoed(LID, 'U1', { text: 'Lost answer', at, chatName: 'Ana Ruiz' }));
    expect(part(id)).toMatchObject({ state: 'sent', providerId: 'U1' });
    const chats = await green.chats();
    expect(chats).toMatchObject([{ messages: ['U1'], title: 'Ana Ruiz' }]);

    await green.receive(told(LID, { id: 'A1', at: at + 1 }));
    await green.receive(told(ANA, { id: 'A2', at: at + 2 }));
    const next = await green.send({ phone: '+15550100099' });
    expect(recipientOf(next)).toMatchObject({ chat: chats[0]?.id, lid: LID });
    expect(await green.chats()).toMatchObject([{ id: chats[0]?.id, messages: ['U1', 'A1', 'A2'] }]);
  });

  it('settles nothing where two sends fit, or where it is known for somebody else', async () => {
    const lost = { status: 502, text: '' };
    green.answers.push(lost, lost);
    const ids = [await green.send({ phone: '+15550100099' }), await green.send({ phone: '+15550100077' })];
    await green.deliver();
    const at = green.bench.now / 1000 - NOW;
    await green.receive(echoed(LID, 'U1', { at }));
    expect(ids.map((id) => part(id)?.state)).toEqual(['unknown', 'unknown']);

    await green.receive(told('190000000000077@lid', { sender: '15550100055@c.us', at }));
    await green.receive(echoed('190000000000077@lid', 'U2', { at }));
    expect(ids.map((id) => part(id)?.state)).toEqual(['unknown', 'unknown']);
  });

  it.each([
    ['an echo', (id: string) => echoed(LID, id, { at: 2 })],
    ['a status', (id: string) => statusOf(id, LID)],
  ])('is learnt from %s of a message of ours', async (_what, report) => {
    await green.receive(told(LID, { chatName: 'Ana Ruiz', senderName: 'Ana' }));
    await green.send({ phone: '+15550100099' });
    await green.deliver();
    expect(await green.chats()).toHaveLength(2);
    await green.receive(report('P1'));
    const [chat, ...others] = await green.chats();
    expect(others).toEqual([]);
    expect(chat).toMatchObject({ title: 'Ana Ruiz', messages: ['M1', 'P1'] });
    // Both ids stay good.
    const id = await green.send({ jid: LID });
    expect(recipientOf(id)).toMatchObject({ chat: chat?.id });
  });

  it('is learnt from the sender of a message, and the younger chat leads to the older', async () => {
    const old = Object(await green.receive(told(ANA))).chatId;
    const young = Object(await green.receive(told(LID, { chatName: 'Ana Ruiz' }))).chatId;
    await green.receive(told(LID, { sender: ANA }));
    expect(await green.chats()).toMatchObject([
      { id: old, phone: '+15550100099', title: 'Ana Ruiz', messages: ['M1', 'M2', 'M3'] },
    ]);
    expect(await green.chat(young)).toMatchObject({ id: old });
    expect(await green.messages(young)).toEqual(['M1', 'M2', 'M3']);
    expect(Object(await green.receive(told(LID, { id: 'M4' }))).chatId).toBe(old);
    expect(green.bench.memory.peek(chatKey(young))).not.toHaveProperty('gsi1pk');
    const sent = [{ chat_id: young }, { chat_id: LID }, { chat_name: 'Ana Ruiz' }, { phone: '+15550100099' }];
    for (const to of sent) expect(recipientOf(await green.send(to))).toMatchObject({ chat: old });
  });

  it('is nobody else for having another number beside it once', async () => {
    const old = Object(await green.receive(told(LID, { sender: ANA }))).chatId;
    const other = Object(await green.receive(told('15550100077@c.us'))).chatId;
    await green.receive(told(LID, { sender: '15550100077@c.us' }));
    expect((await green.chats()).map(({ id }) => id).sort()).toEqual([old, other].sort());
    expect(recipientOf(await green.send({ phone: '+15550100077' }))).toMatchObject({ chat: other });
  });
});

describe('a message that is told again under another id of its chat', () => {
  const both = { at: 0, text: 'told twice', senderName: 'Ana', chatName: 'Ana Ruiz' };

  it.each([
    ['hidden after', [ANA, LID]],
    ['hidden before', [LID, ANA]],
  ])('is one message of one chat: the number is %s', async (_when, [first = '', second = '']) => {
    await green.receive(told(first, { ...both, id: 'A1' }));
    green.bench.now += 60_000;
    const { id } = await green.receive(told(second, { ...both, id: 'A1' }));
    const [chat, ...others] = await green.chats();
    expect(others).toEqual([]);
    expect(chat).toMatchObject({ title: 'Ana Ruiz', phone: '+15550100099', messages: ['A1'], lastEvent: id });
    for (const to of [{ jid: LID }, { phone: '+15550100099' }, { chat_id: first }])
      expect(recipientOf(await green.send(to))).toMatchObject({ chat: chat?.id });
  });

  it('at once, under an id that nobody knew', async () => {
    const at = green.bench.now / 1000 - NOW;
    await green.receive(told(ANA, { ...both, id: 'A1', at }));
    await green.receive(told(LID, { ...both, id: 'A1', at }));
    expect(await green.chats()).toMatchObject([{ messages: ['A1'] }]);
  });

  it('makes one of two chats that were known', async () => {
    for (const chat of [ANA, LID]) await green.receive(told(chat));
    await green.receive(told(LID, { ...both, id: 'A1' }));
    await green.receive(told(ANA, { ...both, id: 'A1' }));
    const [chat, ...others] = await green.chats();
    expect(others).toEqual([]);
    expect(chat?.messages.toSorted()).toEqual(['A1', 'M1', 'M2']);
  });

  it.each([
    ['hidden after', [ANA, LID]],
    ['hidden before', [LID, ANA]],
  ])('in a chat of which both are known: the number is %s', async (_when, [first = '', second = '']) => {
    await green.receive(told(ANA));
    await green.receive(told(LID, { sender: ANA }));
    const { id } = Object(await green.receive(told(first, { ...both, sender: first, id: 'A1' })));
    expect(await green.receive(told(second, { ...both, sender: second, id: 'A1' }))).toMatchObject({ id });
    await green.receive(told(second, { ...both, sender: second, id: 'A1', text: 'something else' }));
    const [chat, ...others] = await green.chats();
    expect(others).toEqual([]);
    expect(chat?.messages.toSorted()).toEqual(['A1', 'A1', 'M1', 'M2']);
  });

  it('may be one that we wrote on the phone', async () => {
    const ours = { ...both, type: 'outgoingMessageReceived', sender: instanceData.wid, senderName: 'Corner Shop' };
    await green.receive(told(ANA, { ...ours, id: 'O1' }));
    await green.receive(told(LID, { ...ours, id: 'O1' }));
    expect(await green.chats()).toMatchObject([{ messages: ['O1'], title: 'Ana Ruiz' }]);
  });

  it('keeps its first id of the chat, and takes up the newer link and names', async () => {
    const picture = (chat: string, name: string) => ({
      ...told(chat, { ...both, id: 'A1', chatName: `Ana ${name}`, senderName: name }),
      messageData: {
        typeMessage: 'imageMessage',
        fileMessageData: { downloadUrl: `https://files.example/${name}.jpg`, fileName: `${name}.jpg`, caption: 'look' },
      },
    });
    await green.receive(picture(ANA, 'aaaa'));
    green.bench.now += 60_000;
    expect(await green.receive(picture(LID, 'bbbb'))).toMatchObject({
      deliveries: 2,
      message: {
        chat: { id: ANA, title: 'Ana bbbb' },
        sender: { id: ANA, phone: '+15550100099', name: 'bbbb' },
        content: { file: { url: 'https://files.example/bbbb.jpg' } },
      },
    });
    expect(await green.chats()).toMatchObject([{ messages: ['A1'] }]);
  });

  it.each([
    ['other words', {}, { text: 'something else' }],
    ['another id', {}, { id: 'A2' }],
    ['another known number', { sender: '15550100055@c.us' }, {}],
  ])('is another one with %s', async (_what, before, again) => {
    await green.receive(told(LID, { ...both, ...before, id: 'A0', at: -5 }));
    await green.receive(told(ANA, { ...both, id: 'A1' }));
    await green.receive(told(LID, { ...both, id: 'A1', ...again }));
    expect(await green.chats()).toHaveLength(2);
  });

  it.each([
    ['instance', { ...instanceData, idInstance: 7999000222 }],
    ['number', { ...instanceData, wid: '15550100002@c.us' }],
  ])('is another one with another account, whose ids may be the same: another %s', async (_what, other) => {
    const free = await new Conversation('green-api').begin(false);
    await free.receive(told(ANA, { ...both, id: 'A1' }));
    await free.receive({ ...told(LID, { ...both, id: 'A1' }), instanceData: other });
    expect(await free.chats()).toHaveLength(2);
  });

  it('is another one where the first tells of somebody else as the other one', async () => {
    const cooby = await new Conversation('cooby').begin(false);
    const sent = {
      ...{ chat_type: 'individual', user_phone: '+15550100001', direction: 'sent', sender: { phone: '+15550100001' } },
      ...{ message: { id: 'C1', type: 'chat', text: 'hello' }, timestamp: String(NOW) },
    };
    await cooby.receive({ ...sent, chat_id: LID, participants: [{ phone: '+15550100077' }] });
    await cooby.receive({ ...sent, chat_id: ANA });
    expect(await cooby.chats()).toHaveLength(2);
  });

  it('is looked for only where it may have been told before', async () => {
    let looks = 0;
    const { memory } = green.bench;
    const query = memory.query.bind(memory);
    memory.query = (asked) => {
      if (asked.index === 'gsi1' && asked.limit === 50 && asked.from !== undefined) looks += 1;
      return query(asked);
    };
    const now = green.bench.now / 1000 - NOW;
    await green.receive(told(ANA, { at: now }));
    expect(looks).toBe(0);
    await green.receive(told(ANA));
    expect(looks).toBe(8);
    await green.receive(told(LID, { sender: ANA }));
    for (const chat of [ANA, LID]) await green.receive(told(chat, { at: green.bench.now / 1000 - NOW }));
    expect(looks).toBe(8);
  });

  it.each(['green-api', 'fallback'])('may come through the function %s', async (role) => {
    for (const chat of [ANA, LID]) await green.receive(told(chat, { ...both, id: 'A1' }), role);
    expect(await green.chats()).toMatchObject([{ messages: ['A1'] }]);
  });

  it('may come through Cooby', async () => {
    const cooby = await new Conversation('cooby').begin(false);
    const from = (chat_id: string, phone: string) => ({
      ...{ chat_id, chat_type: 'individual', user_phone: '+15550100001', direction: 'received' },
      ...{ sender: { phone, wa_name: 'Ana' }, message: { id: 'C1', type: 'chat', text: 'hello' } },
      timestamp: String(NOW),
    });
    await cooby.receive(from('15550100099@c.us', '+15550100099'));
    await cooby.receive(from(LID, '190000000000042'));
    expect(await cooby.chats()).toMatchObject([{ messages: ['C1'], phone: '+15550100099' }]);
  });
});

describe('two chats of one person', () => {
  it('that are begun at the same moment are one', async () => {
    for (let round = 0; round < 10; round++) {
      const [phone, lid] = [`1555010${2000 + round}@c.us`, `19000000000${2000 + round}@lid`];
      const events = [told(phone), told(lid, { sender: phone }), told(phone, { sender: lid }), told(lid)];
      await Promise.all(events.map((event) => green.receive(event)));
      await green.receive(told(lid, { sender: phone }));
    }
    const chats = await green.chats();
    expect(chats.map(({ messages }) => messages.length)).toEqual(chats.map(() => 5));
    expect(chats).toHaveLength(10);
  });

  it.each(['green-api', 'fallback'])('are merged by the function %s', async (role) => {
    for (const event of [told(ANA), told(LID), told(LID, { sender: ANA })]) await green.receive(event, role);
    expect(await green.chats()).toMatchObject([{ messages: ['M1', 'M2', 'M3'] }]);
  });

  it('are merged by the sender, which learns from what a provider answers', async () => {
    for (const event of [told(ANA), told(LID)]) await green.receive(event);
    const chats = green.bench.memory.all().filter(({ pk }) => pk.startsWith('CHAT#'));
    const later = chats.find(({ providerChatId }) => providerChatId === LID);
    const { workspace, provider, accountId, accountKey } = Object(later);
    const sighting = { workspace, provider, accountId, accountKey, providerChatId: LID, kind: 'individual' } as const;
    const names = ['+15550100099', LID];
    await sightChat(underRole(green.bench.memory, 'sender'), { ...sighting, names, at: NOW * 1000 });
    expect(await green.chats()).toMatchObject([{ messages: ['M1', 'M2'] }]);
  });

  it('are merged by a provider that can only receive', async () => {
    const cooby = await new Conversation('cooby').begin(false);
    const from = (id: string, chat_id: string, phone: string) => ({
      ...{ chat_id, chat_type: 'individual', user_phone: '+15550100001', direction: 'received' },
      ...{ sender: { phone, wa_name: 'Ana' }, message: { id, type: 'chat', text: 'hello' }, timestamp: String(NOW) },
    });
    await cooby.receive(from('C1', '15550100099_15550100001@c.us', '+15550100099'));
    await cooby.receive(from('C2', LID, '190000000000042'));
    await cooby.receive(from('C3', LID, '+15550100099'));
    expect((await cooby.chats()).map(({ messages }) => messages.toSorted())).toEqual([['C1', 'C2', 'C3']]);
  });

  it('are merged when a message goes out to one of which the other has become known meanwhile', async () => {
    const free = await new Conversation('green-api').begin(false);
    await free.bench.addAccount('acc_1', { provider: 'green-api', scope: '7999000111', instance: '7999000111' });
    await free.send({ phone: '+15550100099' });
    await free.receive(told(ANA, { chatName: 'Ana Ruiz' }));
    await free.deliver();
    expect(await free.chats()).toMatchObject([{ title: 'Ana Ruiz', messages: ['M1', 'P1'] }]);
  });

  it('are two with two accounts', async () => {
    const free = await new Conversation('green-api').begin(false);
    const { chatId } = Object(await free.receive(told(ANA)));
    const wid = '15550100002@c.us';
    const second = { ...told(ANA), instanceData: { ...instanceData, idInstance: 7999000222, wid } };
    expect(Object(await free.receive(second)).chatId).not.toBe(chatId);
    await free.bench.addAccount('acc_1', { provider: 'green-api', instance: '7999000111' });
    await free.bench.addAccount('acc_2', { provider: 'green-api', instance: '7999000222' });
    const id = await free.send({ phone: '+15550100099', account_id: 'acc_1' });
    expect(free.bench.send(id).recipient).toMatchObject({ chat: chatId });
  });
});

describe('a number with two spellings', () => {
  it.each([
    ['5215550000099', '+525550000099'],
    ['5491150000099', '+541150000099'],
    ['552160000099', '+5521960000099'],
  ])('known as %s is written to as that, when %s is given', async (known, given) => {
    const { chatId } = Object(await green.receive(told(`${known}@c.us`, { chatName: 'Luz' })));
    for (const to of [{ phone: given }, { jid: `${given.slice(1)}@c.us` }, { phone: `+${known}` }]) {
      const id = await green.send(to);
      expect(recipientOf(id)).toMatchObject({ chat: chatId });
      expect(bodies(await green.deliver())).toEqual([{ chatId: `${known}@c.us`, message: 'hello' }]);
    }
    expect(await green.chats()).toMatchObject([{ id: chatId, messages: ['M1', 'P1', 'P2', 'P3'] }]);
  });

  it.each([
    ['an answer', 0],
    ['an answer that comes later', 60],
    ['its echo', 0],
    ['its echo that comes later', 60],
  ])('is sent to as given until %s tells the other, and is one chat then', async (what, later) => {
    await green.send({ phone: '+525550000099' });
    expect(bodies(await green.deliver())).toEqual([{ chatId: '525550000099@c.us', message: 'hello' }]);
    const at = green.bench.now / 1000 - NOW + later;
    const id = '5215550000099@c.us';
    await green.receive(what.startsWith('its echo') ? echoed(id, 'P1', { at }) : told(id, { at }));
    const [chat, ...others] = await green.chats();
    expect(others).toEqual([]);
    for (const to of [{ phone: '+525550000099' }, { chat_id: chat?.id }, { jid: '525550000099@c.us' }]) {
      await green.send(to);
      expect(bodies(await green.deliver())).toEqual([{ chatId: '5215550000099@c.us', message: 'hello' }]);
    }
    expect(await green.chats()).toMatchObject([{ id: chat?.id, phone: '+5215550000099' }]);
  });

  it('is found by its echo in the other spelling', async () => {
    green.answers.push({ status: 502, text: '' });
    const id = await green.send({ phone: '+525550000099' });
    await green.deliver();
    await green.receive(echoed('5215550000099@c.us', 'U1', { at: green.bench.now / 1000 - NOW }));
    expect(part(id)).toMatchObject({ state: 'sent', providerId: 'U1' });
  });
});

describe('titles, lists and kinds', () => {
  it('keeps the name of a group, whoever writes', async () => {
    const group = '120363000000000001@g.us';
    await green.receive(told(group, { sender: ANA, chatName: 'Lunch club', senderName: 'Ana' }));
    await green.receive(told(group, { sender: '15550100077@c.us', chatName: 'Bo', senderName: 'Bo' }));
    expect(await green.chats()).toMatchObject([{ title: 'Lunch club', kind: 'group' }]);
    await green.send({ chat_name: 'Lunch club' });
    expect(bodies(await green.deliver())).toEqual([{ chatId: group, message: 'hello' }]);
  });

  it('finds somebody by name who has posted a story as well', async () => {
    const name = { chatName: 'Ana Ruiz', senderName: 'Ana' };
    const { chatId } = Object(await green.receive(told(ANA, name)));
    await green.receive(told('status@broadcast', { ...name, sender: ANA }));
    expect(recipientOf(await green.send({ chat_name: 'Ana Ruiz' }))).toMatchObject({ chat: chatId });
    const story = (await green.chats()).find(({ kind }) => kind === 'status');
    expect(story).toMatchObject({ messages: ['M2'] });
    expect(story?.title).toBeUndefined();
  });

  it('puts what came through a broadcast list into the chat with its sender', async () => {
    const { chatId } = Object(await green.receive(told(ANA)));
    expect(await green.receive(told('1668000000@broadcast', { sender: ANA }))).toMatchObject({
      chatId,
      message: { chat: { id: ANA, kind: 'individual' }, broadcastList: '1668000000@broadcast' },
    });
    expect(await green.chats()).toMatchObject([{ id: chatId, messages: ['M1', 'M2'] }]);
  });

  it('does not call somebody by the name of their broadcast list', async () => {
    await green.receive(told('1668000000@broadcast', { sender: ANA, chatName: 'Ana Ruiz' }));
    expect(await green.chats()).toMatchObject([{ title: 'Ana Ruiz', kind: 'individual' }]);
    await green.receive(told(ANA, { chatName: 'Ana R.' }));
    await green.receive(told('1668000000@broadcast', { sender: ANA, chatName: 'Offers' }));
    expect(await green.chats()).toMatchObject([{ title: 'Ana R.', messages: ['M1', 'M2', 'M3'] }]);
  });

  it('names the sender of a first message, and never ourselves', async () => {
    const first = await green.receive(told(ANA, { chatName: 'Cleo Diaz' }));
    expect(first).toMatchObject({ message: { sender: { phone: '+15550100099', name: 'Cleo Diaz' } } });
    const wrong = { sender: instanceData.wid, chatName: 'Ana Ruiz', senderName: 'Corner Shop' };
    expect(await green.receive(told(ANA, wrong))).toMatchObject({
      message: { direction: 'inbound', sender: { phone: '+15550100099', name: 'Ana Ruiz' } },
    });
    const blank = { chatName: 'Ana Ruiz', senderName: ' ', senderContactName: '\u00a0' };
    expect(await green.receive(told(ANA, blank))).toMatchObject({ message: { sender: { name: 'Ana Ruiz' } } });
  });

  it('refuses to write to a channel, uncharged', async () => {
    const { chatId } = Object(await green.receive(told('120363000000000099@newsletter', { chatName: 'City news' })));
    await expect(green.send({ chat_id: chatId })).rejects.toThrow('404 chat_id names a chat of the kind channel');
    expect(green.bench.available()).toBe(100);
    expect(await green.chats()).toMatchObject([{ kind: 'channel', title: 'City news' }]);
  });
});

describe('at TimelinesAI', () => {
  const flat = (more: object) => ({
    event_type: 'message:received:new',
    data: { chat_id: 510234, text: 'one', ...more },
  });
  const account = { whatsapp_account_id: '15550100001@s.whatsapp.net', sender_phone: '+15550100099' };

  it.each([
    ['first', [{}, account]],
    ['last', [account, {}]],
  ])('a chat is one, whether or not the account is told: not told %s', async (_which, events) => {
    const lines = await new Conversation('timelinesai').begin(false);
    for (const [n, more] of events.entries()) await lines.receive(flat({ ...more, message_uid: `k-${n}` }));
    await lines.receive(flat({ ...account, message_uid: 'k-2' }));
    const [chat, ...others] = await lines.chats();
    expect(others).toEqual([]);
    expect(chat?.messages.toSorted()).toEqual(['k-0', 'k-1', 'k-2']);
  });

  it('somebody is written to by number in the chat that is known', async () => {
    const lines = await new Conversation('timelinesai').begin();
    const person = { full_name: 'Ana Ruiz', phone: '+15550100099' };
    const own = { full_name: 'Lee', phone: '+15550100001' };
    const { chatId } = Object(
      await lines.receive({
        event_type: 'message:received:new',
        chat: { chat_id: 510234, is_group: false, ...person },
        whatsapp_account: own,
        message: { text: 'hello', direction: 'received', message_uid: 'k-1', sender: person, recipient: own },
      }),
    );
    const id = await lines.send({ phone: '+15550100099' });
    expect(lines.bench.send(id).recipient).toMatchObject({ phone: '+15550100099', chat: chatId });
    await lines.deliver();
    expect(await lines.chats()).toMatchObject([{ id: chatId, title: 'Ana Ruiz', messages: ['k-1', 'P1'] }]);
  });

  it('the echo of a first message joins the chat that its number was written to', async () => {
    const lines = await new Conversation('timelinesai').begin();
    await lines.send({ phone: '+15550100099' });
    await lines.deliver();
    await lines.receive({
      event_type: 'message:sent:new',
      chat: { chat_id: 510234, is_group: false, full_name: 'Ana Ruiz' },
      whatsapp_account: { phone: '+15550100001' },
      message: { text: 'hello', direction: 'sent', origin: 'Public API', message_uid: 'P1' },
    });
    expect(await lines.chats()).toMatchObject([{ title: 'Ana Ruiz', messages: ['P1'] }]);
  });
});

it('is one chat at Cooby, whichever number its id begins with', async () => {
  const cooby = await new Conversation('cooby').begin(false);
  const one = {
    ...{ chat_id: '15550100099_15550100001@c.us', chat_type: 'individual', chat_title: 'Ana Ruiz' },
    ...{ user_phone: '+15550100001', direction: 'received', sender: { phone: '+15550100099', wa_name: 'Ana' } },
    ...{ message: { id: 'C1', type: 'chat', text: 'hello' }, timestamp: String(NOW) },
  };
  await cooby.receive(one);
  const sent = { direction: 'sent', sender: { phone: '+15550100001' }, message: { ...one.message, id: 'C2' } };
  await cooby.receive({ ...one, ...sent, chat_id: '15550100001_15550100099@c.us', timestamp: String(NOW + 1) });
  expect(await cooby.chats()).toMatchObject([{ messages: ['C1', 'C2'] }]);
});

describe('chats of an earlier release', () => {
  const earlier = { workspace: 'main', provider: 'green-api', kind: 'individual', at: NOW * 1000 } as const;
  const fillOnce = (isTimeUp: () => boolean) => {
    const ports = { ...green.bench.ports(), store: underRole(green.bench.memory, 'watchdog') };
    return fillOn(ports, chatsFill, async () => ['main'], isTimeUp);
  };

  it('are gone through to the end, whichever of them is damaged', async () => {
    const { memory } = green.bench;
    const account = { accountId: 'acc_1', accountKey: 'acc_1' };
    const ids = ['15550100042@c.us', '15550100043@c.us', ANA].map((providerChatId) => ({ ...account, providerChatId }));
    const chats = await Promise.all(ids.map((one) => updateChat(memory, { ...earlier, ...one })));
    for (const { pk, sk } of chats.slice(0, 2)) await memory.write(update({ pk, sk }, [set('kind', 7)]));
    await fillOnce(() => false);
    expect(await isFilled(memory, chatsFill)).toBe(true);
    const named = await Promise.all(chats.map(({ pk, sk }) => memory.get({ pk, sk })));
    expect(named.map((chat) => chat?.names)).toEqual([undefined, undefined, ['+15550100099']]);
    expect(green.bench.counted.filter((name) => name === 'WatchdogFailures')).toHaveLength(2);
  });

  it('are filled in step by step, and become one where they are one person', async () => {
    const { memory } = green.bench;
    // A message tells whose the hidden number is; nothing that this release keeps of it is there.
    const hidden = Object(await green.receive(told(LID, { sender: ANA, chatName: 'Ana Ruiz' }))).chatId;
    for (const { pk, sk } of memory.all().filter(({ pk }) => pk.startsWith('PERSON#')))
      await memory.write(del({ pk, sk }));
    await memory.write(update(chatKey(hidden), [remove('names'), remove('phone')]));
    const accounts = { bound: { accountId: 'acc_1', accountKey: 'acc_1' }, free: { accountKey: '7999000111' } };
    const [bound, free] = [
      await updateChat(green.bench.memory, { ...earlier, ...accounts.bound, providerChatId: ANA }),
      await updateChat(green.bench.memory, { ...earlier, ...accounts.free, providerChatId: ANA, at: NOW * 1000 + 1 }),
    ];
    expect(await green.chats()).toHaveLength(3);
    let steps = 0;
    while (!(await isFilled(green.bench.memory, chatsFill)) && steps < 50) {
      steps += 1;
      await fillOnce(() => true);
    }
    expect(steps).toBeGreaterThan(2);
    expect(await isFilled(green.bench.memory, chatsFill)).toBe(true);
    const [chat, ...others] = await green.chats();
    expect(others).toEqual([]);
    expect(chat).toMatchObject({ title: 'Ana Ruiz', messages: ['M1'] });
    const ids = await Promise.all([bound.chatId, free.chatId, hidden].map((id) => green.chat(String(id))));
    expect(new Set(ids.map((one) => one?.id)).size).toBe(1);
  });
});
