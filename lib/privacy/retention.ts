import * as v from 'valibot';
import { foundRows } from '#lib/chats/chat.ts';
import { rowsOf } from '#lib/chats/people.ts';
import type { Log, Random } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import { isUnsettled } from '#lib/domain/send/part.ts';
import { DAY_MS, expiryOf, HOUR_MS, toIso } from '#lib/domain/time.ts';
import { keepLinked, lastTold } from '#lib/inbox/delivery-state.ts';
import { eventOf } from '#lib/inbox/event-item.ts';
import { rowKey } from '#lib/inbox/event-store.ts';
import { readSend } from '#lib/sender/items.ts';
import { itemReader, shownKey, unlessDamaged } from '#lib/store/items.ts';
import {
  chatListPartition,
  eventPartition,
  fillKey,
  headKey,
  LEDGER_PREFIX,
  quotaKindKey,
  retentionWalkKey,
  sendListKey,
} from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import { AGAIN, retrying, retryOnConflict, type StorePorts } from '#lib/store/retry.ts';
import {
  absent,
  all,
  compare,
  del,
  equal,
  exists,
  type Item,
  isLive,
  put,
  type Store,
  set,
  setOrRemove,
  unchanged,
  update,
} from '#lib/store/store.ts';
import { At, listed, onePlace, type Position, type Stage, type WalkState, walk } from '#lib/store/walk.ts';
import { attemptExpiry } from '#lib/tenants/attempts.ts';
import { copyRetention } from '#lib/tenants/webhooks.ts';
import {
  AppliedCounts,
  type RetentionMark,
  retentionApplied,
  retentionOf,
  unappliedSince,
} from '#lib/tenants/workspaces.ts';
import { attemptPartitions, calledPartitions, ERASED, empty, forgetChat } from './forget.ts';

/** What a walk in several calls carries along. */
export const Progress = v.object({
  ...AppliedCounts.entries,
  /** How often the retention had been changed when it began, milliseconds. */
  changes: v.number(),
  begunAt: v.number(),
  /** Of the sends that are old and not settled, when the oldest was accepted. */
  openSince: v.exactOptional(v.number()),
});
type Progress = v.InferOutput<typeof Progress>;

/** One call's work on what is stored already. */
interface Applying {
  readonly store: Store;
  readonly random: Random;
  readonly workspace: string;
  /** Absent: for ever. */
  readonly retentionDays?: number;
  /** Milliseconds. */
  readonly now: number;
  /** Where the last walk under this retention left off; absent: everything is gone through. */
  readonly since?: Since;
  /** Grows as the work goes on. */
  readonly progress: Progress;
}

