import { createHash, timingSafeEqual } from 'node:crypto';

/** Lower-case hex SHA-256 of a text (as UTF-8) or of bytes. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

const SHA256_BYTES = 32;

/**
 * Whether two SHA-256 in hex are of the same secret: secrets are kept as hashes only. Digests are of one length, so the
 * time taken tells nothing about how much of a guess was right.
 */
export function matchesHash(presented: string, expected: string): boolean {
  const [actual, wanted] = [Buffer.from(presented, 'hex'), Buffer.from(expected, 'hex')];
  return actual.length === SHA256_BYTES && wanted.length === SHA256_BYTES && timingSafeEqual(actual, wanted);
}

/**
 * An id that anybody derives alike from the same parts. The parts are joined as JSON, so that `['a', 'bc']` and
 * `['ab', 'c']` differ; 128 bits of the hash are kept.
 */
export function derivedId(prefix: string, parts: readonly (string | undefined)[]): string {
  return `${prefix}_${sha256(JSON.stringify(parts.map((part) => part ?? null))).slice(0, 32)}`;
}

/**
 * An id of something that somebody makes here. It begins with the time (milliseconds), so that ids sort by age, and
 * `random` (10 bytes or more) makes it nobody else's.
 */
export function newId(prefix: string, at: number, random: Uint8Array): string {
  return `${prefix}_${at.toString(16).padStart(12, '0')}${Buffer.from(random).toString('hex')}`;
}

/** Lists over a workspace are spread over this many index partitions and merged on read. */
export const SHARDS = 8;

/** The shard of an id, from 0 to SHARDS - 1: always the same for the same id. */
export function shardOf(id: string): number {
  return Number.parseInt(sha256(id).slice(0, 8), 16) % SHARDS;
}

/** A text as part of a key: keys have a bound and must be well-formed, what providers call an id need not be either. */
export function keyPart(text: string): string {
  return text.length <= 200 && text.isWellFormed() ? text : `sha256-${sha256(text.toWellFormed())}`;
}
