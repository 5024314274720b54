import { type Account, readAccount } from '#lib/sender/items.ts';
import { accountKey, directoryKey, directoryRange, type Entry, entryId } from '#lib/store/keys.ts';
import type { PageRequest } from '#lib/store/query.ts';
import { getAll, newestPage, queryAll, type Slice } from '#lib/store/query.ts';
import { type Item, type Put, put, type Store } from '#lib/store/store.ts';

/** Ids begin with the time of their making (`newId`), so the newest comes first. */
export function listDirectory(store: Store, workspace: string, entry: Entry, page: PageRequest): Promise<Slice> {
  return newestPage(store, directoryRange(workspace, entry), page);
}

/** Every entry of a kind, for the few changes that concern them all. */
export function wholeDirectory(store: Store, workspace: string, entry: Entry): Promise<readonly Item[]> {
  return queryAll(store, { ...directoryRange(workspace, entry), limit: 1000, consistent: true });
}

/**
 * Notes, where something is deleted, that what was written down of its calls is kept for a while and may name people:
 * whoever erases a person must find it. `now` in milliseconds.
 */
export const former = (workspace: string, id: string, now: number, keptSeconds: number): Put =>
  put({ ...directoryKey(workspace, 'FORMER', id), expiresAt: Math.floor(now / 1000) + keptSeconds });

/** All accounts of a workspace, read consistently: one that was made a moment ago can send at once. */
export async function accountsOf(store: Store, workspace: string): Promise<readonly Account[]> {
  const keys = (await wholeDirectory(store, workspace, 'ACCOUNT')).map((entry) => accountKey(entryId(entry)));
  return (await getAll(store, keys, { consistent: true })).map(readAccount);
}
