import { foundRows } from '#lib/chats/chat.ts';
import type { Item, Key } from '#lib/store/store.ts';

const nameOf = ({ pk, sk }: Key) => `${pk} ${sk}`;

/** Rows by which no chat says that it is found, and those that a chat says it has and that are not there. */
export function wrongRows(items: readonly Item[]): readonly string[] {
  const there = new Set(items.filter(({ pk }) => pk.startsWith('FIND#')).map(nameOf));
  const chats = items.filter(({ pk, sk }) => pk.startsWith('CHAT#') && sk === 'META');
  const said = new Set(chats.flatMap(foundRows).map(nameOf));
  return [...[...there].filter((row) => !said.has(row)), ...[...said].filter((row) => !there.has(row))];
}
