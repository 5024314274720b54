import * as v from 'valibot';
import { Counts } from './erasing.ts';

const At = v.object({ stage: v.string(), partition: v.string(), after: v.exactOptional(v.string()) });
const Cursor = v.object({ at: At, erased: Counts });

/** Where an erasure goes on, and what it has erased so far. It does not tell of whom: the path of the call does. */
export type ErasureCursor = v.InferOutput<typeof Cursor>;

export function encodeErasure(cursor: ErasureCursor): string {
  return Buffer.from(JSON.stringify(cursor), 'utf8').toString('base64url');
}

/** Undefined for what we never gave out. A made-up one is harmless: it skips, in the caller's own workspace. */
export function decodeErasure(text: string): ErasureCursor | undefined {
  try {
    const read = v.safeParse(Cursor, JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return read.success ? read.output : undefined;
  } catch {
    return undefined; // Not JSON.
  }
}
