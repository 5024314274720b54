import * as v from 'valibot';
import { describe, expect, it, test } from 'vitest';
import { Headers, NewRule } from '#lib/domain/reaction/rule.ts';
import { issuesOf } from '#lib/domain/schema.ts';

const rule = (given: object = {}) => ({
  name: 'Price list',
  on: ['message.received'],
  do: [{ action: 'reply', text: 'Here it is' }],
  ...given,
});

test('a rule that says little gets what is careful', () => {
  expect(v.parse(NewRule, rule())).toEqual({
    ...rule(),
    enabled: true,
    timeZone: 'UTC',
    order: 100,
    stop: false,
    guard: {
      perContact: { max: 1, seconds: 600 },
      quietAfterHumanSeconds: 3600,
      groups: false,
      maxAgeSeconds: 900,
    },
  });
});

describe('what is no rule is refused, with the path', () => {
  const act = (...actions: object[]) => rule({ do: actions });
  const cases: [what: string, written: unknown, path: string, words: string][] = [
    ['a type that is none', rule({ on: ['message.recieved'] }), 'on.0', 'is no type of notice'],
    ['no action', act(), 'do', 'must not be empty'],
    ['six actions', act(...Array(6).fill({ action: 'reply', text: 'a' })), 'do', 'at most 5'],
    ['an action that is none', act({ action: 'shell', text: 'rm' }), 'do.0.action', 'must be'],
    ['nothing to say', act({ action: 'reply' }), 'do.0', 'must have a text'],
    [
      'two recipients',
      act({ action: 'send', to: { phone: '+1', jid: '1@c.us' }, text: 'a' }),
      'do.0.to',
      'must have one of',
    ],
    ['a long template', act({ action: 'reply', text: 'a'.repeat(4001) }), 'do.0.text', 'at most 4000'],
    ['json and text', act({ action: 'call', url: 'https://example.com', json: {}, text: 'a' }), 'do.0', 'not both'],
    ['a time zone that is none', rule({ timeZone: 'Europe/Atlantis' }), 'timeZone', 'IANA'],
    ['a condition that is none', rule({ when: { field: 'txt', is: 'a' } }), 'when.field', 'is no field'],
    [
      'a guard without an end',
      rule({ guard: { perContact: { max: 0, seconds: 1 } } }),
      'guard.perContact.max',
      'at least 1',
    ],
    ['a field of another name', rule({ actions: [] }), 'actions', 'is not known here'],
  ];
  it.each(cases)('%s', (_what, written, path, words) => {
    const read = v.safeParse(NewRule, written);
    expect(issuesOf(read.issues ?? [])).toContainEqual({ path, message: expect.stringContaining(words) });
  });
});

test('a header of the hub is not for others to set', () => {
  const names = [
    'Host',
    'content-type',
    'Content-Length',
    'connection',
    'transfer-encoding',
    'user-agent',
    'webhook-id',
    'hookline-attempt',
  ];
  expect(names.filter((name) => v.is(Headers, { [name]: 'a' }))).toEqual([]);
  expect(v.is(Headers, { authorization: 'Bearer a', 'x-api-key': 'b' })).toBe(true);
  expect(v.is(Headers, { 'x-a': 'a\r\nb: c' })).toBe(false);
  expect(v.is(Headers, Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`x-${i}`, 'a'])))).toBe(false);
});
