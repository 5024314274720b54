import * as v from 'valibot';
import { isRecord } from '#lib/domain/json.ts';
import { toPhone } from '#lib/domain/person.ts';
import { ifValid } from '#lib/domain/schema.ts';
import { toInstant } from '#lib/domain/time.ts';

/**
 * How GREEN-API writes values. It says `""` where it has nothing to say, and what is a number in one place is a text in
 * another. What cannot be read counts as absent: a message is not lost for a thumbnail that is no text.
 */
export const text = v.optional(v.pipe(v.unknown(), v.transform(toText)));
/** What somebody wrote or is called: where it is all digits, some senders make a number of it. */
export const words = v.optional(v.pipe(v.unknown(), v.transform(toLabel)));
/** Of somebody or of a chat: blanks alone are none. */
export const name = v.optional(v.pipe(v.unknown(), v.transform(toName)));
export const number = v.optional(v.pipe(v.unknown(), v.transform(toNumber)));
export const flag = v.optional(v.pipe(v.unknown(), v.transform(toFlag)));
/** Milliseconds since the epoch, from seconds as a rule. */
export const instant = v.optional(
  v.pipe(
    v.unknown(),
    v.transform((raw) => toInstant(toNumber(raw) ?? toText(raw))),
  ),
);
/** Without these there is nothing to store: no identity, no chat, or nothing said. */
export const neededText = v.pipe(
  v.string(),
  v.transform((raw: string) => toText(raw)),
  v.string(),
);
export const neededLabel = v.pipe(v.unknown(), v.transform(toLabel), v.string());
export const neededNumber = v.pipe(v.unknown(), v.transform(toNumber), v.number());
/** Of a chat or person. Sister products and some relays leave the server out of a person's. */
export const jid = v.optional(v.pipe(v.unknown(), v.transform(toText), v.transform(withServer)));
export const neededJid = v.pipe(v.unknown(), v.transform(toText), v.transform(withServer), v.string());
/** A member of a group: an id, or an object whose `id` or `wid` it is. */
export const MemberId = v.pipe(v.unknown(), v.transform(toMemberId), v.string());
export const InstanceId = v.pipe(v.unknown(), v.transform(toInstanceId), v.string());

/** The items that fit `schema`, in their order. */
export function list<Schema extends v.GenericSchema>(schema: Schema) {
  return ifValid(
    v.pipe(
      v.array(ifValid(schema)),
      v.transform((items) => items.filter((item) => item !== undefined)),
    ),
  );
}

export function toText(raw: unknown): string | undefined {
  return typeof raw === 'string' && raw !== '' ? raw : undefined;
}

function toLabel(raw: unknown): string | undefined {
  return typeof raw === 'number' && Number.isFinite(raw) ? String(raw) : toText(raw);
}

function toName(raw: unknown): string | undefined {
  const written = toLabel(raw);
  return written?.trim() === '' ? undefined : written;
}

function toNumber(raw: unknown): number | undefined {
  if (isRecord(raw)) return longInteger(raw);
  const value = typeof raw === 'string' && /^-?\d{1,16}(\.\d+)?$/.test(raw.trim()) ? Number(raw) : raw;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** A 64-bit integer as the provider's serialiser leaves it: `{low, high, unsigned}`, two halves of 32 bits. */
function longInteger({ low, high }: Record<string, unknown>): number | undefined {
  if (typeof low !== 'number' || typeof high !== 'number') return undefined;
  const value = high * 2 ** 32 + (low >>> 0);
  return Number.isSafeInteger(value) ? value : undefined;
}

function toFlag(raw: unknown): boolean | undefined {
  const word = String(raw).trim().toLowerCase();
  if (word === 'true' || word === '1') return true;
  return word === 'false' || word === '0' ? false : undefined;
}

function withServer(id: string | undefined): string | undefined {
  return id === undefined || id.includes('@') || toPhone(id) === undefined ? id : `${id.replace(/\D/g, '')}@c.us`;
}

function toMemberId(raw: unknown): string | undefined {
  return withServer(isRecord(raw) ? (toText(raw.id) ?? toText(raw.wid)) : toText(raw));
}

/** Instance numbers have up to twelve digits by now; they are compared as text, which they are not always pasted as. */
function toInstanceId(raw: unknown): string | undefined {
  const written = typeof raw === 'string' ? raw.replace(/[\s\p{Cf}]/gu, '') : String(toNumber(raw));
  return /^0*([1-9]\d{0,19})$/.exec(written)?.[1];
}

/** What stands beside the type of a message. */
export type Part = Readonly<Record<string, unknown>>;

type Reader<Read> = (data: Part) => Read | undefined;

/** Reads what stands under one of these keys, where all that is needed of it is there. */
export function under<const Entries extends v.ObjectEntries, Read>(
  keys: readonly string[],
  entries: Entries,
  read: (found: v.InferOutput<v.LooseObjectSchema<Entries, undefined>>) => Read | undefined,
): Reader<Read> {
  const schema = v.looseObject(entries);
  return firstOf(
    keys.map((key) => (data) => {
      const found = v.safeParse(schema, data[key]);
      return found.success ? read(found.output) : undefined;
    }),
  );
}

/** What the first of them reads that reads anything. */
export function firstOf<Read>(readers: readonly Reader<Read>[]): Reader<Read> {
  return (data) => {
    for (const read of readers) {
      const found = read(data);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}
