import { newId, sha256 } from '#lib/domain/ids.ts';
import { toIso } from '#lib/domain/time.ts';
import { accountKey, readAccount } from '../accounts/account.ts';
import { directoryKey } from '../directory.ts';
import type { Clock, Random } from '../ports.ts';
import { absent, all, type Check, check, equal, put, type Store } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import { newToken, webhookPath } from './token.ts';
import { type Webhook, webhookItem } from './webhook.ts';

export interface NewWebhook {
  readonly kind: 'receive' | 'send';
  readonly provider?: string;
  readonly accountId?: string;
  readonly secret?: string;
  readonly name?: string;
}

interface Ports {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

export type Created =
  | { readonly kind: 'created'; readonly webhook: Webhook; readonly path: string }
  /** The workspace has no such account, or it is another provider's. */
  | { readonly kind: 'no account' };

export async function createWebhook(ports: Ports, workspace: string, wanted: NewWebhook): Promise<Created> {
  const account = await accountFor(ports.store, workspace, wanted);
  if (account === 'missing') return { kind: 'no account' };
  const { token, tokenHash, tokenPrefix } = newToken(ports.random);
  const now = ports.clock.now();
  const { kind, provider, accountId, name, secret } = wanted;
  const webhook: Webhook = {
    webhookId: newId('wh', now, ports.random.bytes(10)),
    workspace,
    kind,
    ...(provider !== undefined && { provider }),
    enabled: true,
    rotated: false,
    ...(name !== undefined && { name }),
    ...(accountId !== undefined && { accountId }),
    ...(account?.instance !== undefined && { instance: account.instance }),
    ...(secret !== undefined && { secretHash: sha256(secret) }),
    tokenPrefix,
    createdAt: toIso(now),
  };
  const writes = [
    put(webhookItem(tokenHash, webhook), absent()),
    put({ ...directoryKey(workspace, 'WEBHOOK', webhook.webhookId), tokenHash }, absent()),
    ...(account ? [account.unchanged] : []),
  ];
  const { done } = await ports.store.transact(writes, newTransaction(ports.random));
  // Nothing but the account can stand in the way: it was deleted, or its credentials were changed, just now.
  return done ? { kind: 'created', webhook, path: webhookPath(webhook, token) } : { kind: 'no account' };
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
  const account = item && readAccount(item);
  if (account?.workspace !== workspace || account.provider !== provider) return 'missing';
  const { instance } = account;
  const unchanged = check(
    accountKey(accountId),
    all(equal('id', accountId), instance === undefined ? absent('instance') : equal('instance', instance)),
  );
  return { unchanged, ...(instance !== undefined && { instance }) };
}
