import type { Clock, Metrics, Random } from '../ports.ts';
import type { Store } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import type { SendingConfig } from './config.ts';
import { dueOf } from './due.ts';
import type { DueItem } from './errands.ts';
import { readAccount } from './items.ts';
import { isOverdue, kick, tickAgain } from './kick.ts';
import type { Ticks } from './ports.ts';

export interface WakePorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly ticks: Ticks;
  readonly metrics: Metrics;
}

/** The latest time at which an account can be due by an honest clock: after the longest backoff. */
export const furthestDue = (now: number, config: SendingConfig): number =>
  now + config.backoff.longestMs + config.graceMs;

/** Brings an account back that a lost tick left behind. Never a new generation for a chain that runs. */
export async function wake(ports: WakePorts, item: DueItem, config: SendingConfig): Promise<void> {
  const { store, clock, ticks, metrics, random } = ports;
  const found = await store.get(item, { consistent: true });
  if (!found) return;
  const account = readAccount(found);
  const now = clock.now();
  if (!isOverdue(account, now, config) && (dueOf(account) ?? now) < furthestDue(now, config)) return;
  metrics.count('AccountOverdue', { account: account.id });
  if (account.chain === 'IDLE') await kick(store, ticks, account, newTransaction(random), now, config);
  else await tickAgain(ticks, account, now);
}
