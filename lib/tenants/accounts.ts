import { takeOver } from '#lib/credits/credits.ts';
import { newId } from '#lib/domain/ids.ts';
import { toPhone } from '#lib/domain/person.ts';
import { accountSecret, type Log, type Secrets } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import { DEFAULT_PACING, type Pacing } from '#lib/domain/send/outcome.ts';
import { toIso } from '#lib/domain/time.ts';
import { endProbing, probeDue, probeNow } from '#lib/sender/account.ts';
import { defaultConfig, type SendingConfig } from '#lib/sender/config.ts';
import { type Account, readAccount } from '#lib/sender/items.ts';
import { readEach } from '#lib/store/items.ts';
import { accountKey, directoryKey, dueListOf, entryId, probeKey } from '#lib/store/keys.ts';
import { getAll, type PageRequest, pageOf } from '#lib/store/query.ts';
import { AGAIN, retryOnConflict, type StorePorts, withRetries } from '#lib/store/retry.ts';
import {
  absent,
  all,
  type Change,
  check,
  del,
  equal,
  exists,
  newTransaction,
  patching,
  put,
  type Store,
  set,
  setOrRemove,
  unchanged,
  update,
} from '#lib/store/store.ts';
import {
  type AccountProvider,
  type Channel,
  claiming,
  claimOf,
  holderOf,
  lineIn,
  releasing,
  scopeOf,
} from './account.ts';
import { copyToWebhooks } from './webhooks.ts';
import { isOpen, listDirectory } from './workspaces.ts';

interface AccountPorts extends StorePorts {
  readonly secrets: Secrets;
}

interface NewAccount {
  readonly channel: Channel;
  readonly name?: string;
  readonly phone?: string;
  readonly pacing?: Pacing;
  /** As the provider's schema put them out. */
  readonly credentials: unknown;
}

type Connected =
  | { readonly kind: 'created'; readonly account: Account }
  /** Another account of the workspace sends on this line. */
  | { readonly kind: 'taken'; readonly by: string }
  /** It was deleted just now. */
  | { readonly kind: 'no workspace' };

/** The secret comes first: a crash in between leaves a secret without an account, never an account without its secret. */
export async function createAccount(
  { store, secrets, clock, random }: AccountPorts,
  workspace: string,
  provider: AccountProvider,
  { channel, name, phone, pacing, credentials }: NewAccount,
): Promise<Connected> {
  const now = clock.now();
  const id = newId('acc', now, random.bytes(10));
  const told = {
    phone: toPhone(phone),
    instance: provider.instanceOf?.(credentials),
    ...NO_DEVICE,
    ...provider.deviceOf?.(credentials),
  };
  const line = lineIn(provider, credentials);
  const claim = claimOf(provider, { ...told, line });
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
    isOpen(workspace),
    ...claiming(workspace, claim, id),
  ];
  if ((await store.transact(writes, newTransaction(random))).done)
    return { kind: 'created', account: readAccount(item) };
  await secrets.delete(accountSecret(id));
  const by = await holderOf(store, workspace, claim, id);
  return by === undefined ? { kind: 'no workspace' } : { kind: 'taken', by };
}

const NO_DEVICE = { device: undefined, sim: undefined } as const;

/** `null` takes a value away. */
interface AccountPatch {
  readonly name?: string | null;
  readonly phone?: string | null;
  readonly pacing?: Pacing;
  /** As the provider's schema put them out. */
  readonly credentials?: unknown;
}

export async function findAccount(store: Store, workspace: string, id: string): Promise<Account | undefined> {
  const item = await store.get(accountKey(id), { consistent: true });
  return item?.workspace === workspace ? readAccount(item) : undefined;
}

/** Why nobody may be told to send from an account, as a message to stand after a field; undefined where somebody may. */
export async function whyNoSender(
  store: Store,
  providers: readonly { readonly account: AccountProvider }[],
  account: Pick<Account, 'workspace' | 'id'>,
): Promise<string | undefined> {
  const found = await findAccount(store, account.workspace, account.id);
  if (!found) return 'is no account in this workspace';
  const canSend = providers.some(({ account: one }) => one.name === found.provider && one.canSend);
  return canSend ? undefined : `is an account that cannot send: ${found.provider} offers no way to`;
}

/** With when the provider of each is asked again, where it is held. */
export async function listAccounts(store: Store, workspace: string, page: PageRequest) {
  const { entries, position } = await listDirectory(store, workspace, 'ACCOUNT', page);
  const ids = entries.map(entryId);
  const [items, probes] = await Promise.all([
    getAll(store, ids.map(accountKey), { consistent: true }),
    getAll(store, ids.map(probeKey)),
  ]);
  const dueAt = new Map(readEach(probes, probeDue).items);
  const { items: accounts, damaged } = readEach(items, readAccount);
  return pageOf(
    'accounts',
    accounts.map((account) => ({ account, probeAt: account.held ? dueAt.get(account.id) : undefined })),
    position,
    damaged,
  );
}

type Patched =
  | { readonly kind: 'patched'; readonly account: Account }
  | { readonly kind: 'gone' }
  /** Another account of the workspace sends on the line that this one would get. */
  | { readonly kind: 'taken'; readonly by: string };

