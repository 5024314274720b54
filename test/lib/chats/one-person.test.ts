import { beforeEach, describe, expect, it } from 'vitest';
import { isRecord } from '#lib/domain/json.ts';
import { Conversation } from '#test/support/conversation.ts';

const NOW = Date.parse('2026-03-01T11:59:00.000Z') / 1000;
const ANA = '15550100099@c.us';
const PHONE = '+15550100099';
const LID = '190000000000042@lid';

const bodies = (requests: readonly { readonly body?: unknown }[]) =>
  requests.map(({ body }) => (isRecord(body) ? (body.value ?? body.fields) : undefined));

let count = 0;
beforeEach(() => {
  count = 0;
});

const green = (chatId: string, more: Record<string, unknown> = {}) => {
  const {
    type = 'incomingMessageReceived',
    id = `M${++count}`,
    at = count,
    wid = '15550100001@c.us',
    ...senderData
  } = more;
  return {
    typeWebhook: type,
    instanceData: { idInstance: 7999000111, wid, typeInstance: 'whatsapp' },
    timestamp: NOW + Number(at),
    idMessage: id,
    senderData: { chatId, sender: chatId, chatName: '', senderName: '', ...senderData },
    messageData: { typeMessage: 'textMessage', textMessageData: { textMessage: 'hello' } },
  };
};
const lines = (chat: object, more: object = {}, account: object = { phone: '+15550100001' }) => ({
  event_type: 'message:received:new',
  chat,
  whatsapp_account: account,
  message: {
    text: 'hello',
    direction: 'received',
    message_uid: `M${++count}`,
    timestamp: '2026-03-01 11:58:02 +0000',
    ...more,
  },
});
const zender = (phone: string, more: object = {}) => ({
  type: 'whatsapp',
  data: { id: ++count, wid: '+15550100001', phone, message: 'hi', timestamp: NOW, ...more },
});
const cooby = (chat_id: string | undefined, more: Record<string, unknown> = {}) => ({
  ...{ chat_id, chat_type: 'individual', chat_title: 'Ana Ruiz', user_phone: '+15550100001', direction: 'received' },
  ...{ sender: { phone: PHONE, wa_name: 'Ana' }, message: { id: `M${++count}`, type: 'chat', text: 'hello' } },
  timestamp: String(NOW + count),
  ...more,
});

describe('through GREEN-API a person', () => {
  it.each([
    ['a device', [ANA, '15550100099:3@c.us']],
    ['the other server', [ANA, '15550100099@s.whatsapp.net']],
    ['capitals', [ANA, '15550100099@C.US']],
    ['hosted', [ANA, '15550100099@hosted']],
    ['a device of a hidden one', [LID, '190000000000042:9@lid']],
    ['Mexico', ['5215550000099@c.us', '525550000099@c.us']],
    ['Argentina', ['5491150000099@c.us', '541150000099@c.us']],
    ['Brazil', ['552160000099@c.us', '5521960000099@c.us']],
    ['Benin', ['22997000099@c.us', '2290197000099@c.us']],
    ['Ivory Coast', ['22507123499@c.us', '2250707123499@c.us']],
  ])('has one chat, told once otherwise: %s', async (_what, ids) => {
    const hub = await new Conversation('green-api').begin();
    for (const id of ids) await hub.receive(green(id));
    expect((await hub.chats()).map(({ messages }) => messages)).toEqual([['M1', 'M2']]);
  });
  it.each([
    [
      '5215550000099',
      ['+52 1 555 000 0099', '+52 (01) 555 000 0099', '0052 555 000 0099', '525550000099@s.whatsapp.net'],
    ],
    ['5491150000099', ['+54 11 5000-0099', '+54 9 11 5000 0099', '541150000099@c.us']],
    ['552160000099', ['+55 21 96000-0099', '+55 (021) 6000-0099', '+55 (0)21 96000 0099']],
    ['22997000099', ['+229 01 97 00 00 99', '+229 97000099', '00229 0197000099']],
    ['22507123499', ['+225 07 07 12 34 99', '+225 07 12 34 99']],
    ['441110000099', ['+44 (0)111 0000099', '+440111 0000099']],
    ['390612345678', ['+39 06 1234 5678', '+39 (0)6 1234 5678']],
  ])('with the id %s is written to in that chat, however the number is written', async (id, spelled) => {
    const hub = await new Conversation('green-api').begin();
    const { chatId } = Object(await hub.receive(green(`${id}@c.us`)));
    for (const to of spelled) {
      const send = await hub.send(to.includes('@') ? { jid: to } : { phone: to });
      expect([to, hub.bench.send(send).recipient]).toMatchObject([to, { chat: chatId }]);
      expect([to, bodies(await hub.deliver())]).toMatchObject([to, [{ chatId: `${id}@c.us` }]]);
    }
  });
});

