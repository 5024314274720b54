import { describe, expect, it } from 'vitest';
import { type Meaning, meaningOf, reasonOf } from '#lib/domain/send/outcome.ts';

describe('a reason', () => {
  const secret = 'hush/hush hush';
  it.each([
    ['no words', undefined, 'http 400'],
    ['words', 'bad  request\r\n\u202e data', 'http 400: bad request data'],
    ['a secret', `/path/${secret}/x`, 'http 400: /path/[redacted]/x'],
    ['a secret as in a URL', `/path/${encodeURIComponent(secret)}`, 'http 400: /path/[redacted]'],
  ])('from %s', (_, words, reason) => {
    expect(reasonOf(400, words, [secret])).toBe(reason);
  });

  it('is cut only after its secrets are out', () => {
    expect(reasonOf(400, `${'x'.repeat(195)}${secret}`, [secret])).toBe(`http 400: ${'x'.repeat(195)}[reda`);
  });

  it('quotes nothing where a secret is too short to be told from a word', () => {
    expect(reasonOf(400, 'a bad request', ['bad'])).toBe('http 400');
  });
});

describe('the text of the message in an answer', () => {
  const table: readonly Meaning[] = [{ status: 400, says: /expired/, is: 'hold' }];
  const answeredWith = (words: string, text: string) => meaningOf(table, { status: 400, words }, [], text);

  it('neither decides nor is quoted', () => {
    const text = ' my trial has expired ';
    expect(answeredWith('too rude: my trial has expired', text)).toEqual({
      kind: 'rejected',
      reason: 'http 400: too rude: [redacted]',
    });
    expect(answeredWith('too rude: my%20trial%20has%20expired!', text).kind).toBe('hold');
    expect(JSON.stringify(answeredWith('too rude: my%20trial%20has%20expired!', text))).not.toContain('trial');
    expect(answeredWith('the account has expired', text)).toEqual({
      kind: 'hold',
      reason: 'http 400: the account has expired',
    });
  });

  it('leaves the words alone where it is too short to be told from them, and is not quoted', () => {
    expect(answeredWith('expired: 4711', '4711')).toEqual({ kind: 'hold', reason: 'http 400' });
    expect(answeredWith('expired', '4711')).toEqual({ kind: 'hold', reason: 'http 400: expired' });
    expect(answeredWith('no', ' ')).toEqual({ kind: 'rejected', reason: 'http 400: no' });
  });
});

describe('a table of answers', () => {
  const table: readonly Meaning[] = [
    { status: 400, says: /starting/, is: 'retry', holdAfter: 5 },
    { status: 404, says: 'nothing', is: 'hold' },
    { status: '4xx', says: /never/, is: 'hold' },
  ];
  it.each([
    [
      { status: 400, words: 'starting' },
      { kind: 'retry', reason: 'http 400: starting', holdAfter: 5 },
    ],
    [
      { status: 400, words: 'else' },
      { kind: 'rejected', reason: 'http 400: else' },
    ],
    [{ status: 404 }, { kind: 'hold', reason: 'http 404' }],
    [
      { status: 404, words: 'else' },
      { kind: 'rejected', reason: 'http 404: else' },
    ],
    [
      { status: 418, words: 'never' },
      { kind: 'hold', reason: 'http 418: never' },
    ],
    [
      { status: 429, retryAfterMs: 5 },
      { kind: 'retry', reason: 'http 429', retryAfterMs: 5 },
    ],
    [{ status: 200 }, { kind: 'unknown', reason: 'http 200, and no message id' }],
    [{ status: 503 }, { kind: 'unknown', reason: 'http 503' }],
  ])('%j is %j', (answered, outcome) => {
    expect(meaningOf(table, answered, [])).toEqual(outcome);
  });
});
