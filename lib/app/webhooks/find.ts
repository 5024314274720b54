import { type Store, StoreUnavailable } from '../store.ts';
import { type Webhook, webhookKey, webhookOf } from './webhook.ts';

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
