import { isUnsettled } from '#lib/domain/sending/part.ts';
import { toIso } from '#lib/domain/time.ts';
import { attemptExpiry } from '../attempts/attempt.ts';
import { attemptPartitions } from '../erasure/attempts.ts';
import { empty, eraseStates } from '../erasure/empty-send.ts';
import { ERASED } from '../erasure/small-stages.ts';
import { listed, type Position, type Stage, walk } from '../lists/walk.ts';
import type { WalkState } from '../lists/walk-cursor.ts';
import type { Clock, Random } from '../ports.ts';
import { queryAll } from '../query-all.ts';
import { retrying } from '../retrying-store.ts';
import { readSend } from '../sending/items.ts';
import { LEDGER_PREFIX, quotaKindKey, sendListKey } from '../sending/keys.ts';
import { compare, del, exists, type Store, set, update } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import { copyRetention, retentionOf } from '../workspaces/retention.ts';
import { retentionApplied } from '../workspaces/workspace.ts';
import type { AppliedCounts, Applying, Progress } from './applying.ts';
import { eventStage } from './events.ts';

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
const PATIENCE_MS = 5_000;

/**
 * Brings what is stored in line with the workspace's retention, as far as the time of one call reaches. Safe to break
 * off anywhere and to repeat; worth repeating now and then, since sends and chats have no end of their own. A retention
 * that was changed since the walk began makes it begin again: what lies behind has the end of the one before.
 */
export async function applyRetention(ports: Ports, workspace: string, from?: WalkState<Progress>) {
  const { clock, random } = ports;
  const deadline = clock.monotonic() + LONGEST_MS;
  const store = retrying(ports.store, clock, random, deadline + PATIENCE_MS);
  await copyRetention(store, random, workspace);
  const { retentionDays, changes } = await retentionOf(store, workspace);
  const { changes: begunWith, ...counts } = { ...NONE, changes, ...from?.done };
  const end = retentionDays === undefined ? {} : { retentionDays };
  const applying: Applying = { store, workspace, ...end, now: clock.now(), counts };
  const stages = [
    eventStage(applying),
    attemptStage(applying),
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
    ...listed(store, (shard) => `WS#${workspace}#CHAT#${shard}`),
    visit: async ({ pk, sk, lastAt }) => {
      if (String(lastAt) >= oldest) return true;
      const items = await queryAll(store, { pk, limit: 100, consistent: true });
      const writes = items.map((item) =>
        del({ pk, sk: item.sk }, item.sk === sk ? compare('lastAt', '<', oldest) : undefined),
      );
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
