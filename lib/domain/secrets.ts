import { timingSafeEqual } from 'node:crypto';

const BYTES = 32;

/**
 * Whether two SHA-256 in hex are of the same secret: secrets are kept as hashes only. Digests are of one length, so the
 * time taken tells nothing about how much of a guess was right.
 */
export function matchesHash(presented: string, expected: string): boolean {
  const [actual, wanted] = [Buffer.from(presented, 'hex'), Buffer.from(expected, 'hex')];
  return actual.length === BYTES && wanted.length === BYTES && timingSafeEqual(actual, wanted);
}