describe('through TimelinesAI a person', () => {
  it.each<[string, object[]]>([
    [
      'number and text',
      [
        { chat_id: 510234, phone: PHONE },
        { chat_id: '510234', phone: PHONE },
      ],
    ],
    ['url', [{ chat_id: 510234, phone: PHONE }, { chat_url: 'https://app.timelines.ai/chat/510234/messages/' }]],
    ['jid first', [{ jid: '15550100099@s.whatsapp.net' }, { chat_id: 510234, phone: PHONE }]],
    ['phone only', [{ phone: PHONE }, { chat_id: 510234, phone: '+1 555 010 0099' }]],
    ['lid, then lid and id', [{ jid: LID }, { chat_id: 510234, jid: LID }]],
    ['chat_id as jid', [{ chat_id: '15550100099@s.whatsapp.net' }, { chat_id: 510234, phone: PHONE }]],
    ['id for chat_id', [{ id: 510234 }, { chat_id: 510234, phone: PHONE }]],
  ])('has one chat, told by: %s', async (_what, chats) => {
    const hub = await new Conversation('timelinesai').begin();
    for (const chat of chats) await hub.receive(lines({ full_name: 'Ana Ruiz', ...chat }));
    expect((await hub.chats()).map(({ messages }) => messages.toSorted())).toEqual([['M1', 'M2']]);
  });
  it.each<[string, object[]]>([
    ['phone', [{ phone: '+15550100001' }, {}, { phone: '1 555 010 0001' }]],
    ['jid', [{ id: '15550100001@s.whatsapp.net' }, {}, { phone: '+15550100001' }]],
    ['jid with a device', [{ id: '15550100001:7@s.whatsapp.net' }, { id: '15550100001@c.us' }]],
    ['wid', [{ whatsapp_account_wid: '15550100001@s.whatsapp.net' }, { id: '15550100001@s.whatsapp.net' }, {}]],
    ['hidden', [{ id: '190000000000001@lid' }, { phone: '+15550100001' }, {}]],
  ])('has one chat, whichever of our account is told: %s', async (_what, accounts) => {
    for (const tied of [false, {}] as const) {
      count = 0;
      const hub = await new Conversation('timelinesai').begin(tied);
      for (const account of accounts) await hub.receive(lines({ chat_id: 510234, full_name: 'Ana Ruiz' }, {}, account));
      expect((await hub.chats()).map(({ messages }) => messages.length)).toEqual([accounts.length]);
    }
  });
  it.each<[object, unknown]>([
    [{ jid: '15550100099@c.us' }, { jid: '15550100099@s.whatsapp.net' }],
    [{ jid: '15550100099:4@c.us' }, { jid: '15550100099@s.whatsapp.net' }],
    [{ jid: '+15550100099@C.US' }, { jid: '15550100099@s.whatsapp.net' }],
    [{ jid: '120363000000000001@G.US' }, { jid: '120363000000000001@g.us' }],
    [{ jid: '15550100099-1612345678@g.us' }, { jid: '15550100099-1612345678@g.us' }],
  ])('is named by %j in their spelling', async (to, body) => {
    const hub = await new Conversation('timelinesai').begin();
    await hub.send(to);
    expect(bodies(await hub.deliver())).toMatchObject([body]);
  });
  it('who hides their number is written to in the chat that is known, and nowhere else', async () => {
    const hub = await new Conversation('timelinesai').begin();
    await expect(hub.send({ jid: LID })).rejects.toThrow('400 jid hides a number');
    await hub.receive(lines({ chat_id: 510234, jid: LID, full_name: 'Bo' }));
    await hub.send({ jid: LID });
    expect((await hub.deliver())[0]?.url).toContain('/chats/510234/messages');
  });
  it.each([
    { phone: PHONE },
    { jid: ANA },
    { jid: '15550100099@s.whatsapp.net' },
    { chat_id: '510234' },
    { chat_name: 'Ana Ruiz' },
  ])('who is known is written to in that chat: %j', async (to) => {
    const hub = await new Conversation('timelinesai').begin();
    const { chatId } = Object(
      await hub.receive(lines({ chat_id: 510234, full_name: 'Ana Ruiz', phone: '+1 (555) 010-0099' })),
    );
    const id = await hub.send(to);
    expect(hub.bench.send(id).recipient).toMatchObject({ chat: chatId });
    await hub.deliver();
    expect(await hub.chats()).toMatchObject([{ id: chatId, messages: ['M1', 'P1'] }]);
  });
});

