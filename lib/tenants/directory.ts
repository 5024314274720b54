import type { PageRequest } from '#lib/store/page.ts';
import { queryAll } from '#lib/store/query.ts';
import type { Item, Key, Store } from '#lib/store/store.ts';

/**
 * What a workspace has, by id. An entry only points to a row elsewhere: state stands in one place. `FORMER`: webhooks
 * that are deleted while their attempts are still kept.
 */
export type Entry = 'ACCOUNT' | 'WEBHOOK' | 'FORMER' | 'KEY';

interface DirectoryPage {
  readonly items: readonly Item[];
  /** The sort key after which the list goes on; absent at its end. */
  readonly position?: string;
}

export function directoryKey(workspace: string, entry: Entry, id: string): Key {
  return { pk: `WS#${workspace}`, sk: `${entry}#${id}` };
}

/** Ids begin with the time of their making (`newId`), so the newest comes first. */
export async function listDirectory(
  store: Store,
  workspace: string,
  entry: Entry,
  { limit, from }: PageRequest,
): Promise<DirectoryPage> {
  // One more than asked for tells whether there is a next page.
  const { items } = await store.query({
    pk: `WS#${workspace}`,
    from: `${entry}#`,
    before: from?.startsWith(`${entry}#`) ? from : `${entry}$`,
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
  return queryAll(store, { pk: `WS#${workspace}`, prefix: `${entry}#`, limit: 1000, consistent: true });
}
