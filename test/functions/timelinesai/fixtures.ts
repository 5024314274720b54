import { readFileSync } from 'node:fs';
import * as v from 'valibot';

const Fixture = v.looseObject({});

/** A payload as the provider sends it, named after what it shows. */
export function fixture(name: string) {
  const text = readFileSync(new URL(`./fixtures/${name}.json`, import.meta.url), 'utf8');
  return v.parse(Fixture, JSON.parse(text));
}

/** `payload` with its object at `key` changed; what is undefined there goes missing. */
export function varied(payload: Readonly<Record<string, unknown>>, key: string, changes: object) {
  return { ...payload, [key]: { ...v.parse(Fixture, payload[key]), ...changes } };
}
