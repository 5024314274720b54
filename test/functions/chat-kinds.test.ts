import { describe, expect, it } from 'vitest';
import { cooby } from '#functions/cooby/provider.ts';
import { greenApi } from '#functions/green-api/provider.ts';
import { timelinesAi } from '#functions/timelinesai/provider.ts';
import { zender } from '#functions/zender/provider.ts';
import { currentChat } from '#lib/chats/chat.ts';
import type { ReceivingProvider } from '#lib/inbox/provider.ts';
import { chatKey } from '#lib/store/keys.ts';
import { ReceivingBench } from '#test/support/receiving.ts';
import { SendBench } from '#test/support/send-bench.ts';
import { text as coobyText } from './cooby/payloads.ts';
import { call, incoming, instanceData, senderData, status, textData } from './green-api/payloads.ts';
import { fixture, varied } from './timelinesai/fixtures.ts';
import { whatsapp, withData } from './zender/payloads.ts';

const NOOR = '12025550142@c.us';
const OWN = instanceData.wid;
const green = (chatId: string, rest: object = {}, event: object = {}) =>
  incoming(textData, { senderData: { ...senderData, chatId, ...rest }, ...event });
const posted = { typeWebhook: 'outgoingMessageReceived' };
const reaction = (chatId: string, rest: object = {}) =>
  incoming(
    { typeMessage: 'reactionMessage', extendedTextMessageData: { text: '👍' }, quotedMessage: { stanzaId: 'BAE5' } },
    { senderData: { ...senderData, chatId, ...rest } },
  );
const received = fixture('message-received');
const timelines = (chat: object) => varied(received, 'chat', chat);
const created = (chat: object) => varied({ ...fixture('chat-assigned'), event_type: 'chat:created' }, 'chat', chat);

const CHANNEL = '120363000000000099@newsletter';
const GROUP = '120363000000000042@g.us';
const LIST = '1668000000@broadcast';

async function receive(provider: ReceivingProvider, ...payloads: readonly object[]) {
  const bench = new ReceivingBench(provider);
  await bench.addWebhook(provider.name);
  let event: object = {};
  for (const payload of payloads) {
    const { status: code, body } = await bench.post(JSON.stringify(payload));
    expect(code).toBe(200);
    expect(body.status).not.toBe('quarantined');
    ({ event } = await bench.record(body.id));
    bench.now += 60_000;
  }
  return { bench, event };
}

type Row = readonly [what: string, provider: ReceivingProvider, payload: object, chat: object];
const kind = (word: string, more: object = {}) => ({ kind: word, ...more });

