import * as v from 'valibot';
import { newId } from '#lib/domain/ids.ts';
import type { Told } from '#lib/domain/reaction/condition.ts';
import { moreWaits } from '#lib/domain/reaction/delivery.ts';
import { isAmong, typeOf } from '#lib/domain/reaction/notice.ts';
import { NoticePatterns } from '#lib/domain/reaction/rule.ts';
import { Instant, type Issue, known, optional, strictObject, tally } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { shownEvents } from '#lib/inbox/events.ts';
import { feedFill, HORIZON_MS, headsAt, rowsAfter } from '#lib/inbox/feed.ts';
import { itemReader, unlessDamaged } from '#lib/store/items.ts';
import { deliveryKey, dueListOf, dueSortKey, replayKey } from '#lib/store/keys.ts';
import { getAll } from '#lib/store/query.ts';
import type { StorePorts } from '#lib/store/retry.ts';
import { absent, type Item, put, remove, type Store, set, unchanged, update } from '#lib/store/store.ts';
import { isFilled } from '#lib/store/walk.ts';
import { type BreakerPorts, turnHealth } from './breaker.ts';
import {
  type Delivery,
  KEPT_SECONDS,
  type ReplayTask,
  readDelivery,
  rowAsRead,
  rowOf,
  type Tasks,
  waitingItem,
} from './delivery.ts';
import { hears, isFirst, type Notice, noticeOf, toldOf } from './dispatch.ts';
import type { Endpoint } from './endpoint.ts';
import { type Budget, type BudgetPorts, budgetOf } from './untrusted.ts';

/** Rows of deliveries run out after 30 days: what was delivered before that looks as if it were missing. */
const MISSING_KNOWN_MS = 29 * 86_400_000;

const Only = v.picklist(['failed', 'missing', 'all']);

export const NewReplay = strictObject({
  since: v.pipe(Instant, v.description('By when an event was stored')),
  until: optional(Instant, 'Before this time; now if left out, less the seconds in which an event may still be stored'),
  only: v.pipe(
    Only,
    v.description(
      '`missing`: of which nothing is known, as after a loss. `failed`: what was given up. `all`: also what was delivered',
    ),
  ),
  types: optional(NoticePatterns, 'Of the types that the endpoint wants, only these'),
});
export type NewReplay = v.InferOutput<typeof NewReplay>;

export const ShownReplay = v.object({
  id: v.string(),
  endpoint: v.string(),
  only: Only,
  types: v.exactOptional(v.array(v.string())),
  since: Instant,
  until: Instant,
  state: v.pipe(v.picklist(['running', 'finished', 'stopped']), v.description('`stopped`: its endpoint was deleted')),
  at: v.pipe(Instant, v.description('Up to here everything has been looked at')),
  scanned: tally('Events that were looked at'),
  queued: tally('Of these, what the endpoint is told'),
  startedAt: Instant,
  finishedAt: v.exactOptional(Instant),
});
export type ShownReplay = v.InferOutput<typeof ShownReplay>;

const Stored = v.object({
  ...ShownReplay.entries,
  workspace: v.string(),
  /** A sort key of the feed: everything up to it is done. */
  position: v.string(),
  /** When the next step is due; it names the step. */
  at: v.exactOptional(v.number()),
  expiresAt: v.number(),
});
export type Replay = v.InferOutput<typeof Stored>;
const readReplay = itemReader(Stored);

const shownReplay = ({ workspace: _w, expiresAt: _e, at: _at, position, ...replay }: Replay): ShownReplay => {
  const at = replay.state === 'finished' ? replay.until : position.slice(0, replay.since.length);
  return { ...replay, at };
};

interface StartPorts extends StorePorts {
  readonly tasks: Tasks;
}

