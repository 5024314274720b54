import * as v from 'valibot';
import { derivedId, shardOf } from '#lib/domain/ids.ts';
import { CHAT_KINDS, type ChatKind, commonSpelling, twinOf } from '#lib/domain/person.ts';
import { Instant, shortly } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { itemReader } from '#lib/store/items.ts';
import { aliasKey, chatKey, chatListPartition, type FoundBy, findKey, providerChatPartition } from '#lib/store/keys.ts';
import { AGAIN, retryOnConflict } from '#lib/store/retry.ts';
import {
  absent,
  all,
  any,
  type Change,
  compare,
  del,
  equal,
  exists,
  type Item,
  type Key,
  put,
  remove,
  type Store,
  set,
  setIfAbsent,
  unchanged,
  update,
} from '#lib/store/store.ts';

/** A chat has a few other ids at most; what names more of them is no chat. */
const MOST_ALIASES = 20;

/** A chat as one event shows it. */
export interface ChatSighting {
  readonly workspace: string;
  readonly provider: string;
  readonly accountId?: string;
  /** Tells the chats of two accounts apart: both may know a chat by the same id. */
  readonly accountKey: string;
  readonly providerChatId: string;
  readonly kind: ChatKind;
  /** Nobody has told of the chat: we have made it out ourselves. */
  readonly isInferred?: boolean;
  readonly title?: string;
  /** The person's number, where it is told. */
  readonly phone?: string;
  /** Other ids of the same chat. */
  readonly aliases?: readonly string[];
  /** Who it is with, as far as this event tells (`namesIn` of ./people.ts). */
  readonly names?: readonly string[];
  /** Other ways in which our account is named: a chat of before may be known under one of them. */
  readonly accountNames?: readonly string[];
  /** Milliseconds; the newest sighting names the chat. */
  readonly at: number;
  /** The hub's id of the message that this is; left out where it is none. */
  readonly event?: string;
  /** Of a message that somebody should see, or of one that we wrote on the phone, where what was before has been seen. */
  readonly reading?: 'new' | 'read';
}

/** What the item of a chat tells. */
const KnownChat = v.object({
  chatId: v.string(),
  workspace: v.string(),
  provider: v.string(),
  accountId: v.exactOptional(v.string()),
  accountKey: v.exactOptional(v.string()),
  providerChatId: v.string(),
  aliases: v.exactOptional(v.array(v.string())),
  names: v.exactOptional(v.array(v.string())),
  kind: v.picklist(CHAT_KINDS),
  title: v.exactOptional(v.string()),
  phone: v.exactOptional(v.string()),
  createdAt: Instant,
  lastAt: Instant,
  readAt: v.exactOptional(Instant),
  /** The id of the last message's event. */
  lastEvent: v.exactOptional(v.string()),
});
export type KnownChat = v.InferOutput<typeof KnownChat>;
export const readChat = itemReader(KnownChat);

export function chatId(chat: Pick<ChatSighting, 'workspace' | 'provider' | 'accountKey' | 'providerChatId'>): string {
  return derivedId('chat', [chat.workspace, chat.provider, chat.accountKey, chat.providerChatId]);
}

/**
 * Where a chat stands in the list: moving an index entry costs two write units, so it moves once a minute at most. Inside
 * a minute only the items tell the order (lib/chats/list.ts).
 */
export const minuteOf = (at: string): string => at.slice(0, 'YYYY-MM-DDThh:mm'.length);

export const listedAt = (at: string, id: string): string => `${minuteOf(at)}#${id}`;

/** The webhook stands in for an account that nobody has named. */
export const isNamedAccount = (accountKey: string): boolean => !accountKey.startsWith('wh_');

/**
 * Keeps the registry of chats up to date, and answers the chat as it is then: another one where this has been merged into
 * it. An event older than the last one changes nothing but what was unknown. `id`: where the caller knows it.
 */
export async function updateChat(store: Store, chat: ChatSighting, id = chatId(chat)): Promise<Item> {
  const at = toIso(chat.at);
  let current = id;
  for (let hop = 0; hop < MOST_HOPS; hop++) {
    const ours = any(absent(), compare('lastAt', '<=', at));
    const changed = changes(chat, current, at, current !== id);
    const written = await store.write(update(chatKey(current), changed, all(absent('mergedInto'), ours)), {
      returns: 'new',
    });
    let { item } = written;
    if (!item) continue;
    if (typeof item.mergedInto === 'string') {
      current = item.mergedInto;
      continue;
    }
    // What was noted since tells more of the chat, but need not have been a message.
    if (!written.done && chat.event !== undefined)
      await raiseTo(store, item, 'lastEventAt', at, lastEvent(chat.event, at));
    if (!written.done && chat.reading === 'new') await raiseTo(store, item, 'lastInAt', at);
    // A title that comes late is still the first one.
    if (!written.done && chat.title !== undefined && item.title === undefined) {
      const named = update(chatKey(current), [set('title', shortly(chat.title))], absent('title'));
      item = (await store.write(named, { returns: 'new' })).item ?? item;
    }
    if (!written.done && !isInferredKind(chat) && item.kind === 'individual') {
      await store.write(update(chatKey(current), [set('kind', chat.kind)], equal('kind', 'individual')));
    }
    if (chat.aliases && chat.aliases.length > 0) await store.writeMany(aliasItems(chat, current));
    return item;
  }
  throw new Error(`chat ${id} has been merged too often`);
}

