import * as v from 'valibot';
import { describe, expect, it, test } from 'vitest';
import type { Event } from '#lib/domain/event.ts';
import {
  Condition,
  evaluate,
  faultsOfCondition,
  fieldsOf,
  isField,
  SHORT_FIELDS,
} from '#lib/domain/reaction/condition.ts';
import { issuesOf } from '#lib/domain/schema.ts';
import { messageEvent, statusEvent } from './events.ts';

/** Sunday. */
const NOW = Date.parse('2026-03-01T22:30:00.000Z');
const matches = (pattern: string, text: string, caseSensitive: boolean) =>
  new RegExp(pattern, caseSensitive ? '' : 'i').test(text);

function ask(written: unknown, event: Event = messageEvent(), timeZone = 'UTC') {
  return evaluate(v.parse(Condition, written), { event, now: NOW, timeZone }, matches);
}

test('a condition for which there is no more time is cut, and does not hold', () => {
  const leaf = { field: 'kind', is: 'message' };
  for (const [written, looks] of [
    [{ all: [leaf, leaf] }, 2],
    [{ any: [leaf, leaf] }, 2],
    [{ not: { field: 'kind', is: 'x' } }, 1],
  ] as const) {
    let left: number = looks;
    const mayGoOn = () => left-- > 0;
    const facts = { event: messageEvent(), now: NOW, timeZone: 'UTC' };
    expect(evaluate(v.parse(Condition, written), facts, matches, mayGoOn)).toMatchObject({ holds: false, isCut: true });
    expect(ask(written)).toMatchObject({ holds: true, isCut: false });
  }
});

test('of a text the first 4,096 characters are asked, also where each stands for many', () => {
  const lengths: number[] = [];
  const measure = (_pattern: string, text: string) => lengths.push(text.length) > 0;
  const event = messageEvent({ content: { type: 'text', text: '\ufdfa'.repeat(5000) } });
  evaluate({ field: 'text', matches: 'x' }, { event, now: NOW, timeZone: 'UTC' }, measure);
  expect(lengths).toEqual([4096]);
});

describe('a comparison', () => {
  const wide = messageEvent({ content: { type: 'text', text: 'Ｐｒｉｃｅ per ÉTÉ-Tag, prix?' } });
  const photo = messageEvent({
    content: { type: 'image', file: { url: 'https://example.com/a.jpg', size: 1200 }, caption: 'my roof' },
  });
  const ussd: Event = {
    ...statusEvent('read'),
    kind: 'ussd',
    ussd: { device: '1', code: '*100#', response: 'Balance 7' },
  };
  const cases: [written: object, event: Event, holds: boolean][] = [
    [{ field: 'type', is: 'message.received' }, wide, true],
    [{ field: 'type', is: 'message.sent' }, wide, false],
    [{ field: 'type', in: ['message.read', 'message.delivered'] }, statusEvent('read'), true],
    [{ field: 'text', words: ['PRICE', 'preis'] }, wide, true],
    [{ field: 'text', words: ['pri', 'ric'] }, wide, false],
    [{ field: 'text', words: ['été tag'] }, wide, true],
    [{ field: 'text', allWords: ['price', 'prix'] }, wide, true],
    [{ field: 'text', allWords: ['price', 'cost'] }, wide, false],
    [{ field: 'text', contains: 'PER' }, wide, true],
    [{ field: 'text', contains: 'PER', caseSensitive: true }, wide, false],
    [{ field: 'text', startsWith: 'price' }, wide, true],
    [{ field: 'text', endsWith: 'prix?' }, wide, true],
    [{ field: 'text', matches: '^price.*\\?$' }, wide, true],
    [{ field: 'text', contains: 'roof' }, photo, true],
    [{ field: 'content', is: 'image' }, photo, true],
    [{ field: 'hasFile', is: true }, photo, true],
    [{ field: 'hasFile', is: true }, wide, false],
    [{ field: 'message.content.file.size', greaterThan: 1000 }, photo, true],
    [{ field: 'message.content.file.size', lessThan: 1000 }, photo, false],
    [{ field: 'message.content.file.size', atMost: '2026-01-01T00:00:00Z' }, photo, false],
    [{ field: 'occurredAt', atLeast: '2026-03-01T13:00:00+01:00' }, photo, true],
    [{ field: 'ussd.response', startsWith: 'balance' }, ussd, true],
    [{ field: 'text', contains: '7' }, ussd, true],
    [{ field: 'sender.phone', is: '+15550100' }, wide, true],
    [{ field: 'chat.kind', isNot: 'group' }, wide, true],
    [{ field: 'account.phone', is: '+15550199' }, wide, true],
    [{ field: 'message.forwarded', is: false }, wide, true],
    [{ field: 'message.quoted.id', exists: false }, wide, true],
    [{ field: 'message.quoted.id', exists: true }, wide, false],
  ];
  it.each(cases)('%j', (written, event, holds) => expect(ask(written, event).holds).toBe(holds));
});

