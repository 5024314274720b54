/** What somebody asks of a list. */
export interface PageRequest {
  readonly limit: number;
  /** Where the page before ended: the sort key of its last entry. */
  readonly from?: string;
}

export interface ListPage<Shown> {
  readonly items: readonly Shown[];
  /** Absent on the last page. */
  readonly cursor?: string;
  /** What is left out, for it cannot be read; absent where nothing is. */
  readonly damaged?: readonly string[];
}

/** What is paged through, each in an order of its own: a place in one of them is none in another. */
export type List =
  | 'accounts'
  | 'chats'
  | 'deliveries'
  | 'events'
  | 'feed'
  | 'keys'
  | 'ledger'
  | 'quarantine'
  | 'runs'
  | 'sends'
  | 'webhooks'
  | 'workspaces';

// Sort keys hold times, prefixes and ids only, and nothing that could be secret.
const POSITION = /^[\w:.+#-]{1,200}$/;

/** A position in a list as callers carry it from page to page. */
export function encodeCursor(list: List, position: string): string {
  return encoded(`${list}|${position}`);
}

const encoded = (text: string): string => Buffer.from(text, 'utf8').toString('base64url');

/**
 * Undefined for what we never gave out for this list. A made-up position is harmless: it leads nowhere but into the same
 * list. Programs keep the feed's for long: those of an earlier release, which named no list, go on.
 */
export function decodeCursor(list: List, cursor: string): string | undefined {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (encoded(text) !== cursor) return undefined;
  const [named, position] = text.includes('|') ? text.split('|') : ['feed', text];
  return named === list && position !== undefined && POSITION.test(position) ? position : undefined;
}

export function pageOf<Shown>(
  list: List,
  items: readonly Shown[],
  position: string | undefined,
  damaged: readonly string[] = [],
): ListPage<Shown> {
  return {
    items,
    ...(position !== undefined && { cursor: encodeCursor(list, position) }),
    ...(damaged.length > 0 && { damaged }),
  };
}
