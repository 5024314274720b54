import { describe, expect, it, test } from 'vitest';
import {
  type Attempt,
  addressesIn,
  addressesOf,
  fileTrace,
  matching,
  type Said,
  type Sighting,
  tracesOf,
} from '#lib/domain/send/evidence.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 2, 1, 12);

const attempt = (id: string, more: Partial<Attempt> = {}): Attempt & { readonly id: string } => ({
  id,
  traces: ['t'],
  file: undefined,
  since: NOON,
  isOpen: true,
  ...more,
});
const sighting = (providerId: string, more: Partial<Sighting> = {}): Sighting => ({
  providerId,
  traces: ['t'],
  file: undefined,
  at: NOON + 1_000,
  ...more,
});
const pairs = (attempts: readonly ReturnType<typeof attempt>[], sightings: readonly Sighting[]) =>
  matching(attempts, sightings, DAY).map(({ attempt: { id }, sighting: { providerId } }) => `${id}=${providerId}`);

describe('a message and an attempt belong together', () => {
  test.each([
    ['where there is one of each', [attempt('a')], [sighting('1')], ['a=1']],
    [
      'by any of their traces',
      [attempt('a', { traces: ['x', 't'] })],
      [sighting('1', { traces: ['t', 'y'] })],
      ['a=1'],
    ],
    ['not where another attempt fits', [attempt('a'), attempt('b')], [sighting('1')], []],
    ['not where another message fits', [attempt('a')], [sighting('1'), sighting('2')], []],
    ['though its webhook came twice', [attempt('a')], [sighting('1'), sighting('1')], ['a=1', 'a=1']],
    ['not where it may be what is being sent', [attempt('a'), attempt('b', { isOpen: false })], [sighting('1')], []],
    ['not where the attempt is being sent itself', [attempt('a', { isOpen: false })], [sighting('1')], []],
    ['not under other traces', [attempt('a')], [sighting('1', { traces: ['u'] })], []],
    [
      'each of two of its own words',
      [attempt('a'), attempt('b', { traces: ['u'] })],
      [sighting('1'), sighting('2', { traces: ['u'] })],
      ['a=1', 'b=2'],
    ],
  ])('%s', (_, attempts, sightings, expected) => {
    expect(pairs(attempts, sightings)).toEqual(expected);
  });

  test.each([
    ['a minute before it began', -MINUTE, true],
    ['earlier', -MINUTE - 1, false],
    ['a day and a minute later', DAY + MINUTE, true],
    ['later', DAY + MINUTE + 1, false],
  ])('by time: %s', (_, after, expected) => {
    expect(pairs([attempt('a')], [sighting('1', { at: NOON + after })])).toEqual(expected ? ['a=1'] : []);
  });

  it('also where the provider was asked for that time and tells none', () => {
    expect(pairs([attempt('a')], [sighting('1', { at: undefined })])).toEqual(['a=1']);
  });

  test.each([
    ['is in the way of another by a clock that is wrong by two hours', 2 * HOUR, []],
    ['is not in the way by what no clock does', 2 * HOUR + 1, ['a=1']],
  ])('an attempt %s', (_, behind, expected) => {
    const later = attempt('b', { since: NOON + behind });
    expect(pairs([attempt('a'), later], [sighting('1', { at: NOON })])).toEqual(expected);
  });

  it('though another message of the same words is of another day', () => {
    expect(pairs([attempt('a')], [sighting('1'), sighting('2', { at: NOON - DAY })])).toEqual(['a=1']);
  });

  test.each([
    ['the same name', 'f', ['a=1']],
    ['another name', 'g', []],
    ['no name', undefined, ['a=1']],
  ])('files: %s', (_, file, expected) => {
    expect(pairs([attempt('a', { file: 'f' })], [sighting('1', { file })])).toEqual(expected);
  });

  it('but a file without a name may be any', () => {
    expect(pairs([attempt('a', { file: 'f' }), attempt('b', { file: 'g' })], [sighting('1')])).toEqual([]);
  });
});

