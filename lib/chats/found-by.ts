import { chatKey, type FoundBy, findKey, findPartition, foundChat, titlePartition } from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import { AGAIN, retryOnConflict } from '#lib/store/retry.ts';
import {
  absent,
  all,
  del,
  exists,
  type Item,
  type Key,
  put,
  remove,
  type Store,
  set,
  unchanged,
  update,
} from '#lib/store/store.ts';
import { isFilled } from '#lib/store/walk.ts';
import { currentChat } from './chat.ts';

/**
 * What chats are found by, each as a row that leads to its chat:
 *
 *   WORD#a    ana ruiz#chat_1     the title from its beginning, and from each further word on
 *             ruiz#chat_1         (in the partition of `r`)
 *   TITLE#…   chat_1              the title as it is, by its hash
 *   END#7     710550555#chat_1    a number, read from its end
 *   MORE      chat_2              that a title has more words than rows: it may fit anything
 *
 * A chat says for which title and numbers its rows are (`foundBy`). Both change in one transaction, and only where the
 * title or the number has: an ordinary message finds that nothing is to be done in the item that it has written anyway.
 */

/** Of whichever case and width. */
const folded = (text: string): string => text.normalize('NFKC').toLowerCase();
const wordsOf = (text: string): string[] =>
  folded(text)
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter(Boolean);
/** Without the zeros that stand before a number at home. */
const digitsOf = (text: string): string => text.replaceAll(/\D/g, '').replace(/^0+/, '');

const FEWEST_DIGITS = 3;

/** The digits of what may be the end of a number, as somebody types it: with its zeros where little else is left. */
function numberEnd(words: string): string | undefined {
  const bare = digitsOf(words);
  const digits = bare.length < FEWEST_DIGITS ? words.replaceAll(/\D/g, '') : bare;
  return digits.length >= FEWEST_DIGITS && /^[\d\s()+./-]+$/.test(words) ? digits : undefined;
}

interface Named {
  readonly title?: string;
  readonly phone?: string;
  readonly providerChatId: string;
}

/** Each word begins one of the title's, or the title begins with all of it, or it is the end of a number. */
export function isFoundBy({ title = '', phone, providerChatId }: Named, words: string): boolean {
  if (folded(title).startsWith(folded(words))) return true;
  const wanted = wordsOf(words);
  const found = wordsOf(title);
  if (wanted.length > 0 && wanted.every((word) => found.some((one) => one.startsWith(word)))) return true;
  const end = numberEnd(words);
  return end !== undefined && [phone, providerChatId].some((number) => digitsOf(number ?? '').endsWith(end));
}

export const beginsWith = (title: unknown, prefix: string): boolean =>
  typeof title === 'string' && folded(title).startsWith(folded(prefix));

/** In a row; what is longer is told apart by the chat. Characters and not code units, of which two may be one. */
const LONGEST = 64;
const MOST_WORDS = 20;
/** As many numbers as one person is told under, in two spellings perhaps. */
const MOST_PHONES = 4;

const cut = (text: string): string => Array.from(text).slice(0, LONGEST).join('');
const reversed = (digits: string): string => Array.from(digits).reverse().join('');

/** The title ('' where there is none), and every number that was told of late: whichever spelling comes, the rows stay. */
type Traits = readonly [title: string, ...phones: string[]];

function kept({ foundBy }: Item): Traits | undefined {
  if (!Array.isArray(foundBy)) return undefined;
  const [title = '', ...phones] = foundBy.map(String);
  return [title, ...phones];
}

function present(chat: Item): Traits {
  const [, ...phones] = kept(chat) ?? [''];
  const told = typeof chat.phone === 'string' && !phones.includes(chat.phone) ? [chat.phone] : [];
  return [typeof chat.title === 'string' ? chat.title : '', ...[...phones, ...told].slice(-MOST_PHONES)];
}

function isFindable(chat: Item): boolean {
  const [had, has] = [kept(chat), present(chat)];
  return had?.length === has.length && has.every((trait, index) => had[index] === trait);
}

