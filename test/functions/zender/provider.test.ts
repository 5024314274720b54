import { expect } from 'vitest';
import { zender } from '#functions/zender/provider.ts';
import { describeReading, type Row } from '#test/support/describe-reading.ts';
import {
  device,
  flat,
  form,
  group,
  json,
  notifications,
  sample,
  sms,
  toForm,
  ussd,
  whatsapp,
  withData,
} from './payloads.ts';

const ana = { id: '+15550100099', kind: 'individual', phone: '+15550100099' };
const received = { direction: 'inbound', via: 'unknown' };
const says = (content: object) => ({ kind: 'message', message: { content } });

/** One row for the form, one for its JSON twin. */
const twins = (name: string, body: object, expected: Pick<Row, 'stored' | 'exactly' | 'occurredAt'>): Row[] => [
  { name: `${name}, as a form`, payload: toForm(body), contentType: form, ...expected },
  { name: `${name}, as JSON`, payload: body, contentType: json, ...expected },
];
const samples = (name: 'sms' | 'whatsapp' | 'ussd' | 'notification', exactly: object): Row[] => [
  {
    name: `the sample ${name}.form`,
    payload: sample(name).form,
    contentType: form,
    exactly,
    occurredAt: 1645684231_000,
  },
  {
    name: `the sample ${name}.json`,
    payload: sample(name).json,
    contentType: json,
    exactly,
    occurredAt: 1645684231_000,
  },
];

const ofThePage: Row[] = [
  ...samples('sms', {
    kind: 'message',
    message: {
      ...received,
      id: '2',
      chat: { id: '+639760713666', kind: 'individual', phone: '+639760713666' },
      channel: 'sms',
      sender: { phone: '+639760713666' },
      account: { device: '00000000-0000-0000-d57d-f30cb6a89289', sim: 1 },
      content: { type: 'text', text: 'Hello World!' },
      deviceMessageId: '10593',
    },
  }),
  ...samples('whatsapp', {
    kind: 'message',
    message: {
      ...received,
      id: '2',
      chat: { id: '+639760666713', kind: 'individual', phone: '+639760666713' },
      channel: 'whatsapp',
      sender: { phone: '+639760666713' },
      account: { phone: '+639760713666' },
      content: { type: 'text', text: 'Hello World!' },
    },
  }),
  ...samples('ussd', {
    kind: 'ussd',
    ussd: {
      device: '00000000-0000-0000-d57d-f30cb6a89289',
      sim: 1,
      code: '*143#',
      response: 'Sorry! You are not allowed to use this service.',
    },
  }),
  ...samples('notification', {
    kind: 'notification',
    notification: {
      device: '00000000-0000-0000-d57d-f30cb6a89289',
      package: 'com.facebook.katana',
      title: 'Someone commented on your post!',
      content: 'Someone commented on your post!',
    },
  }),
];

const events: Row[] = [
  ...twins('an sms', sms, {
    exactly: {
      kind: 'message',
      message: {
        ...received,
        id: '41',
        chat: ana,
        channel: 'sms',
        sender: { phone: '+15550100099' },
        account: { device, sim: 1 },
        content: { type: 'text', text: 'Hello' },
        deviceMessageId: '10021',
      },
    },
    occurredAt: 1767225600_000,
  }),
  ...twins('a WhatsApp text: wid is our own number', whatsapp, {
    exactly: {
      kind: 'message',
      message: {
        ...received,
        id: '77',
        chat: ana,
        channel: 'whatsapp',
        sender: { phone: '+15550100099' },
        account: { phone: '+15550100001' },
        content: { type: 'text', text: 'Hi there' },
      },
    },
    occurredAt: 1767225601_000,
  }),
  ...twins('a picture in a group, whose author is not told', group, {
    exactly: {
      kind: 'message',
      message: {
        ...received,
        id: '78',
        chat: { id: '120363000000000042@g.us', kind: 'group' },
        channel: 'whatsapp',
        sender: {},
        account: { phone: '+15550100001' },
        content: {
          type: 'image',
          file: { url: 'https://gw.example/uploads/whatsapp/received/abc/78.jpg' },
          caption: 'see this',
        },
      },
    },
    occurredAt: 1767225602_000,
  }),
  ...twins('the answer to a USSD request', ussd, {
    exactly: { kind: 'ussd', ussd: { device, sim: 2, code: '*101#', response: 'Balance 3.20' } },
    occurredAt: 1767225603_000,
  }),
  ...twins('a notification under its plural name', notifications, {
    exactly: {
      kind: 'notification',
      notification: { device, package: 'com.example.bank', title: 'Transfer', content: 'You received 5' },
    },
    occurredAt: 1767225604_000,
  }),
  ...twins('the flat shape of the first versions', flat, {
    exactly: {
      kind: 'message',
      message: {
        ...received,
        id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
        chat: { ...ana, title: 'Ana Ruiz' },
        channel: 'sms',
        sender: { phone: '+15550100099', contactName: 'Ana Ruiz' },
        account: {},
        content: { type: 'text', text: 'Hello' },
      },
    },
    occurredAt: 1767225605_000,
  }),
  ...twins(
    'the flat shape of somebody who is no contact',
    { ...flat, name: false },
    {
      stored: { kind: 'message', message: { sender: { phone: '+15550100099' }, chat: ana } },
    },
  ),
];