const KINDS: readonly Row[] = [
  ['a channel', greenApi, green(CHANNEL, { sender: CHANNEL }), kind('channel', { id: CHANNEL, title: 'Noor Example' })],
  [
    'a channel that has its name as the writer',
    greenApi,
    green(CHANNEL, { sender: CHANNEL, senderName: 'City', chatName: 'City' }),
    kind('channel', { title: 'City' }),
  ],
  [
    'a group that has its name as the writer',
    greenApi,
    green('120363000000000042@g.us', { sender: '120363000000000042@g.us', senderName: '~City', chatName: 'City' }),
    kind('group', { title: 'City' }),
  ],
  ['a channel in capitals', greenApi, green('120363000000000099@NEWSLETTER'), kind('channel', { id: CHANNEL })],
  ['a channel of ours', greenApi, green(CHANNEL, { sender: OWN }, posted), kind('channel')],
  ['a bot', greenApi, green('867051314767696@bot', { sender: '867051314767696@bot' }), kind('bot')],
  ['a bot that we wrote to', greenApi, green('867051314767696@bot', { sender: OWN }, posted), kind('bot')],
  ['a story', greenApi, green('status@broadcast'), kind('status')],
  ['a story in capitals', greenApi, green('STATUS@Broadcast'), kind('status', { id: 'status@broadcast' })],
  ['a list of ours', greenApi, green(LIST, { sender: OWN }, posted), kind('broadcast', { id: LIST })],
  ['a list that is its own writer', greenApi, green(LIST, { sender: LIST }), kind('broadcast', { id: LIST })],
  ['a list without a writer', greenApi, green(LIST, { sender: '' }), kind('broadcast', { id: LIST })],
  [
    'a list through which somebody wrote',
    greenApi,
    green(LIST),
    kind('individual', { id: NOOR, phone: '+12025550142' }),
  ],
  [
    'a list through which somebody wrote who hides',
    greenApi,
    green(LIST, { sender: '190000000000042@lid' }),
    kind('individual', { id: '190000000000042@lid' }),
  ],
  ['a group with blanks around it', greenApi, green(` ${GROUP} `), kind('group', { id: GROUP })],
  ['a group of the older form', greenApi, green('12025550142-1581234048@g.us'), kind('group')],
  ['a person hosted elsewhere', greenApi, green('12025550142@hosted'), kind('individual', { id: NOOR })],
  [
    'a hidden person hosted elsewhere',
    greenApi,
    green('190000000000042:99@hosted.lid'),
    kind('individual', { id: '190000000000042@lid' }),
  ],
  ['a channel by its jid', timelinesAi, timelines({ jid: CHANNEL }), kind('channel')],
  ['a channel in the place of a phone', timelinesAi, timelines({ phone: CHANNEL }), kind('channel', { id: '510234' })],
  [
    'a channel by its id',
    timelinesAi,
    timelines({ chat_id: CHANNEL, phone: undefined }),
    kind('channel', { id: CHANNEL }),
  ],
  ['a channel by its type', timelinesAi, timelines({ chat_type: 'Newsletter' }), kind('channel')],
  ['a group in the place of a phone', timelinesAi, timelines({ phone: GROUP }), kind('group')],
  ['a group that is called none', timelinesAi, timelines({ jid: GROUP, is_group: false }), kind('group')],
  ['stories by their jid', timelinesAi, timelines({ jid: 'status@broadcast' }), kind('status')],
  ['a bot by its jid', timelinesAi, timelines({ jid: '867051314767696@bot' }), kind('bot')],
  ['a channel', cooby, { ...coobyText, chat_id: CHANNEL }, kind('channel')],
  [
    'a channel by its type alone',
    cooby,
    { ...coobyText, chat_id: '120363000000000099@c.us', chat_type: 'newsletter' },
    kind('channel'),
  ],
  [
    'stories by their type alone',
    cooby,
    { ...coobyText, chat_id: '15550100001_15550100099@c.us', chat_type: 'Story' },
    kind('status'),
  ],
  ['stories', cooby, { ...coobyText, chat_id: 'status@broadcast' }, kind('status')],
  ['a bot', cooby, { ...coobyText, chat_id: '867051314767696@bot' }, kind('bot')],
  ['a list', cooby, { ...coobyText, chat_id: LIST }, kind('individual', { phone: '+15550100099' })],
  ['a channel', zender, withData(whatsapp, { phone: CHANNEL }), kind('channel')],
  ['stories', zender, withData(whatsapp, { phone: 'status@broadcast' }), kind('status')],
  ['a group', zender, withData(whatsapp, { phone: ` ${GROUP}` }), kind('group', { id: GROUP })],
  ['a list whose writer is not told', zender, withData(whatsapp, { phone: LIST }), kind('broadcast')],
];

describe('a message stands in a chat of its kind', () => {
  it.each(KINDS.map((row) => [row[1].name, ...row] as const))('%s: %s', async (_, _what, provider, payload, chat) => {
    const { bench, event } = await receive(provider, payload);
    expect(event).toMatchObject({ message: { chat } });
    const { chatId } = Object(event);
    expect(await bench.store.get(chatKey(chatId), { consistent: true })).toMatchObject({ kind: Object(chat).kind });
  });

  it('and so does a call', async () => {
    expect((await receive(greenApi, { ...call, from: GROUP })).event).toMatchObject({
      call: { chat: { kind: 'group' } },
    });
    expect((await receive(greenApi, { ...call, from: CHANNEL })).event).toMatchObject({
      call: { chat: { kind: 'channel' } },
    });
  });

  it('and so does a reaction, that through a list with its message', async () => {
    const { event } = await receive(greenApi, green(LIST), reaction(LIST));
    expect(event).toMatchObject({ reaction: { chat: { id: NOOR, kind: 'individual' } } });
    const first = await receive(greenApi, green(LIST));
    expect(Object(event).chatId).toBe(Object(first.event).chatId);
    expect((await receive(greenApi, reaction('status@broadcast'))).event).toMatchObject({
      reaction: { chat: { kind: 'status' } },
    });
  });

  it('that one delivery tells, whatever others leave open', async () => {
    for (const told of [{ jid: CHANNEL }, { jid: GROUP, is_group: true }]) {
      const known = told.jid === CHANNEL ? 'channel' : 'group';
      const envelope = { ...fixture('envelope') };
      for (const payloads of [
        [created(told), envelope],
        [envelope, created(told)],
      ]) {
        const { bench } = await receive(timelinesAi, ...payloads);
        const { event } = await receive(timelinesAi, envelope);
        const { chatId } = Object(event);
        expect(await currentChat(bench.store, 'main', chatId)).toMatchObject({ kind: known });
      }
    }
  });
});

