import { newId, sha256 } from '#lib/domain/ids.ts';
import { toIso } from '#lib/domain/time.ts';
import { readManagedAccount } from '../accounts/account.ts';
import { directoryKey } from '../directory.ts';
import type { Clock, Random } from '../ports.ts';
import { accountKey } from '../sending/keys.ts';
import { absent, type Check, check, put, type Store, StoreUnavailable, unchanged } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import { retentionOf } from '../workspaces/retention.ts';
import { newToken, webhookPath } from './token.ts';
import { type Webhook, webhookItem } from './webhook.ts';

export interface NewWebhook {
  readonly kind: 'receive' | 'send';
  readonly provider?: string;
  readonly accountId?: string;
  readonly secret?: string;
  readonly name?: string;
}

interface CreatePorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

export type Created =
  | { readonly kind: 'created'; readonly webhook: Webhook; readonly path: string }
  /** The workspace has no such account, or it is another provider's. */
  | { readonly kind: 'no account' };

// Each round more means that the workspace's retention was changed in this very moment.
const ROUNDS = 5;

export async function createWebhook(ports: CreatePorts, workspace: string, wanted: NewWebhook): Promise<Created> {
  const { store, random } = ports;
  for (let round = 0; round < ROUNDS; round++) {
    const account = await accountFor(store, workspace, wanted);
    if (account === 'missing') return { kind: 'no account' };
    const { unchanged: ofRetention, retentionDays } = await retentionOf(store, workspace);
    const { token, ...ofToken } = newToken(random);
    const { tokenHash, ...webhook } = {
      ...newWebhook(ports, workspace, wanted, account),
      ...(retentionDays !== undefined && { retentionDays }),
      ...ofToken,
    };
    const writes = [
      put(webhookItem(tokenHash, webhook), absent()),
      put({ ...directoryKey(workspace, 'WEBHOOK', webhook.webhookId), tokenHash }, absent()),
      ofRetention,
      ...(account ? [account.unchanged] : []),
    ];
    const transacted = await store.transact(writes, newTransaction(random));
    if (transacted.done) return { kind: 'created', webhook, path: webhookPath(webhook, token) };
    // It was deleted, or its credentials were changed, just now.
    if (account && transacted.refused[writes.indexOf(account.unchanged)]) return { kind: 'no account' };
  }
  throw new StoreUnavailable('conflict');
}

function newWebhook(
  { clock, random }: CreatePorts,
  workspace: string,
  { kind, provider, accountId, name, secret }: NewWebhook,
  account: NamedAccount | undefined,
): Omit<Webhook, 'tokenPrefix'> {
  const now = clock.now();
  return {
    webhookId: newId('wh', now, random.bytes(10)),
    workspace,
    kind,
    ...(provider !== undefined && { provider }),
    enabled: true,
    rotated: false,
    ...(name !== undefined && { name }),
    ...(accountId !== undefined && { accountId }),
    ...(account?.instance !== undefined && { instance: account.instance }),
    ...(secret !== undefined && { secretHash: sha256(secret) }),
    createdAt: toIso(now),
  };
}

interface NamedAccount {
  readonly instance?: string;
  /** The webhook holds a copy of the account's instance: both must be of one moment. */
  readonly unchanged: Check;
}

async function accountFor(
  store: Store,
  workspace: string,
  { accountId, provider }: NewWebhook,
): Promise<NamedAccount | undefined | 'missing'> {
  if (accountId === undefined) return undefined;
  const item = await store.get(accountKey(accountId), { consistent: true });
  const account = item && readManagedAccount(item);
  if (account?.workspace !== workspace || account.provider !== provider) return 'missing';
  const { instance } = account;
  return {
    unchanged: check(accountKey(accountId), unchanged({ id: accountId, instance })),
    ...(instance !== undefined && { instance }),
  };
}
