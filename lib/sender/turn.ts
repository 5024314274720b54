import type { Clock, Metrics, Random } from '#lib/domain/ports.ts';
import { nextReconciliation } from '#lib/domain/send/pace.ts';
import { accountKey, POINTER_PREFIX, pointerKey, sendKey } from '#lib/store/keys.ts';
import {
  add,
  all,
  any,
  type Change,
  type Condition,
  del,
  equal,
  exists,
  newTransaction,
  type Put,
  remove,
  type Store,
  set,
  type Update,
  update,
} from '#lib/store/store.ts';
import { awaitEvidence, changeParts, field, mapped } from './change-parts.ts';
import type { SendingConfig } from './config.ts';
import { type Account, type Part, readAccount, readPointer, readSend, type Send } from './items.ts';
import { soughtUntil, unknownMarks } from './marks.ts';
import type { Attachments, Sender, Tick, Ticks } from './provider.ts';
import { clearDue, setDue } from './schedule.ts';

export interface TickPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly ticks: Ticks;
  readonly sender: Sender;
  readonly attachments: Attachments;
  readonly metrics: Metrics;
}

/** As a run uses them: `store` tries for as long as the run may last, `table` once. */
export interface RunPorts extends TickPorts {
  readonly table: Store;
}

/** One tick's turn on an account. It holds the account's lease under the name of its run. */
export interface Turn {
  readonly me: string;
  /** As last read under the lease. */
  account: Account;
  /** When the run must be over, on `clock.monotonic`. */
  readonly endsAt: number;
  readonly ports: RunPorts;
  readonly config: SendingConfig;
  /** What the looks at the queue have used up so far. */
  emptyLooks: number;
  /** The run before this one died, and what it left is not yet seen to. */
  takenOver: boolean;
  failedFiles: number;
  /** The last head that was settled already. */
  passedOver?: string;
  preparingUntil: number;
}

/** What one look at the head of the queue came to. */
export type Step = { readonly kind: 'look again' } | End;

export type End =
  /** This tick is over and no other follows: there is nothing to do, or somebody else does it. */
  | { readonly kind: 'over'; readonly why: string; readonly taken?: Taken }
  /** The generation was raised; a tick of the new one is due then. */
  | { readonly kind: 'next'; readonly tick: Tick; readonly taken?: Taken };

/** A message that the provider has just taken: statuses may have come before its name was written. */
interface Taken {
  readonly send: Send;
  readonly providerId: string;
}

export const lookAgain: Step = { kind: 'look again' };
export const over = (why: string): End => ({ kind: 'over', why });
/** Of the generation that the account has got, which is counted from the account as it was read and not from the tick. */
export const next = ({ account: { id, gen } }: Turn, at: number): End => ({
  kind: 'next',
  tick: { account: id, gen: gen + 1, at },
});

/** The part that is first in an account's queue. */
export interface Head {
  readonly send: Send;
  readonly index: number;
  readonly part: Part;
}

/** Only the holder of the lease decides about spacing. Nobody brings a deleted account back. */
export const holdsLease = (me: string): Condition => all(exists(), equal('leaseId', me));

export const dropLease: readonly Change[] = [remove('leaseId'), remove('leaseUntil')];

/** The ways in which a tick lets go of an account without having called the provider. */

/** So often a queue that seems empty is looked at again: the refusal after that is one too many. */
const MORE_LOOKS = 3;

/** Nothing waits: the account rests until the next accept kicks it. Refused if something came in after the look. */
export async function goIdle(turn: Turn): Promise<Step> {
  const written = await turn.ports.store.write(
    update(
      accountKey(turn.account.id),
      [set('chain', 'IDLE'), clearDue, ...dropLease],
      all(holdsLease(turn.me), equal('pending', 0)),
    ),
  );
  if (written.done) return over('idle');
  turn.emptyLooks += 1;
  return turn.emptyLooks > MORE_LOOKS
    ? leaveToWatchdog(turn)
    : refresh(turn, written.item && readAccount(written.item));
}

