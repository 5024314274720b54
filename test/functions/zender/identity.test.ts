import { describe, expect, it } from 'vitest';
import { zender } from '#functions/zender/provider.ts';
import { identified } from '#test/support/identity.ts';
import {
  flat,
  flattened,
  form,
  group,
  json,
  multipart,
  notifications,
  sample,
  sms,
  toForm,
  ussd,
  whatsapp,
  withData,
} from './payloads.ts';

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
    ...[toForm, multipart].map((written) => ({
      name: `with the line ends of a form (${written.name})`,
      first: withData(whatsapp, { message: 'One\nTwo' }),
      second: written(withData(whatsapp, { message: 'One\r\nTwo' })),
      contentType: form,
    })),
    { name: 'with flat keys', first: whatsapp, second: flattened(whatsapp) },
    { name: 'whatever its secret', first: whatsapp, second: { ...whatsapp, secret: 'other' } },
    { name: 'without the field for an attachment', first: whatsapp, second: { ...whatsapp, data: withoutAttachment } },
  ])('$name', ({ first, second, ...row }) => {
    const contentType = 'contentType' in row ? row.contentType : json;
    expect(identified(zender, second, contentType)).toEqual(identified(zender, first));
  });

  it.each([
    ...['15550100099@s.whatsapp.net', '15550100099:3@c.us', '+1 (555) 010-0099'].map((phone) => ({ phone })),
    { phone: '+15550100099', wid: '525550000001' },
    { phone: '15550100099@c.us', wid: '5215550000001@c.us' },
  ])('with its numbers told as %j', (told) => {
    const first = withData(whatsapp, { phone: '+15550100099', ...('wid' in told && { wid: '+5215550000001' }) });
    expect(identified(zender, withData(whatsapp, told)).id).toBe(identified(zender, first).id);
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
