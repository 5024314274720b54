import type { Chat, Message, Person } from '#lib/domain/event.ts';
import {
  canBeWrittenTo,
  commonSpelling,
  normaliseJid,
  phoneOf,
  phoneOfJid,
  toPhone,
  twinOf,
} from '#lib/domain/person.ts';
import { known } from '#lib/domain/schema.ts';
import { chatKey, personKey, personPartition, providerChatPartition } from '#lib/store/keys.ts';
import { getAll, queryAll } from '#lib/store/query.ts';
import { AGAIN, retryOnConflict } from '#lib/store/retry.ts';
import {
  absent,
  all,
  append,
  type Change,
  del,
  exists,
  type Item,
  type Key,
  put,
  remove,
  type Store,
  set,
  setOrRemove,
  unchanged,
  update,
  type Value,
} from '#lib/store/store.ts';
import {
  type ChatSighting,
  currentChat,
  findable,
  foundRows,
  historiesOf,
  isNamedAccount,
  isUnread,
  lastEvent as lastMessage,
  listedAt,
  updateChat,
} from './chat.ts';

/**
 * Who is who: the names under which the hub knows somebody, each with a row that leads to the chat with them. A number in
 * one spelling for its two; a `@lid`, which hides the number; the id of a group; and `id:` before what only its provider
 * understands. An event that tells two names together makes one chat of two.
 *
 *   +15550100099 ─┐
 *                 ├─▶ chat_a          chat_b: merged into chat_a, and leads there
 *   1900…@lid    ─┘
 *
 * Rows are written when something new is learnt, and never read for a chat that has told nothing new: its item holds its
 * names. Who writes a row reads the other rows of that name afterwards, consistently: of two at once, the second sees both.
 */
export function namesIn(
  chat: Pick<Chat, 'id' | 'kind'> & { readonly phone?: string; readonly aliases?: readonly string[] },
  other?: Person,
): readonly string[] {
  if (!canBeWrittenTo(chat.kind)) return [];
  const own = [chat.id, ...(chat.aliases ?? [])].map((id) => nameOf(id) ?? idName(id));
  if (chat.kind === 'group') return named(own);
  const told = named([...own, chat.phone && nameOf(chat.phone)]);
  // A provider may call anybody the sender: what the chat itself says counts.
  const beside = named([other?.phone, other?.id].map((id) => id && nameOf(id)));
  return named([
    ...told,
    ...(phonesAmong(told).length === 0 ? phonesAmong(beside) : []),
    ...(lidsAmong(told).length === 0 ? lidsAmong(beside) : []),
  ]);
}

const named = (names: readonly (string | undefined)[]): string[] =>
  [...new Set(names.flatMap((name) => (name && name.length <= LONGEST ? name : [])))].slice(0, MOST_NAMES);

/** What is longer is nobody's name. */
const LONGEST = 200;
/** Nobody has so many; what seems to is no person. */
const MOST_NAMES = 20;

/** The other one of a chat of two, as a message tells of them beside the chat itself. */
export const otherIn = ({ direction, sender, recipient }: Pick<Message, 'direction' | 'sender' | 'recipient'>) =>
  direction === 'inbound' ? sender : recipient;

/** Undefined for an id that only its provider understands. */
export function nameOf(id: string): string | undefined {
  const jid = normaliseJid(id);
  const phone = phoneOf(jid);
  if (phone !== undefined) return commonSpelling(phone);
  return /@(?:lid|g\.us)$/.test(jid) ? jid : undefined;
}

/** The number as it was told, of somebody who is known under it. */
export function phoneIn(names: readonly string[], told: readonly (string | undefined)[]): string | undefined {
  return told.map(phoneOf).find((phone) => phone !== undefined && names.includes(commonSpelling(phone)));
}

/** What a send keeps of the names of its chat, beside whom it is for. */
export const othersOf = (names: readonly string[]): { readonly lid?: string; readonly number?: string } =>
  known({ lid: lidsAmong(names)[0], number: phonesAmong(names)[0] });

