import { chatKindOfJid } from '#lib/domain/jid.ts';
import { sightChat } from '../chats/chat.ts';
import type { Store } from '../store.ts';
import type { Send } from './items.ts';
import { threadIn } from './thread.ts';

/**
 * Brings the chat of a message that went out to the top of its list. Should this get lost, the next message of the chat
 * makes up for it; the message itself stands in the chat's history by then.
 */
export async function noteActivity(
  store: Store,
  { workspace, provider, accountId, recipient }: Send,
  at: number,
): Promise<void> {
  const thread = threadIn(recipient);
  if (!thread) return;
  const { chat, providerChatId } = thread;
  const kind = chatKindOfJid(providerChatId);
  const sighting = { workspace, provider, accountId, accountKey: accountId, providerChatId, kind, at };
  await sightChat(store, sighting, chat);
}
