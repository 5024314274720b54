import type { Payload } from '#lib/domain/event.ts';
import { derivedId, sha256 } from '#lib/domain/ids.ts';
import { canonicalJson } from '#lib/domain/json.ts';
import type { Clock } from '#lib/domain/ports.ts';
import { toIso } from '#lib/domain/time.ts';
import { storeEvent } from '#lib/inbox/event-store.ts';
import type { Store } from '#lib/store/store.ts';

type Own = Extract<Payload, { kind: 'send' | 'account' | 'endpoint' | 'rule' }>;

/**
 * Something that the hub itself has to tell: an event like every other, so that one list, one feed and one kind of
 * subscriber serve all. `identity`: what makes it this one; told twice, it is stored once.
 */
export async function tellEvent(
  ports: { readonly store: Store; readonly clock: Clock },
  workspace: string,
  payload: Own,
  identity: readonly string[],
): Promise<void> {
  const now = ports.clock.now();
  const id = derivedId('evt', ['hookline', workspace, payload.kind, ...identity]);
  const at = toIso(now);
  const event = {
    id,
    workspace,
    provider: 'hookline',
    webhookId: 'hookline',
    occurredAt: at,
    receivedAt: at,
    ...payload,
  };
  const json = canonicalJson({ ...payload });
  const record = {
    ...{ event, raw: Buffer.from(json), contentType: 'application/json', contentHash: sha256(json) },
    ...{ placeholder: false, orderedAt: now, receipt: id },
  };
  await storeEvent(ports, record, Math.floor(now / 1000));
}
