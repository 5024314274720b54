import { describe, expect, it } from 'vitest';
import { zender } from '#functions/zender/provider.ts';
import { describeReading, type Row } from '#test/support/describe-reading.ts';
import { identified } from '#test/support/identity.ts';
import { expectNoThrow } from '#test/support/mangling.ts';
import { flat, form, group, json, notifications, sample, sms, toForm, ussd, whatsapp, withData } from './payloads.ts';

const device = '00000000-0000-0000-aaaa-bbbbccccdddd';
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

const spellings: Row[] = [
  ...[
    { name: 'JSON with flat keys', payload: flattened(whatsapp) },
    { name: 'JSON whose data is JSON in a text', payload: { ...whatsapp, data: JSON.stringify(whatsapp.data) } },
    { name: 'JSON marked as a form', payload: JSON.stringify(whatsapp), contentType: form },
    { name: 'JSON marked as text', payload: JSON.stringify(whatsapp), contentType: 'text/plain' },
    { name: 'JSON with texts for numbers', payload: withData(whatsapp, { id: '77', timestamp: '1767225601' }) },
    { name: 'JSON with a number for a phone', payload: withData(whatsapp, { wid: 15550100001, phone: 15550100099 }) },
    { name: 'a form without a content type', payload: toForm(whatsapp), contentType: '' },
    {
      name: 'a form with bare brackets',
      payload: toForm(whatsapp).replaceAll('%5B', '[').replaceAll('%5D', ']'),
      contentType: form,
    },
    {
      name: 'a form whose data is JSON',
      payload: toForm({ type: 'whatsapp', data: JSON.stringify(whatsapp.data) }),
      contentType: form,
    },
    {
      name: 'a form in which a field comes twice: the last wins',
      payload: `data[id]=1&${toForm(whatsapp)}`,
      contentType: form,
    },
  ].map((row) => ({
    ...row,
    stored: { kind: 'message', message: { id: '77', chat: ana, content: { type: 'text', text: 'Hi there' } } },
  })),
  {
    name: 'a number for a text',
    payload: withData(sms, { message: 1234 }),
    stored: says({ type: 'text', text: '1234' }),
  },
  { name: 'an SMS without words', payload: withData(sms, { message: '' }), stored: says({ type: 'text', text: '' }) },
  {
    name: 'names that objects are born with, as nothing',
    payload: `${toForm(sms)}&data[constructor]=1&toString=2`,
    contentType: form,
    stored: says({ type: 'text', text: 'Hello' }),
  },
  {
    name: 'an SMS without an id, named by device and rid',
    payload: withData(sms, { id: undefined }),
    stored: { kind: 'message', message: { id: `${device}:10021` } },
  },
];

const many = Array.from({ length: 201 }, (_, index) => `x${index}=1`).join('&');
const broken: Row[] = [
  { name: 'nothing from an unknown type', payload: { ...sms, type: 'mms' }, quarantined: ['type'] },
  {
    name: 'nothing from a type that objects are born with',
    payload: { ...sms, type: 'constructor' },
    quarantined: ['type'],
  },
  { name: 'nothing from an sms without data', payload: { type: 'sms' }, quarantined: ['data'] },
  { name: 'nothing from data that is no object', payload: { type: 'sms', data: 'hello' }, quarantined: ['data'] },
  { name: 'nothing without a sender', payload: withData(sms, { phone: undefined }), quarantined: ['data.phone'] },
  { name: 'nothing with an empty sender', payload: withData(sms, { phone: ' ' }), quarantined: ['data.phone'] },
  {
    name: 'nothing from a USSD answer without its code',
    payload: withData(ussd, { code: null }),
    quarantined: ['data.code'],
  },
  {
    name: 'nothing from a notification without its package',
    payload: withData(notifications, { package: undefined }),
    quarantined: ['data.package'],
  },
  { name: 'nothing from an empty body', payload: ' ', contentType: form, quarantined: [''] },
  { name: 'nothing from a form of 201 fields', payload: many, contentType: form, quarantined: [''] },
  {
    name: 'nothing from a form six levels deep',
    payload: 'data[a][b][c][d][e]=1',
    contentType: form,
    quarantined: [''],
  },
  {
    name: 'nothing from a form with a prototype',
    payload: 'data[__proto__][a]=1',
    contentType: form,
    quarantined: [''],
  },
  { name: 'nothing from an encoded prototype', payload: '%5F%5fproto__=1', contentType: form, quarantined: [''] },
  {
    name: 'nothing from a multipart body',
    payload: '--x',
    contentType: 'multipart/form-data; boundary=x',
    quarantined: [''],
  },
  { name: 'nothing from broken JSON', payload: '{"type":', quarantined: [''] },
];

