import * as v from 'valibot';
import { currentChat, historiesOf } from '#lib/chats/chat.ts';
import { namesKept } from '#lib/chats/people.ts';
import type { Mentions } from '#lib/domain/content.ts';
import type { Log, Random } from '#lib/domain/ports.ts';
import { tally } from '#lib/domain/schema.ts';
import { addressesIn, saidIn, tracesOf } from '#lib/domain/send/evidence.ts';
import { isUnsettled } from '#lib/domain/send/part.ts';
import { eventOf } from '#lib/inbox/event-item.ts';
import { rowKey } from '#lib/inbox/event-store.ts';
import { forgetEvent } from '#lib/reactions/auto.ts';
import { readSend, type Send } from '#lib/sender/items.ts';
import { sendReportIds } from '#lib/sender/sent-event.ts';
import { unlessDamaged } from '#lib/store/items.ts';
import { chatIdIn, chatMessagesPartition, echoKey, eventKey, headKey, sendKey } from '#lib/store/keys.ts';
import { getAll, queryAll } from '#lib/store/query.ts';
import { AGAIN, retryOnConflict } from '#lib/store/retry.ts';
import { absent, all, del, exists, type Item, type Key, remove, type Store, set, update } from '#lib/store/store.ts';
import { accountsOf } from '#lib/tenants/directory.ts';
import { empty, eraseMarks } from './forget.ts';

/*
 * What an erasure does to a message, a chat full of them, or a send, and how it is counted. Each leads to others: an event
 * to how far its message got, that to a send, and a send to what was told of it.
 */

export const Counts = v.object({
  events: tally('Deleted, with raw bodies and thumbnails'),
  chats: tally('Deleted from the registry'),
  sends: tally('Emptied of recipient, text, file and errors; credit and states stay'),
  deliveries: tally("Deleted: how far a provider's message got"),
  attempts: tally('Deleted from the logs of webhooks, and of what endpoints and rules did'),
  ledgerEntries: tally('Their reason emptied, which named the number; the figures stay'),
  quarantinedTypes: tally('Deleted from the counts of what was not understood'),
});
export type Counts = v.InferOutput<typeof Counts>;

export const NONE: Counts = {
  events: 0,
  chats: 0,
  sends: 0,
  deliveries: 0,
  attempts: 0,
  ledgerEntries: 0,
  quarantinedTypes: 0,
};

/** What names the person and is still there, and why. */
export const Left = v.object({
  kind: v.picklist(['send', 'group', 'event']),
  id: v.string(),
  why: v.string(),
});
export type Left = v.InferOutput<typeof Left>;

/** One call's work on erasing one person. */
export interface Erasing {
  readonly store: Store;
  readonly random: Random;
  readonly log: Log;
  readonly workspace: string;
  /** Everything that the person is known as, the number first. */
  readonly names: readonly string[];
  readonly mentions: Mentions;
  /** The same, and also where the number only tells who founded a group. */
  readonly mentionsOrFounded: Mentions;
  readonly nowSeconds: number;
  readonly isTimeUp: () => boolean;
  /** Grow as the work goes on. */
  readonly counts: { -readonly [Kind in keyof Counts]: number };
  readonly left: Left[];
}

const UNSETTLED = 'It is queued, being sent, or its outcome is not known';
/** Empties a send whose fate is settled; one that is not is left as it is, for it may be going out this very moment. */
export async function emptySend(erasing: Erasing, messageId: string): Promise<void> {
  const { store, workspace, counts, left } = erasing;
  return retryOnConflict(messageId, async () => {
    const item = await store.get(sendKey(messageId), { consistent: true });
    const send = item && readSend(item);
    if (send?.workspace !== workspace || send.erased) return;
    if (send.parts.some((part) => isUnsettled(part.state))) {
      // A message of it may have led here before.
      if (left.every(({ id }) => id !== messageId)) left.push({ kind: 'send', id: messageId, why: UNSETTLED });
      return;
    }
    await eraseMarks(store, send);
    await eraseReports(erasing, send);
    if (await empty(erasing, send)) {
      counts.sends += 1;
      counts.deliveries += send.parts.filter(({ providerId }) => providerId !== undefined).length;
      return;
    }
    return AGAIN;
  });
}

/** What the hub told of a send: whom it was for, by a chat's id or title perhaps, and the provider's words. */
async function eraseReports(erasing: Erasing, send: Send): Promise<void> {
  const told = await erasing.store.getMany(sendReportIds(send).map(eventKey), { consistent: true });
  for (const head of told) await eraseEvent(erasing, head, false);
}