/** A delivery that says nothing of it means a person; another may say more. */
const isInferredKind = ({ kind, isInferred }: ChatSighting): boolean => kind === 'individual' || isInferred === true;

/** A time that only goes up. False where the chat is gone, or has been merged into another. */
async function raiseTo(
  store: Store,
  chat: Item,
  name: 'lastEventAt' | 'lastInAt' | 'readAt',
  at: string,
  changes = [set(name, at)],
): Promise<boolean> {
  if (String(chat[name] ?? '') >= at) return true;
  const isLater = any(absent(name), compare(name, '<', at));
  const { done, item } = await store.write(
    update(chatKey(String(chat.chatId)), changes, all(exists(), absent('mergedInto'), isLater)),
  );
  return done || (item !== undefined && item.mergedInto === undefined);
}

/** Up to when a chat has been read. Undefined: there is none. */
export async function readUpTo(store: Store, workspace: string, id: string, at: number): Promise<Item | undefined> {
  for (let hop = 0; hop < MOST_HOPS; hop++) {
    const chat = await currentChat(store, workspace, id);
    if (!chat) return undefined;
    if (await raiseTo(store, chat, 'readAt', toIso(at))) return currentChat(store, workspace, id);
  }
  throw new Error(`chat ${id} has been merged too often`);
}

/** Whether something came in that nobody has read. */
export const isUnread = ({ lastInAt, readAt }: Item): boolean =>
  typeof lastInAt === 'string' && lastInAt > String(readAt ?? '');

/**
 * Its words stay in the event alone: they end with it. `state` is what the index of the list holds: so list and words take
 * two round trips, for one unit more in the index.
 */
export const lastEvent = (event: string, at: string): Change[] => [
  set('lastEvent', event),
  set('lastEventAt', at),
  set('state', event),
];
/** That its event is gone. */
export const noLastEvent: readonly Change[] = ['lastEvent', 'lastEventAt', 'state'].map(remove);

/** The chat of this id, or the one that it has been merged into. */
export async function currentChat(store: Store, workspace: string, id: string): Promise<Item | undefined> {
  let key: string | undefined = id;
  for (let hop = 0; key !== undefined && hop < MOST_HOPS; hop++) {
    const item: Item | undefined = await store.get(chatKey(key), { consistent: true });
    if (item?.workspace !== workspace) return undefined;
    if (typeof item.mergedInto !== 'string') return item;
    key = item.mergedInto;
  }
  return undefined;
}

/** A chat is merged once for each of its names at most. */
const MOST_HOPS = 10;

/** Under which ids of the hub messages of a chat may stand: its own, and those of chats that were merged into it. */
export const historiesOf = (chat: Item): readonly string[] => [
  String(chat.chatId),
  ...(Array.isArray(chat.merged) ? chat.merged.map(String) : []),
];

function changes(chat: ChatSighting, id: string, at: string, isMerged: boolean): Change[] {
  return [
    set('chatId', id),
    set('workspace', chat.workspace),
    set('provider', chat.provider),
    ...(chat.accountId === undefined ? [] : [set('accountId', chat.accountId)]),
    (isNamedAccount(chat.accountKey) ? set : setIfAbsent)('accountKey', shortly(chat.accountKey)),
    // Its first id, or the other spelling that is told later; those of merged chats lead to it by themselves.
    setIfAbsent('providerChatId', shortly(chat.providerChatId)),
    (isMerged || isInferredKind(chat) ? setIfAbsent : set)('kind', chat.kind),
    ...(chat.phone === undefined ? [] : [(chat.isInferred ? setIfAbsent : set)('phone', chat.phone)]),
    set('lastAt', at),
    ...(chat.event === undefined ? [] : lastEvent(chat.event, at)),
    ...(chat.reading === undefined ? [] : [set(chat.reading === 'new' ? 'lastInAt' : 'readAt', at)]),
    setIfAbsent('createdAt', at),
    set('gsi1pk', chatListPartition(chat.workspace, shardOf(id))),
    set('gsi1sk', listedAt(at, id)),
    setIfAbsent('gsi3pk', providerChatPartition(chat.workspace, chat.providerChatId)),
    setIfAbsent('gsi3sk', id),
    ...(chat.title === undefined ? [] : [(chat.isInferred ? setIfAbsent : set)('title', shortly(chat.title))]),
    ...(chat.aliases && chat.aliases.length > 0
      ? [set('aliases', chat.aliases.slice(0, MOST_ALIASES).map(shortly))]
      : []),
  ];
}

