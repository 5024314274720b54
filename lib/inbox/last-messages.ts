import * as v from 'valibot';
import { ListedChat } from '#lib/chats/list.ts';
import { beginningOf } from '#lib/domain/content.ts';
import type { Event } from '#lib/domain/event.ts';
import { Instant, known, optional, text } from '#lib/domain/schema.ts';
import { eventKey } from '#lib/store/keys.ts';
import { getAll } from '#lib/store/query.ts';
import { type Item, isLive, type Store } from '#lib/store/store.ts';
import { eventOf } from './event-item.ts';

const { lastEvent: _, ...entries } = ListedChat.entries;

/** A chat as readers see it. */
export const ShownChat = v.object({
  ...entries,
  lastMessage: optional(
    v.object({
      id: text("The provider's id of the message"),
      at: v.pipe(Instant, v.description('When it was written')),
      direction: v.picklist(['inbound', 'outbound']),
      type: text('Of its content'),
      text: optional(v.string(), 'How its words begin, in one line'),
    }),
    'Left out where its event is gone, and where none has come since an earlier release; with `q` and `titlePrefix` also ' +
      'of chats that are not among the 200 that were active last: `GET /api/chats/{id}` tells it',
  ),
});
export type ShownChat = v.InferOutput<typeof ShownChat>;

export const withoutLast = ({ lastEvent: _, ...chat }: ListedChat): ShownChat => chat;

/** With the last message of each chat. `read`: events that were read already. */
export async function withLastMessages(
  store: Store,
  chats: readonly ListedChat[],
  nowSeconds: number,
  read: readonly Item[] = [],
): Promise<readonly ShownChat[]> {
  const had = new Set(read.map(({ pk }) => pk));
  const keys = chats.flatMap(({ lastEvent }) => (lastEvent === undefined ? [] : [eventKey(lastEvent)]));
  const missing = await getAll(
    store,
    keys.filter(({ pk }) => !had.has(pk)),
  );
  return withThese(store, chats, nowSeconds, [...read, ...missing]);
}

/**
 * With those last messages that were read. Its words are read from its event: where that was erased or ran out, there are
 * none.
 */
export function withThese(
  store: Store,
  chats: readonly ListedChat[],
  nowSeconds: number,
  read: readonly Item[],
): Promise<readonly ShownChat[]> {
  const heads = new Map(read.map((head) => [head.pk, head]));
  return Promise.all(
    chats.map(async ({ lastEvent, ...chat }) => {
      const head = lastEvent === undefined ? undefined : heads.get(eventKey(lastEvent).pk);
      if (head?.workspace !== chat.workspace || !isLive(head, nowSeconds)) return chat;
      return { ...chat, ...known({ lastMessage: messageIn(await readable(store, head)) }) };
    }),
  );
}

function messageIn(event: Event | undefined): ShownChat['lastMessage'] {
  if (event?.kind !== 'message') return undefined;
  const { id, direction, content } = event.message;
  const words = beginningOf(content);
  return { id, at: event.occurredAt, direction, type: content.type, ...known({ text: words }) };
}

/** Undefined for an event that is damaged: the chat is still there. */
async function readable(store: Store, head: Item): Promise<Event | undefined> {
  try {
    return await eventOf(store, head);
  } catch (cause) {
    if (cause instanceof TypeError) return undefined;
    throw cause;
  }
}