/** The same of whom a send is for, as it keeps that. */
export function namesOfRecipient(kept: Readonly<Record<string, string>>): readonly string[] {
  const { phone, jid, chat_id: id, provider_chat: chat, lid, number: other } = kept;
  const ids = [jid, id, chat, lid, other].flatMap((one) =>
    one === undefined ? [] : (nameOf(one) ?? idName(one) ?? []),
  );
  const number = toPhone(phone);
  return named([number && commonSpelling(number), ...ids]);
}

/** The number of whom a send is for, as the provider spells it where that is known. */
export function phoneOfRecipient(kept: Readonly<Record<string, string>>): string | undefined {
  return phoneIn(namesOfRecipient(kept), [kept.provider_chat, kept.jid, kept.phone]);
}

/** An id with `@` that is no name, as that of two numbers, is told apart by the chat alone. */
const idName = (id: string): string | undefined => (id.includes('@') || id === '' ? undefined : `id:${id}`);

export const phonesAmong = (names: readonly string[]): readonly string[] =>
  names.filter((name) => name.startsWith('+'));
export const lidsAmong = (names: readonly string[]): readonly string[] => names.filter((name) => name.endsWith('@lid'));

/** What is known of the account and the names of a chat, as far as it tells whose they are. */
interface Known {
  readonly workspace: string;
  readonly provider: string;
  readonly accountId?: string;
  readonly accountKey: string;
  readonly accountNames?: readonly string[];
}

/** Brings the registry up to date with what an event tells of a chat, and of who it is with. Answers the chat. */
export async function sightChat(store: Store, sighting: ChatSighting, id?: string): Promise<Item> {
  const chat = introduce(store, await updateChat(store, sighting, id), sighting.names ?? [], sighting);
  const theirs = sighting.isInferred ? undefined : phoneAt(sighting.providerChatId);
  return theirs === undefined || twinOf(theirs) === undefined
    ? chat
    : respelt(store, await chat, sighting.providerChatId, theirs);
}

const phoneAt = (id: unknown): string | undefined => phoneOfJid(String(id)) ?? toPhone(String(id));

/** Where we wrote first, the chat has the number as it was given to us. What the provider calls it is what it is written to by. */
async function respelt(store: Store, chat: Item, told: string, theirs: string): Promise<Item> {
  if (phoneAt(chat.providerChatId) !== twinOf(theirs)) return chat;
  const { done, item } = await store.write(
    update(
      chatKey(String(chat.chatId)),
      [set('providerChatId', told), set('phone', theirs)],
      all(exists(), absent('mergedInto')),
    ),
    { returns: 'new' },
  );
  return done && item ? findable(store, item) : chat;
}

/** Keeps names of whom a chat is with that it does not know yet, and what it is found by. Answers the chat as it is then. */
export async function introduce(store: Store, chat: Item, names: readonly string[], account: Known): Promise<Item> {
  const kept = namesKept(chat);
  const news: string[] = [];
  for (const name of names) {
    if (!kept.includes(name) && !contradict([...kept, ...news], [name])) news.push(name);
  }
  return findable(store, news.length === 0 ? chat : await learn(store, chat, news, account));
}

export const namesKept = ({ names }: Item): readonly string[] => (Array.isArray(names) ? names.map(String) : []);

/** Nobody has two numbers or two hidden ones: whoever seems to is not one person. */
export const contradict = (one: readonly string[], other: readonly string[]): boolean =>
  [phonesAmong, lidsAmong].some((among) => new Set([...among(one), ...among(other)]).size > 1);

/** How often others may change the same chats meanwhile. */
const ROUNDS = 6;

/** New names of a chat: rows first, then what others have under them, then the chat's own list, which says that it is done. */
async function learn(store: Store, first: Item, news: readonly string[], account: Known): Promise<Item> {
  const { workspace } = account;
  let chat = first;
  return retryOnConflict(
    `the chat ${String(chat.chatId)}`,
    async () => {
      const id = String(chat.chatId);
      const names = [...new Set([...namesKept(chat), ...news])].slice(0, MOST_NAMES);
      await Promise.all(names.map((name) => store.write(rowOf(workspace, name, id, names))));
      const others = await chatsUnder(store, news, { ...account, except: id });
      const other = others.find((one) => !contradict(names, namesKept(one)));
      const done = other ? await merged(store, chat, other, names) : await noted(store, chat, names);
      if (done) return done;
      chat = (await currentChat(store, workspace, id)) ?? chat;
      return AGAIN;
    },
    ROUNDS,
  );
}

