import * as v from 'valibot';
import { CHAT_KINDS } from '#lib/domain/person.ts';
import { Instant, known, optional, text } from '#lib/domain/schema.ts';
import { readEach } from '#lib/store/items.ts';
import { chatListPartition, eventKey, everyShard } from '#lib/store/keys.ts';
import { type ListPage, type PageRequest, pageOf } from '#lib/store/page.ts';
import { getAll, newestFirst, roundsFor } from '#lib/store/query.ts';
import type { Item, Key, Store, ValueMap } from '#lib/store/store.ts';
import { currentChat, isUnread, minuteOf, readChat } from './chat.ts';
import { beginsWith, chatsSought, chatsTitled, isFoundBy } from './found-by.ts';
import { chatKeysOf, chatsOf, currentChats } from './people.ts';

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
  const { title, titlePrefix, words, unread, people } = filter;
  if (people) return pageOfThese(await chatsOfAll(store, workspace, people), filter, page);
  if (title !== undefined)
    return pageOfThese(await chatsAt(store, await chatsTitled(store, workspace, title)), filter, page);
  const isSearch = (titlePrefix ?? words) !== undefined;
  const isWalked = isSearch || unread !== undefined;
  const look = (at: PageRequest) => listingAt(store, workspace, at, filter);
  // Where many may fit, or to know the last messages of those that do, the list is looked at beside what they are found by.
  const [sought, first] = await Promise.all([
    isSearch ? keysSought(store, workspace, filter, page.from) : undefined,
    look(isWalked ? { ...page, limit: READ_AT_ONCE } : page),
  ]);
  const found = sought && (await pageOfSought(store, workspace, sought, first, filter, page));
  if (found) return found;
  if (isWalked) return walked(store, look, first, filter, page);
  const [steps, heads] = await stretchOf(store, first);
  const shown = steps.slice(0, page.limit);
  return { ...pageAt(shown, steps.length > page.limit ? shown.at(-1)?.after : first.after), heads };
}

/** What cannot be read may be what is sought: the page tells of it. */
function isWanted(item: Item, { accountId, title, titlePrefix, words, unread, provider }: ChatFilter): boolean {
  const [chat] = readEach([item], chatOf).items;
  return (
    chat === undefined ||
    ((accountId === undefined || chat.accountId === accountId) &&
      (title === undefined || chat.title === title) &&
      (titlePrefix === undefined || beginsWith(chat.title, titlePrefix)) &&
      (unread === undefined || chat.unread === unread) &&
      (provider === undefined || chat.provider === provider) &&
      (words === undefined || isFoundBy(chat, words)))
  );
}

function shownPage(chats: readonly Item[], position: string | undefined): ListPage<ListedChat> {
  const { items, damaged } = readEach(chats, chatOf);
  return pageOf('chats', items, position, damaged);
}

/** Of chats among which all are that fit. */
function pageOfThese(
  chats: readonly Item[],
  filter: ChatFilter,
  { limit, from }: PageRequest,
  heads: readonly Item[] = [],
): ChatPage {
  const isBehind = (chat: Item) => from === undefined || positionOf(chat) < from;
  const found = inOrder(chats.filter((chat) => isBehind(chat) && isWanted(chat, filter)));
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  return {
    ...shownPage(shown, found.length > limit && last ? positionOf(last) : undefined),
    heads,
  };
}

/** What is found by words, and what is of whoever has them as a number. */
interface SoughtKeys {
  /** Left out where more may fit than are looked at. */
  readonly byWords?: readonly Key[];
  readonly ofNumber: readonly Key[];
}

/** Undefined: a walk through the list finds them. */
async function keysSought(
  store: Store,
  workspace: string,
  { titlePrefix, words = '' }: ChatFilter,
  from: string | undefined,
): Promise<SoughtKeys | undefined> {
  // A walk in the order of the index goes on as one.
  if (from?.startsWith(INDEX)) return undefined;
  const [byWords, ofNumber] = await Promise.all([
    chatsSought(store, workspace, { titlePrefix, words: titlePrefix === undefined ? words : '' }),
    WHOLE_NUMBER.test(words) ? chatKeysOf(store, workspace, words) : [],
  ]);
  return byWords || ofNumber.length > 0 ? { ...(byWords && { byWords }), ofNumber } : undefined;
}

/**
 * Their last messages are read beside them, as far as the stretch of the list that was looked at names these. Undefined:
 * nobody has the number, and a walk finds whose number ends so.
 */
