import { describe, expect, it } from 'vitest';
import { cooby } from '#functions/cooby/provider.ts';
import { greenApi } from '#functions/green-api/provider.ts';
import { timelinesAi } from '#functions/timelinesai/provider.ts';
import { zender } from '#functions/zender/provider.ts';
import { toldAgain } from '#lib/inbox/event-item.ts';
import type { ReceivingProvider } from '#lib/inbox/provider.ts';
import { ReceivingBench } from '#test/support/receiving.ts';
import { text as coobyText, voice as coobyVoice, groupImage, withMessage } from './cooby/payloads.ts';
import { answering, call, incoming, report, senderData, status } from './green-api/payloads.ts';
import { fixture, varied } from './timelinesai/fixtures.ts';
import { notifications, sms, ussd, whatsapp, withData } from './zender/payloads.ts';

/** One event as a provider tells it several times, and what it is in the end. */
type Row = readonly [name: string, provider: ReceivingProvider, told: readonly object[], event: object];

const says = (content: object, more: object = {}) => ({ kind: 'message', message: { content, ...more } });

/* GREEN-API */
const LINK = 'https://files.example/7999/a.jpg';
const NEWER = 'https://files.example/7999/b.jpg';
const picture = (data: object, typeMessage = 'imageMessage', rest: object = {}) =>
  incoming(
    {
      typeMessage,
      fileMessageData: { downloadUrl: LINK, caption: 'look', fileName: 'a.jpg', mimeType: 'image/jpeg', ...data },
    },
    rest,
  );
const place = (data: object) =>
  incoming({ typeMessage: 'locationMessage', locationMessageData: { latitude: 1.5, longitude: 2.5, ...data } });
const tapped = (tap: object) =>
  incoming({ typeMessage: 'interactiveButtonsResponse', interactiveButtonsResponse: { stanzaId: 'BAE5', ...tap } });
const edited = (textMessage: string, timestamp: number) =>
  incoming({ typeMessage: 'editedMessage', editedMessageData: { textMessage, stanzaId: 'BAE5' } }, { timestamp });
const deleted = (timestamp: number) =>
  incoming({ typeMessage: 'deletedMessage', deletedMessageData: { stanzaId: 'BAE5' } }, { timestamp });
const reacted = (text: string, rest: object = {}) =>
  incoming(
    { typeMessage: 'reactionMessage', extendedTextMessageData: { text }, quotedMessage: { stanzaId: 'BAE5' } },
    rest,
  );
const invited = (groupName: string, jpegThumbnail = '') =>
  incoming({
    typeMessage: 'groupInviteMessage',
    groupInviteMessageData: { groupJid: '120363000000000042@g.us', inviteCode: 'c0de', groupName, jpegThumbnail },
  });
const card = (data: object) => incoming({ typeMessage: 'contactMessage', contactMessageData: data });
const vcard = 'BEGIN:VCARD\nFN:Bo\nTEL;waid=15550100077:+1\nEND:VCARD';

