import type { Clock, Log, Metrics, Random } from '#lib/app/ports.ts';
import type { Provider } from '#lib/app/provider.ts';
import type { Secrets } from '#lib/app/secrets.ts';
import type { SendingConfig } from '#lib/app/sending/config.ts';
import type { Ticks } from '#lib/app/sending/ports.ts';
import type { Store } from '#lib/app/store.ts';
import type { Reach } from '#lib/domain/base-url.ts';

/** What the API reaches outside of itself. */
export interface AdminPorts {
  readonly store: Store;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly ticks: Ticks;
  /** Of sending. */
  readonly config: SendingConfig;
  readonly providers: readonly Provider[];
  /** What base URLs in credentials may lead to. */
  readonly reach: Reach;
  readonly version: string;
}
