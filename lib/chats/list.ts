import * as v from 'valibot';
import { CHAT_KINDS, twinOf } from '#lib/domain/person.ts';
import { Instant, optional, text } from '#lib/domain/schema.ts';
import { readEach } from '#lib/store/items.ts';
import {
  chatKey,
  chatListPartition,
  eventKey,
  everyShard,
  type FoundBy,
  findKey,
  findPartition,
  foundChat,
} from '#lib/store/keys.ts';
import { getAll, type ListPage, newestFirst, type PageRequest, pageOf, queryAll, roundsFor } from '#lib/store/query.ts';
import type { Item, Key, Store } from '#lib/store/store.ts';
import { isFilled } from '#lib/store/walk.ts';
import {
  currentChat,
  cut,
  digitsOf,
  FEWEST_DIGITS,
  folded,
  isUnread,
  minuteOf,
  readChat,
  reversed,
  wordsOf,
} from './chat.ts';
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
  const { title, titlePrefix, words, unread, people } = filter;
  if (people) return pageOfThese(await chatsOfAll(store, workspace, people), filter, page);
  if (title !== undefined)
    return pageOfThese(await chatsAt(store, await chatsTitled(store, workspace, title)), filter, page);
  const isSearch = (titlePrefix ?? words) !== undefined;
  const isWalked = isSearch || unread !== undefined;
  const look = (at: PageRequest) => stretchAt(store, workspace, at, filter);
  // A walk in the order of the index goes on as one.
  const isFound = isSearch && page.from?.startsWith(INDEX) !== true;
  // Where many may fit, or to know the last messages of those that do, the list is looked at beside what they are found by.
  const [sought, first] = await Promise.all([
    isFound ? chatsSought(store, workspace, filter) : undefined,
    look(isWalked ? { ...page, limit: READ_AT_ONCE } : page),
  ]);
  if (sought) {
    const keys = new Set(sought.map(({ pk }) => pk));
    const entries = first.taken.filter(({ pk }) => keys.has(pk));
    const [chats, heads] = await Promise.all([chatsAt(store, sought), headsNamedBy(store, entries)]);
    return pageOfThese(chats, filter, page, heads);
  }
  const [steps, heads] = await Promise.all([stepsIn(store, first), headsNamedBy(store, first.taken)]);
  if (isWalked) return { ...(await walked(store, look, first, steps, filter, page)), heads };
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

const beginsWith = (title = '', prefix: string): boolean => folded(title).startsWith(folded(prefix));

/** Each word begins one of the title's, or the title begins with all of it, or it is the end of a number. */
function isFoundBy({ title, phone, providerChatId }: ListedChat, words: string): boolean {
  if (beginsWith(title, words)) return true;
  const wanted = wordsOf(words);
  const found = wordsOf(title ?? '');
  if (wanted.length > 0 && wanted.every((word) => found.some((one) => one.startsWith(word)))) return true;
  const end = numberEnd(words);
  const numbers = [phone, phone && twinOf(phone), providerChatId];
  return end !== undefined && numbers.some((number) => digitsOf(number ?? '').endsWith(end));
}

/** The digits of what may be the end of a number, as somebody types it: with its zeros where little else is left. */
function numberEnd(words: string): string | undefined {
  const bare = digitsOf(words);
  const digits = bare.length < FEWEST_DIGITS ? words.replaceAll(/\D/g, '') : bare;
  return digits.length >= FEWEST_DIGITS && /^[\d\s()+./-]+$/.test(words) ? digits : undefined;
}

/** The walk over chats of earlier releases (lib/outbox/fill-chats.ts): until it is through, some have no rows. */
export const CHATS_FILL = { name: 'chats' };

/** Where fewer rows are found, every chat that fits is among theirs; where there are more, many fit. */
const FEW = 500;
/** Of several words the longest tell most. */
const MOST_SOUGHT = 3;

/**
 * The chats of which all that fit are among. Undefined: so many may that a walk through the list soon finds a page of them,
 * or rows are missing yet.
 */
