import { type Change, remove, set, setIfAbsent } from '../store.ts';
import { dueSortKey, dueTime } from './keys.ts';

/**
 * When an account needs a tick: `dueAt` of the protocol. It is the sort key of the watchdog's index (whose partition
 * key every account has for life), so an account stands in that index exactly while it has one.
 */
export const setDue = (at: number): Change => set('gsi3sk', dueSortKey(at));
export const setDueIfNone = (at: number): Change => setIfAbsent('gsi3sk', dueSortKey(at));
export const clearDue: Change = remove('gsi3sk');

export const dueOf = (item: { readonly gsi3sk?: string }): number | undefined =>
  item.gsi3sk === undefined ? undefined : dueTime(item.gsi3sk);

/** The time at which the account's gates are open. */
export const gatesOpenAt = (account: { readonly nextSendAt: number; readonly backoffUntil: number }): number =>
  Math.max(account.nextSendAt, account.backoffUntil);
