import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether `presented` is the secret whose SHA-256 (hex) is `hash`: secrets are kept as hashes only. Digests are of one
 * length, so the time taken tells nothing about how much of a guess was right.
 */
export function matchesHash(presented: string, hash: string): boolean {
  const expected = Buffer.from(hash, 'hex');
  const actual = createHash('sha256').update(presented).digest();
  return expected.length === actual.length && timingSafeEqual(actual, expected);
}
