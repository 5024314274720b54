import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { MUTED_MS, mayAnswer, type Question, type Said } from '#lib/domain/reaction/guard.ts';
import { Guard } from '#lib/domain/reaction/rule.ts';
import { messageEvent } from './events.ts';

const NOW = Date.parse('2026-03-01T12:00:10.000Z');
const SECOND = 1000;
const ago = (seconds: number) => NOW - seconds * SECOND;
const guard = (given: object = {}) => v.parse(Guard, given);
const ask = (given: Partial<Question> = {}) =>
  mayAnswer({
    event: messageEvent(),
    rule: 'rule_1',
    guard: guard(),
    state: { answers: [] },
    said: [],
    words: 'price?',
    isReplay: false,
    isOwnAccount: false,
    now: NOW,
    ...given,
  });
const answers = (...list: [rule: string, secondsAgo: number][]) => ({
  answers: list.map(([rule, seconds]) => ({ rule, event: `evt ${seconds}`, at: ago(seconds) })),
});

describe('a rule answers', () => {
  it('a person who asks, and the chat remembers it', () => {
    expect(ask()).toEqual({ may: true, state: { answers: [{ rule: 'rule_1', event: 'evt_1', at: NOW }] } });
  });
  it('a group where it is told to', () => {
    const event = messageEvent({ chat: { id: '1@g.us', kind: 'group' } });
    expect(ask({ event, guard: guard({ groups: true }) }).may).toBe(true);
  });
  it('again once its pause is over, and forgets what no budget needs', () => {
    const state = answers(['rule_1', 90_000], ['rule_2', 90_000], ['rule_1', 601]);
    expect(ask({ state })).toEqual({
      may: true,
      state: {
        answers: [
          { rule: 'rule_1', event: 'evt 601', at: ago(601) },
          { rule: 'rule_1', event: 'evt_1', at: NOW },
        ],
      },
    });
  });
  it('while a rule has answered, which is no person', () => {
    expect(ask({ said: [{ at: ago(300), isOurs: true, byRule: true, words: 'list' }] }).may).toBe(true);
  });
  it('what it was allowed to answer before, when its run died', () => {
    const state = { answers: [{ rule: 'rule_1', event: 'evt_1', at: ago(1) }] };
    expect(ask({ state })).toEqual({ may: true, state });
  });
  it('words that we said ourselves, once that is more than ten minutes ago', () => {
    const said = [{ at: ago(601), isOurs: true, byRule: true, words: 'price?' }];
    expect(ask({ said }).may).toBe(true);
  });
  it('and remembers for as long as its own pause is', () => {
    const pause = guard({ perContact: { max: 2, seconds: 20 * 86_400 } });
    const verdict = ask({ guard: pause, state: answers(['rule_1', 10 * 86_400], ['rule_1', 21 * 86_400]) });
    expect(verdict).toMatchObject({ may: true, state: { answers: [{ at: ago(10 * 86_400) }, { at: NOW }] } });
  });
  it('once a person was silent for long enough', () => {
    expect(ask({ said: [{ at: ago(3601), isOurs: true, words: 'hello' }] }).may).toBe(true);
  });
});