test.each(['is', 'isNot', 'contains', 'startsWith', 'matches'])('what is missing makes "%s" false', (operator) => {
  expect(ask({ field: 'message.quoted.id', [operator]: 'x' }).holds).toBe(false);
});
test.each([{ in: ['x'] }, { notIn: ['x'] }, { words: ['x'] }, { lessThan: 9 }])('and %j', (operator) => {
  expect(ask({ field: 'message.quoted.id', ...operator }).holds).toBe(false);
});

describe('the time of day', () => {
  it.each([
    [['22:00', '06:00'], 'UTC', true],
    [['23:00', '06:00'], 'UTC', false],
    [['22:30', '22:31'], 'UTC', true],
    [['22:00', '22:30'], 'UTC', false],
    [['23:00', '06:00'], 'Europe/Berlin', true],
  ])('between %j in %s: %s', (between, timeZone, holds) => {
    expect(ask({ field: 'now.time', between }, undefined, timeZone).holds).toBe(holds);
  });
  it('and the day, where the rule lives', () => {
    expect(ask({ field: 'now.weekday', in: ['sun'] }).holds).toBe(true);
    expect(ask({ field: 'now.weekday', in: ['mon'] }, undefined, 'Asia/Tokyo').holds).toBe(true);
  });
});

test('groups are joined, and every comparison is told with what it found', () => {
  const written = {
    any: [
      {
        all: [
          { field: 'text', contains: 'cost' },
          { field: 'chat.kind', is: 'individual' },
        ],
      },
      { not: { field: 'sender.name', is: 'Bob' } },
    ],
  };
  expect(ask(written)).toEqual({
    ...{ holds: true, isCut: false },
    trace: [
      { at: 'any.0.all.0', field: 'text', operator: 'contains', found: 'What is the price?', holds: false },
      { at: 'any.0.all.1', field: 'chat.kind', operator: 'is', found: 'individual', holds: true },
      { at: 'any.1.not', field: 'sender.name', operator: 'is', found: 'Ana', holds: false },
    ],
  });
});

test('a long text is looked at up to a bound, and told shortened', () => {
  const event = messageEvent({ content: { type: 'text', text: `${'a'.repeat(5000)} end` } });
  const { holds, trace } = ask({ field: 'text', contains: 'end' }, event);
  expect(holds).toBe(false);
  expect(String(trace[0]?.found)).toHaveLength(200);
});

