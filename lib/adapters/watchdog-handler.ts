import type { Context } from 'aws-lambda';
import type { OutboundProvider } from '#lib/app/sending/outbound.ts';
import { evidence } from '#lib/app/sending/provider-evidence.ts';
import { providerProber } from '#lib/app/sending/provider-sender.ts';
import { watchdog } from '#lib/app/sending/watchdog.ts';
import { correlated } from './correlation.ts';
import { outboundAccounts } from './outbound-accounts.ts';
import { type Runtime, sendingPorts } from './runtime.ts';

/** An errand that was begun is to end: asking a provider takes up to 8 s, and what it says is then written down. */
const WATCHDOG_MARGIN_MS = 12_000;

/** The Lambda that looks, each minute, for what a lost tick or a crash has left behind. */
export function watchdogHandler(providers: readonly OutboundProvider[], runtime: Runtime) {
  const { clock, log, store } = runtime;
  const { config, ...shared } = sendingPorts(runtime);
  const accounts = outboundAccounts(providers, runtime);
  const prober = providerProber(accounts, clock);
  const ports = { ...shared, prober, evidence: evidence(accounts, store, clock, config) };
  const run = async (endsAt: number) => {
    try {
      await watchdog(ports, endsAt, config);
    } catch (error) {
      for (const cause of error instanceof AggregateError ? error.errors : [error]) {
        log.error('an errand of the watchdog failed', cause);
      }
      // For the alarm; the next run takes everything up again.
      throw error;
    }
  };
  return async (_event: unknown, context: Context): Promise<void> => {
    const endsAt = clock.monotonic() + context.getRemainingTimeInMillis() - WATCHDOG_MARGIN_MS;
    await correlated({ requestId: context.awsRequestId }, () => run(endsAt));
  };
}