describe('a rule does not answer', () => {
  it('what another rule was allowed to answer before, where the chat has had enough', () => {
    const { answers: others } = answers(['rule_2', 1], ['rule_3', 2], ['rule_4', 3], ['rule_5', 4]);
    const state = { answers: [...others, { rule: 'rule_6', event: 'evt_1', at: ago(5) }] };
    expect(ask({ state })).toMatchObject({ may: false, why: expect.stringContaining('an hour') });
  });

  const cases: [what: string, given: Partial<Question>, why: string][] = [
    ['a message of ours', { event: messageEvent({ direction: 'outbound' }) }, 'came in'],
    ['a system line', { event: messageEvent({ content: { type: 'system', event: 'joined' } }) }, 'no message'],
    [
      'what the provider does not show',
      { event: messageEvent({ content: { type: 'unsupported', providerType: 'x' } }) },
      'no message',
    ],
    ['an edit', { event: messageEvent({ content: { type: 'edit' } }) }, 'no message'],
    ['a contradiction', { event: messageEvent({ conflict: true }) }, 'contradicts'],
    ['a story', { event: messageEvent({ chat: { id: 'status', kind: 'status' } }) }, 'stories'],
    ['a list', { event: messageEvent({ chat: { id: '1@broadcast', kind: 'broadcast' } }) }, 'stories'],
    [
      'a list that stands in the chat of its sender',
      { event: messageEvent({ broadcastList: '1@broadcast' }) },
      'stories',
    ],
    ['a group, unless asked', { event: messageEvent({ chat: { id: '1@g.us', kind: 'group' } }) }, 'groups'],
    ['a replay', { isReplay: true }, 'replayed'],
    ['what is old', { event: messageEvent({ occurredAt: '2026-03-01T11:45:09.000Z' }) }, 'too old'],
    ['another account of the workspace', { isOwnAccount: true }, 'account of this workspace'],
    ['its own words', { said: [{ at: ago(599), isOurs: true, byRule: true, words: 'price?' }] }, 'sent into this chat'],
    ['over a person', { said: [{ at: ago(3599), isOurs: true, words: 'hello' }] }, 'a person'],
    ['the same contact too often', { state: answers(['rule_1', 599]) }, 'often enough for now'],
    [
      'more than five times an hour, over all rules',
      { state: answers(['a', 3599], ['b', 3000], ['c', 2000], ['d', 1000], ['e', 700]) },
      'for an hour',
    ],
    [
      'more than twenty times a day, over all rules',
      {
        state: {
          answers: Array.from({ length: 20 }, (_, i) => ({
            rule: `r${i}`,
            event: `evt ${i}`,
            at: ago(86_399 - i * 4000),
          })),
        },
      },
      'for a day',
    ],
    ['a muted chat', { state: { answers: [], mutedUntil: NOW + 1 } }, 'muted'],
  ];
  it.each(cases)('%s', (_what, given, why) => {
    expect(ask(given)).toEqual({ may: false, why: expect.stringContaining(why) });
  });
});

describe('a machine on the other side', () => {
  const muted = {
    may: false,
    why: expect.stringContaining('machine'),
    mute: { answers: [], mutedUntil: NOW + MUTED_MS, mutedBy: 'evt_1' },
  };
  const theirs = (seconds: number, words: string): Said => ({ at: ago(seconds), isOurs: false, words });
  const rule = (seconds: number): Said => ({ at: ago(seconds), isOurs: true, byRule: true, words: `ours ${seconds}` });

  it('that says the same three times in ten minutes mutes its chat', () => {
    expect(ask({ said: [theirs(599, 'price?'), theirs(300, 'price?'), theirs(0, 'price?')] })).toEqual(muted);
    expect(ask({ said: [theirs(601, 'price?'), theirs(300, 'price?'), theirs(0, 'price?')] }).may).toBe(true);
  });
  it('that answers quickly three times in a row mutes its chat', () => {
    const quick = [rule(3000), theirs(2998, 'a'), rule(2000), theirs(1997, 'b'), rule(1000), theirs(996, 'c')];
    expect(ask({ said: quick })).toEqual(muted);
    expect(ask({ said: quick.toReversed() })).toEqual(muted);
  });
  it('is none where one of them was slow, or a person wrote before', () => {
    const slow = [rule(3000), theirs(2998, 'a'), rule(2000), theirs(1990, 'b'), rule(1000), theirs(997, 'c')];
    expect(ask({ said: slow }).may).toBe(true);
    const person: Said[] = [
      rule(9000),
      theirs(8999, 'a'),
      rule(8000),
      theirs(7999, 'b'),
      { at: ago(7000), isOurs: true },
      theirs(6999, 'c'),
    ];
    expect(ask({ said: person }).may).toBe(true);
  });
});
