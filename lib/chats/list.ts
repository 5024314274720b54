import * as v from 'valibot';
import { CHAT_KINDS } from '#lib/domain/person.ts';
import { Instant, optional, text } from '#lib/domain/schema.ts';
import { chatListPartition, eventKey, everyShard } from '#lib/store/keys.ts';
import { type ListPage, type PageRequest, pageOf } from '#lib/store/page.ts';
import { getAll, newestFirst } from '#lib/store/query.ts';
import type { Item, Key, Store, ValueMap } from '#lib/store/store.ts';
import { currentChat, isUnread, minuteOf, readChat } from './chat.ts';
import { beginsWith, chatsSought, chatsTitled, isFoundBy } from './found-by.ts';
import { chatsOf } from './people.ts';

/** As the API tells of it, and for last messages by which event. */
export const ListedChat = v.object({
  id: text("The hub's id of the chat; what `chat_id` of a send takes"),
  workspace: v.string(),
  provider: v.string(),
  accountId: optional(v.string()),
  providerChatId: text("The provider's id of the chat"),
  aliases: optional(v.array(v.string()), 'Other ids of the same chat'),
  kind: v.picklist(CHAT_KINDS),
  title: optional(v.string()),
  phone: optional(v.string(), 'Of the person, where it is known'),
  createdAt: Instant,
  lastAt: v.pipe(Instant, v.description('When something last happened in it')),
  unread: v.pipe(v.boolean(), v.description('Whether something came in since it was read')),
  readAt: v.exactOptional(v.pipe(Instant, v.description('Up to when it was read'))),
  /** The id of the last message's event. */
  lastEvent: v.exactOptional(v.string()),
});
export type ListedChat = v.InferOutput<typeof ListedChat>;

export interface ChatFilter {
  readonly accountId?: string;
  /** Exact. */
  readonly title?: string;
  /** However it is written in capitals. */
  readonly titlePrefix?: string;
  /** Words of the title by their beginnings, or the end of the number or the whole of it. */
  readonly words?: string;
  readonly unread?: boolean;
  readonly provider?: string;
  /** Numbers, JIDs or other ids of the provider's, all of the one person or group. */
  readonly people?: readonly string[];
}

export interface ChatPage extends ListPage<ListedChat> {
  /** Events that were read beside them, their last ones among them as far as the index knows. */
  readonly heads: readonly Item[];
}

/** The chats of a workspace, last active first. */
export async function listChats(
  store: Store,
  workspace: string,
  filter: ChatFilter,
  page: PageRequest,
): Promise<ChatPage> {
  const { accountId, title, titlePrefix, words, unread, provider } = filter;
  const ofNumber = WHOLE_NUMBER.test(words ?? '') ? await chatsOf(store, workspace, words ?? '') : [];
  const isWanted = (chat: ListedChat) =>
    (accountId === undefined || chat.accountId === accountId) &&
    (title === undefined || chat.title === title) &&
    (titlePrefix === undefined || beginsWith(chat.title, titlePrefix)) &&
    (unread === undefined || chat.unread === unread) &&
    (provider === undefined || chat.provider === provider) &&
    (words === undefined || ofNumber.some(({ chatId }) => chatId === chat.id) || isFoundBy(chat, words));
  const candidates = await candidatesFor(store, workspace, filter, ofNumber, page.from);
  if (candidates) {
    const isBehind = (chat: Item) => page.from === undefined || positionOf(chat) < page.from;
    const found = inOrder(candidates.filter((chat) => isBehind(chat) && isWanted(chatOf(chat))));
    const shown = found.slice(0, page.limit);
    const last = shown.at(-1);
    return {
      ...pageOf('chats', shown.map(chatOf), found.length > page.limit && last ? positionOf(last) : undefined),
      heads: [],
    };
  }
  const next: Next = (at, withHeads) => stretchOf(store, workspace, at, { accountId, withHeads });
  if ((titlePrefix ?? words ?? unread ?? provider) !== undefined) return walked(next, isWanted, page);
  const { steps, after, heads } = await next(page, true);
  const shown = steps.slice(0, page.limit);
  return { ...pageAt(shown, steps.length > page.limit ? shown.at(-1)?.after : after), heads };
}

