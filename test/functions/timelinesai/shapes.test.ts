import { timelinesAi } from '#functions/timelinesai/provider.ts';
import { describeReading } from '#test/support/describe-reading.ts';
import { fixture, varied } from './fixtures.ts';

const received = fixture('message-received');
const envelope = fixture('envelope');
const bundle = fixture('bundle');
const [first, second] = [bundle.messages].flat().map(Object);
const FILE = 'https://files.example/p.png';

describeReading(timelinesAi, [
  {
    name: 'the envelope with everything under `data`',
    payload: envelope,
    occurredAt: Date.parse('2026-03-02T08:15:00Z'),
    exactly: {
      kind: 'message',
      message: {
        id: '3f1c2b7e-1111-4222-8333-944455556666',
        chat: { id: '510234', kind: 'individual', title: 'Ana Ruiz' },
        direction: 'inbound',
        via: 'unknown',
        channel: 'whatsapp',
        sender: { phone: '+15550100099', name: 'Ana Ruiz' },
        account: { phone: '+15550100001' },
        content: { type: 'text', text: 'hi' },
      },
    },
  },
  {
    name: 'an envelope that names the chat in an object of its own',
    payload: varied(envelope, 'data', { chat_id: undefined, chat: { id: 510234 } }),
    stored: { message: { chat: { id: '510234', title: 'Ana Ruiz' } } },
  },
  {
    name: 'an envelope from ourselves as an echo',
    payload: { ...varied(envelope, 'data', { from_me: true }), event_type: 'message:new' },
    stored: { message: { direction: 'outbound' } },
  },
  {
    name: 'an envelope from our own number as an echo, though it does not say so',
    payload: { ...varied(envelope, 'data', { sender_phone: '15550100001' }), event_type: 'message:new' },
    stored: { message: { direction: 'outbound' } },
  },
  {
    name: "any other envelope as the customer's",
    payload: { ...envelope, event_type: 'message:new' },
    stored: { message: { direction: 'inbound' } },
  },
  {
    name: 'a bundle as several messages, each in its own direction and with its own time',
    payload: bundle,
    occurredAt: Date.parse('2026-03-02T08:15:00Z'),
    exactly: [
      {
        kind: 'message',
        message: {
          id: '3f1c2b7e-1111-4222-8333-944455556666',
          chat: { id: '510234', kind: 'individual', phone: '+15550100099' },
          direction: 'inbound',
          via: 'unknown',
          channel: 'whatsapp',
          sender: { phone: '+15550100099', name: 'Ana Ruiz' },
          account: {},
          content: { type: 'text', text: 'hi' },
        },
      },
      {
        kind: 'message',
        message: {
          id: '3f1c2b7e-1111-4222-8333-944455557777',
          chat: { id: '510234', kind: 'individual', phone: '+15550100099' },
          direction: 'outbound',
          via: 'unknown',
          channel: 'whatsapp',
          sender: { phone: '+15550100001', name: 'Lee' },
          account: { phone: '+15550100001' },
          content: { type: 'text', text: 'hello 🙂' },
        },
      },
    ],
  },
  {
    name: 'a bundle that has an event name',
    payload: { ...bundle, event_type: 'message:new' },
    stored: [{ message: { direction: 'inbound' } }, { message: { direction: 'outbound' } }],
  },
  {
    name: 'a bundle that describes its chat in an object',
    payload: { messages: bundle.messages, chat: { chat_id: 510777, full_name: 'Night shift', is_group: true } },
    stored: [
      { message: { chat: { id: '510777', kind: 'group', title: 'Night shift' } } },
      { message: { chat: { id: '510777', kind: 'group', title: 'Night shift' } } },
    ],
  },
  {
    name: 'a bundle whose other fields are of no use',
    payload: { ...bundle, chat: [], id: {}, name: ['x'], jid: 7, whatsapp_account_id: {}, labels: 1 },
    stored: [{ message: { chat: { id: '510234' } } }, { message: { chat: { id: '510234' } } }],
  },
  {
    name: 'a single message of the first generation, which has no event name',
    payload: {
      chat: { chat_id: 510234, is_new_chat: true, phone: '+15550100099' },
      message: {
        message_id: 'm-1',
        direction: 'received',
        text: 'hi',
        timestamp: '2026-03-02T09:15:00+01:00',
        sender: { phone: '+15550100099' },
      },
    },
    occurredAt: Date.parse('2026-03-02T08:15:00Z'),
    stored: { message: { id: 'm-1', chat: { id: '510234' }, direction: 'inbound' } },
  },
  {
    name: "an envelope in the words of the API's own message",
    payload: {
      event_type: 'message:received:new',
      data: {
        uid: 'u-1',
        chat_id: 510234,
        timestamp: '2026-03-02 09:15:00 +0100',
        sender_phone: '+15550100099',
        sender_name: 'Ana Ruiz',
        recipient_phone: '+15550100001',
        recipient_name: 'Lee',
        from_me: false,
        text: 'pic',
        origin: 'WhatsApp',
        message_type: 'whatsapp',
        attachment_url: 'https://files.example/a.jpg',
        attachment_filename: 'a.jpg',
      },
    },
    exactly: {
      kind: 'message',
      message: {
        id: 'u-1',
        chat: { id: '510234', kind: 'individual' },
        direction: 'inbound',
        via: 'phone',
        channel: 'whatsapp',
        sender: { phone: '+15550100099', name: 'Ana Ruiz' },
        recipient: { phone: '+15550100001', name: 'Lee' },
        account: { phone: '+15550100001' },
        content: { type: 'image', file: { url: 'https://files.example/a.jpg', name: 'a.jpg' }, caption: 'pic' },
      },
    },
  },
  {
    name: "the chat's own fields beside an envelope's message",
    payload: {
      event: 'message:received:new',
      data: { chat_id: '510235', is_group: true, chat_name: 'Night shift', phone: '', text: 'two', uid: 'e-2' },
    },
    stored: { message: { chat: { id: '510235', kind: 'group', title: 'Night shift' } } },
  },
  {
    name: "the chat's number beside an envelope's message",
    payload: { event: 'message:received:new', data: { chat_id: '1', phone: '+15550100099', text: 'hi', uid: 'e-3' } },
    stored: { message: { chat: { phone: '+15550100099' }, sender: { phone: '+15550100099' } } },
  },
  {
    name: 'our account in an envelope, by its number or as an object',
    payload: [
      varied(envelope, 'data', { whatsapp_account_id: undefined, whatsapp_account_phone: '+15550100001' }),
      varied(envelope, 'data', { whatsapp_account_id: undefined, whatsapp_account: { phone: '+15550100001' } }),
      { ...received, whatsapp_account: undefined, account: { phone: '+15550100001' } },
    ],
    stored: Array.from({ length: 3 }, () => ({ message: { account: { phone: '+15550100001' } } })),
  },
  ...[true, 'true', 'True', '1', 1].map((from_me) => ({
    name: `an echo where from_me is ${JSON.stringify(from_me)}`,
    payload: { ...varied(envelope, 'data', { from_me }), event_type: 'message:new' },
    stored: { message: { direction: 'outbound' } },
  })),
  ...[false, 'false', '0', 0, 'no', ''].map((is_group) => ({
    name: `no group where is_group is ${JSON.stringify(is_group)}`,
    payload: varied(received, 'chat', { is_group }),
    stored: { message: { chat: { kind: 'individual' } } },
  })),
  {
    name: 'a group where is_group is a text',
    payload: varied(received, 'chat', { is_group: 'true' }),
    stored: { message: { chat: { kind: 'group' } } },
  },
  ...[
    ['in', 'inbound'],
    ['OUT', 'outbound'],
  ].map(([written, direction]) => ({
    name: `the direction "${written}"`,
    payload: { ...varied(received, 'message', { direction: written }), event_type: 'message:new' },
    stored: { message: { direction } },
  })),
  {
    name: 'a sender of whom only the name is told',
    payload: varied(received, 'message', { sender: 'Ana Ruiz' }),
    stored: { message: { sender: { name: 'Ana Ruiz' } } },
  },
  {
    name: 'no other event that happens to tell a message',
    payload: { event_type: 'message:deleted', message_uid: 'f-4', text: 'bare', chat_id: 510234 },
    quarantined: ['event_type'],
  },
  ...[
    ['reaction', 'reaction'],
    ['call', 'call'],
    ['chat-assigned', 'chat'],
    ['account-connected', 'connection'],
  ].map(([file = '', kind]) => {
    const { event_type, ...data } = fixture(file);
    return { name: `an event of kind ${kind} under data`, payload: { event_type, data }, stored: { kind } };
  }),
  {
    name: 'no reaction under data without one',
    payload: { event_type: 'message:reaction', data: {} },
    quarantined: ['data.reaction'],
  },
  { name: 'nothing that is empty', payload: [], quarantined: [''] },
  { name: 'nothing that is no object', payload: [7], quarantined: ['0'] },
  { name: 'nothing that is no JSON', payload: '{', quarantined: [''] },
  { name: 'no event without a name', payload: {}, quarantined: ['event_type'] },
  { name: 'no event whose name is no text', payload: { event_type: 7 }, quarantined: ['event_type'] },
  {
    name: 'no event that is unknown',
    payload: { ...received, event_type: 'chat:merged' },
    quarantined: ['event_type'],
  },
  {
    name: 'no event that is named like a part of JavaScript',
    payload: { ...received, event_type: 'constructor' },
    quarantined: ['event_type'],
  },
  { name: 'no message event without a message', payload: { event_type: 'message:new' }, quarantined: ['message'] },
  {
    name: 'no message of an unknown chat',
    payload: { ...received, chat: null },
    quarantined: ['chat.chat_id'],
  },
  {
    name: 'no envelope of an unknown chat',
    payload: varied(envelope, 'data', { chat_id: '' }),
    quarantined: ['data.chat_id'],
  },
  { name: 'no bundle of an unknown chat', payload: { messages: bundle.messages }, quarantined: ['chat_id'] },
  { name: 'no bundle without messages', payload: { ...bundle, messages: [null] }, quarantined: ['messages'] },
  {
    name: 'each message of a bundle by itself: what is not understood is kept beside the others',
    payload: { ...bundle, messages: [{ direction: 'sent', text: 'x' }, { direction: 'sent' }, { text: 'y' }] },
    stored: [{ message: { direction: 'outbound', content: { type: 'text', text: 'x' } } }],
    quarantined: ['messages.1.message_uid', 'messages.2.direction'],
  },
  {
    name: 'a bundle in which a message has its id under the other name',
    payload: fixture('bundle-with-uid'),
    stored: [
      { message: { id: 'b-1', direction: 'inbound', content: { type: 'text', text: 'one' } } },
      { message: { id: 'b-2', direction: 'outbound', content: { type: 'text', text: 'two' } } },
      {
        message: {
          id: 'b-3',
          direction: 'inbound',
          content: { type: 'image', file: { url: 'https://files.example/p.png' } },
        },
      },
    ],
  },
  ...['uid', 'message_id'].map((name) => ({
    name: `a message whose id stands under ${name}`,
    payload: varied(received, 'message', { message_uid: undefined, [name]: 'b-4' }),
    stored: { message: { id: 'b-4' } },
  })),
  ...[
    'https://app.timelines.ai/chat/510234/messages/',
    'https://app.timelines.ai/chat/510234',
    'https://app.timelines.ai/chats/510234?x=1',
  ].map((chat_url) => ({
    name: `a chat that only its URL names: ${chat_url}`,
    payload: varied(received, 'chat', { chat_id: undefined, chat_url }),
    stored: { message: { chat: { id: '510234', phone: '+15550100099' } } },
  })),
  ...[
    { chat_id: 510234 },
    { chat_url: 'https://app.timelines.ai/chat/510234/messages/' },
    { id: 'event-1', chat_id: '510234', phone: '+15550100099', chat_name: 'Ana Ruiz' },
  ].flatMap((beside) => {
    const { chat: _, event_type, ...rest } = received;
    return [
      {
        name: `a chat that stands beside its message, as ${JSON.stringify(beside)}`,
        payload: { event_type, ...rest, ...beside },
        stored: { message: { id: '3f1c2b7e-1111-4222-8333-944455556666', chat: { id: '510234' } } },
      },
      {
        name: `the same within data, as ${JSON.stringify(beside)}`,
        payload: { event_type, data: { ...rest, ...beside } },
        stored: { message: { id: '3f1c2b7e-1111-4222-8333-944455556666', chat: { id: '510234' } } },
      },
    ];
  }),
  {
    name: 'a chat that only its URL names, in an envelope',
    payload: varied(envelope, 'data', {
      chat_id: undefined,
      chat_url: 'https://app.timelines.ai/chat/510234/messages/',
    }),
    stored: { message: { chat: { id: '510234' } } },
  },
  {
    name: 'a chat that only its URL names, in a bundle',
    payload: { ...bundle, chat_id: undefined, chat_url: 'https://app.timelines.ai/chat/510234/messages/' },
    stored: [{ message: { chat: { id: '510234' } } }, { message: { chat: { id: '510234' } } }],
  },
  ...[
    'message:received',
    'message:incoming',
    'message:received:text',
    'message.received',
    'Message:Received:Image',
    'message received',
    'whatsapp:message:received',
  ].map((event_type) => ({
    name: `what was received under the name ${event_type}`,
    payload: { ...varied(received, 'message', { direction: undefined }), event_type },
    stored: { message: { direction: 'inbound', id: '3f1c2b7e-1111-4222-8333-944455556666' } },
  })),
  ...['message:sent', 'message:outgoing', 'message:new:sent', 'message:sent:file'].map((event_type) => ({
    name: `what was sent under the name ${event_type}`,
    payload: { ...varied(received, 'message', { direction: undefined }), event_type },
    stored: { message: { direction: 'outbound' } },
  })),
  {
    name: 'a message under a name of one word',
    payload: { ...received, event_type: 'message' },
    stored: { message: {} },
  },
  {
    name: 'a message in the shorter form of its name',
    payload: fixture('message-received-short-name'),
    stored: {
      message: { id: '3f1c2b7e-1111-4222-8333-000000000036', direction: 'inbound', content: { text: 'hello' } },
    },
  },
  ...['message:deleted', 'message:received:deleted', 'message:edited', 'message:status', 'messages'].map(
    (event_type) => ({
      name: `no message under the name ${event_type}, which may mean something else`,
      payload: { ...received, event_type },
      quarantined: ['event_type'],
    }),
  ),
  ...(
    [
      [
        'uid and an attachment',
        { uid: 'b-1', direction: 'received', attachment: { url: FILE, mime_type: 'image/png' } },
      ],
      [
        'a file beside the text',
        { uid: 'b-1', direction: 'received', attachment_url: FILE, attachment_mime_type: 'image/png' },
      ],
      ['a list of links', { uid: 'b-1', direction: 'received', attachments: [FILE] }],
      [
        'one file in the place of a list',
        { uid: 'b-1', direction: 'received', attachments: { link: FILE, mimetype: 'image/png' } },
      ],
      ['one link in the place of a list', { uid: 'b-1', direction: 'received', attachments: FILE }],
      ['a link to media', { uid: 'b-1', direction: 'Incoming', media_url: FILE }],
      [
        'a photo by the word for it',
        { uid: 'b-1', direction: 'inbound', attachments: [{ url: 'https://files.example/1', type: 'Photo' }] },
      ],
      ['what is not from us', { uid: 'b-1', from_me: false, attachment_url: FILE }],
      [
        'a type that is none',
        { uid: 'b-1', direction: 'received', attachments: [{ url: FILE, mime_type: 'application/octet-stream' }] },
      ],
      [
        'a name that objects are born with',
        { uid: 'b-1', direction: 'received', attachments: [{ url: FILE, filename: 'a.constructor' }] },
      ],
    ] as const
  ).map(([what, entry]) => ({
    name: `an entry of a bundle with ${what}, beside others`,
    payload: { ...bundle, messages: [{ text: 'no direction' }, entry, null, 'x', { direction: 'sent', text: 'y' }] },
    stored: [
      { message: { id: 'b-1', direction: 'inbound', content: { type: 'image' } } },
      { message: { direction: 'outbound', content: { type: 'text', text: 'y' } } },
    ],
    quarantined: ['messages.0.direction'],
  })),
  ...(
    [
      ['under data', { event_type: 'message:new', data: bundle }],
      ['under data, without a name', { data: bundle }],
      [
        'whose entries name who sent them',
        { ...bundle, messages: [{ ...first, sender: undefined, sender_phone: '+15550100099' }, second] },
      ],
      [
        'whose entries say from_me',
        {
          ...bundle,
          messages: [
            { ...first, direction: undefined, from_me: false },
            { ...second, direction: null, from_me: true },
          ],
        },
      ],
      ['whose name stands under event', { event: 'message:new', ...bundle }],
    ] as const
  ).map(([what, payload]) => ({
    name: `a bundle ${what}`,
    payload,
    stored: [
      { message: { chat: { id: '510234' }, direction: 'inbound', sender: { phone: '+15550100099' } } },
      { message: { chat: { id: '510234' }, direction: 'outbound', sender: { phone: '+15550100001' } } },
    ],
  })),
  {
    name: 'several deliveries in a list, each by itself',
    payload: [received, { event_type: 'chat:merged' }, envelope],
    stored: [{ message: { content: { type: 'document' } } }, { message: { content: { text: 'hi' } } }],
    quarantined: ['1.event_type'],
  },
  ...(
    [
      ['under data', { event_type: 'message:received', data: { ...received, event_type: undefined } }],
      ['whose name stands under event', { ...received, event_type: undefined, event: 'message.received' }],
      ['whose name stands under eventType', { ...received, event_type: undefined, eventType: 'message_received' }],
      [
        'with a word for its direction',
        { ...varied(received, 'message', { direction: 'incoming' }), event_type: 'message:new' },
      ],
      ['with dashes in its name', { ...received, event_type: 'message-received' }],
      ['with its words the other way round', { ...received, event_type: 'new_message' }],
    ] as const
  ).map(([what, payload]) => ({
    name: `a whole message ${what}`,
    payload,
    stored: { message: { id: '3f1c2b7e-1111-4222-8333-944455556666', direction: 'inbound', chat: { id: '510234' } } },
  })),
  {
    name: 'no direction that does not exist',
    payload: {
      ...varied(received, 'message', { direction: 'sideways', sender: null }),
      event_type: 'message:new',
    },
    quarantined: ['message.direction'],
  },
]);
