import type { Clock, Metrics, Random } from '../ports.ts';
import type { Store } from '../store.ts';
import type { SendingConfig } from './config.ts';
import { readAccount } from './items.ts';
import { isOverdue, kick, tickAgain } from './kick.ts';
import type { Ticks } from './ports.ts';
import { freshToken } from './turn.ts';
import type { DueItem } from './watchdog.ts';

export interface WakePorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly ticks: Ticks;
  readonly metrics: Metrics;
}

/** Brings an account back that a lost tick left behind. Never a new generation for a chain that runs. */
export async function wake(ports: WakePorts, item: DueItem, config: SendingConfig): Promise<void> {
  const { store, clock, ticks, metrics, random } = ports;
  const found = await store.get(item, { consistent: true });
  if (!found) return;
  const account = readAccount(found);
  const now = clock.now();
  if (!isOverdue(account, now, config)) return;
  metrics.count('AccountOverdue', { account: account.id });
  if (account.chain === 'IDLE') await kick(store, ticks, account, freshToken(random), now, config);
  else await tickAgain(ticks, account, now);
}