async function pageOfSought(
  store: Store,
  workspace: string,
  { byWords, ofNumber }: SoughtKeys,
  { taken }: Listing,
  { words, ...filter }: ChatFilter,
  page: PageRequest,
): Promise<ChatPage | undefined> {
  const keys = new Set([...(byWords ?? []), ...ofNumber].map(({ pk }) => pk));
  const [found, persons, heads] = await Promise.all([
    chatsAt(store, byWords ?? []),
    currentChats(store, workspace, ofNumber),
    headsNamedBy(
      store,
      taken.filter(({ pk }) => keys.has(pk)),
    ),
  ]);
  if (!byWords && persons.length === 0) return undefined;
  // The whole number of somebody means them, and not whose number ends so.
  const fitting = found.filter((chat) => isWanted(chat, known({ words })));
  return pageOfThese(persons.length > 0 ? persons : fitting, filter, page, heads);
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

/** What the index tells of a stretch of the list. */
interface Listing {
  readonly taken: readonly Item[];
  /** Of whose minute there is more in the index than was read, or than is to be read again. */
  readonly isCut: (entry: Item) => boolean;
  readonly isPassed: (chat: Item) => boolean;
  /** Where the list goes on behind all of them; absent at its end. */
  readonly after?: string;
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
async function listingAt(
  store: Store,
  workspace: string,
  page: PageRequest,
  { accountId, provider }: ChatFilter,
): Promise<Listing> {
  const { from, limit } = page;
  const place = from === undefined ? undefined : placeAt(from);
  const partitions = everyShard((shard) => chatListPartition(workspace, shard));
  const most = limit + SPARE;
  const { entries, position } = await newestFirst(
    store,
    { index: 'gsi1', partitions },
    {
      // What is shown already is among them where the page begins inside a minute.
      limit: place?.time === undefined ? most : 2 * most,
      rounds: roundsFor(page),
      ...(place && { before: place.before }),
      ...((accountId ?? provider) !== undefined && {
        accepts: (entry: Item) =>
          (accountId === undefined || entry.accountId === accountId) &&
          (provider === undefined || entry.provider === provider),
      }),
    },
  );
  const minute = from === undefined ? undefined : minuteOf(place?.before ?? '');
  const again = place?.time === undefined ? 0 : entries.filter((entry) => minuteIn(entry) === minute).length;
  const cut = [place?.time === undefined ? minute : undefined, position && minuteOf(position)];
  const isCut = (entry: Item) => cut.includes(minuteIn(entry));
  const last = entries[again + limit - 1];
  const isInLast = (entry: Item) => last !== undefined && minuteIn(entry) === minuteIn(last);
  const end = last && !isCut(last) ? entries.findLastIndex(isInLast) + 1 : again + limit;
  const taken = entries.slice(0, end);
  const next = taken.length < entries.length ? taken.at(-1)?.gsi1sk : position;
  return {
    ...{ taken, isCut },
    isPassed: (chat) => place?.isPassed(chat) === true,
    ...(next !== undefined && { after: inIndex(String(next)) }),
  };
}

const stretchOf = (store: Store, listing: Listing) =>
  Promise.all([stepsIn(store, listing), headsNamedBy(store, listing.taken)]);

async function stepsIn(store: Store, { taken, isCut, isPassed }: Listing): Promise<readonly Step[]> {
  const chats = await chatsAt(store, taken);
  const left = new Map(chats.flatMap((chat) => (isPassed(chat) ? [] : [[chat.pk, chat] as const])));
  return stepsThrough(taken, left, isCut);
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
  return shownPage(inOrder(steps.map(({ chat }) => chat)), cursor);
}

/** Last active first. */
const inOrder = (chats: readonly Item[]): Item[] => chats.toSorted((a, b) => (positionOf(a) < positionOf(b) ? 1 : -1));

/** Whom it belongs to is known without looking through all chats. */
const WHOLE_NUMBER = /^\+[\d\s()./-]{7,}$/;

/** What hardly any chat fits must not walk through all of them in one call; the caller gets a cursor. */
const ROUNDS = 10;
const READ_AT_ONCE = 200;

async function walked(
  store: Store,
  look: (page: PageRequest) => Promise<Listing>,
  first: Listing,
  filter: ChatFilter,
  { limit, from }: PageRequest,
): Promise<ChatPage> {
  const found: Step[] = [];
  const rounds = from === undefined ? 1 : ROUNDS;
  let listing = first;
  // Of the first stretch alone: behind it hardly anything is shown.
  const [begun, heads] = await stretchOf(store, first);
  let steps = begun;
  for (let round = 1; ; round++) {
    for (const step of steps.filter(({ chat }) => isWanted(chat, filter))) {
      if (found.length === limit) return { ...pageAt(found, found.at(-1)?.after), heads };
      found.push(step);
    }
    if (listing.after === undefined || round === rounds) return { ...pageAt(found, listing.after), heads };
    listing = await look({ limit: READ_AT_ONCE, from: listing.after });
    steps = await stepsIn(store, listing);
  }
}

/** Consistently: an item older than its entry would stand where no page looks for it, or has been merged into another. */
async function chatsAt(store: Store, entries: readonly Key[]): Promise<readonly Item[]> {
  return (await getAll(store, entries, { consistent: true })).filter(({ mergedInto }) => mergedInto === undefined);
}

export async function findChat(store: Store, workspace: string, id: string): Promise<ListedChat | undefined> {
  const item = await currentChat(store, workspace, id);
  return item && chatOf(item);
}

export function chatOf(item: Item): ListedChat {
  const { chatId: id, accountKey: _, names: __, ...chat } = readChat(item);
  return { id, ...chat, unread: isUnread(item) };
}