interface Since {
  readonly begunAt: number;
  /** Sends and refunds that are older were emptied. */
  readonly emptied: number;
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
async function applyOn(
  ports: Ports,
  workspace: string,
  from: WalkState<Progress> | undefined,
  { whole, isTimeUp }: Bounds,
): Promise<{ readonly applied: AppliedCounts; readonly next?: WalkState<Progress> }> {
  const { store, clock, random } = ports;
  const { retentionDays, changes, mark } = await retentionOf(store, workspace);
  const begun = from?.done.changes === changes ? from : undefined;
  if (!begun) await copyRetention({ store, random }, workspace);
  const { openSince, ...done } = { ...NONE, begunAt: clock.now(), ...from?.done, changes };
  const progress: Progress = begun ? { ...done, ...known({ openSince }) } : { ...done, begunAt: clock.now() };
  const age = retentionDays === undefined ? undefined : retentionDays * DAY_MS;
  const last = !whole && mark?.changes === changes ? mark : undefined;
  const applying: Applying = {
    ...{ store, random, workspace, now: clock.now(), progress },
    ...known({ retentionDays }),
    ...(last && age !== undefined && { since: sinceOf(last, age) }),
  };
  // The same in all calls of one walk.
  const oldest = age === undefined ? undefined : progress.begunAt - age;
  const stages = [
    ...GIVEN_ENDS.map((stage) => stage(applying)),
    ...(oldest === undefined ? [] : OLD.map((stage) => stage(applying, oldest))),
  ];
  const undamaged = stages.map((stage) => pastDamage(stage, ports.log));
  const stopped = await walk(store, undamaged, begun?.at, isTimeUp);
  const { changes: _, begunAt, openSince: open, ...applied } = progress;
  const marked = { changes, begunAt, ...known({ openSince: open }) };
  const isApplied = async () => retentionApplied(store, workspace, marked, { at: toIso(clock.now()), ...applied });
  const at = stopped ?? ((await isApplied()) ? undefined : START);
  return { applied, ...(at && { next: { at, done: progress } }) };
}

const sinceOf = ({ begunAt, openSince = begunAt }: RetentionMark, age: number): Since => ({
  begunAt,
  emptied: Math.min(begunAt - age, openSince),
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

/** What is gone through whatever the retention is. */
const GIVEN_ENDS: readonly ((applying: Applying) => Stage)[] = [
  // Every stored event gets the end that it would have had, had it come in under this retention. What comes in has it from
  // the start; what the hub tells itself has none, and since the last walk that is all there is to do.
  (applying) => ({
    name: '1-events',
    ...listed(
      applying.store,
      (shard) => eventPartition(applying.workspace, shard),
      applying.since && { from: toIso(applying.since.begunAt - FURTHEST_MS) },
    ),
    visit: async (head) => {
      if (applying.since && typeof head.expiresAt === 'number') return;
      await applyTo(applying, head);
      await applyToState(applying, head);
    },
  }),
  // What comes in has its end from the start.
  ({ store, workspace, retentionDays, since, progress }) => ({
    name: '2-attempts',
    partitions: async () => (since ? [] : attemptPartitions(store, workspace)),
    visit: async ({ pk, sk, expiresAt }) => {
      const end = attemptExpiry(Date.parse(sk.slice(0, sk.indexOf('#'))), retentionDays);
      if (typeof expiresAt === 'number' && expiresAt <= end) return;
      await store.write(update({ pk, sk }, [set('expiresAt', end)], exists()));
      progress.attempts += 1;
    },
  }),
];

/** What has no end of its own and goes once it is old: what happened before `oldest`, milliseconds. */
const OLD: readonly ((applying: Applying, oldest: number) => Stage)[] = [
  // What endpoints and rules were answered may repeat what they were told: it goes when its event has run out.
  ({ store, workspace, progress }, oldest) => ({
    name: '2-called',
    partitions: () => calledPartitions(store, workspace, toIso(oldest)),
    visit: async ({ pk, sk }) => {
      await store.write(del({ pk, sk }));
      progress.attempts += 1;
    },
  }),
  // Credits are counted by the sends that they paid for: an old one is emptied, and one that is not settled is not old.
  ({ store, random, workspace, since, progress }, oldest) => ({
    name: '3-sends',
    ...listed(store, (shard) => sendListKey(workspace, shard), {
      ...(since && { from: toIso(since.emptied) }),
      // The times of one moment are told apart by ids.
      before: toIso(oldest + 1),
    }),
    visit: async (item) => {
      const send = readSend(item);
      if (send.erased) return;
      const isSettled = !send.parts.some((part) => isUnsettled(part.state));
      if (isSettled && (await empty({ store, random }, send))) progress.sends += 1;
      else progress.openSince = Math.min(progress.openSince ?? send.createdAt, send.createdAt);
    },
  }),
  ({ store, random, workspace, progress }, oldest) => ({
    name: '4-chats',
    ...listed(store, (shard) => chatListPartition(workspace, shard), { before: toIso(oldest) }),
    visit: async (chat) => {
      if (String(chat.lastAt) >= toIso(oldest)) return;
      const rows = [...rowsOf(chat), ...foundRows(chat)];
      const isQuiet = compare('lastAt', '<', toIso(oldest));
      if (await forgetChat({ store, random }, chat, rows, isQuiet)) progress.chats += 1;
    },
  }),
  // The ledger is kept for its figures; why a credit went back is a provider's to say, and may name somebody.
  ({ store, workspace, since, progress }, oldest) => ({
    name: '5-ledger',
    partitions: onePlace({
      pk: quotaKindKey(workspace).pk,
      from: since ? ledgerFrom(since.emptied) : LEDGER_PREFIX,
      before: ledgerFrom(oldest),
    }),
    visit: async ({ pk, sk, entry, reason }) => {
      if (entry !== 'refund' || reason === ERASED) return;
      await store.write(update({ pk, sk }, [set('reason', ERASED)], exists()));
      progress.ledgerEntries += 1;
    },
  }),
];

const ledgerFrom = (at: number) => `${LEDGER_PREFIX}${toIso(at)}`;

/** The head goes last: for as long as it has another end, there may be something to do. */
async function applyTo({ store, retentionDays, now, progress }: Applying, met: Item): Promise<void> {
  const key = { pk: met.pk, sk: met.sk };
  let head: Item | undefined = met;
  return retryOnConflict(`event ${String(met.eventId)}`, async () => {
    // What has run out is gone, and a longer retention does not bring it back.
    if (!head || !isLive(head, now / 1000)) return;
    const expiresAt = expiryOf(Date.parse((await eventOf(store, head)).receivedAt), retentionDays);
    if (expiresAt === head.expiresAt) return;
    const change = setOrRemove('expiresAt', expiresAt);
    const items = await queryAll(store, { pk: head.pk, limit: 100, consistent: true });
    const keys = [...items.filter(({ sk }) => sk !== key.sk), ...(head.storedAt === undefined ? [] : [rowKey(head)])];
    for (const { pk, sk } of keys) await store.write(update({ pk, sk }, [change], exists()));
    const isCurrent = all(exists(), equal('receipt', head.receipt ?? null));
    if ((await store.write(update(key, [change], isCurrent))).done) {
      progress.events += 1;
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

/** A night begins at this hour, UTC: in most places where little is sent. */
const BEGINS_AT_MS = 2 * HOUR_MS;
/** What one run of a minute may spend on it: beside it, refunds and wakes need the table as well. */
const LONGEST_RUN_MS = 10_000;
export const MOST_WRITES = 2_000;

/** `night`: when the last one began in which all were done. `after`: where the last run stopped, the next begins behind it. */
const readMark = itemReader(v.object({ night: v.string(), after: v.string() }));
const readWalk = itemReader(v.object({ at: At, done: Progress }));
const MARK = fillKey('retention');

/** The night that this moment belongs to: a hub that was off at its beginning begins later. */
export const nightOf = (now: number): string =>
  toIso(Math.floor((now - BEGINS_AT_MS) / DAY_MS) * DAY_MS + BEGINS_AT_MS);

/**
 * Applies the retention of every workspace once a night, a piece in each run of the watchdog. Each workspace keeps how far
 * its walk has come, and a run begins behind the one at which the last stopped, so that a large one keeps no other waiting
 * for longer than a run. What fails is tried again in the next run.
 */
export async function applyNightly(ports: Ports, endsAt: number): Promise<readonly unknown[]> {
  const { clock, random } = ports;
  const end = Math.min(endsAt, clock.monotonic() + LONGEST_RUN_MS);
  const { store, left } = counting(retrying(ports.store, clock, random, end + TIMEOUT_MS), MOST_WRITES);
  const isTimeUp = () => clock.monotonic() >= end || left() <= 0;
  const night = nightOf(clock.now());
  const found = await store.get(MARK, { consistent: true });
  const { night: done, after } = found ? readMark(found) : { night: '', after: '' };
  if (done === night) return [];
  const due = await unappliedSince(store, night);
  const turn = Math.max(
    0,
    due.findIndex((workspace) => workspace > after),
  );
  const failed: unknown[] = [];
  let last = after;
  let isDone = true;
  for (const workspace of [...due.slice(turn), ...due.slice(0, turn)]) {
    if (!isTimeUp()) last = workspace;
    try {
      isDone = !isTimeUp() && (await goOn({ ...ports, store }, workspace, isTimeUp)) && isDone;
    } catch (cause) {
      failed.push(cause);
      isDone = false;
    }
  }
  await store.write(put({ ...MARK, night: isDone ? night : done, after: isDone ? '' : last }));
  return failed;
}

/** True at the end of the walk. */
async function goOn(ports: Ports, workspace: string, isTimeUp: () => boolean): Promise<boolean> {
  const { store, log } = ports;
  const key = retentionWalkKey(workspace);
  const kept = await store.get(key, { consistent: true });
  const { applied, next } = await applyOn(ports, workspace, kept && readWalk(kept), { isTimeUp, whole: false });
  if (next) {
    await store.write(put({ ...key, at: { ...next.at }, done: { ...next.done } }));
    return false;
  }
  if (kept) await store.write(del(key));
  log.info('the retention of a workspace was applied', { workspace, ...applied });
  return true;
}

/** How many writes of so many are left. */
function counting(store: Store, most: number): { readonly store: Store; readonly left: () => number } {
  let left = most;
  const counted: Store = {
    ...store,
    write: (write, options) => {
      left -= 1;
      return store.write(write, options);
    },
    transact: (writes, token) => {
      left -= writes.length;
      return store.transact(writes, token);
    },
    writeMany: (writes) => {
      left -= writes.length;
      return store.writeMany(writes);
    },
  };
  return { store: counted, left: () => left };
}