describeReading(zender, [...ofThePage, ...events, ...attachments, ...people, ...spellings, ...broken]);

function flattened(body: typeof whatsapp) {
  const { data, ...rest } = body;
  return { ...rest, ...Object.fromEntries(Object.entries(data).map(([key, value]) => [`data[${key}]`, value])) };
}

it('refuses a form that is no UTF-8', () => {
  expect(zender.parse(Buffer.from([0x61, 0x3d, 0xff]), form)).toMatchObject({ ok: false });
});

it('reads or quarantines whatever a true payload is mangled to', () => {
  expectNoThrow(zender, [sms, whatsapp, group, ussd, notifications, flat, flattened(whatsapp)]);
});

describe('an event of zender is the same', () => {
  const { attachment: _, ...withoutAttachment } = whatsapp.data;
  it.each([
    ...[sms, whatsapp, group, ussd, notifications, flat].map((body) => ({
      name: `as a form and as JSON (${'type' in body ? body.type : 'flat'})`,
      first: body,
      second: toForm(body),
      contentType: form,
    })),
    ...(['sms', 'whatsapp', 'ussd', 'notification'] as const).map((name) => ({
      name: `in both spellings of the sample ${name}`,
      first: sample(name).json,
      second: sample(name).form,
      contentType: form,
    })),
    {
      name: 'under both names of a notification',
      first: notifications,
      second: { ...notifications, type: 'notification' },
    },
    { name: 'with flat keys', first: whatsapp, second: flattened(whatsapp) },
    { name: 'whatever its secret', first: whatsapp, second: { ...whatsapp, secret: 'other' } },
    { name: 'without the field for an attachment', first: whatsapp, second: { ...whatsapp, data: withoutAttachment } },
  ])('$name', ({ first, second, ...row }) => {
    const contentType = 'contentType' in row ? row.contentType : json;
    expect(identified(zender, second, contentType)).toEqual(identified(zender, first));
  });
});

describe('an event of zender is another', () => {
  it.each([
    { name: 'for another id', first: sms, second: withData(sms, { id: 42 }) },
    { name: 'for the same id of another type', first: withData(sms, { id: 2 }), second: withData(whatsapp, { id: 2 }) },
    {
      name: 'for the same id on another account',
      first: whatsapp,
      second: withData(whatsapp, { wid: '+15550100002' }),
    },
    {
      name: 'without ids for another time',
      first: withData(ussd, { id: undefined }),
      second: withData(ussd, { id: undefined, timestamp: 1767225699 }),
    },
    {
      name: 'in the flat shape for another date',
      first: flat,
      second: { ...flat, receive_date: '2026-01-01 10:00:00' },
    },
    {
      name: 'in the flat shape for another date of an unknown zone',
      first: { ...flat, receive_date: '2026-01-01 10:00:01' },
      second: { ...flat, receive_date: '2026-01-01 10:00:00' },
    },
  ])('$name', ({ first, second }) => {
    expect(identified(zender, second).id).not.toBe(identified(zender, first).id);
  });
});
