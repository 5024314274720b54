import { describe, expect, it } from 'vitest';
import { mentionsOf } from '#lib/domain/content.ts';
import { toPhone } from '#lib/domain/person.ts';

const phone = toPhone('+79876543210');
if (!phone) throw new Error('no phone');
const mentions = mentionsOf(phone, { founder: false });

describe('a number is found', () => {
  it.each([
    '79876543210',
    '+79876543210',
    '0079876543210',
    '79876543210@c.us',
    '79876543210:3@c.us',
    '79876543210:12@s.whatsapp.net',
    '79876543210@S.WHATSAPP.NET',
    '15550100_79876543210@c.us',
    'true_79876543210@c.us_3EB0AA',
    'TEL;type=CELL;waid=79876543210:+1',
    '+7 987 654-32-10',
    '+7 (987) 654 32 10',
    'call me:\n79876543210.',
    '{"wid":79876543210}',
    'from=%2B79876543210&text=hi',
    'text=a%2079876543210',
    'text=call+%2B7+987+654+32+10',
    '"\\u002b79876543210"',
    '"tel\\u002079876543210"',
    'data=%7B%22from%22%3A%22%5Cu002079876543210%22%7D',
    '1581234048-79876543210',
    '1 2 79876543210 3',
  ])('in %j', (text) => expect(mentions(text)).toBe(true));
});

describe('a number is not found', () => {
  it.each([
    '179876543210',
    '798765432100',
    '+1 79876543210',
    '+44 (79876543210)',
    '7987654321',
    '9876543210',
    '79876543211',
    '79876543210@lid',
    '79876543210:3@lid',
    '7 987 654 32 10',
    '79876543210-1581234048@g.us',
    '',
  ])('in %j', (text) => expect(mentions(text)).toBe(false));
});

it('is found in the id of a group that it once founded, if that is asked for', () => {
  expect(mentionsOf(phone, { founder: true })('79876543210-1581234048@g.us')).toBe(true);
});
