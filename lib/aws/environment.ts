import * as v from 'valibot';
import { issuesOf, known } from '#lib/domain/schema.ts';
import { defaultConfig, type SendingConfig } from '#lib/sender/config.ts';

const wholeNumber = v.pipe(v.string(), v.regex(/^\d+$/, 'must be a whole number, or left out'), v.transform(Number));
const flag = v.optional(v.picklist(['0', '1'], 'must be 0 or 1, or left out'), '0');
const url = v.pipe(
  v.string(),
  v.regex(/^https?:\/\/\S+$/, 'must be a URL that starts with http:// or https://, or left out'),
);

const Environment = v.object({
  HOOKLINE_TABLE: v.string(),
  HOOKLINE_FALLBACK_QUEUE_URL: v.optional(url),
  HOOKLINE_TICKS_QUEUE_URL: v.optional(url),
  HOOKLINE_DELIVERIES_QUEUE_URL: v.optional(url),
  HOOKLINE_EVENTS_DEAD_QUEUE_URL: v.optional(url),
  HOOKLINE_ALLOW_PRIVATE_HOSTS: flag,
  /** Set by the host on one's own machine, and by nothing else. */
  HOOKLINE_LOCAL: flag,
  HOOKLINE_START_CREDITS: v.optional(wholeNumber, '0'),
  HOOKLINE_CALL_MS: v.optional(wholeNumber),
  HOOKLINE_LEASE_MS: v.optional(wholeNumber),
  HOOKLINE_GRACE_MS: v.optional(wholeNumber),
  HOOKLINE_WATCHDOG_MS: v.optional(wholeNumber),
  HOOKLINE_UNKNOWN_AFTER_MS: v.optional(wholeNumber),
  HOOKLINE_SECRETS_PREFIX: v.optional(v.string()),
  HOOKLINE_PUBLIC_URL: v.optional(url),
  /** Checked where a rule is written: a slip of the pen in it must not keep webhooks out. */
  HOOKLINE_MAIL_FROM: v.optional(v.string()),
  HOOKLINE_MAX_BODY_BYTES: v.optional(wholeNumber, '1048576'),
  /** Names this deployment in logs and metrics. */
  POWERTOOLS_SERVICE_NAME: v.optional(v.string(), 'hookline'),
  AWS_REGION: v.string(),
  AWS_ENDPOINT_URL_DYNAMODB: v.optional(url),
  AWS_ENDPOINT_URL_SESV2: v.optional(url),
  AWS_ENDPOINT_URL_SQS: v.optional(url),
  AWS_ENDPOINT_URL_SSM: v.optional(url),
});
export type Environment = v.InferOutput<typeof Environment>;

/**
 * What the function was given to work with; an empty variable is none. Throws with the names of those that are wrong and
 * what to do, never with a value.
 */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  const set = Object.fromEntries(Object.entries(variables).filter(([, value]) => value));
  const result = v.safeParse(Environment, set);
  if (result.success) return result.output;
  const faults = issuesOf(result.issues).map(({ path, message }) =>
    message === 'is missing' ? `${path} is missing: set it` : `${path} ${message}`,
  );
  throw new Error(`the function's environment is wrong: ${faults.join('; ')}`);
}

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
    ...known({ leaseMs, graceMs, unknownLimitMs }),
    probeAfterMs: [scaled(first), ...later.map(scaled)],
  };
}
