import { SHARDS } from '#lib/domain/ids.ts';
import { type SendState, sendState } from '#lib/domain/sending/part.ts';
import { newestFirst } from '../lists/newest-first.ts';
import { type ListPage, type PageRequest, pageOf } from '../lists/page.ts';
import { findSend } from '../sending/cancel.ts';
import { readSend, type Send } from '../sending/items.ts';
import { sendListKey } from '../sending/keys.ts';
import { placesOf } from '../sending/places.ts';
import type { Item, Store } from '../store.ts';
import { type ShownSend, shownSend } from './shown.ts';

export interface SendFilter {
  readonly state?: SendState;
  readonly accountId?: string;
}

/** A state that hardly any send is in must not walk through all of them in one call; the caller gets a cursor. */
const ROUNDS = 10;
const READ_AT_ONCE = 100;

/** The sends of a workspace, newest first. A page may be shorter than asked for and still have a next one. */
export async function listSends(
  store: Store,
  workspace: string,
  filter: SendFilter,
  { limit, from }: PageRequest,
  now: number,
): Promise<ListPage<ShownSend>> {
  const found: Send[] = [];
  let position = from;
  for (let round = 0; round < ROUNDS; round++) {
    // Never more than is missing: the cursor has to stand right behind the last one shown.
    const slice = await entriesOf(store, workspace, filter, {
      limit: limit - found.length,
      ...(position && { from: position }),
    });
    const sends = await sendsAt(store, slice.entries);
    found.push(...sends.filter(({ parts }) => filter.state === undefined || sendState(parts) === filter.state));
    position = slice.position;
    if (position === undefined || found.length >= limit) break;
  }
  return pageOf(await shown(store, found, now), position);
}

function entriesOf(store: Store, workspace: string, { accountId }: SendFilter, { limit, from }: PageRequest) {
  const partitions = Array.from({ length: SHARDS }, (_, shard) => sendListKey(workspace, shard));
  const accepts = (entry: Item) => entry.accountId === accountId;
  return newestFirst(
    store,
    { index: 'gsi1', partitions },
    { limit, ...(from !== undefined && { before: from }), ...(accountId !== undefined && { accepts }) },
  );
}

async function sendsAt(store: Store, entries: readonly Item[]): Promise<readonly Send[]> {
  const items = new Map<string, Item>();
  for (let start = 0; start < entries.length; start += READ_AT_ONCE) {
    const keys = entries.slice(start, start + READ_AT_ONCE).map(({ pk, sk }) => ({ pk, sk }));
    for (const item of await store.getMany(keys, { consistent: true })) items.set(item.pk, item);
  }
  return entries.flatMap(({ pk }) => items.get(pk) ?? []).map(readSend);
}

async function shown(store: Store, sends: readonly Send[], now: number): Promise<ShownSend[]> {
  const places = await placesOf(store, sends, now);
  return sends.map((send) => shownSend(send, places.get(send.messageId)));
}

/** A send of this workspace; another's is not found. */
export async function showSend(
  store: Store,
  workspace: string,
  messageId: string,
  now: number,
): Promise<ShownSend | undefined> {
  const send = await findSend(store, workspace, messageId);
  return send && (await shown(store, [send], now))[0];
}
