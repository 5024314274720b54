import * as v from 'valibot';
import { issuesOf } from '#lib/domain/issue.ts';

const wholeNumber = v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number));

const Environment = v.object({
  HOOKLINE_TABLE: v.string(),
  HOOKLINE_FALLBACK_QUEUE_URL: v.optional(v.string()),
  HOOKLINE_TICKS_QUEUE_URL: v.optional(v.string()),
  HOOKLINE_ALLOW_PRIVATE_HOSTS: v.optional(v.picklist(['0', '1']), '0'),
  /** Set by the host on one's own machine, and by nothing else. */
  HOOKLINE_LOCAL: v.optional(v.picklist(['0', '1']), '0'),
  HOOKLINE_START_CREDITS: v.optional(wholeNumber, '0'),
  HOOKLINE_CALL_MS: v.optional(wholeNumber),
  HOOKLINE_LEASE_MS: v.optional(wholeNumber),
  HOOKLINE_GRACE_MS: v.optional(wholeNumber),
  HOOKLINE_WATCHDOG_MS: v.optional(wholeNumber),
  HOOKLINE_UNKNOWN_AFTER_MS: v.optional(wholeNumber),
  HOOKLINE_SECRETS_PREFIX: v.optional(v.string()),
  HOOKLINE_PUBLIC_URL: v.optional(v.string()),
  HOOKLINE_MAX_BODY_BYTES: v.optional(wholeNumber, '1048576'),
  /** Names this deployment in logs and metrics. */
  POWERTOOLS_SERVICE_NAME: v.optional(v.string(), 'hookline'),
  AWS_REGION: v.string(),
  AWS_ENDPOINT_URL_DYNAMODB: v.optional(v.string()),
  AWS_ENDPOINT_URL_SQS: v.optional(v.string()),
  AWS_ENDPOINT_URL_SSM: v.optional(v.string()),
});
export type Environment = v.InferOutput<typeof Environment>;

/** What the function was given to work with. Throws with the names that are missing, never with a value. */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  const result = v.safeParse(Environment, variables);
  if (result.success) return result.output;
  const faults = issuesOf(result.issues).map((issue) => `${issue.path} ${issue.message}`);
  throw new Error(`the function's environment is not complete: ${faults.join(', ')}`);
}