/** A blocked account keeps its queue and its running chain, but no tick is due until it is resumed. */
export async function releaseBlocked(turn: Turn): Promise<Step> {
  const written = await turn.ports.store.write(
    update(
      accountKey(turn.account.id),
      [clearDue, ...dropLease],
      all(holdsLease(turn.me), any(equal('paused', true), equal('held', true))),
    ),
  );
  return written.done ? over('blocked') : refresh(turn, written.item && readAccount(written.item));
}

/** The account's part of taking an attempt back: the turn goes to a new generation, at this time. */
export function handingOn(account: Account, at: number): readonly Change[] {
  return [set('gen', account.gen + 1), set('nextSendAt', at), setDue(at), ...dropLease];
}

export const giveBack = (turn: Turn): Promise<End> => handOn(turn, turn.ports.clock.now());

export async function handOn(turn: Turn, at: number): Promise<End> {
  const written = await turn.ports.store.write(
    update(accountKey(turn.account.id), handingOn(turn.account, at), holdsLease(turn.me)),
  );
  if (written.done) return next(turn, at);
  const account = written.item && readAccount(written.item);
  // The repeat of a write whose answer was lost is refused; the watchdog would be slow to send the tick it owes.
  return account?.gen === turn.account.gen + 1 && account.leaseId === undefined ? next(turn, at) : leaseLost(turn);
}

/** Settled since its pointer was read, which goes with it: a pointer that is still there at the next look is wrong. */
export async function passOver(turn: Turn, { send, index }: Head): Promise<Step> {
  const passed = `${send.messageId} ${index}`;
  if (turn.passedOver === passed) return leaveToWatchdog(turn);
  turn.passedOver = passed;
  return lookAgain;
}

/** `pending`, the queue and its parts do not agree on what waits: a fault of ours, so say it and try later. */
async function leaveToWatchdog(turn: Turn): Promise<End> {
  turn.ports.metrics.count('QueueInconsistent', { account: turn.account.id });
  await turn.ports.store.write(
    update(accountKey(turn.account.id), [setDue(turn.ports.clock.now()), ...dropLease], holdsLease(turn.me)),
  );
  return over('queue inconsistent');
}

/** After a refusal: another look with what stood in the way, unless the lease is no longer ours. */
export function refresh(turn: Turn, account: Account | undefined): Step {
  if (account?.leaseId !== turn.me) return leaseLost(turn);
  turn.account = account;
  return lookAgain;
}

export function leaseLost(turn: Turn): End {
  turn.ports.metrics.count('LeaseLost', { account: turn.account.id });
  return over('lease lost');
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
 * A head that is being sent while the lease is ours was left by a run that died. It may have reached the provider, so
 * it is never sent again: its credit is held until there is evidence.
 */
export async function abandon(turn: Turn, head: Head): Promise<Step> {
  const { store, random, clock, metrics } = turn.ports;
  const transacted = await store.transact(
    [
      update(accountKey(turn.account.id), [add('pending', -1)], holdsLease(turn.me)),
      ...becomesUnknown(head, clock.now(), 'the attempt was cut short', turn.config),
      del(pointerKey(turn.account.id, head.send.seq, head.index)),
    ],
    newTransaction(random),
  );
  if (transacted.done) {
    metrics.count('AttemptAbandoned', { account: turn.account.id });
    return lookAgain;
  }
  const [account] = transacted.refused;
  return account ? refresh(turn, account.item && readAccount(account.item)) : lookAgain;
}

/**
 * The part, and the marks by which what a webhook tells of it is found. With an id of the provider's, what is told of that
 * is told of the part.
 */
export function becomesUnknown(
  { send, index }: Head,
  now: number,
  detail: string,
  config: SendingConfig,
  providerId?: string,
): readonly (Update | Put)[] {
  const reconcileAt = now + nextReconciliation(0, config.unknownLimitMs);
  const named = providerId === undefined ? [] : [set(field(index, 'providerId'), providerId)];
  const also = [set(field(index, 'unknownAt'), now), set(field(index, 'reconcileAt'), reconcileAt), ...named];
  return [
    changeParts(send, [{ index, to: 'unknown', detail, also }], now, awaitEvidence(send, reconcileAt)),
    ...unknownMarks(send, index, soughtUntil(now, config)),
    ...(providerId === undefined ? [] : [mapped(send, index, providerId)]),
  ];
}