/** Longer than a mark is kept: a provider's clock may be two days off before ours counts. */
const MARKED_S = 4 * 86_400;

/**
 * Deletes an event with its chunks. They lie under its key, so the head goes last; from the first step on it counts as
 * run out, and no reader meets a head whose chunks are gone.
 */
export async function eraseEvent(erasing: Erasing, head: Item, isTheirs: boolean): Promise<void> {
  const { store, counts, nowSeconds } = erasing;
  await eraseEchoMarks(erasing, head);
  if (head.kind === 'message' && typeof head.gsi2pk === 'string')
    await forgetEvent(store, chatIdIn(head.gsi2pk), String(head.eventId));
  if (typeof head.stateKey === 'string') await eraseDelivery(erasing, headKey(head.stateKey), isTheirs);
  const items = await queryAll(store, { pk: head.pk, limit: 100, consistent: true });
  const chunks = items.filter(({ sk }) => sk !== head.sk);
  if (chunks.length > 0) {
    await store.write(update({ pk: head.pk, sk: head.sk }, [set('expiresAt', nowSeconds)], exists()));
    await store.writeMany(chunks.map(({ pk, sk }) => del({ pk, sk })));
  }
  // The head may be of a page that was read before its chat was swept.
  if (head.storedAt !== undefined) await store.write(del(rowKey(head)));
  const { done } = await store.write(del({ pk: head.pk, sk: head.sk }, exists()));
  if (done) counts.events += 1;
}

/** What is kept for a day to find the send by that the message may be. */
async function eraseEchoMarks({ store, workspace, names, nowSeconds }: Erasing, head: Item): Promise<void> {
  const { kind, direction, provider, orderedAt } = head;
  const isMarked = Date.parse(String(orderedAt)) / 1000 > nowSeconds - MARKED_S;
  if (kind !== 'message' || direction !== 'outbound' || !isMarked) return;
  // Of one that is half erased there is nothing left to find its marks by; they run out.
  const event = await eventOf(store, head).catch(unlessDamaged);
  const said = event?.kind === 'message' ? saidIn(event.message) : undefined;
  if (event?.kind !== 'message' || !said) return;
  const { message, accountId } = event;
  const named = accountId === undefined ? await accountsOf(store, workspace) : [{ id: accountId, provider }];
  const chat = await currentChat(store, workspace, event.chatId);
  const known = [...names, ...(chat ? namesKept(chat) : [])];
  const addresses = [...new Set([...addressesIn(message), ...addressesIn(message, known)])];
  for (const { id } of named.filter((account) => account.provider === provider)) {
    for (const trace of tracesOf(id, said, addresses)) await store.write(del(echoKey(id, trace, message.id)));
  }
}

/**
 * How far a message got. A send that is the person's is emptied with it. Where the state leads to a send that is still
 * there, only the words that name the person go: it ends with the send, whose credit may hang on what is told later.
 */
async function eraseDelivery(erasing: Erasing, key: Key, isTheirs: boolean): Promise<void> {
  const { store, counts, mentions } = erasing;
  const state = await store.get(key, { consistent: true });
  if (!state) return;
  if (isTheirs && typeof state.send === 'string') await emptySend(erasing, state.send);
  const { done, item: linked } = await store.write(del(key, all(exists(), absent('send'))));
  if (done) counts.deliveries += 1;
  const words = Object.entries(linked ?? {}).filter(
    ([name, said]) => name.startsWith('detail_') && mentions(String(said)),
  );
  if (words.length > 0)
    await store.write(
      update(
        key,
        words.map(([name]) => remove(name)),
        exists(),
      ),
    );
}

/** Every message of a chat, but for the event at `except`, which led here. False: time was up before the end. */
export async function eraseThread(erasing: Erasing, id: string, except?: string): Promise<boolean> {
  const { store, workspace, isTimeUp } = erasing;
  const chat = await currentChat(store, workspace, id);
  const lists = (chat ? historiesOf(chat) : [id]).map((history) =>
    queryAll(store, { index: 'gsi2', pk: chatMessagesPartition(history), limit: 1000 }),
  );
  const found = (await Promise.all(lists)).flat();
  const keys = found.filter(({ pk }) => pk !== except);
  for (let start = 0; start < keys.length; start += 100) {
    for (const head of await getAll(store, keys.slice(start, start + 100), { consistent: true })) {
      if (head.workspace === workspace) await eraseEvent(erasing, head, true);
      if (isTimeUp()) return false;
    }
  }
  return true;
}
