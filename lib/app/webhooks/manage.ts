import { sha256 } from '#lib/domain/ids.ts';
import { ATTEMPTS_KEPT_SECONDS } from '../attempts/attempt.ts';
import { directoryKey, listDirectory } from '../directory.ts';
import { getAll } from '../get-all.ts';
import { type ListPage, type PageRequest, pageOf } from '../lists/page.ts';
import type { Clock, Random } from '../ports.ts';
import {
  type Change,
  del,
  equal,
  type Item,
  put,
  remove,
  type Store,
  StoreUnavailable,
  set,
  update,
} from '../store.ts';
import { newTransaction } from '../transaction.ts';
import { isCurrent, type Webhook, webhookKey, webhookOf } from './webhook.ts';

/** `null` takes a value away. */
export interface WebhookPatch {
  readonly enabled?: boolean;
  readonly name?: string | null;
  readonly secret?: string | null;
}

// Each round more means that somebody rotated the webhook between our look and our write.
const PATCH_ROUNDS = 5;

/** The row of a webhook as it is now, and where it stands. */
export interface Found {
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

export async function listWebhooks(store: Store, workspace: string, page: PageRequest): Promise<ListPage<Webhook>> {
  const { items: entries, position } = await listDirectory(store, workspace, 'WEBHOOK', page);
  const keys = entries.map((entry) => webhookKey(String(entry.tokenHash)));
  return pageOf((await getAll(store, keys, { consistent: true })).map(webhookOf), position);
}

/** Undefined where there is no such webhook. A webhook that is rotated meanwhile takes the change on its new row. */
export async function patchWebhook(
  store: Store,
  workspace: string,
  id: string,
  patch: WebhookPatch,
): Promise<Webhook | undefined> {
  const changes = changesOf(patch);
  for (let round = 0; round < PATCH_ROUNDS; round++) {
    const found = await findWebhook(store, workspace, id);
    if (!found || changes.length === 0) return found?.webhook;
    const written = await store.write(update(webhookKey(found.tokenHash), changes, isCurrent), { returns: 'new' });
    if (written.done && written.item) return webhookOf(written.item);
  }
  throw new StoreUnavailable('conflict');
}

function changesOf({ enabled, name, secret }: WebhookPatch): Change[] {
  const changes: Change[] = [];
  if (enabled !== undefined) changes.push(set('enabled', enabled));
  if (name !== undefined) changes.push(name === null ? remove('name') : set('name', name));
  if (secret !== undefined) changes.push(secret === null ? remove('secretHash') : set('secretHash', sha256(secret)));
  return changes;
}

interface ManagePorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

/** False where there is no such webhook. Its URL answers 404 from this moment on; what came in through it stays. */
export async function deleteWebhook(ports: ManagePorts, workspace: string, id: string): Promise<boolean> {
  const { store, clock, random } = ports;
  for (let round = 0; round < PATCH_ROUNDS; round++) {
    const found = await findWebhook(store, workspace, id);
    if (!found) return false;
    const entry = directoryKey(workspace, 'WEBHOOK', id);
    // Its attempts are kept for a while and may name people: whoever erases a person must find them.
    const expiresAt = Math.floor(clock.now() / 1000) + ATTEMPTS_KEPT_SECONDS;
    const writes = [
      del(webhookKey(found.tokenHash)),
      del(entry, equal('tokenHash', found.tokenHash)),
      put({ ...directoryKey(workspace, 'FORMER', id), expiresAt }),
    ];
    const { done } = await store.transact(writes, newTransaction(random));
    if (done) return true;
  }
  throw new StoreUnavailable('conflict');
}
