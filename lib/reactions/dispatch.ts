import type { Event } from '#lib/domain/event.ts';
import type { Clock } from '#lib/domain/ports.ts';
import { evaluate } from '#lib/domain/reaction/condition.ts';
import { isAmong, typeOf } from '#lib/domain/reaction/notice.ts';
import { known } from '#lib/domain/schema.ts';
import { REPLAYED } from '#lib/inbox/event-item.ts';
import { findEvent } from '#lib/inbox/events.ts';
import { ENDPOINT_PREFIX, headKey, RULE_PREFIX, workspacePartition } from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import { exists, type Store, setIfAbsent, update } from '#lib/store/store.ts';
import { type Endpoint, readEndpoint } from './endpoint.ts';
import { type ReactPorts, react } from './react.ts';
import { type Rule, readRule } from './rule.ts';

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

export interface Subscribers {
  readonly endpoints: readonly Endpoint[];
  readonly rules: readonly Rule[];
}

const KEPT_MS = 15_000;

/** Who wants to hear of a workspace, asked once in 15 s: an endpoint that was just made hears after that at the latest. */
export function subscribersOf(store: Store, clock: Clock): (workspace: string) => Promise<Subscribers> {
  const known = new Map<string, { readonly until: number; readonly found: Promise<Subscribers> }>();
  return (workspace) => {
    const now = clock.monotonic();
    const kept = known.get(workspace);
    if (kept && kept.until > now) return kept.found;
    const found = readSubscribers(store, workspace);
    known.set(workspace, { until: now + KEPT_MS, found });
    found.catch(() => known.delete(workspace));
    return found;
  };
}

async function readSubscribers(store: Store, workspace: string): Promise<Subscribers> {
  const pk = workspacePartition(workspace);
  const list = (prefix: string) => queryAll(store, { pk, prefix, limit: 100, consistent: true });
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
  const wanted = endpoints.filter((endpoint) => wants(ports, endpoint, type, event));
  const { workspace, storedAt, content } = notice;
  await Promise.all(
    wanted.map(({ id }) =>
      tasks.send({ kind: 'delivery', workspace, endpoint: id, event: event.id, storedAt, ...known({ content }) }),
    ),
  );
  await react(ports, rules, { event, type, storedAt, isReplay: notice.isReplay ?? false });
}

/**
 * A message of ours has an event of its own and an echo: it is told once, by whichever is here first. The claim stays, so
 * that a repetition of either tells the same.
 */
async function isFirst(store: Store, { event, content, stateOfOurs }: Notice): Promise<boolean> {
  if (stateOfOurs === undefined || content !== undefined) return true;
  const key = headKey(stateOfOurs);
  const claimed = await store.write(update(key, [setIfAbsent('told', event)], exists()), { returns: 'new' });
  // Without a state there is nobody to share it with.
  return !claimed.done || claimed.item?.told === event;
}

/** One that is switched off gets nothing; one that fails gets it later. */
function wants({ clock, matches }: DispatchPorts, endpoint: Endpoint, type: string, event: Event): boolean {
  if (endpoint.state === 'disabled' || !isAmong(type, endpoint.types)) return false;
  if (endpoint.where === undefined) return true;
  return evaluate(endpoint.where, { event, now: clock.now(), timeZone: 'UTC' }, matches).holds;
}

/** An item that may be an event, as the stream tells of it: before and after the change. */
interface EventChange {
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
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
  } = after ?? {};
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