describe('through Zender a person', () => {
  it.each([
    { phone: PHONE },
    { jid: ANA },
    { jid: '15550100099@s.whatsapp.net' },
    { phone: '+1 555 010-0099' },
    { chat_id: PHONE },
  ])('who is known is written to in that chat: %j', async (to) => {
    const hub = await new Conversation('zender').begin();
    const { chatId } = Object(await hub.receive(zender('+1 555 010 0099')));
    const id = await hub.send(to);
    expect(hub.bench.send(id).recipient).toMatchObject({ chat: chatId });
    expect(bodies(await hub.deliver())).toMatchObject([{ recipient: PHONE }]);
    expect(await hub.chats()).toHaveLength(1);
  });
  it.each([
    ['+5215550000099', '+525550000099'],
    ['+2290197000099', '+22997000099'],
    ['15550100099', PHONE],
    ['15550100099@s.whatsapp.net', PHONE],
    ['0015550100099', PHONE],
    ['+1-555-010-0099', PHONE],
  ])('has one chat, told as %s and %s', async (one, other) => {
    const hub = await new Conversation('zender').begin();
    for (const phone of [one, other]) await hub.receive(zender(phone));
    expect(await hub.chats()).toHaveLength(1);
  });
  it('is none where a group is meant, and none who hides their number', async () => {
    const hub = await new Conversation('zender').begin();
    await hub.send({ jid: '120363000000000001@g.us' });
    expect(bodies(await hub.deliver())).toMatchObject([{ recipient: '120363000000000001@g.us' }]);
    await expect(hub.send({ jid: LID })).rejects.toThrow('400 jid hides a number');
  });
});

describe('through Cooby a person has one chat', () => {
  const user = '+15550100001';
  it.each<[string, object, object]>([
    ['reversed', cooby('15550100099_15550100001@c.us'), cooby('15550100001_15550100099@c.us')],
    ['the other server', cooby('15550100099_15550100001@c.us'), cooby('15550100001_15550100099@s.whatsapp.net')],
    ['capitals', cooby('15550100099_15550100001@c.us'), cooby('15550100001_15550100099@C.US')],
    ['a device', cooby('15550100099_15550100001@c.us'), cooby('15550100001:2_15550100099@c.us')],
    ['a hyphen', cooby('15550100099_15550100001@c.us'), cooby('15550100001-15550100099@c.us')],
    ['no server', cooby('15550100099_15550100001@c.us'), cooby('15550100001_15550100099')],
    ['signs', cooby('15550100099_15550100001@c.us'), cooby('+15550100001_+15550100099@c.us')],
    ['no id', cooby('15550100001_15550100099@c.us'), cooby(undefined)],
    ['the number alone', cooby('15550100001_15550100099@c.us'), cooby('15550100099@c.us')],
    [
      'user with blanks',
      cooby('15550100099_15550100001@c.us'),
      cooby('15550100001_15550100099@c.us', { user_phone: '1 555 010 0001' }),
    ],
    [
      'user as a jid',
      cooby('15550100099_15550100001@c.us'),
      cooby('15550100001_15550100099@c.us', { user_phone: '15550100001@c.us' }),
    ],
    [
      'sent',
      cooby('15550100099_15550100001@c.us'),
      cooby('15550100001_15550100099@c.us', { direction: 'sent', sender: { phone: user } }),
    ],
    [
      'user unnamed',
      cooby('15550100099_15550100001@c.us'),
      cooby('15550100001_15550100099@c.us', { user_phone: null, user_email: 'lee@shop.example' }),
    ],
    [
      'user unnamed, sent',
      cooby('15550100099_15550100001@c.us'),
      cooby('15550100001_15550100099@c.us', { user_phone: '', direction: 'sent', sender: { phone: user } }),
    ],
    [
      'Mexico',
      cooby('5215550000099_15550100001@c.us', { sender: { phone: '+5215550000099' } }),
      cooby('15550100001_525550000099@c.us', { sender: { phone: '+525550000099' } }),
    ],
    [
      'our number in another spelling',
      cooby('15550100099_5215550000001@c.us', { user_phone: '+5215550000001' }),
      cooby('525550000001_15550100099@c.us', { user_phone: '+5215550000001' }),
    ],
  ])('told once otherwise: %s', async (_what, one, other) => {
    const hub = await new Conversation('cooby').begin(false);
    for (const [n, body] of [one, other].entries())
      await hub.receive({ ...body, message: { id: `C${n}`, type: 'chat', text: 'hello' } });
    expect((await hub.chats()).map(({ messages }) => messages.toSorted())).toEqual([['C0', 'C1']]);
  });
});

