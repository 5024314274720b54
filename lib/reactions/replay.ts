import * as v from 'valibot';
import { newId } from '#lib/domain/ids.ts';
import { NoticePatterns } from '#lib/domain/reaction/rule.ts';
import { Instant, type Issue, known, optional, strictObject, tally } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { HORIZON_MS } from '#lib/inbox/feed.ts';
import { itemReader } from '#lib/store/items.ts';
import { dueListOf, dueSortKey, replayKey } from '#lib/store/keys.ts';
import type { StorePorts } from '#lib/store/retry.ts';
import { absent, type Item, put, type Store } from '#lib/store/store.ts';
import { KEPT_SECONDS } from './delivery.ts';
import type { Endpoint } from './endpoint.ts';
import type { ReplayTask, Tasks } from './task.ts';

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

const State = v.picklist(['running', 'finished', 'stopped']);
const Stored = v.object({
  id: v.string(),
  workspace: v.string(),
  endpoint: v.string(),
  only: Only,
  types: v.exactOptional(v.array(v.string())),
  since: v.string(),
  until: v.string(),
  state: State,
  /** A sort key of the feed: everything up to it is done. */
  position: v.string(),
  scanned: v.number(),
  queued: v.number(),
  /** When the next step is due; it names the step. */
  at: v.exactOptional(v.number()),
  startedAt: v.string(),
  finishedAt: v.exactOptional(v.string()),
  expiresAt: v.number(),
});
export type Replay = v.InferOutput<typeof Stored>;
export const readReplay = itemReader(Stored);

export const ShownReplay = v.object({
  id: v.string(),
  endpoint: v.string(),
  only: Only,
  types: v.exactOptional(v.array(v.string())),
  since: Instant,
  until: Instant,
  state: v.pipe(State, v.description('`stopped`: its endpoint was deleted')),
  at: v.pipe(Instant, v.description('Up to here everything has been looked at')),
  scanned: tally('Events that were looked at'),
  queued: tally('Of these, what the endpoint is told'),
  startedAt: Instant,
  finishedAt: v.exactOptional(Instant),
});
export type ShownReplay = v.InferOutput<typeof ShownReplay>;

const shownReplay = ({ workspace: _w, expiresAt: _e, at: _at, position, ...replay }: Replay): ShownReplay => {
  const at = replay.state === 'finished' ? replay.until : position.slice(0, replay.since.length);
  return { ...replay, at };
};

interface StartPorts extends StorePorts {
  readonly tasks: Tasks;
}

export type Started =
  | { readonly kind: 'started'; readonly replay: ShownReplay }
  | { readonly kind: 'refused'; readonly issues: readonly Issue[] };

/** Its first step is taken at once, by the function that delivers. */
export async function startReplay(
  { store, clock, random, tasks }: StartPorts,
  { id: endpoint, workspace }: Endpoint,
  { since, until, only, types }: NewReplay,
): Promise<Started> {
  const now = clock.now();
  const end = Math.min(until === undefined ? now : Date.parse(until), now - HORIZON_MS);
  const begin = Date.parse(since);
  if (begin >= end) {
    const message = `must lie before \`until\`, and at least ${HORIZON_MS / 1000} s before now`;
    return { kind: 'refused', issues: [{ path: 'since', message }] };
  }
  if (only === 'missing' && begin < now - MISSING_KNOWN_MS) {
    const message = 'is more than 29 days ago: what was delivered then is not known any more; `all` tells it again';
    return { kind: 'refused', issues: [{ path: 'since', message }] };
  }
  const replay: Replay = {
    ...{ id: newId('rpl', now, random.bytes(10)), workspace, endpoint, only, ...known({ types }) },
    ...{ since: toIso(begin), until: toIso(end), position: toIso(begin) },
    ...({ state: 'running', scanned: 0, queued: 0, at: now, startedAt: toIso(now) } as const),
    expiresAt: Math.floor(now / 1000) + KEPT_SECONDS,
  };
  await store.write(put({ ...replayKey(workspace, replay.id), ...replay, ...stepDue(replay.id, now) }, absent()));
  await tasks.send(stepOf(replay));
  return { kind: 'started', replay: shownReplay(replay) };
}

/** The watchdog brings the step that a lost task has not taken. */
export const stepDue = (id: string, at: number) => ({ gsi3pk: dueListOf('endpoint', id), gsi3sk: dueSortKey(at, id) });

export const stepOf = ({ workspace, endpoint, id, at = 0 }: Replay): ReplayTask => ({
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
