import type { Random } from './ports.ts';

/** A token that names one logical write: its repeats carry the same one and are not done twice. */
export function newTransaction(random: Random): string {
  return Buffer.from(random.bytes(16)).toString('hex');
}
