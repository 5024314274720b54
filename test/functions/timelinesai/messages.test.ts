import { expect, it } from 'vitest';
import { timelinesAi } from '#functions/timelinesai/provider.ts';
import { describeReading, read } from '#test/support/describe-reading.ts';
import { fixture, varied } from './fixtures.ts';

const received = fixture('message-received');
const sent = fixture('message-sent-by-api');
const chat = {
  id: '510234',
  kind: 'individual',
  title: 'Ana Ruiz',
  phone: '+15550100099',
  url: 'https://app.timelines.ai/chat/510234/messages/',
};
const account = { phone: '+15550100001', owner: { name: 'Lee', email: 'lee@example.com' } };
const ana = { phone: '+15550100099', name: 'Ana Ruiz' };
const lee = { phone: '+15550100001', name: 'Lee' };
const common = { chat, account, channel: 'whatsapp' };

const attachment = (filename: string, mimetype?: string) => ({
  temporary_download_url: `https://bucket.example/${filename}?sig=x`,
  filename,
  mimetype,
});
const withFile = (mimetype: string | undefined, text: unknown = '') =>
  varied(received, 'message', { text, attachments: [attachment('f', mimetype)] });
const typed = (mimetype: string | undefined, type: string, name: string) => ({
  name,
  payload: withFile(mimetype),
  stored: { message: { content: { type, file: { name: 'f' } } } },
});

