import * as v from 'valibot';
import { newId, sha256 } from '#lib/domain/ids.ts';
import type { Clock, Random } from '#lib/domain/ports.ts';
import { Instant, known, optional, text } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { readAccount } from '#lib/sender/items.ts';
import { itemReader, readEach } from '#lib/store/items.ts';
import { accountKey, directoryKey, entryId, webhookKey } from '#lib/store/keys.ts';
import { getAll, type ListPage, type PageRequest, pageOf } from '#lib/store/query.ts';
import { AGAIN, retryOnConflict, type StorePorts } from '#lib/store/retry.ts';
import {
  absent,
  all,
  any,
  type Change,
  type Check,
  type Condition,
  check,
  del,
  equal,
  exists,
  type Item,
  newTransaction,
  patching,
  put,
  type Store,
  StoreUnavailable,
  set,
  setOrRemove,
  unchanged,
  update,
} from '#lib/store/store.ts';
import { ATTEMPTS_KEPT_SECONDS, LastCall, lastCallOf } from './attempts.ts';
import { former, listDirectory, retentionOf, wholeDirectory } from './workspaces.ts';

const TOKEN_BYTES = 32;
const SHOWN_CHARACTERS = 6;

/** Part of a URL, and its only credential: handed out once, never stored or logged. */
function newToken(random: Random) {
  const token = Buffer.from(random.bytes(TOKEN_BYTES)).toString('base64url');
  return { token, tokenHash: sha256(token), tokenPrefix: token.slice(0, SHOWN_CHARACTERS) };
}

/** Whether it could be the token of a webhook: 43 characters, of which the last holds four bits only. */
export function looksLikeToken(text: string): boolean {
  return /^[\w-]{42}[048AEIMQUYcgkosw]$/.test(text);
}

/** The path of a webhook's URL. */
function webhookPath({ kind, provider }: Pick<Webhook, 'kind' | 'provider'>, token: string): string {
  return kind === 'send' ? `/send/${token}` : `/hooks/${provider}/${token}`;
}

const Stored = v.object({
  webhookId: v.string(),
  workspace: v.string(),
  kind: v.picklist(['receive', 'send']),
  provider: v.optional(v.string()),
  enabled: v.boolean(),
  /** True once a newer URL has taken this one's place; kept so that its owner sees who still calls it. */
  rotated: v.optional(v.boolean(), false),
  name: v.optional(v.string()),
  accountId: v.optional(v.string()),
  /** Of one for sending: the country (ISO 3166) of numbers without their calling code. */
  defaultCountry: v.optional(v.string()),
  /** The account's id at the provider, copied here so that a delivery needs one look-up. */
  instance: v.optional(v.string()),
  secretHash: v.optional(v.string()),
  tokenPrefix: v.string(),
  createdAt: v.string(),
  /** Days after which what came in through it is deleted; absent: never. */
  retentionDays: v.optional(v.number()),
});

/** A webhook URL of ours, found by the hash of the token in it: the token itself is stored nowhere. */
export type Webhook = v.InferOutput<typeof Stored>;

export function webhookItem(tokenHash: string, webhook: Webhook): Item {
  return { ...webhookKey(tokenHash), ...webhook };
}

export const webhookOf = itemReader(Stored);

/** Holds for the row behind a webhook's present URL: neither replaced by a newer one nor deleted. */
const isCurrent: Condition = all(exists(), any(absent('rotated'), equal('rotated', false)));

/** `remembered`: the table does not answer, and this is what it said last. */
export type Found =
  | { readonly kind: 'found'; readonly webhook: Webhook }
  | { readonly kind: 'none' }
  | { readonly kind: 'remembered'; readonly webhook: Webhook; readonly cause: StoreUnavailable }
  | { readonly kind: 'unreachable'; readonly cause: StoreUnavailable };

const REMEMBERED = 1000;

/**
 * Finds webhooks by the hash of their token, always in the table: a URL that was switched off is off at once. What was
 * found last serves only while the table cannot be read.
 */
