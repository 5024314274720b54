import type { Told } from '#lib/domain/reaction/condition.ts';
import { isAmong, type NoticeType } from '#lib/domain/reaction/notice.ts';
import { REPLAYED } from '#lib/inbox/event-item.ts';
import { headKey } from '#lib/store/keys.ts';
import { exists, type Item, type Store, setIfAbsent, update } from '#lib/store/store.ts';
import type { Budget } from './budget.ts';
import type { Endpoint } from './endpoint.ts';

/** Something that was stored just now, as the table's stream tells it. */
export interface Notice {
  readonly workspace: string;
  readonly event: string;
  /** ISO 8601. */
  readonly storedAt: string;
  /** Told again with other content: the first letters of its hash. */
  readonly content?: string;
  readonly isReplay?: boolean;
  /** Of a message of ours, where its state stands: its own event and the provider's echo of it share that. */
  readonly stateOfOurs?: string;
}

/** An item that may be an event, as the stream tells of it: before and after the change. */
export interface EventChange {
  readonly before?: Item | undefined;
  readonly after?: Item | undefined;
}

/**
 * What a change of an event's item has to tell: a new event, or other content in the place of one that only held it. All
 * other changes, as marks of a replay or of where it stands in the feed, tell nothing.
 */
export function noticeOf({ before, after }: EventChange): Notice | undefined {
  const {
    workspace,
    eventId,
    contentHash,
    orderedAt,
    storedAt = orderedAt,
    direction,
    stateKey,
    receipt,
  }: Partial<Item> = after ?? {};
  if (typeof workspace !== 'string' || typeof eventId !== 'string' || typeof storedAt !== 'string') return undefined;
  const isOurs = direction === 'outbound' && typeof stateKey === 'string';
  const isReplay = String(receipt).startsWith(REPLAYED);
  const notice = {
    workspace,
    event: eventId,
    storedAt,
    ...(isReplay && { isReplay }),
    ...(isOurs && { stateOfOurs: stateKey }),
  };
  if (!before) return notice;
  if (before.contentHash === contentHash || typeof contentHash !== 'string') return undefined;
  // Newer data of the same message, as another link: nobody is told.
  if (before.placeholder !== true && !isReplay) return undefined;
  // Stored anew, it stays the event that it was: one delivery to each endpoint, one run of each rule.
  const first = typeof before.storedAt === 'string' ? before.storedAt : storedAt;
  return { ...notice, storedAt: first, content: contentHash.slice(0, 8) };
}

/** By what an operator finds a change that could not be processed: our own ids, and nothing that a provider says. */
export function idsOf({ before, after }: EventChange): Readonly<Record<string, string>> {
  const { pk, workspace, eventId, storedAt }: Partial<Item> = after ?? before ?? {};
  const named = Object.entries({ item: pk, workspace, event: eventId, storedAt });
  return Object.fromEntries(named.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}

/**
 * A message of ours has an event of its own and an echo: it is told once, by whichever is here first. The claim stays, so
 * that a repetition of either tells the same.
 */
export async function isFirst(store: Store, { event, content, stateOfOurs }: Notice): Promise<boolean> {
  if (stateOfOurs === undefined || content !== undefined) return true;
  const key = headKey(stateOfOurs);
  const claimed = await store.write(update(key, [setIfAbsent('told', event)], exists()), { returns: 'new' });
  // Without a state there is nobody to share it with.
  return !claimed.done || claimed.item?.told === event;
}

/**
 * Whether an endpoint has asked for this. Where its condition takes too long to find out it is told: that is more than it
 * has asked for, and the other would lose it something.
 */
export function hears(
  budget: Budget,
  { types, where }: Pick<Endpoint, 'types' | 'where'>,
  type: NoticeType,
  told: Told,
  now: number,
): boolean {
  if (!isAmong(type, types)) return false;
  if (where === undefined) return true;
  const { holds, undecided } = budget.ask(where, { ...told, now, timeZone: 'UTC' });
  return holds || undecided !== undefined;
}
