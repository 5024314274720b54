import { newestFirst } from '../lists/newest-first.ts';
import { type ListPage, pageOf } from '../lists/page.ts';
import { shelfOf, span } from './list.ts';
import { type ReplayPorts, replayEvent } from './replay.ts';
import type { Replayed } from './replayed.ts';

export interface Selection {
  /** The provider's name of the event; left out: every quarantined event. */
  readonly type?: string;
  /** Where the call before ended. */
  readonly from?: string;
}

/** API Gateway waits 30 s for an answer, and a Lambda answers with 6 MB at most; what is left is for the next call. */
const LONGEST_MS = 15_000;
const LARGEST_ANSWER = 3 * 1024 * 1024;
/** Of one event's issues. Replayed alone, it shows them all. */
const LARGEST_ISSUES = 8 * 1024;
const PAGE = 100;
const AT_ONCE = 8;

interface Budget {
  readonly deadline: number;
  bytes: number;
}

function newBudget({ clock }: ReplayPorts): Budget {
  return { deadline: clock.monotonic() + LONGEST_MS, bytes: LARGEST_ANSWER };
}

function isSpent({ clock }: ReplayPorts, { deadline, bytes }: Budget): boolean {
  return bytes <= 0 || clock.monotonic() >= deadline;
}

/** Replays what is in quarantine, newest first, as far as time and answer reach; the cursor leads to the rest. */
export async function replayQuarantined(
  ports: ReplayPorts,
  workspace: string,
  { type, from }: Selection,
): Promise<ListPage<Replayed>> {
  const filter = { quarantined: true, ...(type !== undefined && { type }) };
  const budget = newBudget(ports);
  const items: Replayed[] = [];
  let position = from;
  do {
    const page = { limit: PAGE, ...(position !== undefined && { from: position }) };
    const slice = await newestFirst(ports.store, shelfOf(workspace, filter), { limit: PAGE, ...span(filter, page) });
    const ids = slice.entries.map(({ pk }) => pk.slice('EVT#'.length));
    const done = await replayWithin(ports, workspace, ids, budget);
    items.push(...done);
    const last = done.length < ids.length ? slice.entries[done.length - 1] : undefined;
    position = last ? String(last.gsi2sk) : slice.position;
  } while (position !== undefined && !isSpent(ports, budget));
  return pageOf(items, position);
}

interface ReplayedFirst {
  readonly items: readonly Replayed[];
  /** How many of the last ones were not reached. */
  readonly left?: number;
}

/** Replays the named events, in their order, as far as time and answer reach. */
export async function replayEvents(
  ports: ReplayPorts,
  workspace: string,
  ids: readonly string[],
): Promise<ReplayedFirst> {
  const items = await replayWithin(ports, workspace, ids, newBudget(ports));
  return items.length < ids.length ? { items, left: ids.length - items.length } : { items };
}

async function replayWithin(
  ports: ReplayPorts,
  workspace: string,
  ids: readonly string[],
  budget: Budget,
): Promise<readonly Replayed[]> {
  const items: Replayed[] = [];
  for (let start = 0; start < ids.length && !isSpent(ports, budget); start += AT_ONCE) {
    const batch = ids.slice(start, start + AT_ONCE);
    const replayed = await Promise.all(batch.map((id) => replayEvent(ports, workspace, id)));
    for (const item of replayed.map(brief)) {
      budget.bytes -= sizeOf(item);
      items.push(item);
    }
  }
  return items;
}

function brief({ issues, ...replayed }: Replayed): Replayed {
  if (!issues) return replayed;
  let size = 0;
  const first = issues.filter((issue) => {
    size += sizeOf(issue);
    return size <= LARGEST_ISSUES;
  });
  return { ...replayed, issues: first };
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