export function webhookFinder() {
  const lastKnown = new Map<string, Webhook>();
  return async (store: Store, tokenHash: string): Promise<Found> => {
    try {
      const item = await store.get(webhookKey(tokenHash), { consistent: true });
      lastKnown.delete(tokenHash);
      if (!item) return { kind: 'none' };
      const webhook = webhookOf(item);
      if (lastKnown.size < REMEMBERED) lastKnown.set(tokenHash, webhook);
      return { kind: 'found', webhook };
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      const webhook = lastKnown.get(tokenHash);
      return webhook ? { kind: 'remembered', webhook, cause: error } : { kind: 'unreachable', cause: error };
    }
  };
}

const STEP_MS = 200;

/**
 * Waits for the next full step of time since `since` (milliseconds) before a 404 is answered. A URL that was switched
 * off notes the attempt for its owner, an unknown one has nobody to note it for: whoever guesses tokens must not tell
 * the two apart by the time that an answer takes.
 */
export async function constantTime404(clock: Clock, since: number): Promise<void> {
  const elapsed = Math.max(0, clock.now() - since);
  await clock.sleep(STEP_MS - (elapsed % STEP_MS));
}

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

export function shownWebhook(webhook: Webhook, lastCall?: LastCall): ShownWebhook {
  const { webhookId: id, workspace, kind, enabled, secretHash, tokenPrefix, createdAt } = webhook;
  const { provider, accountId, defaultCountry, name } = webhook;
  return {
    ...{ id, workspace, kind, enabled, hasSecret: secretHash !== undefined, tokenPrefix, createdAt },
    ...known({ provider, accountId, defaultCountry, name, lastCall }),
  };
}

interface NewWebhook {
  readonly kind: 'receive' | 'send';
  readonly provider?: string;
  readonly accountId?: string;
  readonly defaultCountry?: string;
  readonly secret?: string;
  readonly name?: string;
}

interface WithPath {
  readonly webhook: Webhook;
  readonly path: string;
}

