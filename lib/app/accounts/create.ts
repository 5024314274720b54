import { newId } from '#lib/domain/ids.ts';
import { known } from '#lib/domain/known.ts';
import { toPhone } from '#lib/domain/phone.ts';
import { DEFAULT_PACING } from '#lib/domain/sending/pace.ts';
import { toIso } from '#lib/domain/time.ts';
import { directoryKey } from '../directory.ts';
import type { Clock, Random } from '../ports.ts';
import { accountSecret, type Secrets } from '../secrets.ts';
import { accountKey } from '../sending/keys.ts';
import { sendingStart } from '../sending/new-account.ts';
import { absent, put, type Store } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import { type ManagedAccount, type Pacing, readManagedAccount, scopeOf } from './account.ts';
import { claiming, claimOf, holderOf, lineIn } from './line.ts';
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

export type Connected =
  | { readonly kind: 'created'; readonly account: ManagedAccount }
  /** Another account of the workspace sends on this line. */
  | { readonly kind: 'taken'; readonly by: string };

/** The secret comes first: a crash in between leaves a secret without an account, never an account without its secret. */
export async function createAccount(
  { store, secrets, clock, random }: AccountPorts,
  workspace: string,
  provider: AccountProvider,
  { channel, name, phone, pacing, credentials }: NewAccount,
): Promise<Connected> {
  const now = clock.now();
  const id = newId('acc', now, random.bytes(10));
  const told = { phone: toPhone(phone), instance: provider.instanceOf?.(credentials) };
  const line = lineIn(provider, credentials);
  const claim = claimOf(provider, { ...told, line });
  const holder = claim === undefined ? undefined : await holderOf(store, workspace, provider, claim, id);
  if (holder !== undefined) return { kind: 'taken', by: holder };
  const item = {
    ...accountKey(id),
    ...sendingStart(id, pacing ?? DEFAULT_PACING),
    id,
    workspace,
    provider: provider.name,
    channel,
    scope: scopeOf(provider, { id, ...told }),
    ...known({ name, ...told, line, claim }),
    credentialsVersion: await secrets.put(accountSecret(id), JSON.stringify(credentials)),
    createdAt: toIso(now),
    connectedAt: toIso(now),
  };
  const writes = [
    put(item, absent()),
    put({ ...directoryKey(workspace, 'ACCOUNT', id) }, absent()),
    ...(claim === undefined ? [] : [await claiming(store, workspace, claim, id)]),
  ];
  const transacted = await store.transact(writes, newTransaction(random));
  if (transacted.done) return { kind: 'created', account: readManagedAccount(item) };
  const owner = transacted.refused[2]?.item?.account;
  if (typeof owner !== 'string') throw new Error('an id that was just made up is taken');
  await secrets.delete(accountSecret(id));
  return { kind: 'taken', by: owner };
}
