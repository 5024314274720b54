import { defaultConfig, type SendingConfig } from '#lib/app/sending/config.ts';
import type { Environment } from './env.ts';

const MINUTE = 60_000;

/** The protocol's constants. Only the local host shortens them, so that a test need not wait for a minute. */
export function sendingConfig(environment: Environment): SendingConfig {
  const { HOOKLINE_CALL_MS: callMs, HOOKLINE_WATCHDOG_MS: periodMs } = environment;
  const { HOOKLINE_LEASE_MS: leaseMs, HOOKLINE_GRACE_MS: graceMs } = environment;
  const { HOOKLINE_UNKNOWN_AFTER_MS: unknownLimitMs } = environment;
  const [first, ...later] = defaultConfig.probeAfterMs;
  const scaled = (milliseconds: number) => ((periodMs ?? MINUTE) / MINUTE) * milliseconds;
  return {
    ...defaultConfig,
    startCredits: environment.HOOKLINE_START_CREDITS,
    ...(callMs !== undefined && { callMs, uploadCallMs: 2 * callMs }),
    ...(leaseMs !== undefined && { leaseMs }),
    ...(graceMs !== undefined && { graceMs }),
    ...(unknownLimitMs !== undefined && { unknownLimitMs }),
    probeAfterMs: [scaled(first), ...later.map(scaled)],
  };
}
