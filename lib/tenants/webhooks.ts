import * as v from 'valibot';
import { newId, sha256 } from '#lib/domain/ids.ts';
import { Instant, known, optional, text } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { readAccount } from '#lib/sender/items.ts';
import { readEach } from '#lib/store/items.ts';
import { accountKey, directoryKey, entryId, webhookKey } from '#lib/store/keys.ts';
import { getAll, type ListPage, type PageRequest, pageOf } from '#lib/store/query.ts';
import { AGAIN, retryOnConflict, type StorePorts } from '#lib/store/retry.ts';
import {
  absent,
  all,
  type Change,
  type Check,
  check,
  del,
  equal,
  type Item,
  newTransaction,
  patching,
  put,
  type Store,
  set,
  unchanged,
  update,
} from '#lib/store/store.ts';
import { ATTEMPTS_KEPT_SECONDS, LastCall, lastCallOf } from './attempts.ts';
import { former, listDirectory } from './directory.ts';
import { isCurrent, newToken, type Webhook, webhookItem, webhookOf, webhookPath } from './webhook.ts';
import { retentionOf } from './workspaces.ts';

/** A webhook as its owner sees it: neither the token nor the secret, which nobody can show again. */
export const ShownWebhook = v.object({
  id: v.string(),
  workspace: v.string(),
  kind: v.picklist(['receive', 'send']),
  provider: optional(v.string(), 'Who calls it; only of kind `receive`'),
  accountId: optional(v.string(), 'Whose events come in through it, or who sends what names no account'),
  defaultCountry: optional(v.string(), 'Of numbers without + that are posted to it; only of kind `send`'),
  name: optional(v.string()),
  enabled: v.pipe(v.boolean(), v.description('False: its URL answers 404')),
  hasSecret: v.pipe(v.boolean(), v.description("Whether the provider's own secret is checked as well")),
  tokenPrefix: text('How the token in its URL begins'),
  createdAt: Instant,
  lastCall: v.exactOptional(LastCall),
});
export type ShownWebhook = v.InferOutput<typeof ShownWebhook>;

export function shownWebhook(webhook: Webhook): ShownWebhook {
  const { webhookId: id, workspace, kind, enabled, secretHash, tokenPrefix, createdAt } = webhook;
  const { provider, accountId, defaultCountry, name } = webhook;
  return {
    ...{ id, workspace, kind, enabled, hasSecret: secretHash !== undefined, tokenPrefix, createdAt },
    ...known({ provider, accountId, defaultCountry, name }),
  };
}

/** The same with its last call, which is found by its id alone: nobody waits for one of the two to read the other. */
const called = (webhook: Webhook, lastCall: LastCall | undefined): ShownWebhook => ({
  ...shownWebhook(webhook),
  ...known({ lastCall }),
});

interface NewWebhook {
  readonly kind: 'receive' | 'send';
  readonly provider?: string;
  readonly accountId?: string;
  readonly defaultCountry?: string;
  readonly secret?: string;
  readonly name?: string;
}

type Created =
  | { readonly kind: 'created'; readonly webhook: Webhook; readonly path: string }
  /** The workspace has no such account, or it is another provider's. */
  | { readonly kind: 'no account' };

export async function createWebhook(ports: StorePorts, workspace: string, wanted: NewWebhook): Promise<Created> {
  const { store, random } = ports;
  return retryOnConflict(`the retention of ${workspace}`, async () => {
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
    return AGAIN;
  });
}

function newWebhook(
  { clock, random }: StorePorts,
  workspace: string,
  { kind, provider, accountId, defaultCountry, name, secret }: NewWebhook,
  account: NamedAccount | undefined,
): Omit<Webhook, 'tokenPrefix'> {
  const now = clock.now();
  const secretHash = secret === undefined ? undefined : sha256(secret);
  return {
    webhookId: newId('wh', now, random.bytes(10)),
    ...{ workspace, kind, enabled: true, rotated: false, createdAt: toIso(now) },
    ...known({ provider, name, accountId, defaultCountry, instance: account?.instance, secretHash }),
  };
}

interface NamedAccount {
  /** Of a webhook for receiving, which checks deliveries by it. */
  readonly instance?: string;
  /** The webhook holds a copy of the account's instance: both must be of one moment. */
  readonly unchanged: Check;
}

async function accountFor(
  store: Store,
  workspace: string,
  { kind, accountId, provider }: Pick<NewWebhook, 'kind' | 'provider' | 'accountId'>,
): Promise<NamedAccount | undefined | 'missing'> {
  if (accountId === undefined) return undefined;
  const item = await store.get(accountKey(accountId), { consistent: true });
  const account = item && readAccount(item);
  // A message may go out through any provider; its events come in through the webhook of its own.
  const isOfProvider = kind === 'send' || account?.provider === provider;
  if (account?.workspace !== workspace || !isOfProvider) return 'missing';
  const { instance } = account;
  return {
    unchanged: check(accountKey(accountId), unchanged({ id: accountId, instance })),
    ...(instance !== undefined && { instance }),
  };
}

/** `null` takes a value away. */
interface WebhookPatch {
  readonly enabled?: boolean;
  readonly name?: string | null;
  readonly secret?: string | null;
  readonly accountId?: string | null;
  readonly defaultCountry?: string | null;
}

/** The row of a webhook as it is now, and where it stands. */
interface Found {
  readonly webhook: Webhook;
  readonly item: Item;
  readonly tokenHash: string;
}

export async function findWebhook(store: Store, workspace: string, id: string): Promise<Found | undefined> {
  const entry = await store.get(directoryKey(workspace, 'WEBHOOK', id), { consistent: true });
  if (typeof entry?.tokenHash !== 'string') return undefined;
  const item = await store.get(webhookKey(entry.tokenHash), { consistent: true });
  return item && { item, webhook: webhookOf(item), tokenHash: entry.tokenHash };
}

