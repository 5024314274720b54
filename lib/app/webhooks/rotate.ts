import { directoryKey } from '../directory.ts';
import type { Clock, Random } from '../ports.ts';
import { absent, all, equal, type Item, put, type Store, set, unchanged, update } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import { findWebhook } from './manage.ts';
import { newToken, webhookPath } from './token.ts';
import { isCurrent, type Webhook, webhookItem, webhookKey } from './webhook.ts';

interface RotatePorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

export type Rotated =
  | { readonly kind: 'rotated'; readonly webhook: Webhook; readonly path: string }
  | { readonly kind: 'missing' }
  /** Somebody else changed it in the same moment: two who rotate at once must not both believe in their URL. */
  | { readonly kind: 'changed' };

/** The old row stays as long as its attempts, so that the owner sees who still calls the old URL. */
const OLD_ROW_SECONDS = 90 * 24 * 3600;

/** Gives a webhook a new URL; in the same transaction the old one is worth nothing any more. */
export async function rotateWebhook(ports: RotatePorts, workspace: string, id: string): Promise<Rotated> {
  const { store, clock, random } = ports;
  const found = await findWebhook(store, workspace, id);
  if (!found) return { kind: 'missing' };
  const { token, tokenHash, tokenPrefix } = newToken(random);
  const webhook: Webhook = { ...found.webhook, tokenPrefix };
  const oldEnd = Math.floor(clock.now() / 1000) + OLD_ROW_SECONDS;
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

const COPIED = ['enabled', 'name', 'secretHash', 'instance', 'retentionDays'];

/** What the new row copies must not have changed since it was read: a webhook just switched off stays off. */
const copied = (item: Item) => Object.fromEntries(COPIED.map((name) => [name, item[name]]));
