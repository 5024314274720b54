import * as v from 'valibot';
import { CHAT_KINDS } from '#lib/domain/person.ts';
import { Instant, optional, text } from '#lib/domain/schema.ts';
import { itemReader } from '#lib/store/items.ts';
import { chatListPartition, everyShard, titlePartition } from '#lib/store/keys.ts';
import { decodeCursor, type ListPage, type PageRequest, pageOf } from '#lib/store/page.ts';
import { getAll, newestFirst, queryAll } from '#lib/store/query.ts';
import type { Item, Key, Query, Store, ValueMap } from '#lib/store/store.ts';
import { currentChat, isUnread, minuteOf } from './chat.ts';
import { chatsOf } from './people.ts';

export const KnownChat = v.object({
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
export type KnownChat = v.InferOutput<typeof KnownChat>;

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
  /** A number, a JID or another id of the provider's. */
  readonly person?: string;
}

/** The chats of a workspace, last active first. */
export async function listChats(
  store: Store,
  workspace: string,
  filter: ChatFilter,
  page: PageRequest,
): Promise<ListPage<KnownChat>> {
  const { accountId, title, titlePrefix, words, unread, provider, person } = filter;
  const accepts = (entry: Item) => accountId === undefined || entry.accountId === accountId;
  const isWanted = (chat: KnownChat) =>
    (titlePrefix === undefined || beginsWith(chat.title, titlePrefix)) &&
    (unread === undefined || chat.unread === unread) &&
    (provider === undefined || chat.provider === provider) &&
    (words === undefined || isFoundBy(chat, words));
  if (person !== undefined || title !== undefined) {
    const found =
      person === undefined
        ? await chatsTitled(store, workspace, title ?? '', accepts)
        : (await chatsOf(store, workspace, person)).filter(accepts);
    const isTitled = (chat: Item) => title === undefined || chat.title === title;
    return cut(
      inOrder(
        found.filter(isTitled).filter((chat) => isWanted(chatOf(chat))),
        page.from,
      ),
      page.limit,
    );
  }
  if ((titlePrefix ?? words ?? unread ?? provider) !== undefined) {
    const next = (at: PageRequest) => pageOfActive(store, workspace, accountId === undefined ? undefined : accepts, at);
    return filtered(next, isWanted, page);
  }
  return pageOfActive(store, workspace, accountId === undefined ? undefined : accepts, page);
}

type Accepts = (entry: Item) => boolean;

/**
 * The index knows the minute in which a chat was active last, its item the very time: so each minute is read whole, and
 * a cursor is the time of an item. A page that begins inside a minute reads that minute again.
 *
 *   13:01  │ c b a │          in the order of their items
 *   13:00  │ f e ┊ d │        ┊ the page is full: its cursor is e's, the next page begins with d
 */
async function pageOfActive(
  store: Store,
  workspace: string,
  accepts: Accepts | undefined,
  { from, limit }: PageRequest,
): Promise<ListPage<KnownChat>> {
  const partitions = everyShard((shard) => chatListPartition(workspace, shard));
  const within = async (bounds: Pick<Query, 'prefix' | 'from' | 'before'>) => {
    const read = partitions.map((pk) => queryAll(store, { index: 'gsi1', pk, limit: 1000, ...bounds }));
    const entries = (await Promise.all(read)).flat();
    return inOrder(await chatsAt(store, accepts ? entries.filter(accepts) : entries), from);
  };
  const begun = from === undefined ? [] : await within({ prefix: minuteOf(from) });
  if (begun.length > limit) return cut(begun, limit);
  const { entries, position } = await newestFirst(
    store,
    { index: 'gsi1', partitions },
    {
      limit: limit + 1 - begun.length,
      ...(from !== undefined && { before: minuteOf(from) }),
      ...(accepts && { accepts }),
    },
  );
  const last = position === undefined ? undefined : minuteOf(position);
  const [further, rest] = await Promise.all([
    chatsAt(store, entries).then((chats) => [...begun, ...chats]),
    last === undefined || position === undefined ? [] : within({ from: last, before: position }),
  ]);
  if (last === undefined) return cut(inOrder(further, from), limit);
  return cut(inOrder([...further, ...rest], from), limit, last);
}

const positionOf = (chat: ValueMap): string => `${chat.lastAt}#${chat.chatId}`;

/** Last active first. What was active since the page before is at the top of the list now, and not shown twice. */
function inOrder(chats: readonly Item[], from: string | undefined): Item[] {
  return chats
    .filter((chat) => from === undefined || positionOf(chat) < from)
    .sort((a, b) => (positionOf(a) < positionOf(b) ? 1 : -1));
}

/** `unread`: there may be more before it, should these be too few. */
function cut(sorted: readonly Item[], limit: number, unread?: string): ListPage<KnownChat> {
  const shown = sorted.slice(0, limit);
  const last = shown.at(-1);
  return pageOf(shown.map(chatOf), sorted.length > limit && last ? positionOf(last) : unread);
}

/** Few chats share a title, and the index does not know which of them was active last: so all are read. */
async function chatsTitled(store: Store, workspace: string, title: string, accepts: Accepts): Promise<readonly Item[]> {
  const found = await queryAll(store, { index: 'gsi2', pk: titlePartition(workspace, title), limit: 1000 });
  // The index may lag behind a change of title.
  return (await chatsAt(store, found.filter(accepts))).filter((chat) => chat.title === title);
}

const beginsWith = (title: unknown, prefix: string): boolean =>
  typeof title === 'string' && title.toLowerCase().startsWith(prefix.toLowerCase());

const FEWEST_DIGITS = 3;
const folded = (text: string): string => text.normalize('NFKC').toLowerCase();
const wordsOf = (text: string): string[] =>
  folded(text)
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter(Boolean);
/** Without the zeros that stand before a number at home. */
const digitsOf = (text: string): string => text.replaceAll(/\D/g, '').replace(/^0+/, '');

/** Each word begins one of the title's, or all that was typed is the end of a number. */
function isFoundBy({ title = '', phone, providerChatId }: KnownChat, words: string): boolean {
  if (folded(title).startsWith(folded(words))) return true;
  const wanted = wordsOf(words);
  const found = wordsOf(title);
  if (wanted.length > 0 && wanted.every((word) => found.some((one) => one.startsWith(word)))) return true;
  const digits = digitsOf(words);
  if (digits.length < FEWEST_DIGITS || !/^[\d\s()+./-]+$/.test(words)) return false;
  return [phone, providerChatId].some((number) => digitsOf(number ?? '').endsWith(digits));
}

/** What hardly any chat fits must not walk through all of them in one call; the caller gets a cursor. */
const ROUNDS = 10;
const READ_AT_ONCE = 200;

async function filtered(
  next: (page: PageRequest) => Promise<ListPage<KnownChat>>,
  isWanted: (chat: KnownChat) => boolean,
  { limit, from }: PageRequest,
): Promise<ListPage<KnownChat>> {
  const found: KnownChat[] = [];
  let position = from;
  for (let round = 0; round < ROUNDS; round++) {
    const { items, cursor } = await next({ limit: READ_AT_ONCE, ...(position !== undefined && { from: position }) });
    for (const chat of items.filter(isWanted)) {
      const last = found.at(-1);
      if (last && found.length === limit) return pageOf(found, positionOf({ lastAt: last.lastAt, chatId: last.id }));
      found.push(chat);
    }
    position = cursor === undefined ? undefined : decodeCursor(cursor);
    if (position === undefined) break;
  }
  return pageOf(found, position);
}

/** Consistently: an item older than its entry would stand where no page looks for it, or has been merged into another. */
async function chatsAt(store: Store, entries: readonly Key[]): Promise<readonly Item[]> {
  const keys = entries.map(({ pk, sk }) => ({ pk, sk }));
  return (await getAll(store, keys, { consistent: true })).filter(({ mergedInto }) => mergedInto === undefined);
}

export async function findChat(store: Store, workspace: string, id: string): Promise<KnownChat | undefined> {
  const item = await currentChat(store, workspace, id);
  return item && chatOf(item);
}

const readChat = itemReader(KnownChat);
export const chatOf = (item: Item): KnownChat => readChat({ ...item, id: item.chatId, unread: isUnread(item) });