describe('a message is whose it can be', () => {
  it.each<readonly [string, ReceivingProvider, object, object]>([
    ['our own in a group, told as incoming', greenApi, green(GROUP, { sender: OWN }), { direction: 'outbound' }],
    ['our own with a device', greenApi, green(GROUP, { sender: '12025550100:7@c.us' }), { direction: 'outbound' }],
    [
      'our own on our server',
      greenApi,
      green(GROUP, { sender: '12025550100@s.whatsapp.net' }),
      { direction: 'outbound' },
    ],
    ['our own story', greenApi, green('status@broadcast', { sender: OWN }), { direction: 'outbound' }],
    ['our own in our channel', greenApi, green(CHANNEL, { sender: OWN }), { direction: 'outbound' }],
    ['our own through our list', greenApi, green(LIST, { sender: OWN }), { direction: 'outbound', chat: { id: LIST } }],
    ["another's in a group", greenApi, green(GROUP), { direction: 'inbound', sender: { phone: '+12025550142' } }],
    [
      'one in a chat of two that names us',
      greenApi,
      green(NOOR, { sender: OWN }),
      { direction: 'inbound', sender: { phone: '+12025550142', name: 'Noor Example' } },
    ],
    [
      'one in a hidden chat of two that names us',
      greenApi,
      green('190000000000042@lid', { sender: OWN }),
      { direction: 'inbound', sender: { id: '190000000000042@lid' } },
    ],
    [
      'one of a bot that names us',
      greenApi,
      green('867051314767696@bot', { sender: OWN }),
      { direction: 'inbound', sender: { id: '867051314767696@bot' } },
    ],
    [
      'one to ourselves',
      greenApi,
      green(OWN, { sender: OWN }),
      { direction: 'inbound', sender: { phone: '+12025550100' } },
    ],
    [
      'our own in a group',
      timelinesAi,
      varied(timelines({ is_group: true, phone: undefined }), 'message', {
        sender: { full_name: 'Lee', phone: '+1 (555) 010-0001' },
      }),
      { direction: 'outbound' },
    ],
    [
      'one in a chat of two that names us',
      timelinesAi,
      varied(received, 'message', { sender: { full_name: 'Lee', phone: '15550100001@s.whatsapp.net' } }),
      { direction: 'inbound', sender: { phone: '+15550100099' } },
    ],
    [
      'our own in a group',
      cooby,
      { ...coobyText, chat_id: GROUP, chat_type: 'group', sender: { phone: '+15550100001', wa_name: 'Lee' } },
      { direction: 'outbound' },
    ],
    [
      'one in a chat of two that names us',
      cooby,
      { ...coobyText, sender: { phone: '15550100001', wa_name: 'Lee' } },
      { direction: 'inbound', sender: { phone: '+15550100099' } },
    ],
  ])('%s (%#)', async (_what, provider, payload, message) => {
    expect((await receive(provider, payload)).event).toMatchObject({ message });
  });

  it('our own by the number of the account, where the provider leaves that out', async () => {
    const hub = new SendBench();
    await hub.addAccount('acc_1', { provider: 'green-api', instance: '7999000111', phone: '+12025550100' });
    const bench = new ReceivingBench(greenApi, hub.memory);
    await bench.addWebhook('green-api');
    for (const payload of [green(GROUP, { sender: OWN }), reaction(GROUP, { sender: OWN })]) {
      const { body } = await bench.post(JSON.stringify({ ...payload, instanceData: { ...instanceData, wid: '' } }));
      const { event } = await bench.record(body.id);
      expect('message' in event ? event.message : Object(event).reaction).toMatchObject({ direction: 'outbound' });
    }
  });

  it('our own, told before we knew our number and again since then: one message', async () => {
    const hub = new SendBench();
    const bench = new ReceivingBench(greenApi, hub.memory);
    await bench.addWebhook('green-api');
    const body = JSON.stringify({ ...green(GROUP, { sender: OWN }), instanceData: { ...instanceData, wid: '' } });
    const { body: first } = await bench.post(body);
    await hub.addAccount('acc_1', { provider: 'green-api', instance: '7999000111', phone: '+12025550100' });
    bench.now += 60_000;
    expect((await bench.post(body)).body).toEqual({ status: 'duplicate', id: first.id });
  });

  it('a reaction as well', async () => {
    expect((await receive(greenApi, reaction(GROUP, { sender: OWN }))).event).toMatchObject({
      reaction: { direction: 'outbound' },
    });
    expect((await receive(greenApi, reaction(NOOR, { sender: OWN }))).event).toMatchObject({
      reaction: { direction: 'inbound', sender: { phone: '+12025550142' } },
    });
  });
});