/** Its first step is taken at once, by the function that delivers. */
export async function startReplay(
  { store, clock, random, tasks }: StartPorts,
  { id: endpoint, workspace }: Endpoint,
  { since, until, only, types }: NewReplay,
): Promise<{ readonly replay: ShownReplay } | { readonly issues: readonly Issue[] }> {
  const now = clock.now();
  const end = Math.min(until === undefined ? now : Date.parse(until), now - HORIZON_MS);
  const begin = Date.parse(since);
  if (begin >= end) {
    const message = `must lie before \`until\`, and at least ${HORIZON_MS / 1000} s before now`;
    return { issues: [{ path: 'since', message }] };
  }
  if (only === 'missing' && begin < now - MISSING_KNOWN_MS) {
    const message = 'is more than 29 days ago: what was delivered then is not known any more; `all` tells it again';
    return { issues: [{ path: 'since', message }] };
  }
  const replay: Replay = {
    ...{ id: newId('rpl', now, random.bytes(10)), workspace, endpoint, only, ...known({ types }) },
    ...{ since: toIso(begin), until: toIso(end), position: toIso(begin) },
    ...({ state: 'running', scanned: 0, queued: 0, at: now, startedAt: toIso(now) } as const),
    expiresAt: Math.floor(now / 1000) + KEPT_SECONDS,
  };
  await store.write(put({ ...replayKey(workspace, replay.id), ...replay, ...stepDue(replay.id, now) }, absent()));
  await tasks.send(stepOf(replay));
  return { replay: shownReplay(replay) };
}

/** The watchdog brings the step that a lost task has not taken. */
const stepDue = (id: string, at: number) => ({ gsi3pk: dueListOf('endpoint', id), gsi3sk: dueSortKey(at, id) });

const stepOf = ({ workspace, endpoint, id, at = 0 }: Replay): ReplayTask => ({
  ...{ kind: 'replay', workspace, endpoint, replay: id, at },
});

/** The task of the step that is due; undefined where none is. */
export function dueStep(item: Item): ReplayTask | undefined {
  const replay = readReplay(item);
  return replay.at === undefined ? undefined : stepOf(replay);
}

export async function findReplay(store: Store, workspace: string, id: string): Promise<ShownReplay | undefined> {
  const item = await store.get(replayKey(workspace, id), { consistent: true });
  return item && shownReplay(readReplay(item));
}

/*
 * A replay walks through the feed, a step at a time. A step only writes the rows of what is to be told, as waiting ones,
 * and has the endpoint drained: how fast, and whether at all while it fails, is decided there, as after every outage.
 */

/** Of each of the feed's partitions. */
const ROWS_OF_A_STEP = 30;
/** The largest are a third of a megabyte, and ten times as much in memory while they are read. */
const LOADED_AT_ONCE = 20;
/** Of the processor, for what the endpoint's condition asks. The function calls the endpoints of others, and has a seventh of one. */
const MOST_OF_A_STEP_MS = 2000;
const NEXT_STEP_MS = 1000;
/** Until the feed has places for what an earlier release stored. */
const UNTIL_FILLED_MS = 15_000;

type ReplayPorts = BreakerPorts & BudgetPorts;

/**
 * One step. How far it has come is written after its rows: a crash in between repeats it, and finds in the rows what it
 * has done. Of two tasks of a step, both may do it; one goes on.
 */
export async function replayOn(ports: ReplayPorts, task: ReplayTask, endpoint: Endpoint | undefined): Promise<void> {
  const { store, clock, tasks } = ports;
  const item = await store.get(replayKey(task.workspace, task.replay), { consistent: true });
  const replay = item && readReplay(item);
  if (!replay || replay.at !== task.at) return;
  const step = endpoint ? await stepped(ports, replay, endpoint) : ({ ...replay, state: 'stopped' } as const);
  const now = clock.now();
  const isOver = step.state !== 'running';
  const at = Math.max(now, task.at) + (step.position === replay.position ? UNTIL_FILLED_MS : NEXT_STEP_MS);
  const due = isOver ? undefined : stepDue(replay.id, at);
  const changes = [
    ...[set('state', step.state), set('position', step.position)],
    ...[set('scanned', step.scanned), set('queued', step.queued)],
    ...(due
      ? [set('at', at), set('gsi3pk', due.gsi3pk), set('gsi3sk', due.gsi3sk)]
      : [remove('at'), remove('gsi3pk'), remove('gsi3sk'), set('finishedAt', toIso(now))]),
  ];
  const asRead = unchanged({ at: replay.at, position: replay.position });
  const { done } = await store.write(update(replayKey(replay.workspace, replay.id), changes, asRead));
  if (done && !isOver) await tasks.send(stepOf({ ...replay, at }), Math.ceil((at - now) / 1000));
}

