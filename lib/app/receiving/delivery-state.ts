import { type Item, type Key, type Store, set, setIfAbsent, update } from '#lib/app/store.ts';
import type { DeliveryReport, DeliveryState, Status } from '#lib/domain/event.ts';
import { keyPart } from '#lib/domain/ids.ts';
import { shortly } from '#lib/domain/shortly.ts';
import { toIso } from '#lib/domain/time.ts';

/** Whose message it is: message ids are unique within one account of a provider at best. */
export interface StateScope {
  readonly workspace: string;
  readonly provider: string;
  /** The account as the provider names it; empty where it does not say. */
  readonly scope: string;
}

/** The one item in which everything that is known of a message's delivery comes together, in whatever order it comes. */
export function stateKey({ workspace, provider, scope }: StateScope, messageId: string): Key {
  return { pk: `PID#${workspace}#${provider}#${keyPart(scope)}#${keyPart(messageId)}`, sk: 'META' };
}

/**
 * Notes when a message reached a state; the first time counts, and nothing is ever taken back, so that repeats and any
 * order of arrival come to the same. Answers the item as it is now: with the send that it belongs to, where it is ours.
 */
export async function noteStatus(store: Store, key: Key, status: Status, at: number): Promise<Item | undefined> {
  const changes = [setIfAbsent(`at_${status.state}`, at)];
  if (status.detail !== undefined) changes.push(set(`detail_${status.state}`, shortly(status.detail)));
  const written = await store.write(update(key, changes), {
    returns: 'new',
  });
  return written.item;
}

// Highest first. A failure reported after the message was delivered does not undo the delivery.
const BY_RANK: readonly DeliveryState[] = ['read', 'delivered', 'failed', 'sent', 'pending'];

/** What a state item says to a reader; undefined while no status has come. */
export function deliveryReport(item: Item): DeliveryReport | undefined {
  const state = BY_RANK.find((candidate) => typeof item[`at_${candidate}`] === 'number');
  if (state === undefined) return undefined;
  const at = (name: DeliveryState) => {
    const value = item[`at_${name}`];
    return typeof value === 'number' ? toIso(value) : undefined;
  };
  const [sentAt, deliveredAt, readAt, failedAt] = [at('sent'), at('delivered'), at('read'), at('failed')];
  return {
    state,
    ...(sentAt && { sentAt }),
    ...(deliveredAt && { deliveredAt }),
    ...(readAt && { readAt }),
    ...(failedAt && { failedAt }),
  };
}