describe('a title is taken where it is one', () => {
  const group = (chatName: string, rest: object = {}) => green(GROUP, { chatName, ...rest });
  it.each<readonly [string, ReceivingProvider, object, string | undefined]>([
    ["the writer's name with its mark", greenApi, group('~Noor'), undefined],
    ["the writer's name in other letters", greenApi, group(' NOOR '), undefined],
    ["the writer's name with a no-break space", greenApi, group('Noor\u00a0X', { senderName: 'Noor X' }), undefined],
    [
      "the writer's name in the address book",
      greenApi,
      group('Dr. Noor', { senderContactName: 'Dr. Noor' }),
      undefined,
    ],
    ["the writer's number", greenApi, group('+1 (202) 555-0142'), undefined],
    ['our own number', greenApi, group('12025550100'), undefined],
    [
      'our own name on what we wrote',
      greenApi,
      green(GROUP, { sender: OWN, senderName: 'Corner Shop', chatName: 'Corner Shop' }, posted),
      undefined,
    ],
    ["the group's digits", greenApi, group('120363000000000042'), undefined],
    ['a name', greenApi, group('Lunch club'), 'Lunch club'],
    ["a name that begins with the writer's", greenApi, group('Noor & friends'), 'Noor & friends'],
    ['a name in digits', greenApi, group('2026'), '2026'],
    ['the digits of a person', greenApi, green(NOOR, { chatName: '12025550142' }), undefined],
    [
      'our own name on what we wrote to a person',
      greenApi,
      green(NOOR, { sender: OWN, senderName: 'Corner Shop', chatName: 'Corner Shop' }, posted),
      undefined,
    ],
    ['the name of a person', greenApi, green(NOOR), 'Noor Example'],
    ['what somebody posts', greenApi, green('status@broadcast'), undefined],
    [
      "the account's owner on what we wrote",
      timelinesAi,
      varied(fixture('message-sent-by-api'), 'chat', { full_name: 'Lee' }),
      undefined,
    ],
    ['a number with blanks', timelinesAi, timelines({ full_name: '+1 555 010 0099' }), undefined],
    ['a person', timelinesAi, received, 'Ana Ruiz'],
    ["the writer's name in a group", timelinesAi, timelines({ is_group: true, full_name: 'Ana Ruiz' }), undefined],
    [
      "the user's own name on what they wrote",
      cooby,
      { ...coobyText, direction: 'sent', sender: { phone: '15550100001', wa_name: 'Lee' }, chat_title: 'Lee' },
      undefined,
    ],
    ['a number', cooby, { ...coobyText, chat_title: '15550100099' }, undefined],
  ])('%s (%#)', async (_what, provider, payload, title) => {
    const { event } = await receive(provider, payload);
    expect(Object(event).message.chat.title).toBe(title);
  });

  it('a status names the chat of its message', async () => {
    expect((await receive(greenApi, { ...status, chatId: ` ${GROUP}` })).event).toMatchObject({
      status: { chatId: GROUP },
    });
  });
});
