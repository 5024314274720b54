import type { Item, Value, ValueMap } from '#lib/app/store.ts';
import { isRecord } from '#lib/domain/json.ts';

export type AttributeValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly B: string }
  | { readonly L: readonly AttributeValue[] }
  | { readonly M: AttributeMap };
export interface AttributeMap {
  readonly [name: string]: AttributeValue;
}

/** A value as DynamoDB's JSON has it; bytes as base64. */
export function marshal(value: Value): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (value === null) return { NULL: true };
  if (value instanceof Uint8Array) return { B: base64(value) };
  if (isList(value)) return { L: value.map(marshal) };
  return { M: marshalMap(value) };
}

/** What has no value is left out. */
export function marshalMap(map: ValueMap): AttributeMap {
  const marshalled: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(map)) if (value !== undefined) marshalled[name] = marshal(value);
  return marshalled;
}

function unmarshal(attribute: unknown): Value {
  if (!isRecord(attribute)) throw new TypeError('not an attribute value');
  const [type, value] = Object.entries(attribute)[0] ?? [];
  if (type === 'S' && typeof value === 'string') return value;
  if (type === 'N' && typeof value === 'string') return Number(value);
  if (type === 'BOOL' && typeof value === 'boolean') return value;
  if (type === 'NULL') return null;
  if (type === 'B' && typeof value === 'string') return new Uint8Array(Buffer.from(value, 'base64'));
  if (type === 'L' && Array.isArray(value)) return value.map(unmarshal);
  if (type === 'M' && isRecord(value)) return unmarshalMap(value);
  throw new TypeError(`an attribute of a type that we never write: ${type}`);
}

export function unmarshalMap(map: Readonly<Record<string, unknown>>): ValueMap {
  return Object.fromEntries(Object.entries(map).map(([name, attribute]) => [name, unmarshal(attribute)]));
}

/** An item of a response; undefined where there is none. */
export function unmarshalItem(raw: unknown): Item | undefined {
  if (!isRecord(raw)) return undefined;
  const { pk, sk, ...rest } = unmarshalMap(raw);
  if (typeof pk !== 'string' || typeof sk !== 'string') throw new TypeError('an item without its key');
  return { pk, sk, ...rest };
}

function isList(value: readonly Value[] | ValueMap): value is readonly Value[] {
  return Array.isArray(value);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
