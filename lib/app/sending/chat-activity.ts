import { chatKindOfJid } from '#lib/domain/jid.ts';
import { sightChat } from '../chats/chat.ts';
import { type Store, StoreUnavailable } from '../store.ts';
import type { Send } from './items.ts';
import type { Metrics } from './ports.ts';
import { threadIn } from './thread.ts';

/**
 * Brings the chat of a message that went out to the top of its list. The message itself is stored by then, so a table
 * that does not take this is no reason to hold up the account: the next message of the chat makes up for it.
 */
export async function noteActivity(
  { store, metrics }: { readonly store: Store; readonly metrics: Metrics },
  { workspace, provider, accountId, recipient }: Send,
  at: number,
): Promise<void> {
  const thread = threadIn(recipient);
  if (!thread) return;
  const { chat, providerChatId } = thread;
  const kind = chatKindOfJid(providerChatId);
  const sighting = { workspace, provider, accountId, accountKey: accountId, providerChatId, kind, at };
  try {
    await sightChat(store, sighting, chat);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    metrics.count('ChatNotNoted', { provider });
  }
}
