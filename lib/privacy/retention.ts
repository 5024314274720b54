import * as v from 'valibot';
import { historiesOf } from '#lib/chats/chat.ts';
import { rowsOf } from '#lib/chats/people.ts';
import type { Clock, Random } from '#lib/domain/ports.ts';
import { expiryOf } from '#lib/domain/retention.ts';
import { tally } from '#lib/domain/schema.ts';
import { isUnsettled } from '#lib/domain/send/part.ts';
import { toIso } from '#lib/domain/time.ts';
import { keepLinked, lastTold } from '#lib/inbox/delivery-state.ts';
import { eventOf } from '#lib/inbox/event-item.ts';
import { rowKey } from '#lib/inbox/feed-row.ts';
import { readSend } from '#lib/sender/items.ts';
import {
  chatKey,
  chatListPartition,
  eventPartition,
  headKey,
  LEDGER_PREFIX,
  quotaKindKey,
  sendListKey,
} from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import { AGAIN, retrying, retryOnConflict } from '#lib/store/retry.ts';
import {
  absent,
  all,
  compare,
  del,
  equal,
  exists,
  type Item,
  isLive,
  newTransaction,
  remove,
  type Store,
  set,
  update,
} from '#lib/store/store.ts';
import { listed, type Position, type Stage, type WalkState, walk } from '#lib/store/walk.ts';
import { attemptExpiry } from '#lib/tenants/attempts.ts';
import { copyRetention, retentionApplied, retentionOf } from '#lib/tenants/workspaces.ts';
import { attemptPartitions, calledPartitions, ERASED, empty, eraseMarks, eraseStates, hasEvent } from './erase.ts';

/** Gives every stored event the end that it would have had, had it come in under this retention. */
function eventStage(applying: Applying): Stage {
  const { store, workspace } = applying;
  return {
    name: '1-events',
    ...listed(store, (shard) => eventPartition(workspace, shard)),
    visit: async (head) => {
      await applyTo(applying, head);
      await applyToState(applying, head);
      return true;
    },
  };
}

async function applyTo({ store, retentionDays, now, counts }: Applying, met: Item): Promise<void> {
  const key = { pk: met.pk, sk: met.sk };
  let head: Item | undefined = met;
  return retryOnConflict(`event ${String(met.eventId)}`, async () => {
    // What has run out is gone, and a longer retention does not bring it back.
    if (!head || !isLive(head, now / 1000)) return;
    const expiresAt = expiryOf(Date.parse((await eventOf(store, head)).receivedAt), retentionDays);
    const change = expiresAt === undefined ? remove('expiresAt') : set('expiresAt', expiresAt);
    const ends = (at: unknown) => (typeof at === 'number' ? at : Number.POSITIVE_INFINITY);
    const isSooner = ends(expiresAt) < ends(head.expiresAt);
    const condition = all(exists(), equal('receipt', head.receipt ?? null));
    const chunks = (await queryAll(store, { pk: head.pk, limit: 100, consistent: true })).filter(
      ({ sk }) => sk !== key.sk,
    );
    const changeChunks = async () => {
      for (const { pk, sk } of chunks) await store.write(update({ pk, sk }, [change], exists()));
    };
    // A head never outlives its chunks.
    if (!isSooner) await changeChunks();
    const isSame = ends(expiresAt) === ends(head.expiresAt);
    if (!isSame && head.storedAt !== undefined) await store.write(update(rowKey(head), [change], exists()));
    const { done } = isSame ? { done: true } : await store.write(update(key, [change], condition));
    if (done) {
      if (isSooner) await changeChunks();
      if (!isSame) counts.events += 1;
      return;
    }
    head = await store.get(key, { consistent: true });
    return AGAIN;
  });
}

/**
 * What is known of a message's delivery ends with the last that was told of it, and is found through its events alone.
 * What leads to a send ends with that.
 */