describeReading(timelinesAi, [
  {
    name: 'a received message with its attachment, the text as its caption',
    payload: received,
    occurredAt: Date.parse('2026-03-02T08:15:00Z'),
    exactly: {
      kind: 'message',
      message: {
        ...common,
        id: '3f1c2b7e-1111-4222-8333-944455556666',
        direction: 'inbound',
        via: 'phone',
        sender: ana,
        recipient: lee,
        content: {
          type: 'document',
          caption: 'the signed form',
          file: {
            url: 'https://bucket.example/att/form.pdf?sig=x',
            name: 'form.pdf',
            size: 84211,
            mimeType: 'application/pdf',
          },
        },
      },
    },
  },
  {
    name: 'the echo of a message that was sent through the API, and what it replies to',
    payload: sent,
    exactly: {
      kind: 'message',
      message: {
        ...common,
        id: '3f1c2b7e-1111-4222-8333-944455557777',
        direction: 'outbound',
        via: 'api',
        sender: lee,
        recipient: ana,
        quoted: { id: '3f1c2b7e-1111-4222-8333-944455556666' },
        content: { type: 'text', text: 'thank you' },
      },
    },
  },
  {
    name: 'a message of a group, which has no phone',
    payload: fixture('message-in-group'),
    exactly: {
      kind: 'message',
      message: {
        id: '3f1c2b7e-1111-4222-8333-944455558888',
        chat: {
          id: '510777',
          kind: 'group',
          title: 'Night shift',
          url: 'https://app.timelines.ai/chat/510777/messages/',
        },
        direction: 'inbound',
        via: 'phone',
        channel: 'whatsapp',
        sender: { phone: '+15550100077', name: 'Bo Ek' },
        recipient: { name: 'Night shift' },
        account,
        content: { type: 'text', text: 'who is on?' },
      },
    },
  },
  {
    name: 'a sent message of unknown origin without claiming to know who wrote it',
    payload: varied(sent, 'message', { origin: 'Web' }),
    stored: { message: { via: 'unknown' } },
  },
  {
    name: 'a sent message that was typed on the phone or a linked device',
    payload: varied(sent, 'message', { origin: 'WhatsApp' }),
    stored: { message: { direction: 'outbound', via: 'phone' } },
  },
  {
    name: "a direction that contradicts the event's name as the message states it",
    payload: { ...sent, event_type: 'message:received:new' },
    stored: { message: { direction: 'outbound', sender: lee } },
  },
  {
    name: "the direction from the event's name where the message states none",
    payload: varied(sent, 'message', { direction: undefined }),
    stored: { message: { direction: 'outbound' } },
  },
  {
    name: 'the direction from the sender where neither the message nor the name states one',
    payload: { ...varied(sent, 'message', { direction: undefined }), event_type: 'message:new' },
    stored: { message: { direction: 'outbound' } },
  },
  {
    name: 'a chat that is a group by its type where the flag is absent',
    payload: varied(received, 'chat', { is_group: undefined, chat_type: 'group', platform: 'whatsapp', phone: '' }),
    stored: { message: { chat: { kind: 'group' } } },
  },
  {
    name: 'phones without a plus and as numbers, and an id as text',
    payload: {
      event_type: 'message:new',
      chat: { chat_id: '510234', full_name: '', phone: 15550100099 },
      whatsapp_account: { phone: '15550100001' },
      message: { direction: 'sent', text: 'x', message_uid: 7, sender: { phone: '15550100001' } },
    },
    exactly: {
      kind: 'message',
      message: {
        id: '7',
        chat: { id: '510234', kind: 'individual', phone: '+15550100099' },
        direction: 'outbound',
        via: 'unknown',
        channel: 'whatsapp',
        sender: { phone: '+15550100001' },
        account: { phone: '+15550100001' },
        content: { type: 'text', text: 'x' },
      },
    },
  },
  {
    name: 'the other side of a chat of two as the sender where none is named',
    payload: varied(received, 'message', { sender: undefined }),
    stored: { message: { sender: ana } },
  },
  {
    name: 'nobody as the sender in a group where none is named',
    payload: varied(fixture('message-in-group'), 'message', { sender: undefined }),
    stored: { message: { sender: {} } },
  },
  {
    name: 'our account from the recipient where the delivery names none',
    payload: { ...received, whatsapp_account: undefined },
    stored: { message: { account: { phone: '+15550100001' } } },
  },
  {
    name: 'a sender whose number is hidden, by the id that stands in its place',
    payload: varied(received, 'message', { sender: { full_name: 'Bo', phone: '123456789012345@lid' } }),
    stored: { message: { sender: { id: '123456789012345@lid', name: 'Bo' } } },
  },
  typed('image/jpeg', 'image', 'an image by its type'),
  typed('VIDEO/MP4', 'video', 'a video by its type'),
  typed('audio/mpeg', 'audio', 'an audio file by its type'),
  typed('audio/ogg; codecs=opus', 'voice', 'a voice message by its codec'),
  typed('application/zip', 'document', 'any other file as a document'),
  typed(undefined, 'document', 'a file without a type as a document'),
  {
    name: 'an attachment without text as one without a caption',
    payload: withFile('image/png'),
    exactly: {
      kind: 'message',
      message: {
        ...common,
        id: '3f1c2b7e-1111-4222-8333-944455556666',
        direction: 'inbound',
        via: 'phone',
        sender: ana,
        recipient: lee,
        content: {
          type: 'image',
          file: { url: 'https://bucket.example/f?sig=x', name: 'f', mimeType: 'image/png' },
        },
      },
    },
  },
  {
    name: 'the single attachment of older payloads, its size in digits',
    payload: varied(received, 'message', {
      attachments: undefined,
      attachment: { ...attachment('a.pdf'), size: '12' },
    }),
    stored: { message: { content: { type: 'document', file: { name: 'a.pdf', size: 12 } } } },
  },
  {
    name: 'an attachment under the names of the newer format',
    payload: fixture('attachment-url'),
    stored: {
      message: {
        content: {
          type: 'image',
          file: { url: 'https://files.example/a.jpg', mimeType: 'image/jpeg', name: 'a.jpg' },
        },
      },
    },
  },
  ...[
    { attachments: [{ download_url: 'https://files.example/a.jpg' }] },
    { attachments: [{ url: 'https://files.example/a.jpg?sig=1', file_name: 'a.jpg' }] },
    { attachments: ['https://files.example/a.jpg'] },
    { attachment: 'https://files.example/a.jpg' },
    { attachment: { file_url: 'https://files.example/a', type: 'image' } },
    { attachment: { url: 'https://files.example/a', mimeType: 'image/png' } },
    { attachment_url: 'https://files.example/a.jpg' },
    { attachment_url: 'https://files.example/a', attachment_filename: 'a.jpg' },
    { file_url: 'https://files.example/a', attachment_mimetype: 'image/jpeg' },
    { attachment_url: 'https://files.example/a', attachment_name: 'a.jpg' },
    { attachments: [{ url: 'https://files.example/a', fileName: 'a.jpg' }] },
    { attachments: '[{"url": "https://files.example/a.jpg"}]' },
  ].map((fields) => ({
    name: `a picture told as ${JSON.stringify(fields)}`,
    payload: varied(received, 'message', { text: '', attachments: undefined, ...fields }),
    stored: { message: { content: { type: 'image', file: { url: expect.stringContaining('files.example/a') } } } },
  })),
  {
    name: 'the type of a file by its MIME type before its ending and their word for it',
    payload: varied(received, 'message', {
      attachments: [{ url: 'https://files.example/a.jpg', mime_type: 'application/pdf', type: 'image' }],
    }),
    stored: { message: { content: { type: 'document' } } },
  },
  {
    name: 'an attachment that stands in both places once',
    payload: varied(received, 'message', { attachment: attachment('a.pdf'), attachments: [attachment('a.pdf')] }),
    stored: [{ message: { content: { file: { name: 'a.pdf' } } } }],
  },
  {
    name: 'the single attachment where the list is empty',
    payload: varied(received, 'message', { attachment: attachment('a.pdf'), attachments: [] }),
    stored: [{ message: { content: { file: { name: 'a.pdf' } } } }],
  },
  {
    name: 'several attachments as several messages, each of its own type, the text with the first',
    payload: varied(received, 'message', {
      text: 'both',
      attachments: [attachment('a.jpg', 'image/jpeg'), attachment('b.pdf', 'application/pdf')],
    }),
    exactly: [
      { type: 'image', name: 'a.jpg', mimeType: 'image/jpeg', caption: { caption: 'both' } },
      { type: 'document', name: 'b.pdf', mimeType: 'application/pdf', caption: {} },
    ].map(({ type, name, mimeType, caption }) => ({
      kind: 'message',
      message: {
        ...common,
        id: '3f1c2b7e-1111-4222-8333-944455556666',
        direction: 'inbound',
        via: 'phone',
        sender: ana,
        recipient: lee,
        content: { type, file: { url: `https://bucket.example/${name}?sig=x`, name, mimeType }, ...caption },
      },
    })),
  },
  {
    name: 'a message of which nothing is passed on as something that came',
    payload: varied(received, 'message', { text: '', attachments: [], message_type: 'location' }),
    stored: { message: { content: { type: 'unsupported', providerType: 'location' } } },
  },
  {
    name: 'a message with an attachment that is empty as something that came',
    payload: varied(received, 'message', { text: null, attachments: [{}, null, 'x'] }),
    stored: [{ message: { content: { type: 'unsupported', providerType: 'empty' } } }],
  },
  {
    name: 'a message without an id, for which it makes one',
    payload: varied(received, 'message', { message_uid: undefined }),
    stored: { message: { id: expect.stringMatching(/^msg_[0-9a-f]{32}$/) } },
  },
  {
    name: 'no chat, only a phone of it, as that chat',
    payload: varied(received, 'chat', { chat_id: undefined, chat_url: undefined }),
    stored: { message: { chat: { id: '+15550100099' } } },
  },
]);

it.each(['yesterday', '2026-03-02 09:15:00', '', null, undefined])('a message of the time %s has none', (timestamp) => {
  const reading = read(timelinesAi, { name: '', payload: varied(received, 'message', { timestamp }) });
  expect(reading).toMatchObject({ drafts: [{ payload: { kind: 'message' } }] });
  expect(reading).not.toHaveProperty('drafts.0.occurredAt');
});
