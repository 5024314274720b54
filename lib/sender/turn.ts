import type { Clock, Metrics } from '#lib/domain/ports.ts';
import { silentUntil } from '#lib/domain/send/outcome.ts';
import { accountKey } from '#lib/store/keys.ts';
import type { StorePorts } from '#lib/store/retry.ts';
import {
  all,
  any,
  type Change,
  type Condition,
  equal,
  exists,
  type Item,
  remove,
  type Store,
  set,
  type Transacted,
  update,
} from '#lib/store/store.ts';
import type { SendingConfig } from './config.ts';
import { holding, silenceOf } from './hold.ts';
import { type Account, type Head, readAccount, type Send } from './items.ts';
import type { Attachments, Sender, Tick, Ticks } from './provider.ts';
import { clearDue, setDue } from './schedule.ts';
import { transactTold } from './sent-event.ts';

export interface TickPorts extends StorePorts {
  readonly ticks: Ticks;
  readonly sender: Sender;
  readonly attachments: Attachments;
  readonly metrics: Metrics;
}

/** As a run uses them: `store` tries for as long as the run may last, `table` once. */
export interface RunPorts extends TickPorts {
  readonly table: Store;
  readonly clock: RunClock;
}

/** A clock for one run: it goes forward evenly, whatever happens to the host's meanwhile. */
export interface RunClock extends Clock {
  /** The time that has certainly come: what a gate is compared with. Never later than `now`. */
  gate(): number;
}

/**
 * One tick's turn on an account, whose lease it holds under the name of its run. It never changes: a step that has found
 * something out answers the turn as it is from then on.
 */
export interface Turn {
  readonly me: string;
  /** As last read under the lease. */
  readonly account: Account;
  /** When the run must be over, on `clock.monotonic`. */
  readonly endsAt: number;
  readonly ports: RunPorts;
  readonly config: SendingConfig;
  /** Attachments are fetched until then, on `clock.monotonic`. */
  readonly preparingUntil: number;
  /** The run before this one died, and what it left is not yet seen to. */
  readonly takenOver: boolean;
  /** How often the queue seemed empty and was not. */
  readonly emptyLooks: number;
  readonly failedFiles: number;
  /** The last head that was settled already. */
  readonly passedOver?: string;
}

/** What one look at the head of the queue came to. */
export type Step = { readonly kind: 'look again'; readonly turn: Turn } | End;

export type End =
  /** This tick is over and no other follows: there is nothing to do, or somebody else does it. */
  | { readonly kind: 'over'; readonly why: string; readonly taken?: Taken }
  /** The generation was raised; a tick of the new one is due then. */
  | { readonly kind: 'next'; readonly tick: Tick; readonly taken?: Taken };

/** A message that the provider has just taken: statuses may have come before its name was written. */
interface Taken {
  readonly send: Send;
  readonly part: number;
  readonly providerId: string;
}

export const lookAgain = (turn: Turn) => ({ kind: 'look again', turn }) as const;
export const over = (why: string): End => ({ kind: 'over', why });
/** Of the generation that the account has got, which is counted from the account as it was read and not from the tick. */
export const next = ({ account: { id, gen } }: Turn, at: number): End => ({
  kind: 'next',
  tick: { account: id, gen: gen + 1, at },
});

/** Only the holder of the lease decides about spacing. Nobody brings a deleted account back. */
export const holdsLease = (me: string): Condition => all(exists(), equal('leaseId', me));

export const dropLease: readonly Change[] = [remove('leaseId'), remove('leaseUntil')];

/** So often a queue that seems empty is looked at again: the refusal after that is one too many. */
const MORE_LOOKS = 3;

/** Nothing waits: the account rests until the next accept wakes it. Refused if something came in after the look. */
export async function goIdle(turn: Turn): Promise<Step> {
  const written = await turn.ports.store.write(
    update(
      accountKey(turn.account.id),
      [set('chain', 'IDLE'), clearDue, ...dropLease],
      all(holdsLease(turn.me), equal('pending', 0)),
    ),
  );
  if (written.done) return over('idle');
  const emptyLooks = turn.emptyLooks + 1;
  return emptyLooks > MORE_LOOKS ? leaveToWatchdog(turn) : refresh({ ...turn, emptyLooks }, written.item);
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
  return written.done ? over('blocked') : refresh(turn, written.item);
}

/** Its provider was silent so often within the hour that no further message may be lost to it. */
export const isSilent = (turn: Turn): boolean => goesOnAt(turn) > turn.ports.clock.gate();

const goesOnAt = ({ account, ports: { clock }, config }: Turn): number =>
  silentUntil(silenceOf(account), clock.gate(), config);

/** Whoever let such an account go on did so by a clock that is ahead, or was a moment too early. */
export async function holdAgain(turn: Turn): Promise<Step> {
  const { account, config } = turn;
  const reason = `The provider did not answer ${config.unknownPerHour} messages within an hour. The others wait, and go on by themselves.`;
  const { changes, writes } = holding(account, reason, turn.ports.clock.now(), config, true, goesOnAt(turn));
  const isOurs = all(holdsLease(turn.me), equal('held', false));
  const held = update(accountKey(account.id), [...changes, clearDue, ...dropLease], isOurs);
  const transacted = await transactTold(turn.ports, [held, ...writes]);
  return transacted.done ? over('held') : refreshed(turn, transacted);
}

/** The account's part of taking an attempt back: the turn goes to a new generation, at this time. */
export function handingOn({ account, config }: Turn, at: number): readonly Change[] {
  return [set('gen', account.gen + 1), set('nextSendAt', at), setDue(at, config), ...dropLease];
}

export const giveBack = (turn: Turn): Promise<End> => handOn(turn, turn.ports.clock.now());

export async function handOn(turn: Turn, at: number): Promise<End> {
  const written = await turn.ports.store.write(
    update(accountKey(turn.account.id), handingOn(turn, at), holdsLease(turn.me)),
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
  return lookAgain({ ...turn, passedOver: passed });
}

/** `pending`, the queue and its parts do not agree on what waits: a fault of ours, so say it and try later. */
async function leaveToWatchdog(turn: Turn): Promise<End> {
  turn.ports.metrics.count('QueueInconsistent', { account: turn.account.id });
  await turn.ports.store.write(
    update(
      accountKey(turn.account.id),
      [setDue(turn.ports.clock.now(), turn.config), ...dropLease],
      holdsLease(turn.me),
    ),
  );
  return over('queue inconsistent');
}

/** After a refusal: another look with what stood in the way, unless the lease is no longer ours. */
function refresh(turn: Turn, found: Item | undefined): Step {
  const account = found && readAccount(found);
  return account?.leaseId === turn.me ? lookAgain({ ...turn, account }) : leaseLost(turn);
}

/** The same after a transaction, of whose writes the account's is the first. Anything else will be read anew as well. */
export const refreshed = (turn: Turn, { refused: [account] }: Refused): Step =>
  account ? refresh(turn, account.item) : lookAgain(turn);

export type Refused = Extract<Transacted, { done: false }>;

export function leaseLost(turn: Turn): End {
  turn.ports.metrics.count('LeaseLost', { account: turn.account.id });
  return over('lease lost');
}
