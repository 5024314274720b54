import type { Event } from '#lib/domain/event.ts';
import { saidPhoneOf, type Told } from '#lib/domain/reaction/condition.ts';
import { isAmong, type NoticeType, typeOf } from '#lib/domain/reaction/notice.ts';
import { known } from '#lib/domain/schema.ts';
import { REPLAYED } from '#lib/inbox/event-item.ts';
import { shownEvents } from '#lib/inbox/events.ts';
import { readEach } from '#lib/store/items.ts';
import { accountKey, ENDPOINT_PREFIX, headKey, RULE_PREFIX, workspacePartition } from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import { exists, type Item, isLive, type Store, setIfAbsent, update } from '#lib/store/store.ts';
import type { DeliveryTask } from './delivery.ts';
import { type Endpoint, readEndpoint } from './endpoint.ts';
import { type ReactPorts, react } from './react.ts';
import { type Rule, readRule } from './rule.ts';
import type { Budget } from './untrusted.ts';

/*
 * Not every provider says to which number something came. Where a webhook is tied to an account the hub knows it: it is
 * looked up for those alone who ask, since each event would take one more read.
 */

const ASKS = /\baccount\b/;

/** Whether somewhere in a rule, an action or a condition something of an account is asked for. */
const asksAccount = (written: unknown): boolean => ASKS.test(JSON.stringify(written) ?? '');

/** The number of the event's account, where the provider has not said it. */
export async function accountPhoneOf(store: Store, event: Event): Promise<string | undefined> {
  const { accountId, workspace } = event;
  if (accountId === undefined || saidPhoneOf(event) !== undefined) return undefined;
  const item = await store.get(accountKey(accountId));
  return item?.workspace === workspace && typeof item.phone === 'string' ? item.phone : undefined;
}

/** What something that is written is asked about, or rendered over. */
export async function toldOf(store: Store, written: unknown, event: Event): Promise<Told> {
  const accountPhone = asksAccount(written) ? await accountPhoneOf(store, event) : undefined;
  return { event, ...known({ accountPhone }) };
}

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

interface Subscribers {
  readonly endpoints: readonly Endpoint[];
  readonly rules: readonly Rule[];
  /** Whether any of them asks for something of the event's account. */
  readonly askAccount: boolean;
}

/** What the stream hands over at once. */
export interface Batch {
  /** Whatever a change has to tell goes to whoever wants it. */
  readonly dispatch: (change: EventChange) => Promise<void>;
  /** Before this is done no endpoint is told: a batch that does not get so far has to come again, from its beginning. */
  readonly end: () => Promise<void>;
}

/**
 * Begins a batch. It calls nobody itself, and may come twice: a delivery is done once all the same. Who subscribes is read
 * once: all of a batch was stored before it is read, so that whoever was there by then is not missed.
 */
export function beginBatch(ports: ReactPorts): Batch {
  const subscribers = new Map<string, Promise<Subscribers>>();
  const deliveries: DeliveryTask[] = [];
  return {
    dispatch: async (change) => {
      const notice = noticeOf(change);
      if (!notice || !change.after) return;
      const found = subscribers.get(notice.workspace) ?? readSubscribers(ports, notice.workspace);
      subscribers.set(notice.workspace, found);
      await dispatch(
        ports,
        await found,
        { notice, head: change.after, budget: ports.budget(notice.workspace) },
        deliveries,
      );
    },
    end: () => ports.tasks.sendAll(deliveries.splice(0)),
  };
}

async function readSubscribers({ store, log }: ReactPorts, workspace: string): Promise<Subscribers> {
  const list = async <One>(prefix: string, read: (item: Item) => One): Promise<readonly One[]> => {
    const items = await queryAll(store, { pk: workspacePartition(workspace), prefix, limit: 1000, consistent: true });
    const { items: readable, damaged } = readEach(items, read);
    for (const why of damaged)
      log.error('a damaged rule or endpoint was left out: it hears of nothing', why, { workspace });
    return readable;
  };
  const [endpoints, rules] = await Promise.all([list(ENDPOINT_PREFIX, readEndpoint), list(RULE_PREFIX, readRule)]);
  return { endpoints, rules, askAccount: asksAccount(rules) || asksAccount(endpoints.map(({ where }) => where)) };
}

interface Stored {
  readonly notice: Notice;
  /** The event's item as it was stored. What is told is read again by then; here it is to be matched alone. */
  readonly head: Item;
  readonly budget: Budget;
}

async function dispatch(
  ports: ReactPorts,
  { endpoints, rules, askAccount }: Subscribers,
  { notice, head, budget }: Stored,
  deliveries: DeliveryTask[],
): Promise<void> {
  const { store, clock } = ports;
  if (endpoints.length + rules.length === 0) return;
  const now = clock.now();
  const nowSeconds = Math.floor(now / 1000);
  const [event] = isLive(head, nowSeconds) ? await shownEvents(store, [head], nowSeconds) : [];
  const type = event && typeOf(event);
  if (!event || type === undefined || !(await isFirst(store, notice))) return;
  const { workspace, storedAt, content } = notice;
  const accountPhone = askAccount ? await accountPhoneOf(store, event) : undefined;
  const told = { event, ...known({ accountPhone }) };
  for (const endpoint of endpoints) {
    // One that is switched off gets nothing; one that fails gets it later.
    if (endpoint.state === 'disabled' || !hears(budget, endpoint, type, told, now)) continue;
    deliveries.push({
      ...{ kind: 'delivery', workspace, endpoint: endpoint.id, event: event.id, storedAt },
      ...known({ content }),
    });
  }
  await react(ports, rules, { ...told, type, storedAt, isReplay: notice.isReplay ?? false, budget });
}
