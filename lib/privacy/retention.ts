import * as v from 'valibot';
import { historiesOf } from '#lib/chats/chat.ts';
import { foundRows } from '#lib/chats/found-by.ts';
import { rowsOf } from '#lib/chats/people.ts';
import type { Log, Random } from '#lib/domain/ports.ts';
import { AppliedCounts, expiryOf } from '#lib/domain/retention.ts';
import { known } from '#lib/domain/schema.ts';
import { isUnsettled } from '#lib/domain/send/part.ts';
import { DAY_MS, HOUR_MS, toIso } from '#lib/domain/time.ts';
import { keepLinked, lastTold } from '#lib/inbox/delivery-state.ts';
import { eventOf } from '#lib/inbox/event-item.ts';
import { rowKey } from '#lib/inbox/event-store.ts';
import { readSend } from '#lib/sender/items.ts';
import { shownKey, unlessDamaged } from '#lib/store/items.ts';
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
import { AGAIN, retrying, retryOnConflict, type StorePorts } from '#lib/store/retry.ts';
import {
  absent,
  all,
  check,
  compare,
  del,
  equal,
  exists,
  type Item,
  isLive,
  type Key,
  newTransaction,
  type Store,
  set,
  setOrRemove,
  unchanged,
  update,
} from '#lib/store/store.ts';
import { listed, onePlace, type Position, type Stage, type WalkState, walk } from '#lib/store/walk.ts';
import { attemptExpiry } from '#lib/tenants/attempts.ts';
import { copyRetention, type RetentionMark, retentionApplied, retentionOf } from '#lib/tenants/workspaces.ts';
import { attemptPartitions, calledPartitions, ERASED, empty, eraseMarks, hasEvent, keptByRules } from './forget.ts';

/**
 * Gives every stored event the end that it would have had, had it come in under this retention. What comes in has it from
 * the start; what the hub tells itself has none, and since the last walk that is all there is to do.
 */