describe('an id that hides the number', () => {
  const echo = (chatId: string, id: string, more: Record<string, unknown> = {}) =>
    green(chatId, {
      type: 'outgoingAPIMessageReceived',
      sender: '15550100001@c.us',
      senderName: 'Corner Shop',
      id,
      ...more,
    });
  const status = (id: string, chatId: string, state = 'delivered') => ({
    typeWebhook: 'outgoingMessageStatus',
    instanceData: { idInstance: 7999000111, wid: '15550100001@c.us', typeInstance: 'whatsapp' },
    ...{ timestamp: NOW + 50, chatId, idMessage: id, status: state, sendByApi: true },
  });
  it.each([
    ['status first', [status('P1', LID, 'sent'), green(LID, { id: 'A1', at: 90 })]],
    ['status read', [status('P1', LID, 'read'), green(LID, { id: 'A1', at: 90 })]],
    ['status failed', [status('P1', LID, 'noAccount'), green(LID, { id: 'A1', at: 90 })]],
    ['echo', [echo(LID, 'P1', { at: 60 }), green(LID, { id: 'A1', at: 90 })]],
    ['echo with a device', [echo('190000000000042:3@lid', 'P1', { at: 60 }), green(LID, { id: 'A1', at: 90 })]],
    ['answer by number, then hidden told', [green(ANA, { id: 'A1', at: 90 }), status('P1', LID)]],
    ['both', [echo(ANA, 'P1', { at: 60 }), status('P1', LID), green(LID, { id: 'A1', at: 90 })]],
    ['status after the answer', [green(LID, { id: 'A1', at: 90 }), status('P1', LID)]],
    ['echo after the answer', [green(LID, { id: 'A1', at: 90 }), echo(LID, 'P1', { at: 60 })]],
    ['hosted', [status('P1', '190000000000042@hosted.lid'), green(LID, { id: 'A1', at: 90 })]],
  ])('is learnt for whom we have written to: %s', async (_what, events) => {
    const hub = await new Conversation('green-api').begin();
    const id = await hub.send({ phone: PHONE });
    const { chat } = Object(hub.bench.send(id).recipient);
    await hub.deliver();
    for (const event of events) await hub.receive(event);
    const [only, ...others] = await hub.chats();
    expect(others).toEqual([]);
    expect(only?.messages.toSorted()).toEqual(['A1', 'P1']);
    expect(await hub.chat(chat)).toMatchObject({ id: only?.id });
    const next = await hub.send({ jid: LID });
    expect(hub.bench.send(next).recipient).toMatchObject({ chat: only?.id });
    const last = await hub.send({ phone: PHONE });
    expect(hub.bench.send(last).recipient).toMatchObject({ chat: only?.id });
  });
  it.each([
    ['sender has the number', { sender: ANA }],
    ['its number beside', { senderPhoneNumber: 15550100099 }],
    ['its number as a text', { senderPhoneNumber: '+1 555 010 0099' }],
  ])('is learnt where a message tells both: %s', async (_what, more) => {
    const hub = await new Conversation('green-api').begin();
    await hub.receive(green(ANA));
    await hub.receive(green(LID, more));
    expect(await hub.chats()).toMatchObject([{ messages: ['M1', 'M2'], phone: PHONE }]);
  });
  it.each([
    [
      'the text under extendedTextMessage',
      'Lost answer',
      { typeMessage: 'extendedTextMessage', extendedTextMessageData: { text: 'Lost answer' } },
    ],
    [
      'quoted',
      'Lost answer',
      {
        typeMessage: 'quotedMessage',
        extendedTextMessageData: { text: 'Lost answer' },
        quotedMessage: { stanzaId: 'Q1', participant: ANA, typeMessage: 'textMessage', textMessage: 'x' },
      },
    ],
    ['blanks', ' Lost  answer\n', { typeMessage: 'textMessage', textMessageData: { textMessage: ' Lost  answer\n' } }],
  ])('settles what nobody knew the outcome of: %s', async (_what, text, messageData) => {
    const hub = await new Conversation('green-api').begin();
    hub.answers.push({ status: 502, text: 'bad gateway' });
    const id = await hub.send({ phone: PHONE, text });
    await hub.deliver();
    expect(hub.bench.send(id).parts[0]?.state).toBe('unknown');
    hub.bench.now += 5_000;
    await hub.receive({ ...echo(LID, 'U1', { at: hub.bench.now / 1000 - NOW }), messageData });
    expect(hub.bench.send(id).parts[0]).toMatchObject({ state: 'sent', providerId: 'U1' });
    expect(await hub.chats()).toHaveLength(1);
  });
  it.each(['190000000000042@lid', '190000000000042:2@LID', ' 190000000000042@lid '])(
    'is written to once it is known: %j',
    async (jid) => {
      const hub = await new Conversation('green-api').begin();
      await expect(hub.send({ jid })).rejects.toThrow(/^400 jid/);
      const { chatId } = Object(await hub.receive(green(LID)));
      const id = await hub.send({ jid });
      expect(hub.bench.send(id).recipient).toMatchObject({ chat: chatId });
      expect(bodies(await hub.deliver())).toMatchObject([{ chatId: LID }]);
      const again = await hub.send({ chat_id: jid });
      expect(hub.bench.send(again).recipient).toMatchObject({ chat: chatId });
    },
  );
});

