import fc from 'fast-check';
import { isRecord } from '#lib/domain/json.ts';

/** Values that have broken readers: other types, names from an object's prototype, numbers at the edge, half a sign. */
export const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(undefined, null, '', ' ', 'NaN', 'Infinity', '-0', '1e999', '__proto__', 'constructor', 'toString'),
  fc.constantFrom(Number.MAX_VALUE, -1, 0.5, 9e15, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, true, [], [[]], [{}]),
  fc.constantFrom('\ud800', '+0', '@', ':1@c.us', '1'.repeat(400), '{{SWE001}}', { low: -1, high: 2 ** 53 }),
  fc.constant(JSON.parse('{"__proto__": {"id": 1}, "constructor": {"prototype": 1}}')),
);

/** The places in `value`, as paths. */
function placesIn(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [[...path]];
  return [[...path], ...Object.entries(value).flatMap(([key, child]) => placesIn(child, [...path, key]))];
}

/** `value` with the place at `path` taken by `other`; undefined takes the place away. */
function replaced(value: unknown, [key, ...path]: readonly string[], other: unknown): unknown {
  if (key === undefined) return other;
  if (Array.isArray(value)) return value.map((child, i) => (String(i) === key ? replaced(child, path, other) : child));
  if (!isRecord(value)) return value;
  if (path.length > 0 || other !== undefined) return { ...value, [key]: replaced(value[key], path, other) };
  const { [key]: _, ...rest } = value;
  return rest;
}

/** True payloads with some places taken away, taken by junk, by a part of another payload, or by another name's value. */
export function mangled(payloads: readonly [unknown, ...unknown[]]): fc.Arbitrary<unknown> {
  const names = payloads.flatMap((payload) => placesIn(payload).flatMap((path) => path.slice(-1)));
  const change = fc.record({
    where: fc.nat(),
    added: fc.option(fc.constantFrom(...new Set(names)), { nil: undefined }),
    other: fc.oneof(junk, fc.constantFrom(...payloads)),
  });
  return fc
    .tuple(fc.constantFrom(...payloads), fc.array(change, { minLength: 1, maxLength: 6 }))
    .map(([payload, changes]) =>
      changes.reduce<unknown>((body, { where, added, other }) => {
        const places = placesIn(body);
        const place = places[where % places.length] ?? [];
        return replaced(body, added === undefined ? place : [...place.slice(0, -1), added], other);
      }, payload),
    );
}
