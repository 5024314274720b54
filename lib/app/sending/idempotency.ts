import type { Item, Store } from '../store.ts';
import type { SendRequest } from './accept.ts';
import { readIdempotency } from './items.ts';
import { idempotencyKey } from './keys.ts';

export type Idempotency = NonNullable<SendRequest['idempotency']>;

export type Earlier =
  | { readonly kind: 'replayed'; readonly messageId: string; readonly account: string }
  /** The key was used with another body. */
  | { readonly kind: 'mismatch' };

/** What the mark of a key, which is still good, says to a request with this hash. */
export function earlierOf(mark: Item, requestHash: string | undefined): Earlier {
  const { requestHash: first, send, account } = readIdempotency(mark);
  return first === requestHash ? { kind: 'replayed', messageId: send, account } : { kind: 'mismatch' };
}

/** What a key was answered before; undefined where it is new, or so old that it counts as new. */
export async function findEarlier(
  store: Store,
  workspace: string,
  { webhook, key, requestHash }: Idempotency,
  now: number,
): Promise<Earlier | undefined> {
  const mark = await store.get(idempotencyKey(workspace, webhook, key), { consistent: true });
  if (!mark || readIdempotency(mark).expiresAt <= now / 1000) return undefined;
  return earlierOf(mark, requestHash);
}
