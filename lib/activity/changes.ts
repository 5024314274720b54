import { changesKey } from '#lib/store/keys.ts';
import { add, type Store, update } from '#lib/store/store.ts';

/** What somebody may have open before them. Each is counted up when something of it changes. */
export const KINDS = ['events', 'chats', 'sends', 'accounts'] as const;
export type Kind = (typeof KINDS)[number];

export interface Changes {
  /** Names how things stood: for the next question. */
  readonly mark: string;
  readonly changed: readonly Kind[];
}

/** Counted twice it tells once more than it must, which costs a reader one look. */
export async function tellChanges(store: Store, workspace: string, kinds: Iterable<Kind>): Promise<void> {
  const changes = [...kinds].map((kind) => add(kind, 1));
  await store.write(update(changesKey(workspace), changes));
}

/** What has changed since `after`, a mark of before; without one, all has. Undefined: nothing. */
export async function changesSince(store: Store, workspace: string, after?: Mark): Promise<Changes | undefined> {
  const item = await store.get(changesKey(workspace));
  const now = KINDS.map((kind) => Number(item?.[kind] ?? 0));
  const changed = KINDS.filter((_, i) => now[i] !== after?.[i]);
  return changed.length === 0 ? undefined : { mark: now.join('.'), changed };
}

export type Mark = readonly number[];

/** Undefined for what was never a mark. */
export function readMark(text: string): Mark | undefined {
  return /^\d{1,15}(\.\d{1,15}){3}$/.test(text) ? text.split('.').map(Number) : undefined;
}
