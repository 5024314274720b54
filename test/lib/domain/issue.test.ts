import * as v from 'valibot';
import { expect, test } from 'vitest';
import { issuesOf, strictObject } from '#lib/domain/schema.ts';

test('names the first hundred issues of a long list of wrong entries', () => {
  const { issues = [] } = v.safeParse(v.array(v.object({})), Array(100_000).fill(0));
  expect(issuesOf(issues)).toHaveLength(100);
  expect(issuesOf(issues)[0]).toEqual({ path: '0', message: 'must be an object' });
});

const Text = v.string();

test.each([
  ['nothing', v.object({ a: Text }), {}, 'is missing'],
  ['a field too many', v.strictObject({}), { a: 1 }, 'is not known here'],
  ['a field too many where none is taken', strictObject({}), { a: 1 }, 'is not known here: leave it out'],
  [
    'a field that is misspelt',
    strictObject({ text: v.exactOptional(Text), to: v.exactOptional(Text) }),
    { a: 1 },
    'is not known here: the fields are text, to',
  ],
  ['a missing field beside no other', strictObject({ a: Text }), {}, 'is missing'],
  ['a missing choice', strictObject({ a: v.picklist(['x', 'y']) }), {}, 'is missing: it must be "x" or "y"'],
  [
    'a missing choice with a description',
    strictObject({ a: v.pipe(v.picklist(['x', 'y']), v.description('one')) }),
    {},
    'is missing: it must be "x" or "y"',
  ],
  ['a missing word', strictObject({ a: v.literal('x') }), {}, 'is missing: it must be "x"'],
  [
    'a missing choice on which the other fields depend',
    v.variant('a', [strictObject({ a: v.literal('x') }), strictObject({ a: v.literal('y') })]),
    {},
    'is missing: it must be "x" or "y"',
  ],
  ['what others say better', strictObject({ b: v.exactOptional(Text) }, () => 'is b'), { a: 1 }, 'is b'],
  ['another type', v.object({ a: Text }), { a: 1 }, 'must be a string'],
  ['one of several types', v.object({ a: v.union([Text, v.number()]) }), { a: true }, 'must be a string or a number'],
  ['no truth', v.object({ a: v.boolean() }), { a: 'secret' }, 'must be true or false'],
  ['no list', v.object({ a: v.array(Text) }), { a: 'secret' }, 'must be a list'],
  ['another choice', v.object({ a: v.picklist(['x', 'y']) }), { a: 'secret' }, 'must be "x" or "y"'],
  ['an empty text', v.object({ a: v.pipe(Text, v.nonEmpty()) }), { a: '' }, 'must not be empty'],
  ['no character', v.object({ a: v.pipe(Text, v.minLength(1)) }), { a: '' }, 'must not be empty'],
  ['a short text', v.object({ a: v.pipe(Text, v.minLength(9)) }), { a: 'secret' }, 'must have at least 9 characters'],
  ['a long text', v.object({ a: v.pipe(Text, v.maxLength(2)) }), { a: 'secret' }, 'must have at most 2 characters'],
  ['a long list', v.object({ a: v.pipe(v.array(Text), v.maxLength(0)) }), { a: ['s'] }, 'must have at most 0 entries'],
  ['a small number', v.object({ a: v.pipe(v.number(), v.minValue(2)) }), { a: 1 }, 'must be at least 2'],
  ['a large number', v.object({ a: v.pipe(v.number(), v.maxValue(2)) }), { a: 3 }, 'must be at most 2'],
  ['a fraction', v.object({ a: v.pipe(v.number(), v.integer()) }), { a: 1.5 }, 'must be a whole number'],
  ['no URL', v.object({ a: v.pipe(Text, v.url()) }), { a: 'secret' }, 'must be a URL, as https://example.com'],
  [
    'no time',
    v.object({ a: v.pipe(Text, v.isoTimestamp()) }),
    { a: 'secret' },
    'must be a time in ISO 8601, as 2026-03-01T12:00:00.000Z',
  ],
  ['another form', v.object({ a: v.pipe(Text, v.regex(/\d/)) }), { a: 'secret' }, 'does not have the right form'],
  [
    'words of its own',
    v.object({ a: v.pipe(Text, v.regex(/\d/, 'must hold a digit')) }),
    { a: 's' },
    'must hold a digit',
  ],
])('says of %s what is asked for, without the value', (_what, schema, value, message) => {
  expect(issuesOf(v.safeParse(schema, value).issues ?? [])).toEqual([{ path: 'a', message }]);
});
