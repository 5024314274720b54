import type { SendRequest } from '../sending/accept.ts';
import { readIdempotency } from '../sending/items.ts';
import { idempotencyKey } from '../sending/keys.ts';
import type { Store } from '../store.ts';
import { accepted, KEY_REUSED, type SendVerdict } from './answers.ts';

export type Idempotency = NonNullable<SendRequest['idempotency']>;

/** What a key was answered before; undefined where it is new, or so old that it counts as new. */
export async function replayOf(
  store: Store,
  workspace: string,
  { webhook, key, requestHash }: Idempotency,
  now: number,
): Promise<SendVerdict | undefined> {
  const item = await store.get(idempotencyKey(workspace, webhook, key), { consistent: true });
  if (!item) return undefined;
  const mark = readIdempotency(item);
  if (mark.expiresAt <= now / 1000) return undefined;
  return mark.requestHash === requestHash ? accepted('replayed', mark.send) : KEY_REUSED;
}
