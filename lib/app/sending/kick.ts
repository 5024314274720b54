import { add, all, equal, exists, type Store, set, update } from '../store.ts';
import type { SendingConfig } from './config.ts';
import { dueOf, gatesOpenAt, setDue } from './due.ts';
import { type Account, readAccount } from './items.ts';
import { accountKey } from './keys.ts';
import type { Ticks } from './ports.ts';
import { scheduleTick } from './schedule.ts';

export const isOverdue = (account: Account, now: number, config: SendingConfig): boolean => {
  const due = dueOf(account);
  return due !== undefined && due < now - config.graceMs;
};

/**
 * Sets a resting account going. Only from IDLE: a second chain beside a running one would be stopped by the gates, but
 * it would cost requests for ever. `account` as just read; `me` tells the repeat of this very write from another's.
 */
export async function kick(
  store: Store,
  ticks: Ticks,
  account: Account,
  me: string,
  now: number,
  config: SendingConfig,
): Promise<void> {
  const at = Math.max(now, gatesOpenAt(account));
  const written = await store.write(
    update(
      accountKey(account.id),
      [add('gen', 1), set('chain', 'RUNNING'), setDue(at), set('startedBy', me)],
      all(exists(), equal('chain', 'IDLE')),
    ),
    { returns: 'new' },
  );
  if (!written.item) return;
  const current = readAccount(written.item);
  if (written.done) return tickAgain(ticks, current, now);
  if (current.startedBy === me || isOverdue(current, now, config)) await tickAgain(ticks, current, now);
}

/** Another tick of the generation that is there: harmless if the first one is still on its way. */
export async function tickAgain(ticks: Ticks, account: Account, now: number): Promise<void> {
  await scheduleTick(ticks, { account: account.id, gen: account.gen, at: gatesOpenAt(account) }, now);
}