/** `no account`: the workspace has no such account, or it is another provider's. */
export async function createWebhook(
  ports: StorePorts,
  workspace: string,
  wanted: NewWebhook,
): Promise<WithPath | 'no account'> {
  const { store, random } = ports;
  return retryOnConflict(`the retention of ${workspace}`, async () => {
    const account = await accountFor(store, workspace, wanted);
    if (account === 'missing') return 'no account';
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
    if (transacted.done) return { webhook, path: webhookPath(webhook, token) };
    // It was deleted, or its credentials were changed, just now.
    return account && transacted.refused[writes.indexOf(account.unchanged)] ? 'no account' : AGAIN;
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
export async function findWebhook(store: Store, workspace: string, id: string) {
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
    webhooks.map((webhook) => shownWebhook(webhook, callOf.get(webhook.webhookId))),
    position,
    damaged,
  );
}

export async function showWebhook(store: Store, workspace: string, id: string, now: number) {
  const [found, lastCall] = await Promise.all([findWebhook(store, workspace, id), lastCallOf(store, id, now)]);
  return found && shownWebhook(found.webhook, lastCall);
}

/** A webhook that is rotated meanwhile takes the change on its new row. */
export async function patchWebhook(
  { store, random }: Pick<StorePorts, 'store' | 'random'>,
  workspace: string,
  id: string,
  patch: WebhookPatch,
): Promise<Webhook | 'missing' | 'no account'> {
  return retryOnConflict(`the webhook ${id}`, async () => {
    const found = await findWebhook(store, workspace, id);
    if (!found) return 'missing';
    const { kind, provider } = found.webhook;
    const accountId = patch.accountId ?? undefined;
    const account = await accountFor(store, workspace, known({ kind, provider, accountId }));
    if (account === 'missing') return 'no account';
    const changes = changesOf(patch, account);
    if (changes.length === 0) return found.webhook;
    const writes = [update(webhookKey(found.tokenHash), changes, isCurrent), ...(account ? [account.unchanged] : [])];
    const { done } = await store.transact(writes, newTransaction(random));
    const after = done ? await findWebhook(store, workspace, id) : undefined;
    return after ? after.webhook : AGAIN;
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
    const writes = [
      del(webhookKey(found.tokenHash)),
      del(directoryKey(workspace, 'WEBHOOK', id), equal('tokenHash', found.tokenHash)),
      former(workspace, id, clock.now(), ATTEMPTS_KEPT_SECONDS),
    ];
    const { done } = await store.transact(writes, newTransaction(random));
    return done || AGAIN;
  });
}

const COPIED = ['enabled', 'name', 'secretHash', 'accountId', 'defaultCountry', 'instance', 'retentionDays'];

/**
 * Gives a webhook a new URL; in the same transaction the old one is worth nothing any more. Its row stays as long as its
 * attempts, so that the owner sees who still calls it. `changed`: somebody else changed it in the same moment, and of two
 * who rotate at once only one may believe in their URL.
 */
export async function rotateWebhook(
  ports: StorePorts,
  workspace: string,
  id: string,
): Promise<WithPath | 'missing' | 'changed'> {
  const { store, clock, random } = ports;
  const found = await findWebhook(store, workspace, id);
  if (!found) return 'missing';
  // What the new row copies must not have changed since it was read: a webhook just switched off stays off.
  const asRead = Object.fromEntries(COPIED.map((name) => [name, found.item[name]]));
  const { token, tokenHash, tokenPrefix } = newToken(random);
  const webhook: Webhook = { ...found.webhook, tokenPrefix };
  const oldEnd = Math.floor(clock.now() / 1000) + ATTEMPTS_KEPT_SECONDS;
  const writes = [
    put(webhookItem(tokenHash, webhook), absent()),
    update(
      webhookKey(found.tokenHash),
      [set('rotated', true), set('expiresAt', oldEnd)],
      all(isCurrent, unchanged(asRead)),
    ),
    update(directoryKey(workspace, 'WEBHOOK', id), [set('tokenHash', tokenHash)], equal('tokenHash', found.tokenHash)),
  ];
  const { done } = await store.transact(writes, newTransaction(random));
  return done ? { webhook, path: webhookPath(webhook, token) } : 'changed';
}

/**
 * Brings a copy on the workspace's webhooks up to date, for as long as its source is as it was read; one that is given a
 * new URL meanwhile gets it on its new row. False where the source has changed.
 */
export async function copyToWebhooks(
  { store, random }: Pick<StorePorts, 'store' | 'random'>,
  workspace: string,
  name: 'instance' | 'retentionDays',
  value: string | number | undefined,
  asRead: Check,
  isMeant: (webhook: Webhook) => boolean = () => true,
): Promise<boolean> {
  for (const id of (await wholeDirectory(store, workspace, 'WEBHOOK')).map(entryId)) {
    const isCopied = await retryOnConflict(`the webhook ${id}`, async () => {
      const found = await findWebhook(store, workspace, id);
      if (!found || !isMeant(found.webhook) || found.webhook[name] === value) return true;
      const copy = update(webhookKey(found.tokenHash), [setOrRemove(name, value)], isCurrent);
      const transacted = await store.transact([asRead, copy], newTransaction(random));
      if (transacted.done) return true;
      return transacted.refused[0] ? false : AGAIN;
    });
    if (!isCopied) return false;
  }
  return true;
}

/** Of the workspace's retention, on every webhook. One that is created meanwhile begins with the right one. */
export async function copyRetention(ports: Pick<StorePorts, 'store' | 'random'>, workspace: string): Promise<void> {
  return retryOnConflict(`the retention of ${workspace}`, async () => {
    const { isDeleted, retentionDays, unchanged } = await retentionOf(ports.store, workspace);
    if (isDeleted) return;
    return (await copyToWebhooks(ports, workspace, 'retentionDays', retentionDays, unchanged)) ? undefined : AGAIN;
  });
}
