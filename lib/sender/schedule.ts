import { accountKey, dueSortKey, dueTime } from '#lib/store/keys.ts';
import {
  add,
  all,
  type Change,
  equal,
  exists,
  remove,
  type Store,
  set,
  setIfAbsent,
  update,
} from '#lib/store/store.ts';
import type { SendingConfig } from './config.ts';
import { type Account, readAccount } from './items.ts';
import type { Tick, Ticks } from './provider.ts';

/**
 * When an account needs a tick: `dueAt` of the protocol. It is the sort key of the watchdog's index (whose partition
 * key every account has for life), so an account stands in that index exactly while it has one.
 */
export const setDue = (at: number, config: SendingConfig): Change => set('gsi3sk', dueKey(at, config));
export const setDueIfNone = (at: number, config: SendingConfig): Change => setIfAbsent('gsi3sk', dueKey(at, config));
export const clearDue: Change = remove('gsi3sk');

/**
 * To the quarter of the grace, and never earlier than it is: an entry of the index that moves costs two writes, and that
 * of an account which sends would move with each message. A tick that is lost is missed later by that at most.
 */
function dueKey(at: number, { graceMs }: SendingConfig): string {
  const step = Math.max(1, Math.floor(graceMs / 4));
  return dueSortKey(Math.ceil(at / step) * step);
}

export const dueOf = (item: { readonly gsi3sk?: string }): number | undefined =>
  item.gsi3sk === undefined ? undefined : dueTime(item.gsi3sk);

/** The time at which the account's gates are open. */
export const gatesOpenAt = (account: { readonly nextSendAt: number; readonly backoffUntil: number }): number =>
  Math.max(account.nextSendAt, account.backoffUntil);

/** The longest that the queue can hold a message back. */
const LONGEST_DELAY_S = 900;

/** Rounded down: the tick waits for the rest of a second itself, and its gates stay shut until it is over. */
export async function scheduleTick(ticks: Ticks, tick: Tick, now: number): Promise<void> {
  const seconds = Math.floor(Math.max(0, tick.at - now) / 1000);
  await ticks.send(tick, Math.min(LONGEST_DELAY_S, seconds));
}

export const isOverdue = (account: Account, now: number, config: SendingConfig): boolean => {
  const due = dueOf(account);
  return due !== undefined && due < now - config.graceMs;
};

/** Sets a resting account going; `me` tells the repeat of this very write from another's. */
export const waking = (account: Account, me: string, now: number, config: SendingConfig): readonly Change[] => [
  add('gen', 1),
  set('chain', 'RUNNING'),
  setDue(Math.max(now, gatesOpenAt(account)), config),
  set('startedBy', me),
];

/**
 * The same by itself, and its tick. Only from IDLE: a second chain beside a running one would be stopped by the gates, but
 * it would cost requests for ever. `account` as just read.
 */
export async function wake(
  store: Store,
  ticks: Ticks,
  account: Account,
  me: string,
  now: number,
  config: SendingConfig,
): Promise<void> {
  const isAtRest = all(exists(), equal('chain', 'IDLE'));
  const written = await store.write(update(accountKey(account.id), waking(account, me, now, config), isAtRest), {
    returns: 'new',
  });
  if (!written.item) return;
  const current = readAccount(written.item);
  if (written.done) return tickAgain(ticks, current, now);
  if (current.startedBy === me || isOverdue(current, now, config)) await tickAgain(ticks, current, now);
}

/** Another tick of the generation that is there: harmless if the first one is still on its way. */
export async function tickAgain(ticks: Ticks, account: Account, now: number): Promise<void> {
  await scheduleTick(ticks, { account: account.id, gen: account.gen, at: gatesOpenAt(account) }, now);
}
