import { absent, all, type Delete, del, equal, exists, type Put } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import type { SendingConfig } from './config.ts';
import { endProbing } from './hold.ts';
import { readAccount } from './items.ts';
import { accountKey } from './keys.ts';
import { persistent, type StorePorts } from './persistent.ts';
import { takeOver } from './spent.ts';

const TRIES = 5;

/**
 * An account goes when nothing waits on it: a queued message must not lose its way out. What it has counted stays with
 * the quota.
 */
export async function deleteAccount(
  given: StorePorts,
  account: string,
  /** What goes with it: its entry in the workspace's directory. */
  alongside: readonly (Put | Delete)[],
  config: SendingConfig,
): Promise<'deleted' | 'busy' | 'gone'> {
  const { store, random } = persistent(given, config);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const item = await store.get(accountKey(account), { consistent: true });
    if (!item) return 'gone';
    const { workspace, pending } = readAccount(item);
    if (pending > 0) return 'busy';
    const { countings } = item;
    // What an outcome counts from now on would be lost with the item.
    const asRead = typeof countings === 'number' ? equal('countings', countings) : absent('countings');
    const transacted = await store.transact(
      [
        del(accountKey(account), all(exists(), equal('pending', 0), asRead)),
        endProbing(account),
        ...takeOver(workspace, item),
        ...alongside,
      ],
      newTransaction(random),
    );
    if (transacted.done) return 'deleted';
  }
  throw new Error(`${account} changed ${TRIES} times while it was being deleted`);
}