const GREEN: readonly Row[] = [
  [
    'a file with its thumbnail',
    greenApi,
    [picture({}), picture({ jpegThumbnail: '/9j/' })],
    says({ file: { thumbnail: '/9j/' } }),
  ],
  [
    'a file whose link comes later',
    greenApi,
    [picture({ downloadUrl: '' }), picture({})],
    says({ file: { url: LINK } }),
  ],
  [
    'a file that was too large, and is there now',
    greenApi,
    [picture({ downloadUrl: '{{SWE002}}' }), picture({})],
    says({ type: 'image', file: { url: LINK } }),
  ],
  [
    'a file whose type is told more exactly',
    greenApi,
    [picture({ mimeType: 'application/octet-stream' }), picture({}), picture({ mimeType: 'application/octet-stream' })],
    says({ type: 'image', file: { mimeType: 'image/jpeg' } }),
  ],
  [
    'a recording that turns out to be a voice note',
    greenApi,
    [
      picture({ mimeType: 'audio/ogg', caption: '' }, 'audioMessage'),
      picture({ mimeType: 'audio/ogg; codecs=opus', caption: '' }, 'audioMessage'),
      picture({ mimeType: '', caption: '', downloadUrl: NEWER }, 'audioMessage'),
    ],
    says({ type: 'voice', file: { mimeType: 'audio/ogg; codecs=opus', url: NEWER } }),
  ],
  [
    'a video that turns out to be a video note',
    greenApi,
    [picture({}, 'videoMessage'), picture({ videoNote: true }, 'videoMessage'), picture({}, 'videoMessage')],
    says({ type: 'video', videoNote: true }),
  ],
  [
    'a sticker that turns out to be animated',
    greenApi,
    [picture({ caption: '' }, 'stickerMessage'), picture({ caption: '', isAnimated: true }, 'stickerMessage')],
    says({ type: 'sticker', file: { animated: true } }),
  ],
  [
    'a picture that came without anything',
    greenApi,
    [incoming({ typeMessage: 'imageMessage' }), picture({}), incoming({ typeMessage: 'imageMessage' })],
    says({ type: 'image', caption: 'look' }),
  ],
  [
    'a place with its name',
    greenApi,
    [place({}), place({ nameLocation: 'Pier', address: 'Bay 1' })],
    says({ name: 'Pier', address: 'Bay 1' }),
  ],
  [
    'a place of another name',
    greenApi,
    [place({ nameLocation: 'Pier' }), place({ nameLocation: 'Pier 39' })],
    says({ name: 'Pier 39' }),
  ],
  [
    'a tap by its other names',
    greenApi,
    [
      tapped({ selectedId: 'yes', selectedDisplayText: 'Yes' }),
      tapped({ selectedButtonId: 'yes', selectedButtonText: 'Yes', selectedIndex: 1 }),
    ],
    says({ type: 'reply', id: 'yes', text: 'Yes', index: 1 }),
  ],
  [
    'an invitation to a group of another name',
    greenApi,
    [invited('Club'), invited('Lunch club', '/9j/')],
    says({ group: { name: 'Lunch club' } }),
  ],
  [
    'a contact with the card',
    greenApi,
    [card({ displayName: 'Bo' }), card({ displayName: 'Bo', vcard })],
    says({ contacts: [{ vcard }] }),
  ],
  [
    'a message whose quoted one is told in full',
    greenApi,
    [answering({}), answering({ typeMessage: 'textMessage', textMessage: 'hi' })],
    says({ text: 'That one, please' }, { quoted: { content: { text: 'hi' } } }),
  ],
  [
    'a message whose sender has a name now',
    greenApi,
    [incoming(undefined, { senderData: { ...senderData, senderName: '', chatName: '' } }), incoming()],
    says({}, { sender: { name: 'Noor' } }),
  ],
  [
    'a message at another time',
    greenApi,
    [incoming(), incoming(undefined, { timestamp: 1795000061 })],
    { occurredAt: at(1795000061) },
  ],
  [
    'an edit at another time',
    greenApi,
    [edited('new', 1795000010), edited('new', 1795000070)],
    { occurredAt: at(1795000070) },
  ],
  ['a deletion at another time', greenApi, [deleted(1795000010), deleted(1795000070)], { occurredAt: at(1795000070) }],
  [
    'a reaction at another time, by another name',
    greenApi,
    [reacted('👍'), reacted('👍', { timestamp: 1795000061, senderData: { ...senderData, senderName: 'N.' } })],
    { kind: 'reaction', occurredAt: at(1795000061), reaction: { emoji: '👍', sender: { name: 'N.' } } },
  ],
  [
    'a status at another time',
    greenApi,
    [status, { ...status, timestamp: 1795000099 }],
    { kind: 'status', occurredAt: at(1795000099), status: { state: 'delivered' } },
  ],
  [
    'a failure with its explanation',
    greenApi,
    [
      { ...status, status: 'failed', sendByApi: undefined },
      { ...status, status: 'failed', description: 'why', timestamp: 1795000099 },
      { ...status, status: 'failed', description: '' },
    ],
    { kind: 'status', status: { state: 'failed', detail: 'why', viaApi: true } },
  ],
  [
    'a status of what came in',
    greenApi,
    [1795000001, 1795000002].map((timestamp) =>
      report('incomingMessageStatus', { ...status, typeWebhook: 'incomingMessageStatus', timestamp }),
    ),
    { kind: 'status', status: { direction: 'inbound' } },
  ],
  [
    'a call at another time, with its length',
    greenApi,
    [
      { ...call, status: 'hangUp' },
      { ...call, status: 'hungUp', timestamp: 1795000099, duration: 12 },
    ],
    { kind: 'call', occurredAt: at(1795000099), call: { state: 'missed', durationSeconds: 12 } },
  ],
];

