import { newestFirst } from '../lists/newest-first.ts';
import { type ListPage, pageOf } from '../lists/page.ts';
import { shelfOf, span } from './list.ts';
import { type Replayed, type ReplayPorts, replayEvent } from './replay.ts';

export interface Selection {
  /** The provider's name of the event; left out: every quarantined event. */
  readonly type?: string;
  /** Where the call before ended. */
  readonly from?: string;
}

/** API Gateway waits 30 s for an answer; what is left over is for the next call. */
const LONGEST_MS = 15_000;
const PAGE = 100;
const AT_ONCE = 8;

/** Replays what is in quarantine, newest first, as far as the time reaches; the cursor leads to the rest. */
export async function replayQuarantined(
  ports: ReplayPorts,
  workspace: string,
  { type, from }: Selection,
): Promise<ListPage<Replayed>> {
  const { store, clock } = ports;
  const filter = { quarantined: true, ...(type !== undefined && { type }) };
  const deadline = clock.monotonic() + LONGEST_MS;
  const items: Replayed[] = [];
  let position = from;
  do {
    const page = { limit: PAGE, ...(position !== undefined && { from: position }) };
    const slice = await newestFirst(store, shelfOf(workspace, filter), { limit: PAGE, ...span(filter, page) });
    const ids = slice.entries.map(({ pk }) => pk.slice('EVT#'.length));
    items.push(...(await replayEvents(ports, workspace, ids)));
    position = slice.position;
  } while (position !== undefined && clock.monotonic() < deadline);
  return pageOf(items, position);
}

/** Replays the named events, in their order. */
export async function replayEvents(
  ports: ReplayPorts,
  workspace: string,
  ids: readonly string[],
): Promise<readonly Replayed[]> {
  const items: Replayed[] = [];
  for (let start = 0; start < ids.length; start += AT_ONCE) {
    const batch = ids.slice(start, start + AT_ONCE);
    items.push(...(await Promise.all(batch.map((id) => replayEvent(ports, workspace, id)))));
  }
  return items;
}