describe('what is no person', () => {
  it.each([
    ['120363000000000099@newsletter', 'channel'],
    ['867051314767696@bot', 'bot'],
    ['status@broadcast', 'status'],
    ['STATUS@broadcast', 'status'],
    ['120363000000000099@NEWSLETTER', 'channel'],
    ['1668000000@broadcast', 'broadcast'],
  ])('%s is of the kind %s, and nobody can write to it', async (id, kind) => {
    const hub = await new Conversation('green-api').begin();
    const { chatId } = Object(
      await hub.receive(green(id, { type: 'outgoingMessageReceived', sender: '15550100001@c.us', chatName: 'X' })),
    );
    expect(await hub.chats()).toMatchObject([{ kind }]);
    for (const to of [{ chat_id: id }, { chat_id: chatId }, { jid: id }])
      await expect(hub.send(to)).rejects.toThrow(/^40[04] /);
    expect(hub.bench.available()).toBe(100);
  });
});

describe('a chat that we begin shows the number', () => {
  it.each<[string, object, string]>([
    ['green-api', { phone: PHONE }, PHONE],
    ['green-api', { jid: ANA }, PHONE],
    ['timelinesai', { phone: PHONE }, PHONE],
    ['timelinesai', { jid: '15550100099@s.whatsapp.net' }, PHONE],
    ['zender', { phone: PHONE }, PHONE],
    ['zender', { jid: ANA }, PHONE],
  ])('%s, sent to %j', async (provider, to, phone) => {
    const hub = await new Conversation(provider).begin();
    await hub.send(to);
    await hub.deliver();
    expect(await hub.chats()).toMatchObject([{ phone }]);
  });

  it('and none for a group, and none that hides it', async () => {
    for (const jid of ['120363000000000042@g.us', LID]) {
      const hub = await new Conversation('green-api').begin();
      if (jid === LID) await hub.receive(green(LID));
      await hub.send({ jid });
      await hub.deliver();
      expect((await hub.chats()).map(({ phone }) => phone)).toEqual([undefined]);
    }
  });

  it('as the provider spells it, once it does', async () => {
    const hub = await new Conversation('green-api').begin();
    await hub.send({ phone: '+525550000099' });
    await hub.deliver();
    await hub.receive(green('5215550000099@c.us'));
    await hub.send({ phone: '+525550000099' });
    await hub.deliver();
    expect(await hub.chats()).toMatchObject([{ phone: '+5215550000099' }]);
  });

  it('also where its echo hides it', async () => {
    const hub = await new Conversation('green-api').begin();
    await hub.send({ phone: PHONE });
    await hub.deliver();
    const echo = { type: 'outgoingAPIMessageReceived', sender: '15550100001@c.us', id: 'P1', at: 1 };
    await hub.receive(green(LID, echo));
    expect(await hub.chats()).toMatchObject([{ phone: PHONE, messages: ['P1'] }]);
  });
});