async function chatsSought(
  store: Store,
  workspace: string,
  { titlePrefix, words = '' }: ChatFilter,
): Promise<readonly Key[] | undefined> {
  const few = (by: FoundBy, text: string) => fewRows(store, workspace, by, text);
  const end = titlePrefix === undefined ? numberEnd(words) : undefined;
  const texts = titlePrefix === undefined ? mostTelling(words) : [folded(titlePrefix)];
  const [isFilledIn, ofNumber, ...ofTexts] = await Promise.all([
    isFilled(store, CHATS_FILL),
    end === undefined ? [] : few('END', reversed(end)),
    ...texts.map((text) => (text === '' ? undefined : few('WORD', text))),
  ]);
  const [first, ...others] = ofTexts.filter((ids) => ids !== undefined);
  if (!isFilledIn || !first || !ofNumber) return undefined;
  const inAll = first.filter((id) => others.every((ids) => ids.includes(id)));
  return [...new Set([...inAll, ...ofNumber])].map(chatKey);
}

/** What holds no word is a sign, as an emoji: by it alone the beginning of a title is known. */
function mostTelling(words: string): readonly string[] {
  const all = [...new Set(wordsOf(words).map(cut))].sort((a, b) => b.length - a.length);
  return all.length > 0 ? all.slice(0, MOST_SOUGHT) : [folded(words)];
}

/** The ids of chats; undefined: there are more than a few. */
async function fewRows(store: Store, workspace: string, by: FoundBy, text: string) {
  const { pk, sk } = findKey(workspace, by, cut(text), '');
  const { items, next } = await store.query({ pk, prefix: sk.slice(0, -1), limit: FEW + 1, consistent: true });
  return items.length > FEW || next ? undefined : [...new Set(items.map(foundChat))];
}

/** The keys of chats with this very title; of `most` at most. */
export async function chatsTitled(store: Store, workspace: string, title: string, most?: number): Promise<Key[]> {
  const query = { pk: findPartition(workspace, 'TITLE', title), limit: most ?? 1000 };
  const rows = most === undefined ? await queryAll(store, query) : (await store.query(query)).items;
  return rows.map((row) => chatKey(foundChat(row)));
}

/** The chats that each of these names leads to. */
async function chatsOfAll(store: Store, workspace: string, people: readonly string[]): Promise<readonly Item[]> {
  const [first = [], ...others] = await Promise.all(people.map((id) => chatsOf(store, workspace, id)));
  return first.filter(({ pk }) => others.every((chats) => chats.some((chat) => chat.pk === pk)));
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
  const last = found.length > limit ? shown.at(-1) : undefined;
  return { ...shownPage(shown, last && positionOf(last)), heads };
}

function shownPage(chats: readonly Item[], position: string | undefined): ListPage<ListedChat> {
  const { items, damaged } = readEach(chats, chatOf);
  return pageOf('chats', items, position, damaged);
}

