import * as v from 'valibot';
import { SHARDS } from '#lib/domain/ids.ts';
import { Instant, optional, text } from '#lib/domain/schema.ts';
import { getAll } from '../get-all.ts';
import { newestFirst } from '../lists/newest-first.ts';
import { type ListPage, type PageRequest, pageOf } from '../lists/page.ts';
import { queryAll } from '../query-all.ts';
import { itemReader } from '../read-item.ts';
import type { Item, Key, Store } from '../store.ts';
import { chatKey, titlePartition } from './chat.ts';

export const KnownChat = v.object({
  id: text("The hub's id of the chat; what `chat_id` of a send takes"),
  workspace: v.string(),
  provider: v.string(),
  accountId: optional(v.string()),
  providerChatId: text("The provider's id of the chat"),
  aliases: optional(v.array(v.string()), 'Other ids of the same chat'),
  kind: v.picklist(['individual', 'group', 'status', 'broadcast']),
  title: optional(v.string()),
  createdAt: Instant,
  lastAt: v.pipe(Instant, v.description('When something last happened in it')),
});
export type KnownChat = v.InferOutput<typeof KnownChat>;

export interface ChatFilter {
  readonly accountId?: string;
  /** Exact. */
  readonly title?: string;
}

/** The chats of a workspace, last active first. */
export async function listChats(
  store: Store,
  workspace: string,
  { accountId, title }: ChatFilter,
  page: PageRequest,
): Promise<ListPage<KnownChat>> {
  const accepts = (entry: Item) => accountId === undefined || entry.accountId === accountId;
  if (title !== undefined) return pageOfTitle(store, workspace, title, accepts, page);
  const { entries, position } = await newestFirst(
    store,
    { index: 'gsi1', partitions: Array.from({ length: SHARDS }, (_, shard) => `WS#${workspace}#CHAT#${shard}`) },
    {
      limit: page.limit,
      ...(page.from !== undefined && { before: page.from }),
      ...(accountId !== undefined && { accepts }),
    },
  );
  return pageOf((await chatsAt(store, entries)).map(chatOf), position);
}

/** Few chats share a title, and the index does not know which of them was active last: so all are read. */
async function pageOfTitle(
  store: Store,
  workspace: string,
  title: string,
  accepts: (entry: Item) => boolean,
  { from, limit }: PageRequest,
): Promise<ListPage<KnownChat>> {
  const found = await queryAll(store, { index: 'gsi2', pk: titlePartition(workspace, title), limit: 1000 });
  const entries = found.filter(accepts);
  // The index may lag behind a change of title.
  const chats = (await chatsAt(store, entries)).filter((chat) => chat.title === title);
  const sorted = chats
    .map((item) => ({ position: `${item.lastAt}#${item.chatId}`, item }))
    .filter(({ position }) => from === undefined || position < from)
    .sort((a, b) => (a.position < b.position ? 1 : -1));
  const shown = sorted.slice(0, limit);
  const position = sorted.length > limit ? shown.at(-1)?.position : undefined;
  return pageOf(
    shown.map(({ item }) => chatOf(item)),
    position,
  );
}

function chatsAt(store: Store, entries: readonly Key[]): Promise<readonly Item[]> {
  return getAll(
    store,
    entries.map(({ pk, sk }) => ({ pk, sk })),
  );
}

export async function findChat(store: Store, workspace: string, id: string): Promise<KnownChat | undefined> {
  const item = await store.get(chatKey(id), { consistent: true });
  return item?.workspace === workspace ? chatOf(item) : undefined;
}

const readChat = itemReader(KnownChat);
const chatOf = (item: Item): KnownChat => readChat({ ...item, id: item.chatId });