export async function patchAccount(
  ports: AccountPorts,
  account: Account,
  provider: AccountProvider,
  patch: AccountPatch,
): Promise<Patched> {
  const { store, secrets, clock, random } = ports;
  const { id, workspace } = account;
  const { credentials } = patch;
  const moves = credentials !== undefined || (patch.phone !== undefined && provider.isNamedByPhone);
  if (!moves && changesOf(patch).length === 0) return { kind: 'patched', account };
  let current = account;
  let version: number | undefined;
  return retryOnConflict(`the account ${id}`, async () => {
    const named = namedAfter(current, provider, patch);
    const { claim } = named;
    const isNew = moves && claim !== undefined && claim !== current.claim;
    const by = isNew ? await holderOf(store, workspace, claim, id) : undefined;
    if (by !== undefined) return { kind: 'taken', by };
    // The secret comes first: until its version stands on the account, everybody goes on with the one before.
    if (credentials !== undefined) version ??= await secrets.put(accountSecret(id), JSON.stringify(credentials));
    const { phone, credentialsVersion, held } = current;
    const writes = [
      update(
        accountKey(id),
        [
          ...changesOf(patch),
          ...(moves ? movesOf(current, named) : []),
          ...(version === undefined ? [] : renewing(version)),
        ],
        all(exists(), unchanged({ phone, credentialsVersion, held, claim: current.claim })),
      ),
      ...(isNew ? claiming(workspace, claim, id) : []),
      ...(moves && claim !== current.claim ? releasing(workspace, current.claim, id) : []),
      ...(held && version !== undefined ? [await probeNow(store, id, clock.now())] : []),
    ];
    const { done } = await store.transact(writes, newTransaction(random));
    const item = await store.get(accountKey(id), { consistent: true });
    if (!item) return { kind: 'gone' };
    current = readAccount(item);
    if (!done) return AGAIN;
    if (credentials !== undefined) await copyInstance(ports, current);
    return { kind: 'patched', account: current };
  });
}

/** By what the account will be known once the patch is done. */
function namedAfter(current: Account, provider: AccountProvider, { phone: given, credentials }: AccountPatch) {
  const phone = given === undefined ? current.phone : toPhone(given ?? undefined);
  const instance = credentials === undefined ? current.instance : provider.instanceOf?.(credentials);
  const line = credentials === undefined ? current.line : lineIn(provider, credentials);
  const { device, sim } = credentials === undefined ? current : { ...NO_DEVICE, ...provider.deviceOf?.(credentials) };
  const scope = scopeOf(provider, { id: current.id, instance, phone });
  return { instance, device, sim, line, scope, phone, claim: claimOf(provider, { line, phone }) };
}

const movesOf = (current: Account, { phone: _, ...named }: ReturnType<typeof namedAfter>): Change[] => [
  ...Object.entries(named).map(([name, value]) => setOrRemove(name, value)),
  ...(named.scope === current.scope ? [] : [set('formerScopes', formerScopes(current))]),
];

/** An account that changes its name more often than that is forgotten under the first ones. */
const MOST_FORMER = 10;

const formerScopes = ({ formerScopes: before = [], scope }: Account): string[] =>
  [...before.filter((one) => one !== scope), scope].slice(-MOST_FORMER);

/** What the provider said of the old credentials counts no longer. */
const renewing = (version: number): Change[] => [set('credentialsVersion', version), set('failuresRunning', 0)];

function changesOf({ name, phone, pacing }: AccountPatch): Change[] {
  const known = phone === undefined ? undefined : (toPhone(phone ?? undefined) ?? null);
  return patching({ name, phone: known, pacing: pacing && { ...pacing } });
}

/**
 * A delivery is checked against the copy on its webhook, so that it needs one look-up: the copies follow the account, for
 * as long as it is as it was read. Whoever changes it next does so after the change.
 */
async function copyInstance(ports: AccountPorts, { id, workspace, instance, credentialsVersion }: Account) {
  const asRead = check(accountKey(id), unchanged({ id, instance, credentialsVersion }));
  await copyToWebhooks(ports, workspace, 'instance', instance, asRead, ({ accountId }) => accountId === id);
}

/** Sends that wait in its queue hold an account: they are cancelled or sent first. */
export async function removeAccount(
  ports: AccountPorts & { readonly log: Log },
  id: string,
): Promise<'deleted' | 'busy' | 'gone'> {
  const outcome = await deleteAccount(ports, id, defaultConfig);
  if (outcome === 'deleted') await deleteSecret(ports, id);
  return outcome;
}

async function deleteSecret({ secrets, log }: AccountPorts & { readonly log: Log }, id: string): Promise<void> {
  try {
    await secrets.delete(accountSecret(id));
  } catch (cause) {
    // The account is gone all the same, and nothing can lead to its secret any more.
    log.error('the secret of a deleted account could not be deleted', cause, { account: id });
  }
}

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
  config: SendingConfig,
): Promise<'deleted' | 'busy' | 'gone'> {
  const { store, random } = withRetries(given, config);
  return retryOnConflict(`the account ${account}`, async () => {
    const item = await store.get(accountKey(account), { consistent: true });
    if (!item) return 'gone';
    const { workspace, pending, claim } = readAccount(item);
    if (pending > 0) return 'busy';
    const { countings } = item;
    // What an outcome counts from now on would be lost with the item, and what a change claims be nobody's for ever.
    const asRead = unchanged({ claim, countings });
    const transacted = await store.transact(
      [
        del(accountKey(account), all(exists(), equal('pending', 0), asRead)),
        del(directoryKey(workspace, 'ACCOUNT', account)),
        endProbing(account),
        ...takeOver(workspace, item),
        ...releasing(workspace, claim, account),
      ],
      newTransaction(random),
    );
    if (transacted.done) return 'deleted';
    return AGAIN;
  });
}
