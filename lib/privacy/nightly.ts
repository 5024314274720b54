import * as v from 'valibot';
import type { Log } from '#lib/domain/ports.ts';
import { DAY_MS, HOUR_MS, toIso } from '#lib/domain/time.ts';
import { itemReader } from '#lib/store/items.ts';
import { fillKey, retentionWalkKey } from '#lib/store/keys.ts';
import { retrying, type StorePorts } from '#lib/store/retry.ts';
import { del, put, type Store } from '#lib/store/store.ts';
import { At, type WalkState } from '#lib/store/walk.ts';
import { unappliedSince } from '#lib/tenants/workspaces.ts';
import { applyOn, Progress } from './retention.ts';

interface Ports extends StorePorts {
  readonly log: Log;
}

/** A night begins at this hour, UTC: in most places where little is sent. */
const BEGINS_AT_MS = 2 * HOUR_MS;
/** What one run of a minute may spend on it: beside it, refunds and wakes need the table as well. */
const LONGEST_MS = 10_000;
export const MOST_WRITES = 2_000;
const TIMEOUT_MS = 5_000;
/** Of which each workspace gets so much at least, before its neighbours have their turn. */
const SHORTEST_MS = 1_000;

const Mark = v.object({
  /** When the last night began in which every workspace was done. */
  night: v.string(),
  /** The workspace at which the last run stopped: the next one begins behind it. */
  after: v.string(),
});
const readMark = itemReader(Mark);
const readWalk = itemReader(v.object({ at: At, done: Progress }));
const MARK = fillKey('retention');

/** The night that this moment belongs to: a hub that was off at its beginning begins later. */
export const nightOf = (now: number): string =>
  toIso(Math.floor((now - BEGINS_AT_MS) / DAY_MS) * DAY_MS + BEGINS_AT_MS);

/**
 * Applies the retention of every workspace once a night, a piece in each run of the watchdog. Each workspace keeps how far
 * its walk has come; they take turns, so that a large one delays no other. What fails is tried again in the next run.
 */
export async function applyNightly(ports: Ports, endsAt: number): Promise<readonly unknown[]> {
  const { clock, random, log } = ports;
  const end = Math.min(endsAt, clock.monotonic() + LONGEST_MS);
  const { store, left } = counting(retrying(ports.store, clock, random, end + TIMEOUT_MS), MOST_WRITES);
  const night = nightOf(clock.now());
  const found = await store.get(MARK, { consistent: true });
  const { night: done, after } = found ? readMark(found) : { night: '', after: '' };
  if (done === night) return [];
  const due = await unappliedSince(store, night);
  const failed: unknown[] = [];
  let last = after;
  let unfinished = 0;
  for (const [index, workspace] of fromBehind(due, after).entries()) {
    if (clock.monotonic() >= end || left() <= 0) {
      unfinished += 1;
      break;
    }
    const others = due.length - index;
    const until = Math.min(end, clock.monotonic() + Math.max(SHORTEST_MS, (end - clock.monotonic()) / others));
    const keep = left() - Math.ceil(left() / others);
    const isTimeUp = () => clock.monotonic() >= until || left() <= keep;
    last = workspace;
    try {
      if (!(await goOn({ store, clock, random, log }, workspace, isTimeUp))) unfinished += 1;
    } catch (cause) {
      failed.push(cause);
    }
  }
  const isDone = unfinished === 0 && failed.length === 0;
  await store.write(put({ ...MARK, night: isDone ? night : done, after: isDone ? '' : last }));
  return failed;
}

/** All of them, those behind `after` first. */
const fromBehind = (workspaces: readonly string[], after: string): readonly string[] => [
  ...workspaces.filter((workspace) => workspace > after),
  ...workspaces.filter((workspace) => workspace <= after),
];

/** True at the end of the walk. */
async function goOn(ports: Ports, workspace: string, isTimeUp: () => boolean): Promise<boolean> {
  const { store, log } = ports;
  const key = retentionWalkKey(workspace);
  const kept = await store.get(key, { consistent: true });
  const from: WalkState<Progress> | undefined = kept && readWalk(kept);
  const { applied, next } = await applyOn(ports, workspace, from, { isTimeUp, whole: false });
  if (next) {
    await store.write(put({ ...key, at: { ...next.at }, done: { ...next.done } }));
    return false;
  }
  if (kept) await store.write(del(key));
  log.info('the retention of a workspace was applied', { workspace, ...applied });
  return true;
}

/** How many writes of so many are left. */
function counting(store: Store, most: number): { readonly store: Store; readonly left: () => number } {
  let left = most;
  const counted: Store = {
    ...store,
    write: (write, options) => {
      left -= 1;
      return store.write(write, options);
    },
    transact: (writes, token) => {
      left -= writes.length;
      return store.transact(writes, token);
    },
    writeMany: (writes) => {
      left -= writes.length;
      return store.writeMany(writes);
    },
  };
  return { store: counted, left: () => left };
}
