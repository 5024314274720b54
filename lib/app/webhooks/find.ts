import { type Store, StoreUnavailable } from '../store.ts';
import { type Webhook, webhookKey, webhookOf } from './webhook.ts';

/**
 * Finds webhooks by the hash of their token, always in the table: a URL that was switched off is off at once. What was
 * found last serves only while the table cannot be read.
 */
export function webhookFinder() {
  const lastKnown = new Map<string, Webhook>();
  return async (store: Store, tokenHash: string): Promise<Webhook | undefined | 'unreachable'> => {
    try {
      const item = await store.get(webhookKey(tokenHash), { consistent: true });
      lastKnown.delete(tokenHash);
      if (!item) return undefined;
      const webhook = webhookOf(item);
      if (lastKnown.size < 1000) lastKnown.set(tokenHash, webhook);
      return webhook;
    } catch (error) {
      if (error instanceof StoreUnavailable) return lastKnown.get(tokenHash) ?? 'unreachable';
      throw error;
    }
  };
}