/* TimelinesAI */
const received = fixture('message-received');
const withFile = (...attachments: object[]) => varied(received, 'message', { attachments });
const bare = { url: 'https://bucket.example/att/1?sig=x' };

const TIMELINES: readonly Row[] = [
  [
    'a file that gets its type',
    timelinesAi,
    [withFile(bare), withFile({ ...bare, mime_type: 'image/jpeg', filename: 'a.jpg' }), withFile(bare)],
    says({ type: 'image', file: { mimeType: 'image/jpeg', name: 'a.jpg' } }),
  ],
  [
    'a file whose type was none',
    timelinesAi,
    [withFile({ ...bare, mimetype: 'binary/octet-stream' }), withFile({ ...bare, mimetype: 'video/mp4' })],
    says({ type: 'video' }),
  ],
  [
    'a file whose type is forgotten',
    timelinesAi,
    [
      withFile({ ...bare, mimetype: 'audio/ogg; codecs=opus' }),
      withFile({ ...bare, mimetype: 'application/octet-stream' }),
    ],
    says({ type: 'voice', file: { mimeType: 'audio/ogg; codecs=opus' } }),
  ],
  [
    'a recording by the ending of its name, then by its type',
    timelinesAi,
    [withFile({ ...bare, filename: 'a.ogg' }), withFile({ ...bare, mimetype: 'audio/mpeg' })],
    says({ type: 'audio' }),
  ],
  ['a file with its size', timelinesAi, [withFile(bare), withFile({ ...bare, size: 7 })], says({ file: { size: 7 } })],
  [
    'a message that came empty',
    timelinesAi,
    [varied(received, 'message', { text: '', attachments: [] }), received],
    says({ type: 'document', caption: 'the signed form' }),
  ],
  [
    'a message whose sender is told later',
    timelinesAi,
    [varied(received, 'message', { sender: undefined }), received],
    says({}, { sender: { phone: '+15550100099', name: 'Ana Ruiz' } }),
  ],
  [
    'a message in a chat of another name',
    timelinesAi,
    [received, varied(received, 'chat', { full_name: 'Ana R.' })],
    says({}, { chat: { title: 'Ana R.' } }),
  ],
  [
    'a message under another name of the event',
    timelinesAi,
    [received, { ...received, event_type: 'message:received' }],
    {},
  ],
  [
    'a message in the shape of a bundle',
    timelinesAi,
    [fixture('envelope'), { event_type: '', ...bundleOf(fixture('envelope')) }],
    says({ text: 'hi' }),
  ],
  [
    'a message whose account is told later',
    timelinesAi,
    [varied(fixture('envelope'), 'data', { whatsapp_account_id: undefined }), fixture('envelope')],
    says({ text: 'hi' }, { account: { phone: '+15550100001' } }),
  ],
  ...(
    [
      ['call', { kind: 'call', call: { account: { phone: '+15550100001' } } }],
      ['reaction', { kind: 'reaction', reaction: { account: { phone: '+15550100001' } } }],
    ] as const
  ).map(
    ([name, event]): Row => [
      `a ${name} whose account is told later`,
      timelinesAi,
      [{ ...fixture(name), whatsapp_account: undefined }, fixture(name)],
      event,
    ],
  ),
  [
    'a new chat whose account is told later',
    timelinesAi,
    [undefined, fixture('chat-assigned').whatsapp_account].map((whatsapp_account) => ({
      ...varied(fixture('chat-assigned'), 'chat', whatsapp_account ? {} : { whatsapp_account_id: undefined }),
      event_type: 'chat:created',
      whatsapp_account,
    })),
    { kind: 'chat', chat: { account: { phone: '+15550100001' } } },
  ],
  [
    'a call with its length',
    timelinesAi,
    [
      varied(fixture('call'), 'call_details', { duration: undefined, is_video: undefined }),
      varied(fixture('call'), 'call_details', { timestamp: '2026-03-02 09:31:00 +0100' }),
    ],
    { kind: 'call', call: { durationSeconds: 73, video: true } },
  ],
  [
    'a chat that was created, by another name',
    timelinesAi,
    [
      { ...fixture('chat-assigned'), event_type: 'chat:created' },
      varied({ ...fixture('chat-assigned'), event_type: 'chat:new' }, 'chat', { name: 'Ana R.', labels: [] }),
    ],
    { kind: 'chat', chat: { title: 'Ana R.', labels: ['vip', '2026'] } },
  ],
];

