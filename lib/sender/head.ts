import { accountKey, POINTER_PREFIX, sendKey } from '#lib/store/keys.ts';
import type { Store } from '#lib/store/store.ts';
import { type Part, readPointer, readSend, type Send } from './items.ts';

/** A part of a send, as it was read: mostly the one that is first in its account's queue. */
export interface Head {
  readonly send: Send;
  readonly index: number;
  readonly part: Part;
}

/** The first in the account's queue, read consistently: a stale look could take the queue for empty, or a sent part for waiting. */
export async function findHead(store: Store, account: string): Promise<Head | undefined> {
  const page = await store.query({
    pk: accountKey(account).pk,
    prefix: POINTER_PREFIX,
    limit: 1,
    consistent: true,
  });
  const [item] = page.items;
  if (!item) return undefined;
  const pointer = readPointer(item);
  return readPart(store, pointer.send, pointer.part);
}

export async function readPart(store: Store, messageId: string, index: number): Promise<Head> {
  const item = await store.get(sendKey(messageId), { consistent: true });
  const send = item && readSend(item);
  const part = send?.parts[index];
  if (!send || !part) throw new Error(`a part that does not exist stands in a queue: ${messageId} ${index}`);
  return { send, index, part };
}

/**
 * What is being sent stands in the queue among so many. It need not be the first: those with lower numbers, accepted at
 * the same moment, may have come later.
 */
export const NEAR_THE_FRONT = 50;

export async function findSending(store: Store, account: string): Promise<Head | undefined> {
  const query = { pk: accountKey(account).pk, prefix: POINTER_PREFIX, limit: NEAR_THE_FRONT, consistent: true };
  const { items } = await store.query(query);
  const ids = [...new Set(items.map((item) => readPointer(item).send))];
  if (ids.length === 0) return undefined;
  const sends = await store.getMany(ids.map(sendKey), { consistent: true });
  const [found] = sends
    .map(readSend)
    .flatMap((send) => send.parts.flatMap((part, index) => (part.state === 'sending' ? [{ send, index, part }] : [])));
  return found;
}
