import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseJson } from '#lib/domain/json.ts';

const faultIn = (text: string) => {
  const parsed = parseJson(Buffer.from(text));
  return parsed.ok ? undefined : parsed.issue;
};

describe('a body that is no JSON', () => {
  it.each([
    ['a comma is missing', '{\n"a": "b"\n"c": 1}', 'line 3, column 1: a comma is missing before it'],
    [
      'a word stands where a value belongs',
      '{"a": x}',
      'line 1, column 7: texts and names stand in straight double quotes',
    ],
    ['a literal is cut short', '{"a": tru}', 'line 1, column 10'],
    [
      'it is no JSON from the start',
      'action=send',
      'line 1, column 1: texts and names stand in straight double quotes',
    ],
    ['it is XML', '<a/>', 'line 1, column 1'],
    [
      'a long body has its fault in the middle',
      `["${'a'.repeat(5000)}",\n oops, "${'b'.repeat(5000)}"]`,
      'line 2, column 2: texts and names stand in straight double quotes',
    ],
    [
      'a value is missing',
      '{"a": , "b": 1}',
      'line 1, column 7: there is nothing where a value must be: write "" for none',
    ],
    [
      'a quote is missing at the end',
      '{"a": "b',
      'line 1, column 9: it stops before its end: a quote or bracket is missing',
    ],
    ['it stops too soon', '{"a": ', 'line 1, column 7: it stops before its end: a quote or bracket is missing'],
    ['more follows behind it', '{"a": 1}\n{"a": 1}', 'line 2, column 1: nothing may stand after the last bracket'],
  ])('is refused with the place: %s', (_, text, place) => {
    expect(faultIn(text)).toEqual({ path: '', message: `not valid JSON at ${place}` });
  });

  it('is refused when it is empty or no UTF-8', () => {
    expect(faultIn(' \n')).toEqual({ path: '', message: 'the body is empty' });
    expect(parseJson(new Uint8Array([0x22, 0xff, 0x22]))).toMatchObject({ ok: false });
  });

  it.each([gzipSync, deflateSync, brotliCompressSync])('is refused with what helps when it is compressed', (pack) => {
    const message =
      'the body is not valid UTF-8: send it in that encoding, not compressed, and without Content-Encoding';
    expect(parseJson(pack('{"text": "a text that is long enough"}'))).toMatchObject({ issue: { path: '', message } });
  });
});

const IN_QUOTES = ': a number with + or with zeros before it stands in double quotes';

it.each([
  ['{"text": "one\ntwo"}', 'not valid JSON at line 1, column 14: a line break inside a text is written \\n'],
  ['{\n  "text": "one\r\ntwo"\n}', 'not valid JSON at line 2, column 15: a line break inside a text is written \\n'],
  [
    '{"text": "one\ttwo"}',
    'not valid JSON at line 1, column 14: a tab or control character inside a text is written \\t or \\u0000',
  ],
  ["{'text': 'one'}", 'not valid JSON at line 1, column 2: texts and names stand in straight double quotes'],
  ['{“text”: “one”}', 'not valid JSON at line 1, column 2: texts and names stand in straight double quotes'],
  ...['True', 'False', 'None', 'undefined', 'NaN', 'Infinity'].map((word) => [
    `{"text": ${word}}`,
    'not valid JSON at line 1, column 10: outside of quotes stand numbers, true, false and null alone',
  ]),
  ['{"text": Nonesuch}', 'not valid JSON at line 1, column 10: texts and names stand in straight double quotes'],
  ['{None: 1}', 'not valid JSON at line 1, column 2: texts and names stand in straight double quotes'],
  ['{"text": one}', 'not valid JSON at line 1, column 10: texts and names stand in straight double quotes'],
  ['{"phone": +1415}', `not valid JSON at line 1, column 11${IN_QUOTES}`],
  ['{"phone": 0812}', `not valid JSON at line 1, column 12${IN_QUOTES}`],
  ['{"a": 1 5}', 'not valid JSON at line 1, column 9'],
  ['{"a": [1, 2,]}', 'not valid JSON at line 1, column 13: there is a comma too many before it'],
  ['{"a": 1, // one\n"b": 2}', 'not valid JSON at line 1, column 10: JSON has no comments'],
  ['{"a": 1 /* one */}', 'not valid JSON at line 1, column 9: JSON has no comments'],
  ['{"a": [{} {}]}', 'not valid JSON at line 1, column 11: a comma is missing before it'],
  ['{"a": "C:\\dir"}', 'not valid JSON at line 1, column 11: a backslash inside a text is written \\\\'],
  ['{"a": {{ b }}}', 'not valid JSON at line 1, column 8: whoever has sent it has not filled in {{ }}'],
  ['{"text": "a "great" day"}', 'not valid JSON at line 1, column 14: a quote inside a text is written \\"'],
  ['{"text": "a \\"fine\\" "great" day"}', 'not valid JSON at line 1, column 23: a quote inside a text is written \\"'],
  ['{"text": "one" "phone": "1"}', 'not valid JSON at line 1, column 16: a comma is missing before it'],
  ['{"text": "one"\n"phone": "1"}', 'not valid JSON at line 2, column 1: a comma is missing before it'],
])('says what to do about what is written most often: %j', (text, message) => {
  expect(parseJson(Buffer.from(text))).toEqual({ ok: false, issue: { path: '', message } });
});

it('looks for no place that takes long to find', () => {
  const long = `${'['.repeat(200_000)}=`;
  expect(parseJson(Buffer.from(long))).toMatchObject({
    ok: false,
    issue: { message: 'not valid JSON at a place that is not looked for in so long a text' },
  });
  expect(parseJson(Buffer.from(`{"a": "${'x'.repeat(200_000)}", b}`))).toMatchObject({
    ok: false,
    issue: { message: expect.stringContaining('column 200011') },
  });
});