describe('what is no condition is refused, with the path', () => {
  const deep = (levels: number): object => (levels === 0 ? { field: 'text', is: 'a' } : { not: deep(levels - 1) });
  const cases: [what: string, written: unknown, path: string, words: string][] = [
    ['an unknown field', { field: 'message.contents.text', is: 'a' }, 'field', 'is no field of an event'],
    ['a field of the prototype', { field: 'constructor', is: 'a' }, 'field', 'is no field'],
    ['no operator', { field: 'text' }, '', 'must have one operator'],
    ['two operators', { field: 'text', is: 'a', contains: 'b' }, '', 'must have one operator'],
    ['an unknown operator', { field: 'text', like: 'a' }, 'like', 'is not known here'],
    ['code', { $where: 'process.exit()' }, 'field', 'is missing'],
    ['an empty group', { all: [] }, 'all', 'must not be empty'],
    [
      'a group with a comparison beside it',
      { all: [{ field: 'text', is: 'a' }], field: 'text' },
      'field',
      'is not known here',
    ],
    ['depth', deep(40), '', 'must be nested at most 5 deep'],
    ['too many comparisons', { any: Array(51).fill({ field: 'text', is: 'a' }) }, '', 'at most 50 comparisons'],
    ['too many operands', { field: 'text', in: Array(101).fill('a') }, 'in', 'at most 100'],
    ['a bound that is a word', { field: 'text', lessThan: 'x' }, 'lessThan', 'must be a number, or a time in ISO 8601'],
    ['a bound that is no word', { field: 'text', atMost: true }, 'atMost', 'must be a number, or a time in ISO 8601'],
    ['a long pattern', { field: 'text', matches: 'a'.repeat(201) }, 'matches', 'at most 200'],
    ['a time of day that is none', { field: 'now.time', between: ['24:00', '06:00'] }, 'between.0', 'a time of day'],
    ['a time of day of something else', { field: 'text', between: ['08:00', '09:00'] }, 'between', 'now.time only'],
  ];
  it.each(cases)('%s', (_what, written, path, words) => {
    const read = v.safeParse(Condition, written);
    expect(read.success).toBe(false);
    expect(issuesOf(read.issues ?? [])).toContainEqual({ path, message: expect.stringContaining(words) });
  });
  it('and what is nested just deep enough is taken', () => expect(v.is(Condition, deep(4))).toBe(true));
});

test('fields are the short names and every path of an event', () => {
  expect(SHORT_FIELDS.every(isField)).toBe(true);
  expect(['message.content.file.name', 'chat.labels.0', 'connection.account.phone', 'receivedAt'].every(isField)).toBe(
    true,
  );
  expect(['', 'message.', 'message.content.toString', 'labels', 'chat.labels.x', '__proto__'].some(isField)).toBe(
    false,
  );
});

test('what a schema cannot see of a condition is told with its place', () => {
  const written = {
    any: [{ field: 'text', matches: 'a+' }, { not: { field: 'text', matches: 'b+' } }],
  };
  const fault = (pattern: string) => (pattern === 'b+' ? 'is refused' : undefined);
  expect(faultsOfCondition(v.parse(Condition, written), 'when', fault)).toEqual([
    { path: 'when.any.1.not.matches', message: 'is refused' },
  ]);
});

test('only a number compares with a number, whatever a text looks like', () => {
  const dated = messageEvent({ content: { type: 'text', text: '2026-03-01T12:00:00Z' } });
  expect(ask({ field: 'text', greaterThan: 5 }, dated).holds).toBe(false);
  expect(ask({ field: 'text', greaterThan: '2026-01-01T00:00:00Z' }, dated).holds).toBe(true);
});

test('the number of the account is what the provider says, and else what the hub knows', () => {
  const facts = { now: NOW, timeZone: 'UTC', accountPhone: '+15550111' };
  const silent = { ...messageEvent().message, account: {} };
  expect(fieldsOf({ ...facts, event: messageEvent() })).toMatchObject({ account: { phone: '+15550199' } });
  expect(fieldsOf({ ...facts, event: { ...messageEvent(), message: silent } })).toMatchObject({
    account: { phone: '+15550111' },
  });
});

test('a day or a word that never comes is refused with its place', () => {
  const faults = (written: object) => faultsOfCondition(v.parse(Condition, written), 'when', () => undefined);
  const message = expect.stringContaining('no day of the week');
  expect(faults({ not: { field: 'now.weekday', in: ['sat', 'Sunday'] } })).toEqual([{ path: 'when.not', message }]);
  expect(faults({ any: [{ field: 'now.weekday', isNot: 7 }] })).toEqual([{ path: 'when.any.0', message }]);
  const word = expect.stringContaining('without a letter');
  expect(faults({ any: [{ field: 'text', words: ['👍'] }] })).toEqual([{ path: 'when.any.0', message: word }]);
  expect(faults({ field: 'text', allWords: ['ok', ''] })).toEqual([{ path: 'when', message: word }]);
  expect(faults({ field: 'now.weekday', in: ['Sat', 'SUN'] })).toEqual([]);
  expect(faults({ field: 'now.weekday', startsWith: 's' })).toEqual([]);
});