const url = (end: string) => `https://gw.example/f/78${end}`;
const attachments: Row[] = [
  ...['', '0', 'false', 'FALSE', 'null', 'none', 0, false, null, undefined].map(
    (attachment): Row => ({
      name: `the attachment ${JSON.stringify(attachment)} as none`,
      payload: withData(whatsapp, { attachment }),
      exactly: { kind: 'message', message: expect.objectContaining({ content: { type: 'text', text: 'Hi there' } }) },
    }),
  ),
  ...(
    [
      ['.jpg', 'image'],
      ['.PNG?expires=1', 'image'],
      ['.webp', 'image'],
      ['.mp4', 'video'],
      ['.ogg#t', 'audio'],
      ['.mp3', 'audio'],
      ['.pdf', 'document'],
      ['', 'document'],
    ] as const
  ).map(
    ([end, type]): Row => ({
      name: `an attachment ending in "${end}" as ${type}`,
      payload: withData(whatsapp, { attachment: url(end) }),
      stored: says({ type, file: { url: url(end) }, caption: 'Hi there' }),
    }),
  ),
  {
    name: 'a voice note whose transcription stands beside it',
    payload: withData(whatsapp, { attachment: url('.ogg'), message: 'see you at five' }),
    stored: says({ type: 'audio', caption: 'see you at five' }),
  },
  {
    name: 'an attachment without words, with no caption',
    payload: withData(whatsapp, { attachment: url('.jpg'), message: '' }),
    exactly: {
      kind: 'message',
      message: expect.objectContaining({ content: { type: 'image', file: { url: url('.jpg') } } }),
    },
  },
  {
    name: 'neither words nor attachment: something came',
    payload: withData(whatsapp, { message: '' }),
    stored: says({ type: 'unsupported', providerType: 'whatsapp' }),
  },
];

const people: Row[] = [
  {
    name: 'device suffixes of wid and phone, which it drops',
    payload: withData(whatsapp, { wid: '+15550100001:12', phone: '15550100099:3@s.whatsapp.net' }),
    stored: {
      kind: 'message',
      message: {
        chat: { id: '15550100099@c.us', phone: '+15550100099' },
        sender: { phone: '+15550100099' },
        account: { phone: '+15550100001' },
      },
    },
  },
  {
    name: 'a LID: an id, never a phone',
    payload: withData(whatsapp, { phone: '123456789012345@lid' }),
    exactly: {
      kind: 'message',
      message: expect.objectContaining({
        chat: { id: '123456789012345@lid', kind: 'individual' },
        sender: { id: '123456789012345@lid' },
      }),
    },
  },
  {
    name: 'a name as the sender of an SMS',
    payload: withData(sms, { phone: 'MyBank' }),
    exactly: {
      kind: 'message',
      message: expect.objectContaining({ chat: { id: 'MyBank', kind: 'individual' }, sender: { id: 'MyBank' } }),
    },
  },
  {
    name: 'a short code as the sender of an SMS',
    payload: withData(sms, { phone: 70123 }),
    stored: { kind: 'message', message: { chat: { id: '70123' }, sender: { id: '70123' } } },
  },
  {
    name: 'a form whose + was not encoded',
    payload: 'type=sms&data[id]=1&data[phone]=+15550100099&data[message]=a',
    contentType: form,
    stored: { kind: 'message', message: { chat: ana } },
  },
];

describeReading(zender, [...ofThePage, ...events, ...attachments, ...people]);