async function applyToState({ store, retentionDays, now }: Applying, head: Item): Promise<void> {
  if (typeof head.stateKey !== 'string' || !isLive(head, now / 1000)) return;
  const key = headKey(head.stateKey);
  const state = await store.get(key, { consistent: true });
  if (state?.send !== undefined) await keepLinked(store, key, now / 1000);
  if (!state || state.send !== undefined || !isLive(state, now / 1000)) return;
  const expiresAt = expiryOf(lastTold(state) ?? Date.parse(String(head.orderedAt)), retentionDays);
  if (expiresAt === state.expiresAt) return;
  const asRead = state.expiresAt === undefined ? absent('expiresAt') : equal('expiresAt', state.expiresAt);
  // Refused: a status has come in meanwhile, and has brought an end of its own, or it leads to a send by now.
  const change = expiresAt === undefined ? remove('expiresAt') : set('expiresAt', expiresAt);
  await store.write(update(key, [change], all(exists(), absent('send'), asRead)));
}

export const AppliedCounts = v.object({
  events: tally('Given another end, or none'),
  attempts: tally('Given an earlier end, or deleted with the event that an endpoint was told of'),
  sends: tally('Emptied of recipient, text, file and errors'),
  chats: tally('Deleted: nothing has happened in them for so long'),
  ledgerEntries: tally("Refunds whose reason, a provider's words, was emptied; the figures stay"),
});
export type AppliedCounts = v.InferOutput<typeof AppliedCounts>;

/** What a walk in several calls carries along. */
export const Progress = v.object({
  ...AppliedCounts.entries,
  /** A cursor of an earlier version knows neither. */
  ledgerEntries: v.optional(v.number(), 0),
  /** How often the retention had been changed when it began; a cursor of an earlier version does not know. */
  changes: v.optional(v.number(), -1),
});
export type Progress = v.InferOutput<typeof Progress>;

/** One call's work on what is stored already. */
interface Applying {
  readonly store: Store;
  readonly workspace: string;
  /** Absent: for ever. */
  readonly retentionDays?: number;
  /** Milliseconds. */
  readonly now: number;
  readonly counts: { -readonly [Kind in keyof AppliedCounts]: number };
}

