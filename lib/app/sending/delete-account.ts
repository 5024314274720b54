import { all, type Delete, del, equal, exists, type Put } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import type { SendingConfig } from './config.ts';
import { endProbing } from './hold.ts';
import { accountKey } from './keys.ts';
import { persistent, type StorePorts } from './persistent.ts';

/** An account goes when nothing waits on it: a queued message must not lose its way out. */
export async function deleteAccount(
  given: StorePorts,
  account: string,
  /** What goes with it: its entry in the workspace's directory. */
  alongside: readonly (Put | Delete)[],
  config: SendingConfig,
): Promise<'deleted' | 'busy' | 'gone'> {
  const { store, random } = persistent(given, config);
  const transacted = await store.transact(
    [del(accountKey(account), all(exists(), equal('pending', 0))), endProbing(account), ...alongside],
    newTransaction(random),
  );
  if (transacted.done) return 'deleted';
  return transacted.refused[0]?.item ? 'busy' : 'gone';
}
