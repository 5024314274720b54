import type { Payload } from '#lib/domain/event.ts';
import { derivedId, sha256 } from '#lib/domain/ids.ts';
import { canonicalJson } from '#lib/domain/json.ts';
import type { Clock } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { type Put, put, type Store } from '#lib/store/store.ts';
import { type EventRecord, eventItems } from './event-item.ts';
import { storeEvent } from './event-store.ts';
import { feedRow } from './feed-row.ts';

/** In the place of the provider's name and of the webhook's id. */
export const HUB = 'hookline';

/**
 * Something that the hub itself has to tell: an event like every other, so that one list, one feed and one kind of
 * subscriber serve all.
 */
export interface OwnEvent {
  readonly workspace: string;
  readonly accountId?: string;
  readonly payload: Extract<Payload, { kind: 'send' | 'account' | 'endpoint' | 'rule' }>;
  /** What makes it this one among those of its kind. */
  readonly identity: readonly string[];
}

export const ownEventId = (workspace: string, kind: OwnEvent['payload']['kind'], identity: readonly string[]): string =>
  derivedId('evt', [HUB, workspace, kind, ...identity]);

function recordOfOwn({ workspace, accountId, payload, identity }: OwnEvent, now: number): EventRecord {
  const id = ownEventId(workspace, payload.kind, identity);
  const at = toIso(now);
  const origin = { id, workspace, provider: HUB, webhookId: HUB, ...known({ accountId }) };
  const json = canonicalJson({ ...payload });
  return {
    event: { ...origin, occurredAt: at, receivedAt: at, ...payload },
    raw: Buffer.from(json),
    contentType: 'application/json',
    contentHash: sha256(json),
    ...{ placeholder: false, orderedAt: now, receipt: id },
  };
}

/** Told twice, it is stored once. */
export async function tellEvent(ports: { readonly store: Store; readonly clock: Clock }, own: OwnEvent): Promise<void> {
  const now = ports.clock.now();
  await storeEvent(ports, recordOfOwn(own, now), Math.floor(now / 1000));
}

/**
 * The same for a transaction that changes what is told, so that there is neither without the other. No condition: it can
 * not be the reason for which the change is refused. `placedAsTold` belongs after it.
 */
export function ownEventWrites(own: OwnEvent, now: number): readonly Put[] {
  const { head, chunks } = eventItems({ ...recordOfOwn(own, now), storedAt: now });
  return [put(head), feedRow(head), ...chunks];
}
