import * as v from 'valibot';
import { Instant, optional, text } from '#lib/domain/schema.ts';
import type { Webhook } from './webhook.ts';

/** A webhook as its owner sees it: neither the token nor the secret, which nobody can show again. */
export const ShownWebhook = v.object({
  id: v.string(),
  workspace: v.string(),
  kind: v.picklist(['receive', 'send']),
  provider: optional(v.string(), 'Who calls it; only of kind `receive`'),
  accountId: optional(v.string()),
  name: optional(v.string()),
  enabled: v.pipe(v.boolean(), v.description('False: its URL answers 404')),
  hasSecret: v.pipe(v.boolean(), v.description("Whether the provider's own secret is checked as well")),
  tokenPrefix: text('How the token in its URL begins'),
  createdAt: Instant,
});
export type ShownWebhook = v.InferOutput<typeof ShownWebhook>;

export function shownWebhook(webhook: Webhook): ShownWebhook {
  const { webhookId, workspace, kind, provider, accountId, name, enabled, secretHash, tokenPrefix, createdAt } =
    webhook;
  return {
    id: webhookId,
    workspace,
    kind,
    ...(provider !== undefined && { provider }),
    ...(accountId !== undefined && { accountId }),
    ...(name !== undefined && { name }),
    enabled,
    hasSecret: secretHash !== undefined,
    tokenPrefix,
    createdAt,
  };
}
