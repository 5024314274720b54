import { gunzipSync, gzipSync } from 'node:zlib';
import { type Put, put, type Value, type ValueMap } from '#lib/app/store.ts';
import { sha256 } from '#lib/domain/ids.ts';

/** An item may hold 400 KB; keys, indexed attributes and the event's own share need room beside the bytes. */
export const CHUNK_BYTES = 350 * 1024;

/** Bytes as an item keeps them: in place, or as numbered chunks beside it. */
export interface Packed {
  readonly bytes: Uint8Array;
  readonly zipped: boolean;
}

/** Compressed, where that makes it shorter. */
export function pack(bytes: Uint8Array): Packed {
  const zipped = gzipSync(bytes);
  return zipped.length < bytes.length ? { bytes: zipped, zipped: true } : { bytes, zipped: false };
}

export function unpack({ bytes, zipped }: Packed): Uint8Array {
  return zipped ? gunzipSync(bytes) : bytes;
}

/** A blob in place, as an attribute. */
export function inline(packed: Packed): ValueMap {
  return { bytes: packed.bytes, zipped: packed.zipped };
}

/**
 * The chunk items of a blob and the attribute that refers to them. Their keys hold the hash of the content: two
 * deliveries that race for one event cannot mix their chunks.
 */
export function chunked(pk: string, name: string, packed: Packed, expiresAt: number | undefined) {
  const prefix = `${name}#${sha256(packed.bytes).slice(0, 16)}`;
  const chunks: Put[] = [];
  for (let start = 0; start < packed.bytes.length; start += CHUNK_BYTES) {
    const data = packed.bytes.subarray(start, start + CHUNK_BYTES);
    chunks.push(put({ pk, sk: chunkKey(prefix, chunks.length), data, ...(expiresAt && { expiresAt }) }));
  }
  return { chunks, attribute: { prefix, count: chunks.length, zipped: packed.zipped } };
}

export function chunkKey(prefix: string, index: number): string {
  return `${prefix}#${String(index).padStart(3, '0')}`;
}

export type BlobReference =
  | ({ readonly kind: 'inline' } & Packed)
  | { readonly kind: 'chunks'; readonly prefix: string; readonly count: number; readonly zipped: boolean };

/** What an item's attribute says about a blob; undefined where it has none. Throws on an attribute that is no blob. */
export function blobOf(attribute: Value | undefined): BlobReference | undefined {
  if (attribute === undefined) return undefined;
  if (!isMap(attribute) || typeof attribute.zipped !== 'boolean') throw new TypeError('not a blob');
  const { zipped, bytes, prefix, count } = attribute;
  if (bytes instanceof Uint8Array) return { kind: 'inline', bytes, zipped };
  if (typeof prefix === 'string' && typeof count === 'number') return { kind: 'chunks', prefix, count, zipped };
  throw new TypeError('not a blob');
}

function isMap(value: Value): value is ValueMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