async function noted(store: Store, chat: Item, names: readonly string[]): Promise<Item | undefined> {
  const change = update(chatKey(String(chat.chatId)), [set('names', names)], untouched(chat));
  const { done, item } = await store.write(change, { returns: 'new' });
  return done ? item : undefined;
}

const untouched = ({ names, merged }: Item) => all(exists(), absent('mergedInto'), unchanged({ names, merged }));

const rowOf = (workspace: string, name: string, chat: string, names: readonly string[]) =>
  put({ ...personKey(workspace, name, chat), names });

const MOST_ROWS = 100;

/** The chats of one account that are known under any of these names. */
export async function chatsUnder(
  store: Store,
  names: readonly string[],
  account: Known & { readonly except?: string },
): Promise<readonly Item[]> {
  const { workspace, provider } = account;
  const found = await Promise.all(
    names.map(async (name) => {
      const pk = personPartition(workspace, name);
      const rows = await queryAll(store, { pk, limit: MOST_ROWS, consistent: true });
      const keys = rows.filter(({ sk }) => sk !== account.except).map(({ sk }) => chatKey(sk));
      const chats = (await getAll(store, keys, { consistent: true })).filter(
        (chat) => chat.workspace === workspace && chat.provider === provider && chat.mergedInto === undefined,
      );
      const certain = chats.filter((chat) => isSameAccount(chat, account));
      if (certain.length > 0 || !name.startsWith('id:')) return certain;
      // An id of the provider's own says enough where one of the two does not tell the account.
      const isUnsure = (chat: Item) => !isNamedAccount(String(chat.accountKey)) || !isNamedAccount(account.accountKey);
      return chats.length === 1 ? chats.filter(isUnsure) : [];
    }),
  );
  const each = new Map(found.flat().map((chat) => [chat.pk, chat]));
  return [...each.values()].sort((a, b) => (isOlder(a, b) ? -1 : 1));
}

function isSameAccount(chat: Item, { accountId, accountKey, accountNames = [] }: Known): boolean {
  if (typeof chat.accountId === 'string' && accountId !== undefined) return chat.accountId === accountId;
  const names = [accountId, accountKey, ...accountNames];
  return (
    names.includes(String(chat.accountKey)) || (chat.accountId !== undefined && names.includes(String(chat.accountId)))
  );
}

const isOlder = (a: Item, b: Item): boolean =>
  a.createdAt === b.createdAt ? String(a.chatId) < String(b.chatId) : String(a.createdAt) < String(b.createdAt);

/**
 * Two chats with the same person become the older of them, in one transaction: it takes over names, messages and, where it
 * has none, the title; the id of the younger leads to it from then on. Undefined: somebody else has changed one of them.
 */
async function merged(store: Store, one: Item, other: Item, learnt: readonly string[]): Promise<Item | undefined> {
  const [older, younger] = isOlder(one, other) ? [one, other] : [other, one];
  const [into, gone] = [String(older.chatId), String(younger.chatId)];
  const workspace = String(older.workspace);
  const names = [...new Set([...namesKept(older), ...namesKept(younger), ...learnt])].slice(0, MOST_NAMES);
  const changes: Change[] = [set('names', names), append('merged', ...historiesOf(younger)), ...taken(older, younger)];
  const leads = ['gsi1pk', 'gsi1sk', 'foundBy'].map(remove);
  const { foundBy } = younger;
  const rows = [...new Set([...namesKept(younger), ...learnt])];
  const writes = [
    update(chatKey(into), changes, untouched(older)),
    update(chatKey(gone), [set('mergedInto', into), ...leads], all(untouched(younger), unchanged({ foundBy }))),
    ...foundRows(younger).map((row) => del(row)),
    ...rows.map((name) => del(personKey(workspace, name, gone))),
    ...names.map((name) => rowOf(workspace, name, into, names)),
  ];
  // No token made of the writes: where both are deleted and told anew, the same writes are another transaction.
  const written = await store.transact(writes, undefined);
  return written.done ? store.get(chatKey(into), { consistent: true }) : undefined;
}

