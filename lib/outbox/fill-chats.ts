import { findable, readChat } from '#lib/chats/chat.ts';
import { CHATS_FILL } from '#lib/chats/list.ts';
import { introduce, namesIn, otherIn } from '#lib/chats/people.ts';
import { known } from '#lib/domain/schema.ts';
import { eventOf } from '#lib/inbox/event-item.ts';
import { shownKey, unlessDamaged } from '#lib/store/items.ts';
import { chatListPartition, chatMessagesPartition } from '#lib/store/keys.ts';
import { getAll } from '#lib/store/query.ts';
import type { Item, Store } from '#lib/store/store.ts';
import { type Fill, listed } from '#lib/store/walk.ts';
import { accountsOf } from '#lib/tenants/account.ts';
import { type Candidate, isCertainlyOf } from './resolve.ts';

/** The names of whom chats of earlier releases are with, and what they are found by; those that are with one person become one. */
export const chatsFill: Fill = {
  ...CHATS_FILL,
  stages: ({ store, metrics }, workspace) => {
    let accounts: Promise<readonly Candidate[]> | undefined;
    return [
      {
        name: 'chats',
        ...listed(store, (shard) => chatListPartition(workspace, shard)),
        visit: async (item) => {
          if (item.mergedInto !== undefined) return;
          try {
            const chat = await findable(store, item);
            if (chat.names !== undefined) return;
            accounts ??= accountsOf(store, workspace);
            await fill(store, chat, await accounts);
          } catch (cause) {
            unlessDamaged(cause);
            // One that cannot be read is left out; `correlationId` stands in the log beside the figure.
            metrics.count('WatchdogFailures', { stage: 'chats', correlationId: shownKey(item) });
          }
        },
      },
    ];
  },
};

async function fill(store: Store, item: Item, accounts: readonly Candidate[]): Promise<void> {
  const chat = readChat(item);
  const { workspace, provider, accountId, accountKey = accountId ?? '', kind, aliases = [] } = chat;
  const told = namesIn({ id: chat.providerChatId, kind, aliases });
  const shown = told.some((name) => name.startsWith('+')) ? [] : await namesInMessages(store, item);
  const owner = accounts.find((account) => account.provider === provider && isCertainlyOf(chat, account));
  const accountNames = [owner?.id, owner?.instance, owner?.phone].filter((name) => name !== undefined);
  const account = { workspace, provider, accountKey, accountNames, ...known({ accountId: accountId ?? owner?.id }) };
  await introduce(store, item, [...told, ...shown], account);
}

/** What hides the number may stand beside it in a message. */
const LATEST = 5;

async function namesInMessages(store: Store, chat: Item): Promise<readonly string[]> {
  const newest = {
    index: 'gsi2',
    pk: chatMessagesPartition(String(chat.chatId)),
    limit: LATEST,
    descending: true,
  } as const;
  const { items } = await store.query(newest);
  const heads = await getAll(store, items);
  const events = await Promise.all(heads.map((head) => eventOf(store, head).catch(unlessDamaged)));
  return events.flatMap((event) =>
    event?.kind === 'message' ? namesIn(event.message.chat, otherIn(event.message)) : [],
  );
}