function eventStage(applying: Applying): Stage {
  const { store, workspace, since } = applying;
  const part = since ? { from: toIso(since.begunAt - FURTHEST_MS) } : {};
  return {
    name: '1-events',
    ...listed(store, (shard) => eventPartition(workspace, shard), part),
    visit: async (head) => {
      if (since && typeof head.expiresAt === 'number') return;
      await applyTo(applying, head);
      await applyToState(applying, head);
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
    const change = setOrRemove('expiresAt', expiresAt);
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
  // Refused: a status has come in meanwhile, and has brought an end of its own, or it leads to a send by now.
  await store.write(
    update(
      key,
      [setOrRemove('expiresAt', expiresAt)],
      all(exists(), absent('send'), unchanged({ expiresAt: state.expiresAt })),
    ),
  );
}

/** What a walk in several calls carries along. */
export const Progress = v.object({
  ...AppliedCounts.entries,
  /** A cursor of an earlier version knows neither of these. */
  ledgerEntries: v.optional(v.number(), 0),
  /** How often the retention had been changed when it began; a cursor of an earlier version does not know. */
  changes: v.optional(v.number(), -1),
  begunAt: v.exactOptional(v.number()),
  openSince: v.exactOptional(v.number()),
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
  /** What was sent or last happened before it is old, milliseconds: the same in all calls of one walk. */
  readonly oldest?: number;
  /** Where the last walk under this retention left off; absent: everything is gone through. */
  readonly since?: Since;
  readonly counts: { -readonly [Kind in keyof AppliedCounts]: number };
  /** Of the sends that are old and not settled, when the oldest was accepted. Grows downwards as the work goes on. */
  readonly open: { since?: number };
}

interface Since {
  readonly begunAt: number;
  /** What is older was emptied, but for nothing. */
  readonly sends: number;
  readonly ledger: number;
}

interface Ports extends StorePorts {
  readonly log: Log;
}

const NONE: AppliedCounts = { events: 0, attempts: 0, sends: 0, chats: 0, ledgerEntries: 0 };
const START: Position = { stage: '', partition: '' };
/** An event may be listed by a provider's clock that is two days behind ours, and come to its list late. */
const FURTHEST_MS = 2 * DAY_MS + HOUR_MS;
/** API Gateway waits 30 s for an answer; one slow item may come on top of this. */
const LONGEST_MS = 20_000;
const TIMEOUT_MS = 5_000;

/** Goes through everything that a workspace keeps, as far as the time of one call reaches. */
export async function applyRetention(ports: Ports, workspace: string, from?: WalkState<Progress>) {
  const { clock, random } = ports;
  const deadline = clock.monotonic() + LONGEST_MS;
  const store = retrying(ports.store, clock, random, deadline + TIMEOUT_MS);
  return applyOn({ ...ports, store }, workspace, from, { isTimeUp: () => clock.monotonic() >= deadline, whole: true });
}

/** `whole`: also what an earlier walk has been through. */
interface Bounds {
  readonly whole: boolean;
  readonly isTimeUp: () => boolean;
}

/**
 * Brings what is stored in line with the workspace's retention, until time is up. Safe to break off anywhere and to
 * repeat; worth repeating now and then, since sends and chats have no end of their own. A retention that was changed since
 * the walk began makes it begin again: what lies behind has the end of the one before.
 */
export async function applyOn(
  ports: Ports,
  workspace: string,
  from: WalkState<Progress> | undefined,
  { whole, isTimeUp }: Bounds,
): Promise<{ readonly applied: AppliedCounts; readonly next?: WalkState<Progress> }> {
  const { store, clock, random } = ports;
  const { retentionDays, changes, mark } = await retentionOf(store, workspace);
  const isBegun = from?.done.changes === changes && from.done.begunAt !== undefined;
  if (!isBegun) await copyRetention(store, random, workspace);
  const { changes: _, begunAt: begun, openSince, ...counts } = { ...NONE, changes, ...from?.done };
  const begunAt = (isBegun ? begun : undefined) ?? clock.now();
  const open = isBegun ? known({ since: openSince }) : {};
  const age = retentionDays === undefined ? undefined : retentionDays * DAY_MS;
  const since = whole || mark?.changes !== changes || age === undefined ? undefined : sinceOf(mark, age);
  const oldest = age === undefined ? undefined : begunAt - age;
  const applying: Applying = {
    ...{ store, workspace, now: clock.now(), counts, open },
    ...known({ retentionDays, oldest, since }),
  };
  const stages = [
    eventStage(applying),
    attemptStage(applying),
    calledStage(applying),
    sendStage(applying, random),
    chatStage(applying, random),
    ledgerStage(applying),
  ].map((stage) => pastDamage(stage, ports.log));
  const stopped = await walk(store, stages, isBegun ? from.at : undefined, isTimeUp);
  const applied: AppliedCounts = counts;
  const done = { changes, begunAt, ...known({ openSince: open.since }) };
  const isApplied = async () => retentionApplied(store, workspace, done, { at: toIso(clock.now()), ...applied });
  const at = stopped ?? ((await isApplied()) ? undefined : START);
  return { applied, ...(at && { next: { at, done: { ...applied, ...done } } }) };
}

const sinceOf = ({ begunAt, openSince = Number.POSITIVE_INFINITY }: RetentionMark, age: number): Since => ({
  begunAt,
  sends: Math.min(begunAt - age, openSince),
  ledger: begunAt - age,
});

/** One item that cannot be read must not keep the walk from all that lies behind it; the log says which. */
const pastDamage = (stage: Stage, log: Log): Stage => ({
  ...stage,
  visit: async (item) => {
    try {
      return await stage.visit(item);
    } catch (cause) {
      unlessDamaged(cause);
      log.error('a retention could not be applied to an item', cause, { correlationId: shownKey(item) });
      return undefined;
    }
  },
});

function attemptStage({ store, workspace, retentionDays, since, counts }: Applying): Stage {
  const part = since ? { from: toIso(since.begunAt - HOUR_MS) } : {};
  return {
    name: '2-attempts',
    partitions: async () =>
      (await attemptPartitions(store, workspace)).map(({ name, query }) => ({ name, query: { ...query, ...part } })),
    visit: async ({ pk, sk, expiresAt }) => {
      const end = attemptExpiry(Date.parse(sk.slice(0, sk.indexOf('#'))), retentionDays);
      if (typeof expiresAt === 'number' && expiresAt <= end) return;
      await store.write(update({ pk, sk }, [set('expiresAt', end)], exists()));
      counts.attempts += 1;
    },
  };
}

/**
 * What endpoints and rules were answered may repeat what they were told. By night only that is gone through which is old
 * enough to have lost its event: to look for the events of a whole month would keep all that comes after it waiting.
 */
function calledStage({ store, workspace, now, oldest, since, counts }: Applying): Stage {
  const before = since && oldest !== undefined ? toIso(oldest) : undefined;
  return {
    name: '2-called',
    partitions: () => calledPartitions(store, workspace, before),
    visit: async (row) => {
      if (await hasEvent(store, row, now / 1000)) return;
      await store.write(del({ pk: row.pk, sk: row.sk }));
      counts.attempts += 1;
    },
  };
}

/** Credits are counted by the sends that they paid for: an old one is emptied, and one that is not settled is not old. */
function sendStage({ store, workspace, oldest, since, counts, open }: Applying, random: Random): Stage {
  const { partitions, load } = listed(store, (shard) => sendListKey(workspace, shard), {
    ...(since && { from: toIso(since.sends) }),
    // The times of one moment are told apart by ids.
    before: toIso((oldest ?? 0) + 1),
  });
  return {
    name: '3-sends',
    partitions: async () => (oldest === undefined ? [] : partitions()),
    ...known({ load }),
    visit: async (item) => {
      const send = readSend(item);
      if (send.erased) return;
      if (send.parts.some((part) => isUnsettled(part.state))) {
        open.since = Math.min(open.since ?? send.createdAt, send.createdAt);
        return;
      }
      await eraseMarks(store, send);
      if (await empty({ store, random }, send)) counts.sends += 1;
      else open.since = Math.min(open.since ?? send.createdAt, send.createdAt);
    },
  };
}

/** As many writes as fit beside the look at the chat itself. */
const TOGETHER = 99;

/**
 * What leads to a chat is found through it alone, so it goes last, and nothing goes once something has happened in it. In
 * one transaction where that holds all; its other ids, which each message tells anew, in others before.
 */
function chatStage({ store, workspace, oldest, counts }: Applying, random: Random): Stage {
  const end = toIso(oldest ?? 0);
  const isQuiet = compare('lastAt', '<', end);
  const { partitions, load } = listed(store, (shard) => chatListPartition(workspace, shard), { before: end });
  return {
    name: '4-chats',
    partitions: async () => (oldest === undefined ? [] : partitions()),
    ...known({ load }),
    visit: async ({ pk, sk, lastAt }) => {
      if (String(lastAt) >= end) return;
      const chat = (await store.get({ pk, sk }, { consistent: true })) ?? { pk, sk };
      const ids = historiesOf(chat);
      const pages = ids.map((id) => queryAll(store, { pk: chatKey(id).pk, limit: 100, consistent: true }));
      const items = (await Promise.all(pages)).flat().filter((item) => item.pk !== pk || item.sk !== sk);
      const [others, heads] = [items.filter((item) => item.sk !== sk), items.filter((item) => item.sk === sk)];
      const kept = ids.flatMap((id) => keptByRules(workspace, id));
      const deletions = (keys: readonly Key[]) => keys.map((key) => del({ pk: key.pk, sk: key.sk }));
      // Of one that an older instance merged while an upgrade went on, the rows are still there.
      const writes = deletions([...others, ...kept, ...heads.flatMap(foundRows), ...heads]);
      // The chat says that it has these: they go with it or stay with it.
      const rows = deletions([...rowsOf(chat), ...foundRows(chat)]);
      while (writes.length + rows.length > TOGETHER) {
        const some = [...writes.splice(0, TOGETHER), check({ pk, sk }, isQuiet)];
        if (!(await store.transact(some, newTransaction(random))).done) return;
      }
      const { names, foundBy } = chat;
      const last = [...writes, ...rows, del({ pk, sk }, all(isQuiet, unchanged({ names, foundBy })))];
      if ((await store.transact(last, newTransaction(random))).done) counts.chats += 1;
    },
  };
}

/** The ledger is kept for its figures; why a credit went back is a provider's to say, and may name somebody. */
function ledgerStage({ store, workspace, oldest, since, counts }: Applying): Stage {
  const { pk } = quotaKindKey(workspace);
  const at = (milliseconds: number) => `${LEDGER_PREFIX}${toIso(milliseconds)}`;
  const from = since ? at(since.ledger) : LEDGER_PREFIX;
  const old = onePlace({ pk, from, before: at(oldest ?? 0) });
  return {
    name: '5-ledger',
    partitions: async () => (oldest === undefined ? [] : old()),
    visit: async ({ pk, sk, entry, reason }) => {
      if (entry !== 'refund' || reason === ERASED) return;
      await store.write(update({ pk, sk }, [set('reason', ERASED)], exists()));
      counts.ledgerEntries += 1;
    },
  };
}