export async function listWebhooks(
  store: Store,
  workspace: string,
  page: PageRequest,
  now: number,
): Promise<ListPage<ShownWebhook>> {
  const { entries, position } = await listDirectory(store, workspace, 'WEBHOOK', page);
  const keys = entries.map((entry) => webhookKey(String(entry.tokenHash)));
  const [items, calls] = await Promise.all([
    getAll(store, keys, { consistent: true }),
    Promise.all(entries.map(async (entry) => [entryId(entry), await lastCallOf(store, entryId(entry), now)] as const)),
  ]);
  const callOf = new Map(calls);
  const { items: webhooks, damaged } = readEach(items, webhookOf);
  return pageOf(
    'webhooks',
    webhooks.map((webhook) => called(webhook, callOf.get(webhook.webhookId))),
    position,
    damaged,
  );
}

export async function showWebhook(store: Store, workspace: string, id: string, now: number) {
  const [found, lastCall] = await Promise.all([findWebhook(store, workspace, id), lastCallOf(store, id, now)]);
  return found && called(found.webhook, lastCall);
}

type Patched =
  | { readonly kind: 'patched'; readonly webhook: Webhook }
  | { readonly kind: 'missing' }
  /** The workspace has no such account, or it is another provider's. */
  | { readonly kind: 'no account' };

/** A webhook that is rotated meanwhile takes the change on its new row. */
export async function patchWebhook(
  { store, random }: Pick<StorePorts, 'store' | 'random'>,
  workspace: string,
  id: string,
  patch: WebhookPatch,
): Promise<Patched> {
  return retryOnConflict(`the webhook ${id}`, async () => {
    const found = await findWebhook(store, workspace, id);
    if (!found) return { kind: 'missing' };
    const { kind, provider } = found.webhook;
    const { accountId } = patch;
    const account = await accountFor(store, workspace, known({ kind, provider, accountId: accountId ?? undefined }));
    if (account === 'missing') return { kind: 'no account' };
    const changes = changesOf(patch, account);
    if (changes.length === 0) return { kind: 'patched', webhook: found.webhook };
    const writes = [update(webhookKey(found.tokenHash), changes, isCurrent), ...(account ? [account.unchanged] : [])];
    const { done } = await store.transact(writes, newTransaction(random));
    const after = done ? await findWebhook(store, workspace, id) : undefined;
    if (after) return { kind: 'patched', webhook: after.webhook };
    return AGAIN;
  });
}

function changesOf(
  { enabled, name, secret, accountId, defaultCountry }: WebhookPatch,
  account: NamedAccount | undefined,
): Change[] {
  const secretHash = typeof secret === 'string' ? sha256(secret) : secret;
  const instance = accountId === undefined ? undefined : (account?.instance ?? null);
  return patching({ accountId, instance, defaultCountry, enabled, name, secretHash });
}

/** False where there is no such webhook. Its URL answers 404 from this moment on; what came in through it stays. */
export async function deleteWebhook(ports: StorePorts, workspace: string, id: string): Promise<boolean> {
  const { store, clock, random } = ports;
  return retryOnConflict(`the webhook ${id}`, async () => {
    const found = await findWebhook(store, workspace, id);
    if (!found) return false;
    const entry = directoryKey(workspace, 'WEBHOOK', id);
    const writes = [
      del(webhookKey(found.tokenHash)),
      del(entry, equal('tokenHash', found.tokenHash)),
      former(workspace, id, clock.now(), ATTEMPTS_KEPT_SECONDS),
    ];
    const { done } = await store.transact(writes, newTransaction(random));
    if (done) return true;
    return AGAIN;
  });
}

type Rotated =
  | { readonly kind: 'rotated'; readonly webhook: Webhook; readonly path: string }
  | { readonly kind: 'missing' }
  /** Somebody else changed it in the same moment: two who rotate at once must not both believe in their URL. */
  | { readonly kind: 'changed' };

/**
 * Gives a webhook a new URL; in the same transaction the old one is worth nothing any more. Its row stays as long as its
 * attempts, so that the owner sees who still calls it.
 */
export async function rotateWebhook(ports: StorePorts, workspace: string, id: string): Promise<Rotated> {
  const { store, clock, random } = ports;
  const found = await findWebhook(store, workspace, id);
  if (!found) return { kind: 'missing' };
  const { token, tokenHash, tokenPrefix } = newToken(random);
  const webhook: Webhook = { ...found.webhook, tokenPrefix };
  const oldEnd = Math.floor(clock.now() / 1000) + ATTEMPTS_KEPT_SECONDS;
  const writes = [
    put(webhookItem(tokenHash, webhook), absent()),
    update(
      webhookKey(found.tokenHash),
      [set('rotated', true), set('expiresAt', oldEnd)],
      all(isCurrent, unchanged(copied(found.item))),
    ),
    update(directoryKey(workspace, 'WEBHOOK', id), [set('tokenHash', tokenHash)], equal('tokenHash', found.tokenHash)),
  ];
  const { done } = await store.transact(writes, newTransaction(random));
  return done ? { kind: 'rotated', webhook, path: webhookPath(webhook, token) } : { kind: 'changed' };
}

const COPIED = ['enabled', 'name', 'secretHash', 'accountId', 'defaultCountry', 'instance', 'retentionDays'];

/** What the new row copies must not have changed since it was read: a webhook just switched off stays off. */
const copied = (item: Item) => Object.fromEntries(COPIED.map((name) => [name, item[name]]));
