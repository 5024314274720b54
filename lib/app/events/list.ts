import type { Event, EventKind } from '#lib/domain/event.ts';
import { SHARDS } from '#lib/domain/ids.ts';
import { toIso } from '#lib/domain/time.ts';
import { chatKey } from '../chats/chat.ts';
import { getAll } from '../get-all.ts';
import { newestFirst, type Shelf, type Slice } from '../lists/newest-first.ts';
import { type ListPage, type PageRequest, pageOf } from '../lists/page.ts';
import { quarantinePartition } from '../receiving/event-item.ts';
import { type Item, isLive, type Store } from '../store.ts';
import { shownEvents } from './shown.ts';

export interface EventFilter {
  readonly kind?: EventKind;
  readonly provider?: string;
  readonly accountId?: string;
  readonly direction?: 'inbound' | 'outbound';
  readonly type?: string;
  readonly quarantined?: boolean;
  /** The hub's id of a chat. */
  readonly chat?: string;
  /** Strictly after, strictly before; milliseconds. */
  readonly after?: number;
  readonly before?: number;
}

/** A Lambda answers with 6 MB at most; an event may be over 1 MB, and one page must always get out. */
const LARGEST_PAGE = 4 * 1024 * 1024;
const LOADED_AT_ONCE = 20;

/** Events of a workspace, newest first. A page may be shorter than asked for and still have a next one. */
export async function listEvents(
  store: Store,
  workspace: string,
  filter: EventFilter,
  page: PageRequest,
  nowSeconds: number,
): Promise<ListPage<Event>> {
  if (filter.chat !== undefined && !(await hasChat(store, workspace, filter.chat))) return { items: [] };
  const slice = await newestFirst(store, shelfOf(workspace, filter), { limit: page.limit, ...span(filter, page) });
  const once = filter.kind === 'message' || filter.chat !== undefined;
  return load(store, slice, workspace, nowSeconds, once);
}

async function hasChat(store: Store, workspace: string, id: string): Promise<boolean> {
  const chat = await store.get(chatKey(id));
  return chat?.workspace === workspace;
}

export function shelfOf(workspace: string, { chat, quarantined }: EventFilter): Shelf {
  if (chat !== undefined) return { index: 'gsi2', partitions: [`CHAT#${chat}`] };
  const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
  if (quarantined) return { index: 'gsi2', partitions: shards.map((shard) => quarantinePartition(workspace, shard)) };
  return { index: 'gsi1', partitions: shards.map((shard) => `WS#${workspace}#EVT#${shard}`) };
}

export function span(filter: EventFilter, { from: position }: PageRequest) {
  const bounds = [position, filter.before === undefined ? undefined : toIso(filter.before)];
  const before = bounds.filter((bound) => bound !== undefined).sort()[0];
  return {
    ...(filter.after !== undefined && { from: toIso(filter.after + 1) }),
    ...(before !== undefined && { before }),
    ...acceptance(filter),
  };
}

function acceptance({ kind, provider, accountId, direction, type, quarantined }: EventFilter) {
  const wanted = Object.entries({ kind, provider, accountId, direction, type }).filter(([, value]) => value);
  const mustBeUnderstood = quarantined === false;
  if (wanted.length === 0 && !mustBeUnderstood) return {};
  const accepts = (entry: Item) =>
    wanted.every(([name, value]) => entry[name] === value) && !(mustBeUnderstood && entry.quarantined === true);
  return { accepts };
}

async function load(
  store: Store,
  slice: Slice,
  workspace: string,
  nowSeconds: number,
  once: boolean,
): Promise<ListPage<Event>> {
  const items: Event[] = [];
  let size = 0;
  for (let start = 0; start < slice.entries.length; start += LOADED_AT_ONCE) {
    const batch = slice.entries.slice(start, start + LOADED_AT_ONCE);
    const keys = batch.map(({ pk, sk }) => ({ pk, sk }));
    const heads = (await getAll(store, keys)).filter((head) => head.workspace === workspace);
    for (const event of await shownEvents(
      store,
      heads.filter((head) => isLive(head, nowSeconds)),
      nowSeconds,
      once,
    )) {
      size += Buffer.byteLength(JSON.stringify(event));
      const last = items.at(-1);
      if (last && size > LARGEST_PAGE) return pageOf(items, positionOf(slice, last.id));
      items.push(event);
    }
  }
  return pageOf(items, slice.position);
}

function positionOf(slice: Slice, id: string): string | undefined {
  const entry = slice.entries.find(({ pk }) => pk === `EVT#${id}`);
  return entry && String(entry.gsi1sk ?? entry.gsi2sk);
}