async function stepped(ports: ReplayPorts, replay: Replay, endpoint: Endpoint): Promise<Replay> {
  const { store } = ports;
  const { workspace, position, until: end } = replay;
  if (!(await isFilled(store, feedFill))) return replay;
  const { rows, frontier } = await rowsAfter(store, workspace, { position, end }, ROWS_OF_A_STEP);
  let scanned = 0;
  let queued = 0;
  const budget = budgetOf(ports, MOST_OF_A_STEP_MS);
  for (let start = 0; start < rows.length; start += LOADED_AT_ONCE) {
    const heads = await headsAt(ports, workspace, rows.slice(start, start + LOADED_AT_ONCE));
    scanned += heads.length;
    queued += await queueWanted(ports, replay, { endpoint, budget }, heads);
  }
  if (queued > 0) await turnHealth(ports, endpoint, moreWaits);
  return {
    ...replay,
    ...(frontier === undefined ? { position: end, state: 'finished' } : { position: frontier }),
    scanned: replay.scanned + scanned,
    queued: replay.queued + queued,
  };
}

/** How many of these the replay has told, or has yet to. */
async function queueWanted(
  ports: ReplayPorts,
  replay: Replay,
  { endpoint, budget }: { readonly endpoint: Endpoint; readonly budget: Budget },
  heads: readonly Item[],
) {
  const { store, clock } = ports;
  const each = await Promise.all(heads.map((head) => toldIn(ports, head, endpoint)));
  const wanted = each.flatMap((told, i) => {
    const type = told && typeOf(told.event);
    const notice = noticeOf({ after: heads[i] });
    if (!told || type === undefined || !notice || (replay.types && !isAmong(type, replay.types))) return [];
    // A condition on the time of day is one on when the event was stored.
    if (!hears(budget, endpoint, type, told, Date.parse(notice.storedAt))) return [];
    return [{ notice, key: deliveryKey(endpoint.id, notice.storedAt, told.event.id) }];
  });
  const found = await getAll(
    store,
    wanted.map(({ key }) => key),
    { consistent: true },
  );
  const rows = new Map(found.map((item) => [item.sk, readDelivery(item)]));
  const queued = await Promise.all(
    wanted.map(async ({ notice, key }) => {
      const before = rows.get(key.sk);
      if (before?.replay === replay.id) return true;
      if (!isMeant(replay, before) || !(await isFirst(store, notice))) return false;
      return putBack(store, replay, notice, before, clock.now());
    }),
  );
  return queued.filter(Boolean).length;
}

/** Undefined for one that is damaged: it can be told to nobody, and must not stop the replay. */
async function toldIn({ store, clock, log }: ReplayPorts, head: Item, { where }: Endpoint): Promise<Told | undefined> {
  try {
    const [event] = await shownEvents(store, [head], Math.floor(clock.now() / 1000));
    return event && (await toldOf(store, where, event));
  } catch (cause) {
    unlessDamaged(cause);
    log.error('a damaged event was left out of a replay', cause, { correlationId: String(head.eventId) });
    return undefined;
  }
}

/** Waiting, with its whole schedule before it. False: another task has called meanwhile, which is as good. */
async function putBack(
  store: Store,
  { id, endpoint }: Replay,
  { workspace, event, storedAt }: Notice,
  before: Delivery | undefined,
  now: number,
): Promise<boolean> {
  const told = { workspace, endpoint, event, storedAt, ...known({ content: before?.content }) };
  const task = { kind: 'delivery', ...told } as const;
  const expiresAt = Math.floor(now / 1000) + KEPT_SECONDS;
  const row = { ...rowOf(task, before, now), tries: 0, expiresAt, replay: id };
  return (await store.write(put(waitingItem(row), before ? rowAsRead(before) : absent()))).done;
}

function isMeant({ only }: Replay, row: Delivery | undefined): boolean {
  switch (only) {
    case 'missing':
      return row === undefined;
    case 'failed':
      return row?.state === 'dead';
    case 'all':
      return row?.state !== 'waiting';
  }
}
