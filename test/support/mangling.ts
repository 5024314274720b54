import fc from 'fast-check';
import { expect } from 'vitest';
import type { ReceivingProvider } from '#lib/app/receiving/provider.ts';
import { isRecord } from '#lib/domain/json.ts';
import { expectOneShape } from './describe-reading.ts';

/** What others might send in the place of a value: other types, odd numbers, names that objects are born with. */
const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, true, false, 0, -1, 1e300, 1e21, '', ' ', 'NaN', 'Infinity', '1e999', 'constructor'),
  fc.constantFrom('toString', '__proto__', 'false', 'null', [], {}, [[[]]], ['a'], '@', '_@c.us', '@g.us', '+'),
  fc.constantFrom({ constructor: { prototype: 1 } }, JSON.parse('{"__proto__":{"a":1}}'), '9'.repeat(400), '\u0000'),
  fc.jsonValue({ maxDepth: 4 }),
);

/** A true payload with some of its parts deleted, replaced by junk, or joined by junk of an odd name. */
function mangled(payload: unknown): fc.Arbitrary<unknown> {
  const places = placesIn(payload);
  const change = fc.record({
    place: fc.nat(places.length - 1),
    how: fc.constantFrom('delete', 'replace', 'add'),
    name: fc.constantFrom('constructor', '__proto__', 'toString', 'extra', 'type', 'id', 'data[phone]'),
    value: junk,
  });
  return fc.array(change, { minLength: 1, maxLength: 6 }).map((changes) => {
    let result = structuredClone(payload);
    for (const { place, how, name, value } of changes) {
      const path = places[place] ?? [];
      if (how === 'add') result = withValue(result, [...path, name], value);
      else result = withValue(result, path, how === 'delete' ? undefined : value);
    }
    return result;
  });
}

/** Whatever is done to a true payload, the reader answers, and what it understood is in the one shape. */
export function expectNoThrow(provider: ReceivingProvider, payloads: readonly unknown[]): void {
  const body = fc.oneof(...payloads.map(mangled), fc.jsonValue());
  fc.assert(
    fc.property(body, (value) => {
      const reading = provider.read(value);
      if ('drafts' in reading) reading.drafts.forEach(expectOneShape);
      else expect(reading.issues.length).toBeGreaterThan(0);
    }),
    { numRuns: 1000 },
  );
}

type Path = readonly (string | number)[];

function placesIn(value: unknown, path: Path = []): Path[] {
  const below = (key: string | number, child: unknown) => placesIn(child, [...path, key]);
  if (Array.isArray(value)) return [path, ...value.flatMap((child, index) => below(index, child))];
  if (!isRecord(value)) return [path];
  return [path, ...Object.entries(value).flatMap(([key, child]) => below(key, child))];
}

/** A copy with `value` at `path`, as far as the path still exists; `undefined` takes the place away. */
function withValue(whole: unknown, path: Path, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(whole)) {
    return whole.map((item, index) => (index === key ? withValue(item, rest, value) : item)).filter(isPresent);
  }
  if (!isRecord(whole)) return whole;
  const entries = Object.entries(whole).filter(([name]) => name !== key);
  const changed = rest.length === 0 || Object.hasOwn(whole, key) ? withValue(whole[key], rest, value) : undefined;
  // `fromEntries` defines even `__proto__` as a key of its own.
  return Object.fromEntries(changed === undefined ? entries : [...entries, [key, changed]]);
}

function isPresent(value: unknown): boolean {
  return value !== undefined;
}