/* Cooby */
const COOBY: readonly Row[] = [
  [
    'a file with another token and made-up name',
    cooby,
    [
      groupImage,
      {
        ...groupImage,
        message: {
          ...groupImage.message,
          file_url: `${groupImage.message.file_url}-2`,
          file_name: 'Cooby Image 2026-01-02 at 01.05.09 AM',
        },
      },
    ],
    says({ type: 'image', file: { url: `${groupImage.message.file_url}-2` } }),
  ],
  [
    'a file that comes later',
    cooby,
    [{ ...coobyVoice, message: { ...coobyVoice.message, file_url: null, file_name: null } }, coobyVoice],
    says({ type: 'audio', file: { url: coobyVoice.message.file_url } }),
  ],
  [
    'a file that failed at first',
    cooby,
    [
      {
        ...coobyVoice,
        message: { ...coobyVoice.message, file_url: null, is_error: true, error_code: 'unknown_error' },
      },
      coobyVoice,
    ],
    says({ type: 'audio', file: { url: coobyVoice.message.file_url } }),
  ],
  [
    'a message that was not decrypted yet',
    cooby,
    [withMessage({ type: 'ciphertext', text: '' }), coobyText],
    says({ text: 'good morning' }),
  ],
  [
    'a message at another time, by another title',
    cooby,
    [coobyText, { ...coobyText, timestamp: '1767225700', chat_title: 'Ana R.' }],
    says({}, { chat: { title: 'Ana R.' } }),
  ],
  [
    'a chat id in the other order',
    cooby,
    [coobyText, { ...coobyText, chat_id: '15550100001_15550100099@c.us' }],
    says({ text: 'good morning' }),
  ],
  [
    'a message that was taken back, at another time',
    cooby,
    ['1', '2'].map((last) => ({ ...withMessage({ type: 'revoked', text: '' }), timestamp: `176722570${last}` })),
    says({ type: 'delete' }),
  ],
];

