import { describe, expect, it } from 'vitest';
import { zender } from '#functions/zender/provider.ts';
import { describeReading, type Row } from '#test/support/describe-reading.ts';
import {
  device,
  flat,
  flattened,
  form,
  multipart,
  notifications,
  sms,
  toForm,
  ussd,
  whatsapp,
  withData,
} from './payloads.ts';

const ana = { id: '+15550100099', kind: 'individual', phone: '+15550100099' };
const says = (content: object) => ({ kind: 'message', message: { content } });

const MULTIPART = 'multipart/form-data; boundary=----b0undary';
/** As n8n hands on what it got. */
const wrapper = (body: unknown) => ({ headers: { 'x-secret': 'word' }, params: {}, query: {}, body });

/** The sample with other names for the fields of its data. */
const renamed = (name: (key: string) => string) => ({
  type: 'whatsapp',
  ...Object.fromEntries(Object.entries(whatsapp.data).map(([key, value]) => [name(key), value])),
});

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
    { name: 'a multipart form', payload: multipart(whatsapp), contentType: MULTIPART },
    { name: 'a multipart form with bare line ends', payload: multipart(whatsapp, 'b', '\n'), contentType: MULTIPART },
    { name: 'a multipart form marked as another', payload: multipart(whatsapp), contentType: form },
    { name: 'a multipart form whose boundary has signs', payload: multipart(whatsapp, 'a(+)?.*b'), contentType: '' },
    {
      name: 'a multipart form whose data is JSON',
      payload: multipart({ type: 'whatsapp', data: JSON.stringify(whatsapp.data) }),
      contentType: MULTIPART,
    },
    { name: 'a list of one', payload: [whatsapp] },
    { name: "a relay's wrapper", payload: wrapper(whatsapp) },
    { name: "a relay's wrapper in a list", payload: [wrapper(whatsapp)] },
    { name: "a relay's wrapper around JSON in a text", payload: wrapper(JSON.stringify(whatsapp)) },
    { name: "a relay's wrapper around a form in a text", payload: wrapper(toForm(whatsapp)) },
    { name: "a relay's wrapper around flat keys", payload: wrapper(flattened(whatsapp)) },
    { name: 'a wrapper under other names', payload: { event: { name: 'hook' }, payload: { json: whatsapp } } },
    { name: 'what a relay has put into the query', payload: { headers: {}, query: flattened(whatsapp), body: {} } },
    {
      name: 'a wrapper in a multipart form',
      payload: multipart({ payload: JSON.stringify(whatsapp) }),
      contentType: '',
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
    name: 'several deliveries of a list',
    payload: [wrapper(sms), whatsapp],
    stored: [says({ type: 'text', text: 'Hello' }), says({ type: 'text', text: 'Hi there' })],
  },
  {
    name: 'the first shape in a wrapper',
    payload: wrapper(flat),
    stored: says({ type: 'text', text: 'Hello' }),
  },
  ...[
    { media_url: 'https://files.example/x.ogg', attachment: '0' },
    { mediaUrl: ' https://files.example/x.ogg ' },
    { attachment_url: 'https://files.example/x.ogg', attachment: 'null' },
    { attachment: ['https://files.example/x.ogg'] },
    { attachment: { name: 'x', url: 'https://files.example/x.ogg' } },
    { media: { link: 'https://files.example/x.ogg' } },
    { file: 'https://files.example/x.ogg' },
    { audio: 'https://files.example/x.ogg' },
  ].map((fields) => ({
    name: `a file by its link: ${JSON.stringify(fields)}`,
    payload: withData(whatsapp, { message: '', attachment: undefined, ...fields }),
    stored: says({ type: 'audio', file: { url: 'https://files.example/x.ogg' } }),
  })),
  ...[
    { attachments: ['https://files.example/x.ogg'] },
    { attachments: { 0: { url: 'https://files.example/x.ogg' } } },
    { audio_url: 'https://files.example/x.ogg' },
    { voice_url: 'https://files.example/x.ogg', attachment: '0' },
    { files: [{ link: 'https://files.example/x.ogg', name: 'x.ogg' }] },
    { media_url: 'https://files.example/x.ogg?sig=a.jpg' },
    { media_url: 'https://files.example/1', mime_type: 'audio/ogg; codecs=opus' },
    { media_url: 'https://files.example/1', media_type: 'audio' },
    { media_url: 'https://files.example/1', file_name: 'x.ogg' },
    { media: { url: 'https://files.example/1', mimetype: 'audio/mpeg' } },
  ].map((fields) => ({
    name: `a file by what else is told of it: ${JSON.stringify(fields)}`,
    payload: withData(whatsapp, { message: '', attachment: undefined, ...fields }),
    stored: says({ type: 'audio', file: { url: expect.stringMatching(/^https:\/\/files\.example\//) } }),
  })),
  {
    name: 'the name and type of a file',
    payload: withData(whatsapp, {
      attachment: undefined,
      media_url: 'https://files.example/1',
      file_name: 'offer.pdf',
      mime_type: 'application/pdf',
    }),
    stored: says({ type: 'document', file: { name: 'offer.pdf', mimeType: 'application/pdf' }, caption: 'Hi there' }),
  },
  {
    name: 'the link of a form by any name',
    payload: toForm(withData(whatsapp, { message: '', attachment: '', image_url: 'https://files.example/x.png' })),
    contentType: form,
    stored: says({ type: 'image', file: { url: 'https://files.example/x.png' } }),
  },
  {
    name: 'the documented name of a link before others',
    payload: withData(whatsapp, {
      attachment: 'https://files.example/a.jpg',
      media_url: 'https://files.example/x.ogg',
    }),
    stored: says({ type: 'image', file: { url: 'https://files.example/a.jpg' }, caption: 'Hi there' }),
  },
  {
    name: 'no link in what is none',
    payload: withData(whatsapp, { media: '1', file: 'a.jpg', image: false, url: ['x'] }),
    stored: says({ type: 'text', text: 'Hi there' }),
  },
  {
    name: 'a picture that came with an SMS',
    payload: withData(sms, { media_url: 'https://files.example/a.png' }),
    stored: says({ type: 'image', file: { url: 'https://files.example/a.png' }, caption: 'Hello' }),
  },
  ...[
    { name: 'dots in the place of brackets', payload: renamed((key) => `data.${key}`) },
    { name: 'two underscores in the place of brackets', payload: renamed((key) => `data__${key}`) },
    { name: 'dots in a form', payload: toForm(renamed((key) => `data.${key}`)), contentType: form },
    {
      name: 'a form that was escaped for a page',
      payload: toForm(whatsapp).replaceAll('&', '&amp;'),
      contentType: form,
    },
    { name: 'JSON as the name of a field', payload: encodeURIComponent(JSON.stringify(whatsapp)), contentType: form },
    { name: 'JSON as the name of an empty field', payload: `${JSON.stringify(whatsapp)}=`, contentType: form },
    { name: 'a form with a mark at its front', payload: `\ufeff${toForm(whatsapp)}`, contentType: form },
  ].map((row) => ({
    ...row,
    stored: { kind: 'message', message: { id: '77', chat: ana, content: { type: 'text', text: 'Hi there' } } },
  })),
  {
    name: 'percent signs of somebody who encodes once',
    payload: toForm(withData(whatsapp, { message: '100%25' })),
    contentType: form,
    stored: says({ type: 'text', text: '100%25' }),
  },
  ...['\n', '\r\n', '\t', '\u0007'].map((sign) => ({
    name: `JSON with ${JSON.stringify(sign)} in a text as it is`,
    payload: JSON.stringify(sms).replace('Hello', `Hello${sign}you \\"there\\"`),
    stored: says({ type: 'text', text: `Hello${sign}you "there"` }),
  })),
  ...['1', 1].map((sim) => ({
    name: `the slot ${JSON.stringify(sim)}`,
    payload: withData(sms, { sim }),
    stored: { message: { account: { device, sim: 1 } } },
  })),
  ...[['Vodafone'], [1, 2], { a: 1 }, '12', -1].map((sim) => ({
    name: `no slot in ${JSON.stringify(sim)}, and the message all the same`,
    payload: withData(sms, { sim }),
    exactly: expect.objectContaining({ message: expect.objectContaining({ account: { device } }) }),
  })),
  ...['2026-01-01 00:00:01 UTC', '2026-01-01T01:00:01+0100'].map((timestamp) => ({
    name: `the time ${timestamp}`,
    payload: withData(whatsapp, { timestamp }),
    occurredAt: 1767225601000,
  })),
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
    name: 'nothing from a wrapper of something else',
    payload: wrapper({ phone: '+15550100099' }),
    quarantined: ['type'],
  },
  {
    name: 'one of a list beside what is none',
    payload: [sms, { hello: 1 }, wrapper({ ...whatsapp, type: 'mms' })],
    stored: [says({ type: 'text', text: 'Hello' })],
    quarantined: ['1.type', '2.body.type'],
  },
  { name: 'nothing that is wrapped too deep', payload: [[[[[[sms]]]]]], quarantined: [''] },
  {
    name: 'nothing from a multipart body without parts',
    payload: '--x',
    contentType: 'multipart/form-data; boundary=x',
    quarantined: [''],
  },
  { name: 'nothing from broken JSON', payload: '{"type":', quarantined: [''] },
];

describeReading(zender, [...spellings, ...broken]);

describe('words in the encoding of old Windows programs', () => {
  const asForm = toForm(withData(sms, { message: 'MARK' }));
  it.each([
    ['in a form', asForm.replace('MARK', 'Gr\xfc\xdfe'), form],
    ['in percent signs', asForm.replace('MARK', 'Gr%FC%DFe'), form],
    ['in JSON', JSON.stringify(withData(sms, { message: 'Gr\xfc\xdfe' })), 'application/json; charset=iso-8859-1'],
    [
      'in JSON in a form',
      `data=${encodeURIComponent('{"message":"MARK","phone":"+1"}').replace('MARK', 'Gr%FC%DFe')}&type=sms`,
      form,
    ],
  ])('are read %s', (_name, latin1, contentType) => {
    const parsed = zender.parse(Buffer.from(latin1, 'latin1'), contentType);
    expect(parsed.ok && zender.read(parsed.value)).toMatchObject({
      drafts: [{ payload: { message: { content: { text: 'Grüße' } } } }],
    });
  });

  it('take no word from others that are in UTF-8', () => {
    const parsed = zender.parse(Buffer.from('type=sms&a=Gr%FC%DFe&b=Gr%C3%BC%C3%9Fe', 'latin1'), form);
    expect(parsed).toMatchObject({ ok: true, value: { a: 'Grüße', b: 'Grüße' } });
  });
});