function taken(older: Item, younger: Item): Change[] {
  const { title, phone, accountId } = younger;
  const isNewer = String(younger.lastAt) > String(older.lastAt);
  const { lastEvent, lastEventAt } = younger;
  const isNewerEvent = typeof lastEventAt === 'string' && lastEventAt > String(older.lastEventAt ?? '');
  const missing = (name: string, value: Value | undefined) =>
    older[name] === undefined && value !== undefined ? [set(name, value)] : [];
  return [
    ...(isNewer
      ? [set('lastAt', String(younger.lastAt)), set('gsi1sk', listedAt(String(younger.lastAt), String(older.chatId)))]
      : []),
    ...(isNewerEvent ? lastMessage(String(lastEvent), lastEventAt) : []),
    ...reading(older, younger),
    ...missing('phone', phone),
    ...missing('accountId', accountId),
    ...(isNamedAccount(String(older.accountKey)) ? [] : [set('accountKey', String(younger.accountKey))]),
    ...missing('title', title),
  ];
}

/** What is unread in one of two chats is unread in what they become. */
function reading(older: Item, younger: Item): Change[] {
  const last = later(older.lastInAt, younger.lastInAt);
  const read = isUnread(older) || isUnread(younger) ? undefined : later(older.readAt, younger.readAt);
  return [...(last === undefined ? [] : [set('lastInAt', last)]), setOrRemove('readAt', read)];
}

const later = (...times: unknown[]): string | undefined =>
  times
    .filter((at) => typeof at === 'string')
    .sort()
    .at(-1);

/** Everything that somebody is known as, the number in its common spelling first. */
export async function namesOfPerson(store: Store, workspace: string, phone: string): Promise<readonly string[]> {
  const number = commonSpelling(phone);
  const pk = personPartition(workspace, number);
  const rows = await queryAll(store, { pk, limit: MOST_ROWS, consistent: true });
  return [...new Set([number, ...rows.flatMap(namesKept)])];
}

/** By which name somebody stands in all items who is looked for by a number in any spelling, a JID or another id. */
export function nameSought(id: string): string | undefined {
  const phone = phoneOfJid(id) ?? toPhone(id);
  return phone === undefined ? (nameOf(id) ?? idName(id)) : commonSpelling(phone);
}

/** What leads to a chat. */
export const rowsOf = (chat: Item): readonly Key[] =>
  namesKept(chat).map((name) => personKey(String(chat.workspace), name, String(chat.chatId)));

/** The chats of whoever has this number or id; of one that was merged, what it has become. */
export async function chatsOf(store: Store, workspace: string, id: string): Promise<readonly Item[]> {
  const ids = await chatIdsOf(store, workspace, id);
  const chats = await Promise.all(ids.map((chat) => currentChat(store, workspace, chat)));
  return [...new Map(chats.flatMap((chat) => (chat ? [[chat.pk, chat] as const] : []))).values()];
}

/** On all accounts: under a name, or under an id of the provider's that is no name, as a channel's. */
async function chatIdsOf(store: Store, workspace: string, id: string): Promise<readonly string[]> {
  const name = nameSought(id);
  const [rows, ...entries] = await Promise.all([
    name === undefined
      ? []
      : queryAll(store, { pk: personPartition(workspace, name), limit: MOST_ROWS, consistent: true }),
    ...[...new Set([id, normaliseJid(id)])].map((one) =>
      queryAll(store, { index: 'gsi3', pk: providerChatPartition(workspace, one), limit: MOST_ROWS }),
    ),
  ]);
  return [...new Set([...rows.map(({ sk }) => sk), ...entries.flat().map(({ gsi3sk }) => String(gsi3sk))])];
}
