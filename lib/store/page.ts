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
}

// Sort keys hold times, prefixes and ids only, and nothing that could be secret.
const POSITION = /^[\w:.+#-]{1,200}$/;

/** A position in a list as callers carry it from page to page. */
export function encodeCursor(position: string): string {
  return Buffer.from(position, 'utf8').toString('base64url');
}

/** Undefined for what we never gave out. A made-up position is harmless: it leads nowhere but into the same list. */
export function decodeCursor(cursor: string): string | undefined {
  const position = Buffer.from(cursor, 'base64url').toString('utf8');
  return POSITION.test(position) && encodeCursor(position) === cursor ? position : undefined;
}

export function pageOf<Shown>(items: readonly Shown[], position: string | undefined): ListPage<Shown> {
  return position === undefined ? { items } : { items, cursor: encodeCursor(position) };
}
