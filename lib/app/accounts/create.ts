import { newId } from '#lib/domain/ids.ts';
import { known } from '#lib/domain/known.ts';
import { toPhone } from '#lib/domain/phone.ts';
import { DEFAULT_PACING } from '#lib/domain/sending/pace.ts';
import { toIso } from '#lib/domain/time.ts';
import { directoryKey } from '../directory.ts';
import type { Clock, Random } from '../ports.ts';
import { accountSecret, type Secrets } from '../secrets.ts';
import { sendingStart } from '../sending/new-account.ts';
import { absent, put, type Store } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import { accountKey, type ManagedAccount, type Pacing, readAccount, scopeOf } from './account.ts';
import { lineIn } from './line.ts';
import type { AccountProvider, Channel } from './provider.ts';

export interface AccountPorts {
  readonly store: Store;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly random: Random;
}

export interface NewAccount {
  readonly channel: Channel;
  readonly name?: string;
  readonly phone?: string;
  readonly pacing?: Pacing;
  /** As the provider's schema put them out. */
  readonly credentials: unknown;
}

/** The secret comes first: a crash in between leaves a secret without an account, never an account without its secret. */
export async function createAccount(
  { store, secrets, clock, random }: AccountPorts,
  workspace: string,
  provider: AccountProvider,
  { channel, name, phone, pacing, credentials }: NewAccount,
): Promise<ManagedAccount> {
  const now = clock.now();
  const id = newId('acc', now, random.bytes(10));
  const number = toPhone(phone);
  const instance = provider.instanceOf?.(credentials);
  const item = {
    ...accountKey(id),
    ...sendingStart(id, pacing ?? DEFAULT_PACING),
    id,
    workspace,
    provider: provider.name,
    channel,
    scope: scopeOf(provider, { id, instance, phone: number }),
    ...(name !== undefined && { name }),
    ...(number !== undefined && { phone: number }),
    ...(instance !== undefined && { instance }),
    ...known({ line: lineIn(provider, credentials) }),
    credentialsVersion: await secrets.put(accountSecret(id), JSON.stringify(credentials)),
    createdAt: toIso(now),
    connectedAt: toIso(now),
  };
  const writes = [put(item, absent()), put({ ...directoryKey(workspace, 'ACCOUNT', id) }, absent())];
  const { done } = await store.transact(writes, newTransaction(random));
  if (!done) throw new Error('an id that was just made up is taken');
  return readAccount(item);
}
