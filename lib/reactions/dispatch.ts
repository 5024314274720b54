import { typeOf } from '#lib/domain/reaction/notice.ts';
import { known } from '#lib/domain/schema.ts';
import { findEvent } from '#lib/inbox/events.ts';
import { ENDPOINT_PREFIX, RULE_PREFIX, workspacePartition } from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import type { Store } from '#lib/store/store.ts';
import { budgetOf } from './budget.ts';
import { type Endpoint, readEndpoint } from './endpoint.ts';
import { hears, isFirst, type Notice } from './notice.ts';
import { type ReactPorts, react } from './react.ts';
import { type Rule, readRule } from './rule.ts';

export interface Subscribers {
  readonly endpoints: readonly Endpoint[];
  readonly rules: readonly Rule[];
}

/**
 * Who wants to hear of a workspace, read once for a batch of the stream. All of a batch was stored before it is read, so
 * that whoever was there by then is not missed.
 */
export function subscribersOf(store: Store): (workspace: string) => Promise<Subscribers> {
  const known = new Map<string, Promise<Subscribers>>();
  return (workspace) => {
    const found = known.get(workspace) ?? readSubscribers(store, workspace);
    known.set(workspace, found);
    return found;
  };
}

async function readSubscribers(store: Store, workspace: string): Promise<Subscribers> {
  const pk = workspacePartition(workspace);
  const list = (prefix: string) => queryAll(store, { pk, prefix, limit: 1000, consistent: true });
  const [endpoints, rules] = await Promise.all([list(ENDPOINT_PREFIX), list(RULE_PREFIX)]);
  return {
    endpoints: endpoints.map(readEndpoint),
    rules: rules.map(readRule),
  };
}

export interface DispatchPorts extends ReactPorts {
  readonly subscribers: (workspace: string) => Promise<Subscribers>;
}

/** Hands a notice on to whoever wants it. It calls nobody itself, and may run twice: a delivery is done once all the same. */
export async function dispatch(ports: DispatchPorts, notice: Notice): Promise<void> {
  const { store, clock, tasks } = ports;
  const { endpoints, rules } = await ports.subscribers(notice.workspace);
  if (endpoints.length + rules.length === 0) return;
  const event = await findEvent(store, notice.workspace, notice.event, Math.floor(clock.now() / 1000));
  const type = event && typeOf(event);
  if (!event || type === undefined || !(await isFirst(store, notice))) return;
  const now = clock.now();
  const budget = budgetOf(ports);
  // One that is switched off gets nothing; one that fails gets it later.
  const wanted = endpoints.filter(
    (endpoint) => endpoint.state !== 'disabled' && hears(budget, endpoint, type, event, now),
  );
  const { workspace, storedAt, content } = notice;
  await Promise.all(
    wanted.map(({ id }) =>
      tasks.send({ kind: 'delivery', workspace, endpoint: id, event: event.id, storedAt, ...known({ content }) }),
    ),
  );
  await react(ports, rules, { event, type, storedAt, isReplay: notice.isReplay ?? false, budget });
}
