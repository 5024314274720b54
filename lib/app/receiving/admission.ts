import { known } from '#lib/domain/known.ts';
import { matchesHash } from '#lib/domain/secrets.ts';
import type { Webhook } from '../webhooks/webhook.ts';
import type { Delivery, Proof, ReceivingProvider } from './provider.ts';
import type { ReceivingWebhook } from './records.ts';
import { notFound, UNAUTHORIZED, type Verdict } from './verdict.ts';

/** What an authenticity check may know of the webhook. */
export type Expectation = Pick<Webhook, 'secretHash' | 'instance'>;

export type Admission =
  | { readonly kind: 'admitted'; readonly webhook: ReceivingWebhook }
  | { readonly kind: 'refused'; readonly verdict: Verdict };

/** Whether a delivery may come in through the webhook that its URL leads to, be it at once or when the table is back. */
export function admissionOf(webhook: Webhook | undefined, provider: ReceivingProvider, proof: () => Proof): Admission {
  if (!webhook || !accepts(webhook, provider)) return { kind: 'refused', verdict: notFound(webhook) };
  if (provider.proofOf && !isProven(proof(), webhook)) return { kind: 'refused', verdict: UNAUTHORIZED };
  const { webhookId, workspace, accountId, retentionDays } = webhook;
  return { kind: 'admitted', webhook: { webhookId, workspace, ...known({ accountId, retentionDays }) } };
}

function accepts(webhook: Webhook, provider: ReceivingProvider): boolean {
  return webhook.enabled && !webhook.rotated && webhook.kind === 'receive' && webhook.provider === provider.name;
}

/** What a delivery brings along; `parsed`: its body, where that is known already. */
export function proofIn(
  provider: ReceivingProvider,
  delivery: Delivery,
  parsed = () => provider.parse(delivery.body, delivery.headers['content-type'] ?? ''),
): Proof {
  if (!provider.proofOf) return {};
  const body = parsed();
  return provider.proofOf(delivery, body.ok ? body.value : undefined);
}

/**
 * The webhook's secret, where it has one, and an instance that is not somebody else's. Where the body names no instance
 * there is nothing to refuse: it cannot be read, either, and is kept in quarantine.
 */
export function isProven(proof: Proof, expected: Expectation): boolean {
  if (expected.secretHash !== undefined && !matchesHash(proof.secretHash ?? '', expected.secretHash)) return false;
  return expected.instance === undefined || proof.instance === undefined || proof.instance === expected.instance;
}
