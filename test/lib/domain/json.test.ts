import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseJson } from '#lib/domain/json.ts';

const faultIn = (text: string) => {
  const parsed = parseJson(Buffer.from(text));
  return parsed.ok ? undefined : parsed.issue;
};

const REMEDY = 'a comma or double quote is missing or too many; inside a text " is written \\" and \\ is written \\\\';
const CUT_OFF = 'it stops before its end: a quote or bracket is missing';
const LINE_BREAK = 'a line break inside a text is written \\n, a tab \\t';

describe('a body that is no JSON', () => {
  it.each([
    ['a comma is missing', '{\n"a": "b"\n"c": 1}', `line 3, column 1: ${REMEDY}`],
    ['a comma is too many', '{"a": [1, 2,]}', `line 1, column 13: ${REMEDY}`],
    ['a word stands where a value belongs', '{"a": x}', `line 1, column 7: ${REMEDY}`],
    ['a word of another language does', '{"text": None}', `line 1, column 10: ${REMEDY}`],
    ['a literal is cut short', '{"a": tru}', `line 1, column 10: ${REMEDY}`],
    ['a number has a sign', '{"phone": +1415}', `line 1, column 11: ${REMEDY}`],
    ['its quotes are single ones', "{'text': 'one'}", `line 1, column 2: ${REMEDY}`],
    ['it is no JSON from the start', 'action=send', `line 1, column 1: ${REMEDY}`],
    ['it is XML', '<a/>', `line 1, column 1: ${REMEDY}`],
    [
      'a long body has its fault in the middle',
      `["${'a'.repeat(5000)}",\n oops, "${'b'.repeat(5000)}"]`,
      `line 2, column 2: ${REMEDY}`,
    ],
    ['a value is missing', '{"a": , "b": 1}', `line 1, column 7: ${REMEDY}`],
    ['a quote stands inside a text', '{"text": "a "great" day"}', `line 1, column 14: ${REMEDY}`],
    ['a backslash does', '{"a": "C:\\dir"}', `line 1, column 11: ${REMEDY}`],
    ['a line break does', '{\n  "text": "one\r\ntwo"\n}', `line 2, column 15: ${LINE_BREAK}`],
    ['a tab does', '{"text": "one\ttwo"}', `line 1, column 14: ${LINE_BREAK}`],
    ['a quote is missing at the end', '{"a": "b', `line 1, column 9: ${CUT_OFF}`],
    ['it stops too soon', '{"a": ', `line 1, column 7: ${CUT_OFF}`],
    ['more follows behind it', '{"a": 1}\n{"a": 1}', `line 2, column 1: ${REMEDY}`],
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
