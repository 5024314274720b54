import { accountKey, directoryRange, type Entry, entryId } from '#lib/store/keys.ts';
import type { PageRequest } from '#lib/store/page.ts';
import { getAll, queryAll } from '#lib/store/query.ts';
import type { Item, Store } from '#lib/store/store.ts';

interface DirectoryPage {
  readonly items: readonly Item[];
  /** The sort key after which the list goes on; absent at its end. */
  readonly position?: string;
}

/** Ids begin with the time of their making (`newId`), so the newest comes first. */
export async function listDirectory(
  store: Store,
  workspace: string,
  entry: Entry,
  { limit, from }: PageRequest,
): Promise<DirectoryPage> {
  const range = directoryRange(workspace, entry);
  // One more than asked for tells whether there is a next page.
  const { items } = await store.query({
    ...range,
    before: from?.startsWith(range.from) ? from : range.before,
    limit: limit + 2,
    descending: true,
    consistent: true,
  });
  const shown = items.slice(0, limit);
  const position = items.length > limit ? shown.at(-1)?.sk : undefined;
  return { items: shown, ...(position !== undefined && { position }) };
}

/** Every entry of a kind, for the few changes that concern them all. */
export function wholeDirectory(store: Store, workspace: string, entry: Entry): Promise<readonly Item[]> {
  return queryAll(store, { ...directoryRange(workspace, entry), limit: 1000, consistent: true });
}

/** The items of all accounts that a workspace has just now. */
export async function accountItems(store: Store, workspace: string): Promise<readonly Item[]> {
  const keys = (await wholeDirectory(store, workspace, 'ACCOUNT')).map((entry) => accountKey(entryId(entry)));
  return getAll(store, keys, { consistent: true });
}
