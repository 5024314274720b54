import { all, type Delete, del, equal, exists, type Put, unchanged } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import type { SendingConfig } from './config.ts';
import { endProbing } from './hold.ts';
import { type Account, readAccount } from './items.ts';
import { accountKey } from './keys.ts';
import { takeOver } from './spent.ts';
import { type StorePorts, withRetries } from './with-retries.ts';

const TRIES = 5;

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
  for (let tries = 0; tries < TRIES; tries += 1) {
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
  }
  throw new Error(`${account} changed ${TRIES} times while it was being deleted`);
}
