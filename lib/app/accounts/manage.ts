import { toPhone } from '#lib/domain/phone.ts';
import { directoryKey, listDirectory, wholeDirectory } from '../directory.ts';
import { getAll } from '../get-all.ts';
import { type ListPage, type PageRequest, pageOf } from '../lists/page.ts';
import type { Log } from '../ports.ts';
import { accountSecret } from '../secrets.ts';
import { defaultConfig } from '../sending/config.ts';
import { deleteAccount } from '../sending/delete-account.ts';
import { all, type Change, del, equal, exists, remove, type Store, set, update } from '../store.ts';
import { isCurrent, webhookKey } from '../webhooks/webhook.ts';
import { accountKey, type ManagedAccount, type Pacing, readAccount, scopeOf } from './account.ts';
import type { AccountPorts } from './create.ts';
import { lineIn } from './line.ts';
import type { AccountProvider } from './provider.ts';

/** `null` takes a value away. */
export interface AccountPatch {
  readonly name?: string | null;
  readonly phone?: string | null;
  readonly pacing?: Pacing;
  /** As the provider's schema put them out. */
  readonly credentials?: unknown;
}

export async function findAccount(store: Store, workspace: string, id: string): Promise<ManagedAccount | undefined> {
  const item = await store.get(accountKey(id), { consistent: true });
  return item?.workspace === workspace ? readAccount(item) : undefined;
}

export async function listAccounts(
  store: Store,
  workspace: string,
  page: PageRequest,
): Promise<ListPage<ManagedAccount>> {
  const { items: entries, position } = await listDirectory(store, workspace, 'ACCOUNT', page);
  const keys = entries.map(({ sk }) => accountKey(sk.slice('ACCOUNT#'.length)));
  return pageOf((await getAll(store, keys, { consistent: true })).map(readAccount), position);
}

/** Undefined where there is no such account, any more. */
export async function patchAccount(
  { store, secrets }: AccountPorts,
  account: ManagedAccount,
  provider: AccountProvider,
  patch: AccountPatch,
): Promise<ManagedAccount | undefined> {
  const { id, workspace } = account;
  const changes = changesOf(patch);
  const phone = patch.phone === undefined ? account.phone : toPhone(patch.phone ?? undefined);
  if (patch.credentials !== undefined) {
    // The secret comes first: until its version stands on the account, everybody goes on with the one before.
    const version = await secrets.put(accountSecret(id), JSON.stringify(patch.credentials));
    changes.push(set('credentialsVersion', version), setOrRemove('line', lineIn(provider, patch.credentials)));
    const instance = provider.instanceOf?.(patch.credentials);
    changes.push(set('scope', scopeOf(provider, { id, instance, phone })), setOrRemove('instance', instance));
  } else if (patch.phone !== undefined && provider.isNamedByPhone) {
    changes.push(set('scope', scopeOf(provider, { id, instance: account.instance, phone })));
  }
  if (changes.length === 0) return account;
  const written = await store.write(update(accountKey(id), changes, exists()), { returns: 'new' });
  if (!written.done || !written.item) return undefined;
  const patched = readAccount(written.item);
  if (patch.credentials !== undefined) await copyInstance(store, workspace, patched);
  return patched;
}

function changesOf({ name, phone, pacing }: AccountPatch): Change[] {
  const changes: Change[] = [];
  if (name !== undefined) changes.push(name === null ? remove('name') : set('name', name));
  if (phone !== undefined) {
    const number = phone === null ? undefined : toPhone(phone);
    changes.push(number === undefined ? remove('phone') : set('phone', number));
  }
  if (pacing) changes.push(set('pacing', { ...pacing }));
  return changes;
}

const setOrRemove = (name: string, value: string | undefined): Change =>
  value === undefined ? remove(name) : set(name, value);

/** A delivery is checked against the copy on its webhook, so that it needs one look-up: the copies follow the account. */
async function copyInstance(store: Store, workspace: string, { id, instance }: ManagedAccount): Promise<void> {
  const change = setOrRemove('instance', instance);
  const entries = await wholeDirectory(store, workspace, 'WEBHOOK');
  for (const { tokenHash } of entries) {
    await store.write(update(webhookKey(String(tokenHash)), [change], all(isCurrent, equal('accountId', id))));
  }
}

/** Sends that wait in its queue hold an account: they are cancelled or sent first. */
export async function removeAccount(
  ports: AccountPorts & { readonly log: Log },
  { id, workspace }: ManagedAccount,
): Promise<'deleted' | 'busy' | 'gone'> {
  const outcome = await deleteAccount(ports, id, [del(directoryKey(workspace, 'ACCOUNT', id))], defaultConfig);
  if (outcome !== 'deleted') return outcome;
  try {
    await ports.secrets.delete(accountSecret(id));
  } catch (cause) {
    // The account is gone all the same, and nothing can lead to its secret any more.
    ports.log.error('the secret of a deleted account could not be deleted', cause, { account: id });
  }
  return 'deleted';
}
