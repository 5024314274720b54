import * as v from 'valibot';
import { normaliseJid } from '#lib/domain/jid.ts';
import { chatKey, providerChatPartition, titlePartition } from '../chats/chat.ts';
import { itemReader } from '../read-item.ts';
import type { Query, Store } from '../store.ts';
import type { Target } from './target.ts';

const KnownChat = v.object({
  chatId: v.string(),
  workspace: v.string(),
  provider: v.string(),
  accountId: v.exactOptional(v.string()),
  accountKey: v.exactOptional(v.string()),
  providerChatId: v.string(),
  aliases: v.optional(v.array(v.string()), []),
  kind: v.picklist(['individual', 'group', 'status', 'broadcast']),
  title: v.exactOptional(v.string()),
});
export type KnownChat = v.InferOutput<typeof KnownChat>;
const readChat = itemReader(KnownChat);

/** More than so many need not be told apart. */
const MOST = 50;

/** The chats of a workspace that fit; another workspace's are as good as none. */
export async function findChats(
  store: Store,
  workspace: string,
  target: Extract<Target, { kind: 'chat' | 'name' }>,
): Promise<readonly KnownChat[]> {
  if (target.kind === 'name') {
    const query = { index: 'gsi2', pk: titlePartition(workspace, target.name), limit: MOST } as const;
    // The index may lag behind a change of title.
    return (await chatsAt(store, workspace, query)).filter((chat) => chat.title === target.name);
  }
  const own = await chatOf(store, workspace, target.id);
  return own ? [own] : chatsOfProvider(store, workspace, normaliseJid(target.id));
}

/** By the provider's own id, or by another one that the provider has for the same chat. */
export async function chatsOfProvider(store: Store, workspace: string, id: string): Promise<readonly KnownChat[]> {
  const query = { index: 'gsi3', pk: providerChatPartition(workspace, id), limit: MOST } as const;
  return (await chatsAt(store, workspace, query)).filter((chat) => [chat.providerChatId, ...chat.aliases].includes(id));
}

async function chatOf(store: Store, workspace: string, id: string): Promise<KnownChat | undefined> {
  if (!/^chat_[0-9a-f]{32}$/.test(id)) return undefined;
  const item = await store.get(chatKey(id), { consistent: true });
  return item?.workspace === workspace ? readChat(item) : undefined;
}

/** The entries of an alias lead to their chat. */
async function chatsAt(store: Store, workspace: string, query: Query): Promise<readonly KnownChat[]> {
  const { items } = await store.query(query);
  const keys = [...new Set(items.map(({ pk }) => pk))].map((pk) => ({ pk, sk: 'META' }));
  if (keys.length === 0) return [];
  const chats = await store.getMany(keys, { consistent: true });
  return chats.filter((chat) => chat.workspace === workspace).map(readChat);
}
