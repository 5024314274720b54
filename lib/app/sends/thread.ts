import type { Recipient } from '#lib/domain/sending/recipient.ts';
import { chatId } from '../chats/chat.ts';
import type { Thread } from '../sending/thread.ts';
import type { Store } from '../store.ts';
import type { Candidate, Reach } from './accounts.ts';
import { chatsOfProvider } from './chats.ts';
import { isCertainlyOf } from './owners.ts';

/** Where something has come in from the recipient before, that chat; else the one that its answer will come in to. */
export async function threadOf(
  store: Store,
  account: Candidate,
  recipient: Extract<Recipient, { kind: 'phone' | 'jid' }>,
  reach: Reach | undefined,
): Promise<Thread> {
  const { workspace, provider } = account;
  const ids = idsOf(recipient, reach);
  const found = await Promise.all(ids.map((id) => chatsOfProvider(store, workspace, id)));
  const known = found.flat().find((chat) => chat.provider === provider && isCertainlyOf(chat, account));
  if (known) return { chat: known.chatId, providerChatId: known.providerChatId };
  const providerChatId = ids[0];
  return { chat: chatId({ workspace, provider, accountKey: account.id, providerChatId }), providerChatId };
}

/** The likely one first. Some providers know a chat by several ids. */
function idsOf(
  recipient: Extract<Recipient, { kind: 'phone' | 'jid' }>,
  reach: Reach | undefined,
): [string, ...string[]] {
  if (recipient.kind === 'jid') return [recipient.jid];
  const { phone } = recipient;
  const ids = new Set([reach?.chatOf?.(phone) ?? phone, phone, `${phone.slice(1)}@c.us`]);
  const [first = phone, ...others] = ids;
  return [first, ...others];
}
