import * as v from 'valibot';
import { isRecord } from '#lib/domain/json.ts';
import { toInstant } from '#lib/domain/time.ts';

/**
 * How GREEN-API writes values. It says `""` where it has nothing to say, and what is a number in one place is a text in
 * another. What cannot be read counts as absent: a message is not lost for a thumbnail that is no text.
 */
export const text = v.optional(v.pipe(v.unknown(), v.transform(toText)));
export const number = v.optional(v.pipe(v.unknown(), v.transform(toNumber)));
export const flag = v.optional(v.pipe(v.unknown(), v.transform(toFlag)));
/** Milliseconds since the epoch, from seconds as a rule. */
export const instant = v.optional(
  v.pipe(
    v.unknown(),
    v.transform((raw) => toInstant(toNumber(raw) ?? toText(raw))),
  ),
);
/** Ids of buttons and rows, and words that some clients number. */
export const label = v.optional(v.pipe(v.unknown(), v.transform(toLabel)));

/** Without these there is nothing to store: no identity, no chat, or nothing said. */
export const neededText = v.pipe(
  v.string(),
  v.transform((raw: string) => toText(raw)),
  v.string(),
);
export const neededLabel = v.pipe(v.unknown(), v.transform(toLabel), v.string());
export const neededNumber = v.pipe(v.unknown(), v.transform(toNumber), v.number());
/** A member of a group: an id, or an object whose `id` or `wid` it is. */
export const MemberId = v.pipe(v.unknown(), v.transform(toMemberId), v.string());
export const InstanceId = v.pipe(v.unknown(), v.transform(toInstanceId), v.string());

/** Undefined where `schema` does not fit. */
export function ifReadable<Schema extends v.GenericSchema>(schema: Schema) {
  return v.fallback(v.optional(schema), undefined);
}

/** The items that fit `schema`, in their order. */
export function list<Schema extends v.GenericSchema>(schema: Schema) {
  return ifReadable(
    v.pipe(
      v.array(ifReadable(schema)),
      v.transform((items) => items.filter((item) => item !== undefined)),
    ),
  );
}

function toText(raw: unknown): string | undefined {
  return typeof raw === 'string' && raw !== '' ? raw : undefined;
}

function toLabel(raw: unknown): string | undefined {
  return typeof raw === 'number' && Number.isFinite(raw) ? String(raw) : toText(raw);
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
  if (raw === 'true' || raw === 'false') return raw === 'true';
  return typeof raw === 'boolean' ? raw : undefined;
}

function toMemberId(raw: unknown): string | undefined {
  return isRecord(raw) ? (toText(raw.id) ?? toText(raw.wid)) : toText(raw);
}

/** Instance numbers have up to twelve digits by now; they are compared as text. */
function toInstanceId(raw: unknown): string | undefined {
  const written = typeof raw === 'string' ? raw.trim() : String(toNumber(raw));
  return /^\d{1,20}$/.test(written) ? written : undefined;
}
