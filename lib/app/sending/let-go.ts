import { all, any, type Change, equal, set, update } from '../store.ts';
import { clearDue, setDue } from './due.ts';
import { type Account, readAccount } from './items.ts';
import { accountKey } from './keys.ts';
import { dropLease, type End, type Head, holdsLease, lookAgain, next, over, type Step, type Turn } from './turn.ts';

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

export async function giveBack(turn: Turn): Promise<End> {
  const now = turn.ports.clock.now();
  const written = await turn.ports.store.write(
    update(accountKey(turn.account.id), handingOn(turn.account, now), holdsLease(turn.me)),
  );
  if (written.done) return next(turn, now);
  const account = written.item && readAccount(written.item);
  // The repeat of a write whose answer was lost is refused; the watchdog would be slow to send the tick it owes.
  return account?.gen === turn.account.gen + 1 && account.leaseId === undefined ? next(turn, now) : leaseLost(turn);
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
