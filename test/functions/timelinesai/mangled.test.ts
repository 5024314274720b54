import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timelinesAi } from '#functions/timelinesai/provider.ts';
import { isRecord } from '#lib/domain/json.ts';
import { expectOneShape } from '#test/support/describe-reading.ts';
import { fixture } from './fixtures.ts';

const names = ['message-received', 'message-sent-by-api', 'message-in-group', 'reaction', 'call'];
const payloads = [...names, 'chat-assigned', 'account-connected', 'envelope', 'bundle'].map(fixture);

const junk = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(undefined, null, '', ' ', 'NaN', 'Infinity', '-0', '1e999', '__proto__', 'constructor', 'toString'),
  fc.constantFrom(Number.MAX_VALUE, -1, 0.5, 9e15, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, true, [], [[]], [{}]),
  fc.constantFrom('9999-12-31 23:59:59 -1200', '0000-00-00 00:00:00 +0000', '2024-01-08 10:35:18 +0200', '\ud800'),
  fc.constant(JSON.parse('{"__proto__": {"chat_id": 1}, "constructor": {"prototype": 1}}')),
);

/** The places in `value`, as paths. */
function placesIn(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [[...path]];
  return [[...path], ...Object.entries(value).flatMap(([key, child]) => placesIn(child, [...path, key]))];
}

/** Names that the provider uses somewhere, to stand where it does not. */
const vocabulary = payloads.flatMap((payload) => placesIn(payload).flatMap((path) => path.slice(-1)));

/** `value` with the place at `path` taken by `other`. */
function replaced(value: unknown, [key, ...path]: readonly string[], other: unknown): unknown {
  if (key === undefined) return other;
  if (Array.isArray(value)) return value.map((child, i) => (String(i) === key ? replaced(child, path, other) : child));
  return isRecord(value) ? { ...value, [key]: replaced(value[key], path, other) } : value;
}

const change = fc.record({
  where: fc.nat(),
  added: fc.option(fc.constantFrom(...new Set(vocabulary)), { nil: undefined }),
  other: junk,
});
const mangled = fc
  .tuple(fc.constantFrom(...payloads), fc.array(change, { minLength: 1, maxLength: 6 }))
  .map(([payload, changes]) =>
    changes.reduce<unknown>((body, { where, added, other }) => {
      const places = placesIn(body);
      const place = places[where % places.length] ?? [];
      return replaced(body, added === undefined ? place : [...place.slice(0, -1), added], other);
    }, payload),
  );

describe('whatever is done to a payload of TimelinesAI', () => {
  it('reading it never throws, and what is read is in the one shape', () => {
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: mangled }, junk), (body) => {
        const reading = timelinesAi.read(body);
        if ('drafts' in reading) reading.drafts.forEach(expectOneShape);
        else expect(reading.issues.length).toBeGreaterThan(0);
      }),
      { numRuns: 3000 },
    );
  });
});
