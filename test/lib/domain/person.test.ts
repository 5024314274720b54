import { expect, it } from 'vitest';
import { canBeWrittenTo, chatKindOfJid, commonSpelling, twinOf } from '#lib/domain/person.ts';

it.each([
  ['+525550000099', '+5215550000099'],
  ['+541150000099', '+5491150000099'],
  ['+552160000099', '+5521960000099'],
  ['+22997000099', '+2290197000099'],
  ['+22507123499', '+2250707123499'],
  ['+22544123499', '+2250544123499'],
  ['+22501123499', '+2250101123499'],
])('knows %s and %s for one number', (one, other) => {
  expect([twinOf(one), twinOf(other)]).toEqual([other, one]);
  expect(commonSpelling(one)).toBe(commonSpelling(other));
});

it.each([
  ['+15550100099', 'of a country with one spelling'],
  ['+52555000009', 'too short for Mexico'],
  ['+52155500000991', 'too long for Mexico'],
  ['+552130000099', 'of a Brazilian fixed line, which has no ninth digit'],
  ['+5521930000099', 'with a 9 that no fixed line was given'],
  ['+549715550000', 'of no Argentine area'],
  ['+22507123456781', 'too long for Ivory Coast'],
  ['+2250712345678', 'given out in Ivory Coast since the change'],
  ['+22521123499', 'of an Ivorian fixed line'],
])('knows no other spelling of %s, %s', (phone) => {
  expect(twinOf(phone)).toBeUndefined();
  expect(commonSpelling(phone)).toBe(phone);
});

it.each([
  ['15550100099@c.us', 'individual', true],
  ['190000000000042@lid', 'individual', true],
  ['120363000000000001@g.us', 'group', true],
  ['status@broadcast', 'status', false],
  ['1668000000@broadcast', 'broadcast', false],
  ['120363000000000099@newsletter', 'channel', false],
  ['867051314767696@BOT', 'bot', false],
] as const)('tells by the id %s that the chat is of the kind %s', (jid, kind, isOpen) => {
  expect(chatKindOfJid(jid)).toBe(kind);
  expect(canBeWrittenTo(kind)).toBe(isOpen);
});