/** The chats among which all are that fit. Undefined: a walk through the list finds them. */
async function candidatesFor(
  store: Store,
  workspace: string,
  { title, titlePrefix, words, people }: ChatFilter,
  ofNumber: readonly Item[],
  from: string | undefined,
): Promise<readonly Item[] | undefined> {
  if (people) return chatsOfAll(store, workspace, people);
  if (title !== undefined) return chatsAt(store, await chatsTitled(store, workspace, title));
  if (ofNumber.length > 0) return ofNumber;
  // A walk in the order of the index goes on as one.
  if ((titlePrefix ?? words) === undefined || from?.startsWith(INDEX)) return undefined;
  const keys = await chatsSought(store, workspace, { titlePrefix, words });
  return keys && chatsAt(store, keys);
}

/** The chats that each of these names leads to. */
async function chatsOfAll(store: Store, workspace: string, people: readonly string[]): Promise<readonly Item[]> {
  const [first = [], ...others] = await Promise.all(people.map((id) => chatsOf(store, workspace, id)));
  return first.filter(({ pk }) => others.every((chats) => chats.some((chat) => chat.pk === pk)));
}

/** A chat of a list, and where the list goes on behind it. */
interface Step {
  readonly chat: Item;
  readonly after: string;
}

interface Stretch {
  readonly steps: readonly Step[];
  /** Where the list goes on behind all of them; absent at its end. */
  readonly after?: string;
  readonly heads: readonly Item[];
}

interface Reading {
  readonly accountId?: string | undefined;
  /** Whether the events of last messages are read as well. */
  readonly withHeads: boolean;
}

/** In a minute in which more chats than these were active beyond the page, only the index tells their order. */
const SPARE = 150;

/**
 * The index knows the minute in which a chat was active last, its item the very time: so the minute in which a page ends is
 * read whole, and a cursor is the time of an item. A page that begins inside a minute reads that minute again.
 *
 *   13:01  │ c b a │          in the order of their items
 *   13:00  │ f e ┊ d │        ┊ the page is full: its cursor is e's, the next page begins with d
 *
 * A crowded minute would be read whole for each page. It is walked in the order of the index instead, by cursors of the
 * index: no chat is lost, and the page alone is in the order of the items. Two round trips: the index; then the chats, and
 * beside them the events that the index names as their last.
 */
async function stretchOf(
  store: Store,
  workspace: string,
  { from, limit }: PageRequest,
  { accountId, withHeads }: Reading,
): Promise<Stretch> {
  const place = from === undefined ? undefined : placeAt(from);
  const partitions = everyShard((shard) => chatListPartition(workspace, shard));
  const most = limit + SPARE;
  const { entries, position } = await newestFirst(
    store,
    { index: 'gsi1', partitions },
    {
      // What is shown already is among them where the page begins inside a minute.
      limit: place?.time === undefined ? most : 2 * most,
      ...(place && { before: place.before }),
      ...(accountId !== undefined && { accepts: (entry: Item) => entry.accountId === accountId }),
    },
  );
  const minute = from === undefined ? undefined : minuteOf(place?.before ?? '');
  const again = place?.time === undefined ? 0 : entries.filter((entry) => minuteIn(entry) === minute).length;
  // Of these there is more in the index than was read, or than is to be read again.
  const cut = [place?.time === undefined ? minute : undefined, position && minuteOf(position)];
  const isCut = (entry: Item) => cut.includes(minuteIn(entry));
  const last = entries[again + limit - 1];
  const isInLast = (entry: Item) => last !== undefined && minuteIn(entry) === minuteIn(last);
  const end = last && !isCut(last) ? entries.findLastIndex(isInLast) + 1 : again + limit;
  const taken = entries.slice(0, end);
  const [items, heads] = await Promise.all([chatsAt(store, taken), withHeads ? headsNamedBy(store, taken) : []]);
  const left = new Map(items.flatMap((chat) => (place?.isPassed(chat) ? [] : [[chat.pk, chat] as const])));
  const next = taken.length < entries.length ? taken.at(-1)?.gsi1sk : position;
  return {
    steps: stepsThrough(taken, left, isCut),
    ...(next !== undefined && { after: inIndex(String(next)) }),
    heads,
  };
}

