import type { Clock, Random } from '../ports.ts';
import { all, del, equal, exists, type Put, put, type Store, set, update } from '../store.ts';
import type { SendingConfig } from './config.ts';
import { accountKey, dueListOf, dueSortKey, probeKey } from './keys.ts';
import { freshToken } from './turn.ts';

/** A held account has this item, and no other has: written and deleted with the flag. */
export function firstProbe(account: string, now: number, config: SendingConfig): Put {
  const [first] = config.probeAfterMs;
  return put({
    ...probeKey(account),
    kind: 'probe',
    account,
    tries: 0,
    gsi3pk: dueListOf('probe', account),
    gsi3sk: dueSortKey(now + first, account),
  });
}

/** The provider says that the account cannot send: by an answer, or by a webhook. False: it is held already, or gone. */
export async function hold(
  ports: { readonly store: Store; readonly clock: Clock; readonly random: Random },
  account: string,
  reason: string,
  config: SendingConfig,
): Promise<boolean> {
  const transacted = await ports.store.transact(
    [
      update(accountKey(account), [set('held', true), set('holdReason', reason)], all(exists(), equal('held', false))),
      firstProbe(account, ports.clock.now(), config),
    ],
    freshToken(ports.random),
  );
  return transacted.done;
}

export const endProbing = (account: string) => del(probeKey(account));
