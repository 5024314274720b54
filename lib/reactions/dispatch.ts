import { typeOf } from '#lib/domain/reaction/notice.ts';
import { known } from '#lib/domain/schema.ts';
import { shownEvents } from '#lib/inbox/events.ts';
import { ENDPOINT_PREFIX, RULE_PREFIX, workspacePartition } from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import { type Item, isLive, type Store } from '#lib/store/store.ts';
import { accountPhoneOf, asksAccount } from './account-phone.ts';
import type { Budget } from './budget.ts';
import { type Endpoint, readEndpoint } from './endpoint.ts';
import { type EventChange, hears, isFirst, type Notice, noticeOf } from './notice.ts';
import { type ReactPorts, react } from './react.ts';
import { type Rule, readRule } from './rule.ts';
import type { DeliveryTask } from './task.ts';

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
      const found = subscribers.get(notice.workspace) ?? readSubscribers(ports.store, notice.workspace);
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

async function readSubscribers(store: Store, workspace: string): Promise<Subscribers> {
  const pk = workspacePartition(workspace);
  const list = (prefix: string) => queryAll(store, { pk, prefix, limit: 1000, consistent: true });
  const [endpoints, rules] = await Promise.all([list(ENDPOINT_PREFIX), list(RULE_PREFIX)]);
  const read = { endpoints: endpoints.map(readEndpoint), rules: rules.map(readRule) };
  return { ...read, askAccount: asksAccount(read.rules) || asksAccount(read.endpoints.map(({ where }) => where)) };
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
