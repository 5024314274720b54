import { derivedId, keyPart, sha256, shardOf } from '#lib/domain/ids.ts';
import type { ChatKind } from '#lib/domain/person.ts';
import { shortly } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import {
  absent,
  any,
  type Change,
  compare,
  type Key,
  put,
  type Store,
  set,
  setIfAbsent,
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
  readonly title?: string;
  /** Other ids of the same chat. */
  readonly aliases?: readonly string[];
  /** Milliseconds; the newest sighting names the chat. */
  readonly at: number;
}

export function chatId(chat: Pick<ChatSighting, 'workspace' | 'provider' | 'accountKey' | 'providerChatId'>): string {
  return derivedId('chat', [chat.workspace, chat.provider, chat.accountKey, chat.providerChatId]);
}

export function chatKey(id: string): Key {
  return { pk: `CHAT#${id}`, sk: 'META' };
}

/**
 * Where a chat stands in the list: moving an index entry costs two write units, so it moves once a minute at most. Inside
 * a minute only the items tell the order (lib/chats/list.ts).
 */
export const minuteOf = (at: string): string => at.slice(0, 'YYYY-MM-DDThh:mm'.length);

/** Where chats are found by their exact title. */
export function titlePartition(workspace: string, title: string): string {
  return `WS#${workspace}#TITLE#${sha256(title.toWellFormed())}`;
}

/** Where chats are found by the provider's id: the same id may stand in several accounts. */
export function providerChatPartition(workspace: string, providerChatId: string): string {
  return `WS#${workspace}#PCHAT#${keyPart(providerChatId)}`;
}

/** Keeps the registry of chats up to date. An event older than the last one changes nothing but what was unknown. */
export async function sightChat(store: Store, chat: ChatSighting, id = chatId(chat)): Promise<void> {
  const at = toIso(chat.at);
  const known = any(absent(), compare('lastAt', '<=', at));
  const written = await store.write(update(chatKey(id), changes(chat, id, at), known));
  // A title that comes late is still the first one.
  if (!written.done && chat.title !== undefined && written.item?.title === undefined) {
    await store.write(update(chatKey(id), titleChanges(chat.workspace, chat.title, id), absent('title')));
  }
  if (chat.aliases && chat.aliases.length > 0) await store.writeMany(aliasItems(chat, id));
}

function changes(chat: ChatSighting, id: string, at: string): Change[] {
  return [
    set('chatId', id),
    set('workspace', chat.workspace),
    set('provider', chat.provider),
    ...(chat.accountId === undefined ? [] : [set('accountId', chat.accountId)]),
    set('accountKey', shortly(chat.accountKey)),
    set('providerChatId', shortly(chat.providerChatId)),
    set('kind', chat.kind),
    set('lastAt', at),
    setIfAbsent('createdAt', at),
    set('gsi1pk', `WS#${chat.workspace}#CHAT#${shardOf(id)}`),
    set('gsi1sk', `${minuteOf(at)}#${id}`),
    set('gsi3pk', providerChatPartition(chat.workspace, chat.providerChatId)),
    set('gsi3sk', id),
    ...(chat.title === undefined ? [] : titleChanges(chat.workspace, chat.title, id)),
    ...(chat.aliases && chat.aliases.length > 0
      ? [set('aliases', chat.aliases.slice(0, MOST_ALIASES).map(shortly))]
      : []),
  ];
}

function titleChanges(workspace: string, title: string, id: string): Change[] {
  return [set('title', shortly(title)), set('gsi2pk', titlePartition(workspace, title)), set('gsi2sk', id)];
}

function aliasItems(chat: ChatSighting, id: string) {
  return (chat.aliases ?? []).slice(0, MOST_ALIASES).map((alias) =>
    put({
      ...chatKey(id),
      sk: `ALIAS#${keyPart(alias)}`,
      chatId: id,
      gsi3pk: providerChatPartition(chat.workspace, alias),
      gsi3sk: id,
    }),
  );
}