/** What the index tells of a stretch of the list. */
interface Stretch {
  readonly taken: readonly Item[];
  /** Of whose minute there is more in the index, before or behind: only the index tells its order. */
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
async function stretchAt(
  store: Store,
  workspace: string,
  page: PageRequest,
  { accountId, provider }: ChatFilter,
): Promise<Stretch> {
  const { from, limit } = page;
  const { before, isPassed, isAgain } = placeAt(from);
  const { entries, position } = await newestFirst(
    store,
    { index: 'gsi1', partitions: everyShard((shard) => chatListPartition(workspace, shard)) },
    {
      // What is shown already is among them where the page begins inside a minute.
      limit: isAgain ? 2 * (limit + SPARE) : limit + SPARE,
      rounds: roundsFor(page),
      ...(before !== undefined && { before }),
      ...((accountId ?? provider) !== undefined && {
        accepts: (entry: Item) =>
          (accountId === undefined || entry.accountId === accountId) &&
          (provider === undefined || entry.provider === provider),
      }),
    },
  );
  const again = isAgain ? entries.filter((entry) => minuteIn(entry) === minuteOf(before ?? '')).length : 0;
  const cutMinutes = [isAgain ? undefined : before, position].map((key) => key && minuteOf(key));
  const isCut = (entry: Item) => cutMinutes.includes(minuteIn(entry));
  const last = entries[again + limit - 1];
  const isInLast = (entry: Item) => last !== undefined && minuteIn(entry) === minuteIn(last);
  const end = last && !isCut(last) ? entries.findLastIndex(isInLast) + 1 : again + limit;
  const taken = entries.slice(0, end);
  const next = taken.length < entries.length ? taken.at(-1)?.gsi1sk : position;
  return { taken, isCut, isPassed, ...(next !== undefined && { after: inIndex(String(next)) }) };
}

const minuteIn = (entry: Item): string => minuteOf(String(entry.gsi1sk));
const positionOf = (chat: Pick<Item, string>): string => `${chat.lastAt}#${chat.chatId}`;
/** Tells a place in the index from a time of items. */
const INDEX = '#';
const inIndex = (sortKey: string): string => `${INDEX}${sortKey}`;

/** Where a cursor leads. What was active since stands at the top of the list now, and is not shown twice. */
function placeAt(cursor: string | undefined) {
  if (cursor === undefined) return { isAgain: false, isPassed: () => false };
  if (cursor.startsWith(INDEX)) {
    const before = cursor.slice(INDEX.length);
    const isPassed = ({ lastAt }: Item) => minuteOf(String(lastAt)) > minuteOf(before);
    return { before, isAgain: false, isPassed };
  }
  // Its minute is read again, whole.
  return { before: `${minuteOf(cursor)}\uffff`, isAgain: true, isPassed: (chat: Item) => positionOf(chat) >= cursor };
}

/** A chat of a list, and where the list goes on behind it. */
interface Step {
  readonly chat: Item;
  readonly after: string;
}

/** A cut minute is the first or the last one; what is between is in the order of its items. */
async function stepsIn(store: Store, { taken, isCut, isPassed }: Stretch): Promise<readonly Step[]> {
  const chats = new Map((await chatsAt(store, taken)).map((chat) => [chat.pk, chat]));
  const steps = (entries: readonly Item[]): Step[] =>
    entries.flatMap((entry) => {
      const chat = chats.get(entry.pk);
      if (!chat || isPassed(chat)) return [];
      return [{ chat, after: isCut(entry) ? inIndex(String(entry.gsi1sk)) : positionOf(chat) }];
    });
  const end = taken.findLastIndex((entry) => !isCut(entry)) + 1;
  const begin = end === 0 ? 0 : taken.findIndex((entry) => !isCut(entry));
  const wholes = steps(taken.slice(begin, end)).sort((a, b) => (a.after < b.after ? 1 : -1));
  return [...steps(taken.slice(0, begin)), ...wholes, ...steps(taken.slice(end))];
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

/** What hardly any chat fits must not walk through all of them in one call; the caller gets a cursor. */
const ROUNDS = 10;
const READ_AT_ONCE = 200;

async function walked(
  store: Store,
  look: (page: PageRequest) => Promise<Stretch>,
  first: Stretch,
  begun: readonly Step[],
  filter: ChatFilter,
  { limit, from }: PageRequest,
): Promise<ListPage<ListedChat>> {
  const found: Step[] = [];
  const rounds = from === undefined ? 1 : ROUNDS;
  let [stretch, steps] = [first, begun];
  for (let round = 1; ; round++) {
    for (const step of steps.filter(({ chat }) => isWanted(chat, filter))) {
      if (found.length === limit) return pageAt(found, found.at(-1)?.after);
      found.push(step);
    }
    if (stretch.after === undefined || round === rounds) return pageAt(found, stretch.after);
    stretch = await look({ limit: READ_AT_ONCE, from: stretch.after });
    steps = await stepsIn(store, stretch);
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
