import type { Pacing } from '#lib/domain/sending/pace.ts';
import { dueListOf } from './keys.ts';

/**
 * What sending needs an account to have from its first day on: a comparison with an attribute that is missing is false,
 * so an account without these would never be claimed. Merged into the account's item when it is created.
 */
export function sendingStart(account: string, pacing: Pacing) {
  return {
    pacing: { minMs: pacing.minMs, maxMs: pacing.maxMs },
    chain: 'IDLE',
    gen: 0,
    nextSendAt: 0,
    backoffUntil: 0,
    pending: 0,
    tailSeq: 0,
    paused: false,
    held: false,
    failuresRunning: 0,
    // The other half of the watchdog's index key, `gsi3sk`, comes and goes with the account's due time.
    gsi3pk: dueListOf('account', account),
  };
}