/* Zender */
const ZENDER: readonly Row[] = [
  [
    'a file whose link has an ending now',
    zender,
    [
      withData(whatsapp, { attachment: 'https://gw.example/f/78' }),
      withData(whatsapp, { attachment: 'https://gw.example/f/78.jpg' }),
    ],
    says({ type: 'image', file: { url: 'https://gw.example/f/78.jpg' }, caption: 'Hi there' }),
  ],
  [
    'a picture that came without words, then with its link',
    zender,
    [withData(whatsapp, { message: '' }), withData(whatsapp, { message: '', media_url: 'https://gw.example/78.jpg' })],
    says({ type: 'image' }),
  ],
  ['an SMS at another time', zender, [sms, withData(sms, { timestamp: 1767225700 })], { occurredAt: at(1767225700) }],
  ['an SMS with its SIM', zender, [withData(sms, { sim: undefined }), sms], says({}, { account: { sim: 1 } })],
  [
    'a USSD answer at another time',
    zender,
    [ussd, withData(ussd, { timestamp: 1767225700 })],
    { kind: 'ussd', occurredAt: at(1767225700) },
  ],
  [
    'a notification at another time',
    zender,
    [notifications, withData(notifications, { timestamp: 1767225700 })],
    { kind: 'notification' },
  ],
];

