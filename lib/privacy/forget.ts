import * as v from 'valibot';
import { currentChat, foundRows, historiesOf } from '#lib/chats/chat.ts';
import type { Mentions } from '#lib/domain/content.ts';
import type { Log, Random } from '#lib/domain/ports.ts';
import { tally } from '#lib/domain/schema.ts';
import { isUnsettled } from '#lib/domain/send/part.ts';
import { rowKey } from '#lib/inbox/event-store.ts';
import { forgetEvent } from '#lib/reactions/auto.ts';
import { forgetEcho, forgetUnknown } from '#lib/sender/evidence.ts';
import { field, readSend, type Send, stateOfPart } from '#lib/sender/items.ts';
import { sendReportIds } from '#lib/sender/sent-event.ts';
import {
  attemptPartition,
  autoKey,
  chatIdIn,
  chatKey,
  chatMessagesPartition,
  DELIVERY_PREFIX,
  deliveryPartition,
  ENDPOINT_PREFIX,
  entryId,
  eventKey,
  headKey,
  mutedKey,
  RULE_PREFIX,
  RUN_PREFIX,
  runPartition,
  sendKey,
  workspacePartition,
} from '#lib/store/keys.ts';
import { getAll, queryAll } from '#lib/store/query.ts';
import { AGAIN, retryOnConflict, type StorePorts } from '#lib/store/retry.ts';
import {
  absent,
  all,
  type Change,
  type Condition,
  del,
  equal,
  exists,
  type Item,
  isLive,
  type Key,
  newTransaction,
  remove,
  type Store,
  set,
  unchanged,
  update,
} from '#lib/store/store.ts';
import type { Partition } from '#lib/store/walk.ts';
import { wholeDirectory } from '#lib/tenants/workspaces.ts';

/*
 * What goes with a person and what goes with time alike: an erasure and a retention find it at the same places, and leave
 * the same of it.
 */

export const ERASED = 'erased';

export async function hasEvent(store: Store, { event }: Item, nowSeconds: number): Promise<boolean> {
  const head = await store.get(eventKey(String(event)), { consistent: true });
  return head !== undefined && isLive(head, nowSeconds);
}

export async function attemptPartitions(store: Store, workspace: string): Promise<readonly Partition[]> {
  const present = await wholeDirectory(store, workspace, 'WEBHOOK');
  const former = await wholeDirectory(store, workspace, 'FORMER');
  const ids = [...present, ...former].map(entryId);
  return ids.sort().map((id) => ({ name: id, query: { pk: attemptPartition(id), consistent: true } }));
}

/**
 * Where stands what endpoints and rules did, also those deleted since, and what they were answered. `before`, ISO 8601:
 * with events that were stored until then alone. Beside it stand figures by which a rule is bounded, which nobody is in.
 */
export async function calledPartitions(store: Store, workspace: string, before = '~'): Promise<readonly Partition[]> {
  const lists = [ENDPOINT_PREFIX, RULE_PREFIX].map((prefix) =>
    queryAll(store, { pk: workspacePartition(workspace), prefix, limit: 100, consistent: true }),
  );
  const ids = [...(await Promise.all(lists)).flat(), ...(await wholeDirectory(store, workspace, 'FORMER'))].map(
    entryId,
  );
  const part = (pk: string, prefix: string) => ({ pk, from: prefix, before: `${prefix}${before}`, consistent: true });
  return [...new Set(ids)].sort().flatMap((id) => [
    { name: id, query: part(deliveryPartition(id), DELIVERY_PREFIX) },
    { name: `${id} runs`, query: part(runPartition(id), RUN_PREFIX) },
  ]);
}

/**
 * Deletes a chat with those that were merged into it, which are found through it alone, and what rules keep of them. Its
 * other ids go before, for each message tells them anew; the chat goes with `rows`, all that it says leads to it, for a
 * chat that lost these would never get them again. False where it has changed, or `isStill` does not hold any more.
 */