interface Ports {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

const NONE: AppliedCounts = { events: 0, attempts: 0, sends: 0, chats: 0, ledgerEntries: 0 };
const START: Position = { stage: '', partition: '' };
const DAY_MS = 86_400_000;
/** API Gateway waits 30 s for an answer; one slow item may come on top of this. */
const LONGEST_MS = 20_000;
const TIMEOUT_MS = 5_000;

/**
 * Brings what is stored in line with the workspace's retention, as far as the time of one call reaches. Safe to break
 * off anywhere and to repeat; worth repeating now and then, since sends and chats have no end of their own. A retention
 * that was changed since the walk began makes it begin again: what lies behind has the end of the one before.
 */
export async function applyRetention(ports: Ports, workspace: string, from?: WalkState<Progress>) {
  const { clock, random } = ports;
  const deadline = clock.monotonic() + LONGEST_MS;
  const store = retrying(ports.store, clock, random, deadline + TIMEOUT_MS);
  await copyRetention(store, random, workspace);
  const { retentionDays, changes } = await retentionOf(store, workspace);
  const { changes: begunWith, ...counts } = { ...NONE, changes, ...from?.done };
  const end = retentionDays === undefined ? {} : { retentionDays };
  const applying: Applying = { store, workspace, ...end, now: clock.now(), counts };
  const stages = [
    eventStage(applying),
    attemptStage(applying),
    calledStage(applying),
    sendStage(applying),
    chatStage(applying, random),
    ledgerStage(applying),
  ];
  const start = begunWith === changes ? from?.at : undefined;
  const stopped = await walk(store, stages, start, () => clock.monotonic() >= deadline);
  const at = stopped ?? ((await retentionApplied(store, workspace, changes)) ? undefined : START);
  const applied: AppliedCounts = counts;
  return { applied, ...(at && { next: { at, done: { ...applied, changes } } }) };
}

function attemptStage({ store, workspace, retentionDays, counts }: Applying): Stage {
  return {
    name: '2-attempts',
    partitions: () => attemptPartitions(store, workspace),
    visit: async ({ pk, sk, expiresAt }) => {
      const end = attemptExpiry(Date.parse(sk.slice(0, sk.indexOf('#'))), retentionDays);
      if (typeof expiresAt === 'number' && expiresAt <= end) return true;
      await store.write(update({ pk, sk }, [set('expiresAt', end)], exists()));
      counts.attempts += 1;
      return true;
    },
  };
}

/** What endpoints and rules were answered may repeat what they were told. */
function calledStage({ store, workspace, now, counts }: Applying): Stage {
  return {
    name: '2-called',
    partitions: () => calledPartitions(store, workspace),
    visit: async (row) => {
      if (await hasEvent(store, row, now / 1000)) return true;
      await store.write(del({ pk: row.pk, sk: row.sk }));
      counts.attempts += 1;
      return true;
    },
  };
}

/** Credits are counted by the sends that they paid for: an old one is emptied, and one that is not settled is not old. */
function sendStage({ store, workspace, retentionDays, now, counts }: Applying): Stage {
  return {
    name: '3-sends',
    ...listed(store, (shard) => sendListKey(workspace, shard)),
    visit: async (item) => {
      const send = readSend(item);
      const isOld = retentionDays !== undefined && send.createdAt + retentionDays * DAY_MS <= now;
      if (!isOld || send.erased || send.parts.some((part) => isUnsettled(part.state))) return true;
      await eraseStates(store, send);
      await eraseMarks(store, send);
      if (await empty(store, send)) counts.sends += 1;
      return true;
    },
  };
}

/** All of a chat or nothing: its other ids are found only through it. */
function chatStage({ store, workspace, retentionDays, now, counts }: Applying, random: Random): Stage {
  const oldest = retentionDays === undefined ? '' : toIso(now - retentionDays * DAY_MS);
  return {
    name: '4-chats',
    ...listed(store, (shard) => chatListPartition(workspace, shard)),
    visit: async ({ pk, sk, lastAt }) => {
      if (String(lastAt) >= oldest) return true;
      const chat = (await store.get({ pk, sk }, { consistent: true })) ?? { pk, sk };
      const [, ...merged] = historiesOf(chat);
      const all = [pk, ...merged.map((id) => chatKey(id).pk)];
      const items = (
        await Promise.all(all.map((one) => queryAll(store, { pk: one, limit: 100, consistent: true })))
      ).flat();
      const isChat = (item: Item) => item.pk === pk && item.sk === sk;
      const writes = [
        ...items.map((item) =>
          del({ pk: item.pk, sk: item.sk }, isChat(item) ? compare('lastAt', '<', oldest) : undefined),
        ),
        ...rowsOf(chat).map((row) => del(row)),
      ];
      const { done } = await store.transact(writes.slice(0, 100), newTransaction(random));
      if (done) counts.chats += 1;
      return true;
    },
  };
}

/** The ledger is kept for its figures; why a credit went back is a provider's to say, and may name somebody. */
function ledgerStage({ store, workspace, retentionDays, now, counts }: Applying): Stage {
  const { pk } = quotaKindKey(workspace);
  const before = `${LEDGER_PREFIX}${toIso(now - (retentionDays ?? 0) * DAY_MS)}`;
  const old = { name: '', query: { pk, from: LEDGER_PREFIX, before, consistent: true } };
  return {
    name: '5-ledger',
    partitions: async () => (retentionDays === undefined ? [] : [old]),
    visit: async ({ pk, sk, entry, reason }) => {
      if (entry !== 'refund' || reason === ERASED) return true;
      await store.write(update({ pk, sk }, [set('reason', ERASED)], exists()));
      counts.ledgerEntries += 1;
      return true;
    },
  };
}