describe('somebody whose number one side does not tell', () => {
  const [byNumber, alsoByNumber, byId] = [
    attempt('a', { traces: ['number', '~hidden'] }),
    attempt('b', { traces: ['other number', '~hidden'] }),
    attempt('c', { traces: ['id'] }),
  ];
  const hidden = sighting('1', { traces: ['id', '~hidden'] });
  const alsoHidden = sighting('2', { traces: ['other id', '~hidden'] });
  const told = sighting('3', { traces: ['number'] });
  test.each([
    ['is whoever got these words alone', [byNumber], [hidden], ['a=1']],
    ['may be either of two', [byNumber, alsoByNumber], [hidden], []],
    ['is who is called so, where there is one', [byNumber, byId], [hidden], ['c=1']],
    ['may have got either of two messages', [byNumber], [hidden, alsoHidden], []],
    ['has not got what a number is told of', [byNumber], [hidden, told], ['a=3']],
    ['is in nobody else’s way', [byNumber, byId], [hidden, told], ['c=1', 'a=3']],
  ])('%s', (_, attempts, sightings, expected) => {
    expect(pairs(attempts, sightings)).toEqual(expected);
  });

  const file = { ...byNumber, file: 'f' };
  test.each([
    ['by its name', { ...hidden, file: 'f' }, ['a=1']],
    ['not by another', { ...hidden, file: 'g' }, []],
    ['not without one', hidden, []],
  ])('got a file: %s', (_, one, expected) => {
    expect(pairs([file], [one])).toEqual(expected);
  });

  it('is looked for among what programs sent, and not among what nobody tells the sender of', () => {
    const ofLid = (via: 'api' | 'unknown', more: object = {}) =>
      addressesIn({ chat: { id: '190000000000042@lid', kind: 'individual', ...more }, via });
    expect(ofLid('api')).toContain('hidden');
    expect(ofLid('unknown')).not.toContain('hidden');
    expect(ofLid('api', { phone: '+15550100099' })).not.toContain('hidden');
  });
});

it('whose hidden id is known is nobody else who hides', () => {
  expect(addressesOf({ phone: '+15550100099' })).toContain('hidden');
  expect(addressesOf({ phone: '+15550100099', lid: '190000000000042@lid' })).not.toContain('hidden');
});

it('a chat that has an id of WhatsApp is found by no title', () => {
  const titled = (id: string) =>
    addressesIn({ chat: { id, kind: 'individual', title: 'Ana' }, via: 'api' }).filter((one) =>
      one.startsWith('title:'),
    );
  expect([titled('15550100099@c.us'), titled('510234')]).toEqual([[], ['title:Ana']]);
});

describe('addresses', () => {
  const chat = (id: string, more: object = {}) => ({
    chat: { id, kind: 'individual' as const, ...more },
    via: 'api' as const,
  });
  test.each([
    ['a number', { phone: '+15550100099' }, chat('15550100099@c.us')],
    ['a number, as an older spelling of an id', { phone: '+15550100099' }, chat('15550100099:4@s.whatsapp.net')],
    [
      'a number that the provider tells beside its own id',
      { phone: '+15550100099' },
      chat('77', { phone: '+15550100099' }),
    ],
    ['an id with a number in it', { jid: '15550100099@c.us' }, chat('+15550100099')],
    ['a number as an id', { jid: '15550100099' }, chat('15550100099@c.us')],
    ['a group', { jid: '12025550142-1581234048@g.us' }, chat('12025550142-1581234048@g.us')],
    ['a hidden number', { chat_id: '1234567890@lid' }, chat('1234567890@lid')],
    ["the provider's own id", { chat_id: '77' }, chat('77', { phone: '+15550100099', title: 'Ana' })],
    ['a title', { chat_name: 'Ana' }, chat('77', { title: 'Ana' })],
    ['the chat in which it stands', { phone: '+15550100099', provider_chat: '77' }, chat('77')],
  ])('of a send and of its message meet: %s', (_, recipient, message) => {
    const ours = new Set(addressesOf(recipient));
    expect(addressesIn(message).filter((address) => ours.has(address))).toHaveLength(1);
  });

  test.each([
    ['another number', { phone: '+15550100099' }, chat('15550100098@c.us')],
    ["a provider's id that looks like a number", { phone: '+15550100099' }, chat('15550100099')],
    ['a title that looks like an id', { chat_id: '77' }, chat('78', { title: '77' })],
    ['nobody any more', {}, chat('77')],
  ])('do not meet: %s', (_, recipient, message) => {
    const ours = new Set(addressesOf(recipient));
    expect(addressesIn(message).filter((address) => ours.has(address))).toEqual([]);
  });
});

describe('a trace', () => {
  const text = (words: string): Said => ({ kind: 'text', text: words });
  it('is the same however a provider breaks lines', () => {
    expect(tracesOf('acc', text('a\r\nb '), ['x'])).toEqual(tracesOf('acc', text('a\nb'), ['x']));
  });

  test.each([
    ['other words', 'acc', text('b'), 'x'],
    ['another person', 'acc', text('a'), 'y'],
    ['another account', 'other', text('a'), 'x'],
    ['a file', 'acc', { kind: 'file', name: 'a' } as const, 'x'],
  ])('differs for %s', (_, account, said, address) => {
    expect(tracesOf(account, said, [address])).not.toEqual(tracesOf('acc', text('a'), ['x']));
  });

  it('of a file is its name as it goes out, and its caption', () => {
    const file = (name: string, caption?: string) => fileTrace('acc', { kind: 'file', name, caption });
    expect(file('a "b".pdf')).toBe(file('a b.pdf'));
    expect(file('a.pdf', '')).toBe(file('a.pdf'));
    expect(new Set([file('a.pdf'), file('b.pdf'), file('a.pdf', 'see')]).size).toBe(3);
    expect(fileTrace('acc', text('a'))).toBeUndefined();
  });
});
