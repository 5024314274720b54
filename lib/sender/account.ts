import { takeOver } from '#lib/credits/spent.ts';
import type { Pacing } from '#lib/domain/send/pace.ts';
import { accountKey, dueListOf } from '#lib/store/keys.ts';
import { AGAIN, retryOnConflict, type StorePorts, withRetries } from '#lib/store/retry.ts';
import { all, type Delete, del, equal, exists, newTransaction, type Put, unchanged } from '#lib/store/store.ts';
import type { SendingConfig } from './config.ts';
import { endProbing } from './hold.ts';
import { type Account, readAccount } from './items.ts';

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

/**
 * An account goes when nothing waits on it: a queued message must not lose its way out. What it has counted stays with
 * the quota.
 */
export async function deleteAccount(
  given: StorePorts,
  account: string,
  /** What goes with it: its entry in the workspace's directory, its claim of a line. */
  alongside: (account: Account) => readonly (Put | Delete)[],
  config: SendingConfig,
): Promise<'deleted' | 'busy' | 'gone'> {
  const { store, random } = withRetries(given, config);
  return retryOnConflict(`the account ${account}`, async () => {
    const item = await store.get(accountKey(account), { consistent: true });
    if (!item) return 'gone';
    const found = readAccount(item);
    const { workspace, pending, claim } = found;
    if (pending > 0) return 'busy';
    const { countings } = item;
    // What an outcome counts from now on would be lost with the item, and what a change claims be nobody's for ever.
    const asRead = unchanged({ claim, countings });
    const transacted = await store.transact(
      [
        del(accountKey(account), all(exists(), equal('pending', 0), asRead)),
        endProbing(account),
        ...takeOver(workspace, item),
        ...alongside(found),
      ],
      newTransaction(random),
    );
    if (transacted.done) return 'deleted';
    return AGAIN;
  });
}