/** A cut minute is the first or the last one; what is between is in the order of its items. */
function stepsThrough(
  entries: readonly Item[],
  chats: ReadonlyMap<string, Item>,
  isCut: (entry: Item) => boolean,
): readonly Step[] {
  const steps = (some: readonly Item[], after: (chat: Item, entry: Item) => string): Step[] =>
    some.flatMap((entry) => {
      const chat = chats.get(entry.pk);
      return chat ? [{ chat, after: after(chat, entry) }] : [];
    });
  const byIndex = (some: readonly Item[]) => steps(some, (_, entry) => inIndex(String(entry.gsi1sk)));
  const begin = Math.max(
    0,
    entries.findIndex((entry) => !isCut(entry)),
  );
  const end = entries.findLastIndex((entry) => !isCut(entry)) + 1;
  const wholes = steps(entries.slice(begin, end), positionOf).sort((a, b) => (a.after < b.after ? 1 : -1));
  return [...byIndex(entries.slice(0, begin)), ...wholes, ...byIndex(entries.slice(end))];
}

const minuteIn = (entry: Item): string => minuteOf(String(entry.gsi1sk));
const positionOf = (chat: ValueMap): string => `${chat.lastAt}#${chat.chatId}`;
/** Tells a place in the index from a time of items: those of version 0.1 look alike. */
const INDEX = '#';
const inIndex = (sortKey: string): string => `${INDEX}${sortKey}`;

/** Where a cursor leads. What was active since stands at the top of the list now, and is not shown twice. */
function placeAt(cursor: string) {
  if (cursor.startsWith(INDEX)) {
    const before = cursor.slice(INDEX.length);
    return { before, isPassed: ({ lastAt }: Item) => minuteOf(String(lastAt)) > minuteOf(before) };
  }
  return {
    // Its minute is read again, whole.
    before: `${minuteOf(cursor)}\uffff`,
    time: cursor,
    isPassed: (chat: Item) => positionOf(chat) >= cursor,
  };
}

/** What the index knows of last messages may be older than what the chats say: what is missing is asked for by them. */
function headsNamedBy(store: Store, entries: readonly Item[]): Promise<readonly Item[]> {
  return getAll(
    store,
    entries.flatMap(({ state }) => (typeof state === 'string' ? [eventKey(state)] : [])),
  );
}

/** The page is in the order of the items, whichever way it was walked. */
function pageAt(steps: readonly Step[], cursor: string | undefined): ListPage<ListedChat> {
  return pageOf('chats', inOrder(steps.map(({ chat }) => chat)).map(chatOf), cursor);
}

/** Last active first. */
const inOrder = (chats: readonly Item[]): Item[] => chats.toSorted((a, b) => (positionOf(a) < positionOf(b) ? 1 : -1));

/** Whom it belongs to is known without looking through all chats. */
const WHOLE_NUMBER = /^\+[\d\s()./-]{7,}$/;

/** What hardly any chat fits must not walk through all of them in one call; the caller gets a cursor. */
const ROUNDS = 10;
const READ_AT_ONCE = 200;

type Next = (page: PageRequest, withHeads: boolean) => Promise<Stretch>;

async function walked(
  next: Next,
  isWanted: (chat: ListedChat) => boolean,
  { limit, from }: PageRequest,
): Promise<ChatPage> {
  const found: Step[] = [];
  let heads: readonly Item[] = [];
  let position = from;
  for (let round = 0; round < ROUNDS; round++) {
    const page = { limit: READ_AT_ONCE, ...(position !== undefined && { from: position }) };
    const stretch = await next(page, round === 0);
    if (round === 0) ({ heads } = stretch);
    for (const step of stretch.steps.filter(({ chat }) => isWanted(chatOf(chat)))) {
      if (found.length === limit) return { ...pageAt(found, found.at(-1)?.after), heads };
      found.push(step);
    }
    position = stretch.after;
    if (position === undefined) break;
  }
  return { ...pageAt(found, position), heads };
}

/** Consistently: an item older than its entry would stand where no page looks for it, or has been merged into another. */
async function chatsAt(store: Store, entries: readonly Key[]): Promise<readonly Item[]> {
  const keys = entries.map(({ pk, sk }) => ({ pk, sk }));
  return (await getAll(store, keys, { consistent: true })).filter(({ mergedInto }) => mergedInto === undefined);
}

export async function findChat(store: Store, workspace: string, id: string): Promise<ListedChat | undefined> {
  const item = await currentChat(store, workspace, id);
  return item && chatOf(item);
}

export function chatOf(item: Item): ListedChat {
  const { chatId: id, accountKey: _, names: __, ...chat } = readChat(item);
  return { id, ...chat, unread: isUnread(item) };
}