function aliasItems(chat: ChatSighting, id: string) {
  return (chat.aliases ?? []).slice(0, MOST_ALIASES).map((alias) =>
    put({
      ...aliasKey(id, alias),
      chatId: id,
      gsi3pk: providerChatPartition(chat.workspace, alias),
      gsi3sk: id,
    }),
  );
}

/**
 * What chats are found by, each as a row that leads to its chat:
 *
 *   WORD#a    ana ruiz#chat_1     the title from its beginning, and from each further word on
 *             ruiz#chat_1         (in the partition of `r`)
 *   TITLE#…   chat_1              the title as it is, by its hash
 *   END#7     710550555#chat_1    a number, read from its end
 *
 * A chat says for which title and numbers its rows are (`foundBy`). Both change in one transaction, and only where the
 * title or the number has: an ordinary message finds that nothing is to be done in the item that it has written anyway.
 */

/** Of whichever case and width. */
export const folded = (text: string): string => text.normalize('NFKC').toLowerCase();
/** Of a title no more than these. */
const MOST_WORDS = 20;
export const wordsOf = (text: string): string[] =>
  folded(text)
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter(Boolean)
    .slice(0, MOST_WORDS);
/** Without the zeros that stand before a number at home. */
export const digitsOf = (text: string): string => text.replaceAll(/\D/g, '').replace(/^0+/, '');

export const FEWEST_DIGITS = 3;

/** In a row; what is longer is told apart by the chat. Characters and not code units, of which two may be one. */
const LONGEST = 64;

export const cut = (text: string): string => Array.from(text).slice(0, LONGEST).join('');
export const reversed = (digits: string): string => Array.from(digits).reverse().join('');

/** For which title ('' where there is none) and number its rows are. */
const kept = ({ foundBy }: Item): readonly string[] | undefined =>
  Array.isArray(foundBy) ? foundBy.map(String) : undefined;

/** The number in the one spelling for its two: whichever is told, the rows stay. */
const present = ({ title, phone }: Item): readonly string[] => [
  typeof title === 'string' ? title : '',
  ...(typeof phone === 'string' ? [commonSpelling(phone)] : []),
];

const isFindable = (chat: Item): boolean => JSON.stringify(kept(chat)) === JSON.stringify(present(chat));

function rowsFor(
  { workspace, chatId, providerChatId }: Item,
  [title = '', ...phones]: readonly string[],
): readonly Key[] {
  const key = (by: FoundBy, text: string) => findKey(String(workspace), by, text, String(chatId));
  const begins = cut(folded(title));
  // Whoever looks for a prefix finds the full title in its row as well: its first word needs none of its own.
  const others = [...new Set(wordsOf(title).map(cut))].filter((word) => !begins.startsWith(word));
  const spelled = phones.flatMap((phone) => [phone, twinOf(phone) ?? phone]);
  const ends = [...spelled, String(providerChatId)].map(digitsOf).filter(({ length }) => length >= FEWEST_DIGITS);
  const rows = [
    ...(title === '' ? [] : [key('TITLE', title), key('WORD', begins)]),
    ...others.map((word) => key('WORD', word)),
    ...ends.map((digits) => key('END', cut(reversed(digits)))),
  ];
  return [...new Map(rows.map((row) => [nameOf(row), row])).values()];
}

const nameOf = ({ pk, sk }: Key): string => JSON.stringify([pk, sk]);

/** The rows that a chat has. */
export function foundRows(chat: Item): readonly Key[] {
  const traits = kept(chat);
  return traits ? rowsFor(chat, traits) : [];
}

/** Writes the rows that a chat lacks, and takes away those of its former title. Answers the chat as it is then. */
export async function findable(store: Store, first: Item): Promise<Item> {
  let chat = first;
  return retryOnConflict(`what the chat ${String(chat.chatId)} is found by`, async () => {
    if (chat.mergedInto !== undefined || isFindable(chat)) return chat;
    const { workspace, chatId, title, phone, foundBy } = chat;
    const traits = present(chat);
    const [had, has] = [foundRows(chat), rowsFor(chat, traits)];
    const [hadNames, hasNames] = [had, has].map((rows) => new Set(rows.map(nameOf)));
    const writes = [
      // Whoever finds the former title here again has nothing to do: so it must not have come back meanwhile.
      update(
        chatKey(String(chatId)),
        [set('foundBy', traits)],
        all(exists(), absent('mergedInto'), unchanged({ title, phone, foundBy })),
      ),
      ...has.filter((row) => !hadNames?.has(nameOf(row))).map((row) => put({ ...row })),
      ...had.filter((row) => !hasNames?.has(nameOf(row))).map((row) => del(row)),
    ];
    if ((await store.transact(writes, undefined)).done) return { ...chat, foundBy: traits };
    const now = await currentChat(store, String(workspace), String(chatId));
    if (!now) return chat;
    chat = now;
    return AGAIN;
  });
}