function at(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

function bundleOf({ data }: Readonly<Record<string, unknown>>): object {
  const { chat_id, chat_name, whatsapp_account_id, sender_phone, sender_name, ...message } = Object(data);
  const sender = { phone: sender_phone, full_name: sender_name };
  return {
    chat_id,
    full_name: chat_name,
    whatsapp_account: { id: whatsapp_account_id },
    messages: [{ ...message, sender, direction: 'received' }],
  };
}

async function tell(provider: ReceivingProvider, told: readonly object[]) {
  const bench = new ReceivingBench(provider);
  await bench.addWebhook(provider.name);
  const answers = [];
  for (const payload of told) {
    bench.now += 60_000;
    const { status, body } = await bench.post(JSON.stringify(payload));
    expect(status).toBe(200);
    answers.push(body);
  }
  return { bench, answers, ids: new Set(answers.map(({ id }) => id)) };
}

describe('one event, told again', () => {
  it.each([...GREEN, ...TIMELINES, ...COOBY, ...ZENDER].map((row) => [row[1].name, ...row] as const))(
    '%s: %s',
    async (_, _name, provider, told, expected) => {
      const { bench, ids } = await tell(provider, told);
      expect(ids.size).toBe(1);
      const [id] = ids;
      const { event } = await bench.record(id);
      expect(event).toMatchObject(expected);
      expect(event).not.toHaveProperty('conflict');
      // In any order it comes to the same, but for what is told otherwise each time.
      const other = await tell(provider, [...told].reverse());
      expect(other.ids).toEqual(ids);
    },
  );

  it('keeps the bodies of a status, a call and a reaction that bring something new', async () => {
    for (const first of [status, call, reacted('👍')]) {
      const again = { ...first, timestamp: 1795000999 };
      const { bench, ids } = await tell(greenApi, [first, again, again]);
      const [id] = ids;
      const bodies = [...(await toldAgain(bench.store, String(id))).values()].map(({ raw }) =>
        Buffer.from(raw).toString(),
      );
      expect(bodies).toEqual([JSON.stringify(again)]);
      expect((await bench.record(id)).event).toMatchObject({ deliveries: 2, renewedAt: expect.any(String) });
    }
  });
});

describe('one event, told several times in one delivery', () => {
  const link = (n: number) => `https://files.example/${n}.jpg`;
  it.each<[string, ReceivingProvider, readonly object[]]>([
    ['GREEN-API', greenApi, [1, 2, 3, 4].map((n) => picture({ downloadUrl: link(n), fileName: `${n}.jpg` }))],
    ['TimelinesAI', timelinesAi, [1, 2, 3, 4].map((n) => withFile({ ...bare, url: link(n), filename: `${n}.jpg` }))],
  ])('is at last what was told last: %s', async (_name, provider, told) => {
    for (const order of [told, [...told].reverse()]) {
      const { bench, answers } = await tell(provider, [order]);
      const { id, ids } = Object(answers[0]);
      const { event } = await bench.record(id);
      const [last] = order.slice(-1).map((payload) => JSON.stringify(payload));
      const { file } = Object(Object(event).message).content;
      expect(last).toContain(file.url);
      expect(last).toContain(file.name);
      expect(ids).toEqual(told.map(() => id));
    }
  });
});

it('keeps apart what two accounts of ours are told, though one tells it by the id that hides the number', async () => {
  const bench = new ReceivingBench(greenApi);
  await bench.addWebhook('green-api', { webhookId: 'wh_1', accountId: 'acc_1' }, 'the-token-of-one');
  await bench.addWebhook('green-api', { webhookId: 'wh_2', accountId: 'acc_2' }, 'the-token-of-the-other');
  const under = (chatId: string) => incoming(undefined, { senderData: { ...senderData, chatId, sender: chatId } });
  const post = async (body: object, token: string) => (await bench.post(JSON.stringify(body), { token })).body.id;
  const first = await post(under('12025550142@c.us'), 'the-token-of-one');
  const other = await post(under('190000000000042@lid'), 'the-token-of-the-other');
  const again = await post(under('190000000000043@lid'), 'the-token-of-one');
  expect(other).not.toBe(first);
  expect((await bench.record(other)).event).toMatchObject({ accountId: 'acc_2' });
  // The same account's is the same message.
  expect(again).toBe(first);
});

/** A tally: who has voted for what. */
const voted = (votes: Record<string, string[]>) =>
  incoming({
    typeMessage: 'pollUpdateMessage',
    pollMessageData: {
      stanzaId: 'BAE5000000C0FFF0',
      name: 'Which day?',
      votes: Object.entries(votes).map(([optionName, optionVoters]) => ({ optionName, optionVoters })),
    },
  });

describe('another event under the same id', () => {
  it.each<readonly [string, ReceivingProvider, readonly [object, object]]>([
    ['a caption', greenApi, [picture({}), picture({ caption: 'look here' })]],
    ['a caption where there was none', greenApi, [picture({ caption: '' }), picture({})]],
    ['a picture for a film', greenApi, [picture({}), picture({ mimeType: 'video/mp4' }, 'videoMessage')]],
    ['a place elsewhere', greenApi, [place({}), place({ latitude: 9 })]],
    ['another button', greenApi, [tapped({ selectedId: 'yes' }), tapped({ selectedId: 'no' })]],
    ['another emoji', greenApi, [reacted('👍'), reacted('❤️')]],
    ['a reaction taken back', greenApi, [reacted('👍'), reacted('')]],
    [
      'another sender',
      greenApi,
      [
        incoming(),
        incoming(undefined, { senderData: { ...senderData, sender: '12025550177@c.us', chatId: senderData.chatId } }),
      ],
    ],
    ['a vote taken back in the same second', greenApi, [voted({ Mon: ['A'] }), voted({ Mon: [] })]],
    ['a vote moved in the same second', greenApi, [voted({ Mon: ['A'], Tue: [] }), voted({ Mon: [], Tue: ['A'] })]],
    ['an edit of other words', greenApi, [edited('new', 1795000010), edited('newer', 1795000010)]],
    [
      'a document for a picture',
      timelinesAi,
      [withFile({ ...bare, mimetype: 'application/pdf' }), withFile({ ...bare, mimetype: 'image/png' })],
    ],
    [
      'a call that was answered after all',
      timelinesAi,
      [fixture('call'), varied(fixture('call'), 'call_details', { status: 'Rejected' })],
    ],
    ['other words', cooby, [coobyText, withMessage({ text: 'good night' })]],
    ['another USSD answer', zender, [ussd, withData(ussd, { response: 'Balance 0' })]],
    ['another notification', zender, [notifications, withData(notifications, { content: 'You sent 5' })]],
  ])('%s', async (_name, provider, told) => {
    const { bench, ids } = await tell(provider, [...told, told[1]]);
    expect(ids.size).toBe(2);
    expect((await bench.record([...ids][1])).event).toMatchObject({ conflict: true });
  });
});