export async function forgetChat(
  { store, random }: Pick<StorePorts, 'store' | 'random'>,
  chat: Item,
  rows: readonly Key[],
  isStill: Condition = exists(),
): Promise<boolean> {
  const { pk, sk, names, foundBy } = chat;
  const ids = historiesOf(chat);
  const pages = ids.map((id) => queryAll(store, { pk: chatKey(id).pk, limit: 100, consistent: true }));
  const others = (await Promise.all(pages)).flat().filter((item) => item.pk !== pk || item.sk !== sk);
  // Of one that an older instance merged while an upgrade went on, the rows are still there.
  const leading = others.flatMap((item) => (item.sk === sk ? foundRows(item) : []));
  const kept = ids.flatMap((id) => [autoKey(id), mutedKey(String(chat.workspace), id)]);
  const [heads, aliases] = [others.filter((item) => item.sk === sk), others.filter((item) => item.sk !== sk)];
  // What leads to the rest of it goes last.
  for (const key of [...kept, ...leading, ...aliases, ...heads]) await store.write(del({ pk: key.pk, sk: key.sk }));
  const writes = [del({ pk, sk }, all(isStill, unchanged({ names, foundBy }))), ...rows.map((row) => del(row))];
  return (await store.transact(writes, newTransaction(random))).done;
}

/**
 * Credits are counted by the sends that they paid for: the send stays, with its states and without its content. What leads
 * to it by the provider's id goes with it: for as long as the message has its id, no other takes it.
 */
export async function empty({ store, random }: Pick<StorePorts, 'store' | 'random'>, send: Send): Promise<boolean> {
  const changes: Change[] = [
    set('erased', true),
    set('recipient', {}),
    ...send.parts.flatMap((part, index) =>
      (['text', 'url', 'name', 'caption', 'quoted', 'error', 'providerId'] as const).flatMap((name) =>
        part[name] === undefined ? [] : [remove(field(index, name))],
      ),
    ),
    set(
      'history',
      send.history.map(({ at, part, state }) => ({ at, state, ...(part !== undefined && { part }) })),
    ),
  ];
  // What has expired may get an id and stay as it is.
  const asRead = send.parts.flatMap(({ state, providerId }, index) => {
    const id = field(index, 'providerId');
    return [equal(field(index, 'state'), state), providerId === undefined ? absent(id) : equal(id, providerId)];
  });
  // Some providers give a file and its text one id.
  const states = send.parts.flatMap(({ providerId }, index) =>
    providerId === undefined ? [] : [stateOfPart(send, index, providerId)],
  );
  const distinct = new Map(states.map((key) => [key.pk, key]));
  const emptied = update(sendKey(send.messageId), changes, all(exists(), ...asRead));
  const writes = [emptied, ...[...distinct.values()].map((key) => del(key))];
  return (await store.transact(writes, newTransaction(random))).done;
}

/* What an erasure alone does: each thing leads to others, an event to how far its message got, that to a send, and a send to
 * what was told of it. */

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

/** Its own, and those of its echo: what it said can be tested against them by whoever guesses it. */
async function eraseMarks(store: Store, send: Send): Promise<void> {
  const marks = send.parts.flatMap((part, index) => [
    ...(part.unknownAt === undefined ? [] : forgetUnknown(send, index)),
    ...(part.providerId === undefined ? [] : forgetEcho(send, part, part.providerId)),
  ]);
  for (const mark of marks) await store.write(mark);
}

/** What the hub told of a send: whom it was for, by a chat's id or title perhaps, and the provider's words. */
async function eraseReports(erasing: Erasing, send: Send): Promise<void> {
  const told = await erasing.store.getMany(sendReportIds(send).map(eventKey), { consistent: true });
  for (const head of told) await eraseEvent(erasing, head, false);
}

/**
 * Deletes an event with its chunks. They lie under its key, so the head goes last; from the first step on it counts as
 * run out, and no reader meets a head whose chunks are gone.
 */
export async function eraseEvent(erasing: Erasing, head: Item, isTheirs: boolean): Promise<void> {
  const { store, counts, nowSeconds } = erasing;
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

/**
 * How far a message got. A send that is the person's is emptied with it. Where the state leads to a send that is still
 * there, a provider's words alone go: it ends with the send, whose credit may hang on what is told later.
 */
async function eraseDelivery(erasing: Erasing, key: Key, isTheirs: boolean): Promise<void> {
  const { store, counts } = erasing;
  const state = await store.get(key, { consistent: true });
  if (!state) return;
  if (isTheirs && typeof state.send === 'string') await emptySend(erasing, state.send);
  const { done, item: linked } = await store.write(del(key, all(exists(), absent('send'))));
  if (done) counts.deliveries += 1;
  const words = Object.keys(linked ?? {}).filter((name) => name.startsWith('detail_'));
  if (words.length > 0) await store.write(update(key, words.map(remove), exists()));
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
