import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { type Item, put, type Value } from '#lib/store/store.ts';
import { MemoryStore } from './memory-store.ts';

const Head = v.object({ now: v.number(), names: v.record(v.string(), v.string()) });
const Key = v.looseObject({ pk: v.string(), sk: v.string() });

/**
 * A table as version 0.1 left it, with items of every kind and invented data (test/contract/fixtures): `names` are the
 * ids and addresses in it by what they show, `now` is when the last of it was written.
 */
export async function tableOfOld() {
  const file = new URL('../contract/fixtures/table-of-0.1.ndjson', import.meta.url);
  const [head = '', ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
  const { now, names } = v.parse(Head, JSON.parse(head));
  const store = new MemoryStore();
  for (const line of lines) await store.write(put(itemOf(line)));
  const nameOf = (what: string): string => {
    const name = names[what];
    if (name === undefined) throw new Error(`there is no ${what} in the old table`);
    return name;
  };
  return { now, store, nameOf };
}

function itemOf(line: string): Item {
  const { pk, sk, ...rest } = v.parse(Key, JSON.parse(line, revive));
  const attributes = Object.entries(rest).map(([name, value]) => [name, v.parse(Stored, value)] as const);
  return { pk, sk, ...Object.fromEntries(attributes) };
}

const Stored: v.GenericSchema<unknown, Value> = v.union([
  v.string(),
  v.number(),
  v.boolean(),
  v.null(),
  v.instance(Uint8Array),
  v.array(v.lazy(() => Stored)),
  v.record(
    v.string(),
    v.lazy(() => Stored),
  ),
]);

const Bytes = v.strictObject({ $bytes: v.string() });

/** JSON has no bytes. */
function revive(_: string, value: unknown): unknown {
  const bytes = v.safeParse(Bytes, value);
  return bytes.success ? new Uint8Array(Buffer.from(bytes.output.$bytes, 'base64')) : value;
}