describe('a message told first by the number and then by the id that hides it', () => {
  const file = (typeMessage: string, fileName: string) => ({
    typeMessage,
    fileMessageData: { downloadUrl: `https://files.example/${fileName}`, fileName, caption: '' },
  });
  const stanza = { stanzaId: 'Q1', participant: ANA };
  it.each<[string, object]>([
    ['a picture', file('imageMessage', 'aaaa.jpg')],
    ['a document', file('documentMessage', 'offer.pdf')],
    ['a voice message', file('audioMessage', 'x.ogg')],
    ['a sticker', file('stickerMessage', 'x.webp')],
    [
      'a place',
      { typeMessage: 'locationMessage', locationMessageData: { nameLocation: 'x', latitude: 1, longitude: 2 } },
    ],
    [
      'a tap',
      { typeMessage: 'interactiveButtonsResponse', interactiveButtonsResponse: { ...stanza, selectedId: 'yes' } },
    ],
    ['a poll', { typeMessage: 'pollMessage', pollMessageData: { name: 'q', options: [{ optionName: 'a' }] } }],
    ['an edit', { typeMessage: 'editedMessage', editedMessageData: { textMessage: 'new', stanzaId: 'D1' } }],
    ['a deletion', { typeMessage: 'deletedMessage', deletedMessageData: { stanzaId: 'D1' } }],
    [
      'an answer',
      {
        typeMessage: 'quotedMessage',
        extendedTextMessageData: { text: 'yes', ...stanza },
        quotedMessage: { ...stanza, typeMessage: 'textMessage', textMessage: 'x' },
      },
    ],
  ])('is one: %s', async (_what, messageData) => {
    const hub = await new Conversation('green-api').begin();
    for (const chat of [ANA, LID]) await hub.receive({ ...green(chat, { id: 'A1', at: 1 }), messageData });
    expect((await hub.chats()).map(({ messages }) => messages)).toEqual([['A1']]);
  });

  it.each<[string, object[]]>([
    [
      'several times',
      [green(ANA, { id: 'A1', at: 1 }), ...[LID, LID, ANA].map((id) => green(id, { id: 'A1', at: 1 }))],
    ],
    ['with another name', [green(ANA, { id: 'A1', at: 1 }), green(LID, { id: 'A1', at: 1, senderName: 'Ana' })]],
    ['with a later time', [green(ANA, { id: 'A1', at: 1 }), green(LID, { id: 'A1', at: 4 })]],
    [
      'by another program of ours',
      ['outgoingAPIMessageReceived'].flatMap((type) =>
        [ANA, LID].map((id) => green(id, { type, sender: '15550100001@c.us', id: 'A1', at: 1 })),
      ),
    ],
  ])('is one: told %s', async (_what, events) => {
    for (const tied of [{}, false] as const) {
      const hub = await new Conversation('green-api').begin(tied);
      for (const event of events) await hub.receive(event);
      expect((await hub.chats()).map(({ messages }) => messages)).toEqual([['A1']]);
    }
  });

  it('tells of its chat by its status as well, whichever program has sent it', async () => {
    const hub = await new Conversation('green-api').begin();
    const echo = green(ANA, { type: 'outgoingAPIMessageReceived', sender: '15550100001@c.us', id: 'E1', at: 1 });
    await hub.receive(echo);
    const { instanceData } = echo;
    const status = { status: 'read', sendByApi: true, timestamp: NOW + 50, chatId: LID, idMessage: 'E1' };
    await hub.receive({ typeWebhook: 'outgoingMessageStatus', instanceData, ...status });
    await hub.receive(green(LID, { id: 'A1', at: 60 }));
    expect((await hub.chats()).map(({ messages }) => messages)).toEqual([['E1', 'A1']]);
  });
});
