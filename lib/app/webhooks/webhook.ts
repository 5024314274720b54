import * as v from 'valibot';
import { itemReader } from '#lib/app/read-item.ts';
import { absent, all, any, type Condition, equal, exists, type Item, type Key } from '#lib/app/store.ts';

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

export function webhookKey(tokenHash: string): Key {
  return { pk: `HOOK#${tokenHash}`, sk: 'META' };
}

export function webhookItem(tokenHash: string, webhook: Webhook): Item {
  return { ...webhookKey(tokenHash), ...webhook };
}

export const webhookOf = itemReader(Stored);

/** Holds for the row behind a webhook's present URL: neither replaced by a newer one nor deleted. */
export const isCurrent: Condition = all(exists(), any(absent('rotated'), equal('rotated', false)));