function rowsFor({ workspace, chatId, providerChatId }: Item, [title, ...phones]: Traits): readonly Key[] {
  const key = (by: FoundBy, text: string) => findKey(String(workspace), by, text, String(chatId));
  // Whoever looks for a prefix finds the full title in its row as well: its first word needs none of its own.
  const begins = [...new Set([folded(title), title.toLowerCase()].map(cut))].filter(Boolean);
  const others = [...new Set(wordsOf(title).map(cut))].filter((word) => begins.every((text) => !text.startsWith(word)));
  const ends = [...phones, String(providerChatId)].map(digitsOf).filter(({ length }) => length >= FEWEST_DIGITS);
  const rows = [
    ...[...begins, ...others.slice(0, MOST_WORDS)].map((text) => key('WORD', text)),
    ...(others.length > MOST_WORDS ? [key('MORE', '')] : []),
    ...(title === '' ? [] : [key('TITLE', title)]),
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
      // Earlier releases had an entry for the title in gsi2, which each message wrote anew.
      update(
        chatKey(String(chatId)),
        [set('foundBy', traits), remove('gsi2pk'), remove('gsi2sk')],
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

/** The walk over chats of earlier releases (lib/outbox/fill-chats.ts): until it is through, some have no rows. */
export const CHATS_FILL = { name: 'chats' };

/** Where fewer rows are found, every chat that fits is among theirs; where there are more, many fit. */
const FEW = 500;
/** Of several words the longest tell most. */
const MOST_SOUGHT = 3;

interface Sought {
  readonly titlePrefix?: string | undefined;
  readonly words?: string | undefined;
}

/**
 * The chats of which all that fit are among. Undefined: so many may that a walk through the list soon finds a page of them,
 * or rows are missing yet.
 */
export async function chatsSought(
  store: Store,
  workspace: string,
  { titlePrefix, words = '' }: Sought,
): Promise<readonly Key[] | undefined> {
  const few = (by: FoundBy, text: string) => fewRows(store, workspace, by, text);
  const isTitle = titlePrefix !== undefined;
  const texts = isTitle ? [folded(titlePrefix)] : mostTelling(words);
  const end = isTitle ? undefined : numberEnd(words);
  const [isFilledIn, more, ofNumber, ...ofTexts] = await Promise.all([
    isFilled(store, CHATS_FILL),
    isTitle ? [] : few('MORE', ''),
    end === undefined ? [] : few('END', reversed(end)),
    ...texts.map((text) => (text === '' ? undefined : few('WORD', text))),
  ]);
  const [first, ...others] = ofTexts.filter((ids) => ids !== undefined);
  if (!isFilledIn || !first || !more || !ofNumber) return undefined;
  const inAll = first.filter((id) => others.every((ids) => ids.includes(id)));
  return [...new Set([...inAll, ...more, ...ofNumber])].map(chatKey);
}

/** What holds no word is a sign, as an emoji: by it alone the beginning of a title is known. */
function mostTelling(words: string): readonly string[] {
  const all = [...new Set(wordsOf(words).map(cut))].sort((a, b) => b.length - a.length);
  return all.length > 0 ? all.slice(0, MOST_SOUGHT) : [folded(words)];
}

/** The ids of chats; undefined: there are more than a few. */
async function fewRows(store: Store, workspace: string, by: FoundBy, text: string) {
  const { pk, sk } = findKey(workspace, by, cut(text), '');
  const prefix = sk.slice(0, -1);
  const { items, next } = await store.query({
    pk,
    ...(prefix !== '' && { prefix }),
    limit: FEW + 1,
    consistent: true,
  });
  return items.length > FEW || next ? undefined : [...new Set(items.map(foundChat))];
}

/**
 * The keys of chats with this very title; of `most` at most. Also by the entries of earlier releases: an instance that an
 * upgrade has not replaced yet, or an upgrade taken back for a while, makes them after all chats were gone through.
 */
export async function chatsTitled(store: Store, workspace: string, title: string, most?: number) {
  const read = async (query: { readonly index?: 'gsi2'; readonly pk: string }) =>
    most === undefined
      ? queryAll(store, { ...query, limit: 1000 })
      : (await store.query({ ...query, limit: most })).items;
  const [rows, entries] = await Promise.all([
    read({ pk: findPartition(workspace, 'TITLE', title) }),
    read({ index: 'gsi2', pk: titlePartition(workspace, title) }),
  ]);
  const keys: Key[] = [...rows.map((row) => chatKey(foundChat(row))), ...entries];
  return [...new Map(keys.map((key) => [nameOf(key), key])).values()];
}
