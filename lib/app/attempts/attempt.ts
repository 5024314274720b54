import * as v from 'valibot';
import { Instant, optional, Whole } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { itemReader } from '../read-item.ts';
import { compare, type Item, put, type Store, type ValueMap } from '../store.ts';
import type { Webhook } from '../webhooks/webhook.ts';

const Outcome = v.picklist([
  'stored',
  'duplicate',
  'quarantined',
  'accepted',
  'replayed',
  'unauthorized',
  'not_found',
  'too_large',
  'refused',
  'unavailable',
]);

/** One activation of a webhook, as its owner sees it: what came, and what we answered. */
export const Attempt = v.object({
  at: Instant,
  status: v.pipe(Whole, v.description('The HTTP status that was answered')),
  outcome: Outcome,
  durationMs: Whole,
  message: optional(v.string(), 'Why it was refused or put into quarantine'),
  id: optional(v.string(), 'The event or message that it became'),
  request: v.object({
    contentType: optional(v.string()),
    bytes: Whole,
    sourceIp: optional(v.string()),
    userAgent: optional(v.string()),
    body: optional(v.string(), 'Up to 4,000 characters without secrets, unless the event keeps the whole body'),
  }),
});
export type Attempt = v.InferOutput<typeof Attempt>;

const readAttempt = itemReader(v.object({ attempt: v.pipe(v.string(), v.parseJson(), Attempt) }));

export const SHOWN_ATTEMPTS = 100;
export const ATTEMPTS_KEPT_SECONDS = 90 * 24 * 3600;

export function attemptPartition(webhookId: string): string {
  return `ATT#${webhookId}`;
}

/** Keyed by time, so that writing one needs no counter and no other item. `unique` tells two of one millisecond apart. */
function attemptItem({ webhookId, retentionDays }: LoggedWebhook, attempt: Attempt, unique: string): Item {
  return {
    pk: attemptPartition(webhookId),
    sk: `${attempt.at}#${unique}`,
    attempt: JSON.stringify(attempt),
    expiresAt: attemptExpiry(Date.parse(attempt.at), retentionDays),
  };
}

type LoggedWebhook = Pick<Webhook, 'webhookId' | 'retentionDays'>;

/** In seconds; an attempt may hold a body, which must not outlive what the workspace keeps. */
export function attemptExpiry(at: number, retentionDays = Number.POSITIVE_INFINITY): number {
  return Math.floor(at / 1000) + Math.min(ATTEMPTS_KEPT_SECONDS, retentionDays * 86_400);
}

/** The last 100 attempts of a webhook, newest first. The table ends a page at 1 MB, which a hundred bodies may exceed. */
export async function lastAttempts(store: Store, webhookId: string, now: number): Promise<readonly Attempt[]> {
  const items: Item[] = [];
  let start: ValueMap | undefined;
  do {
    const page = await store.query({
      pk: attemptPartition(webhookId),
      from: toIso(now - ATTEMPTS_KEPT_SECONDS * 1000),
      filter: compare('expiresAt', '>', Math.floor(now / 1000)),
      limit: SHOWN_ATTEMPTS - items.length,
      descending: true,
      consistent: true,
      ...(start && { start }),
    });
    items.push(...page.items);
    start = page.next;
  } while (start && items.length < SHOWN_ATTEMPTS);
  return items.map((item) => readAttempt(item).attempt);
}

export async function logAttempt(
  store: Store,
  webhook: LoggedWebhook,
  attempt: Attempt,
  unique: string,
): Promise<void> {
  await store.write(put(attemptItem(webhook, attempt, unique)));
}
