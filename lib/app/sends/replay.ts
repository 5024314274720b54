import { findEarlier, type Idempotency } from '../sending/idempotency.ts';
import type { Store } from '../store.ts';
import { accepted, KEY_REUSED, type SendVerdict } from './answers.ts';

/** The answer that a key was given before; undefined where it is new, or so old that it counts as new. */
export async function replayOf(
  store: Store,
  workspace: string,
  idempotency: Idempotency,
  now: number,
): Promise<SendVerdict | undefined> {
  const earlier = await findEarlier(store, workspace, idempotency, now);
  if (!earlier) return undefined;
  return earlier.kind === 'replayed' ? accepted('replayed', earlier.messageId) : KEY_REUSED;
}
