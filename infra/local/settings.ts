import * as v from 'valibot';

const url = v.pipe(v.string(), v.regex(/^https?:\/\/\S+$/, 'must be a URL that starts with http:// or https://'));
const publicUrl = v.pipe(
  v.string(),
  v.check(
    (text) => /^https?:\/\/[^\s?#@]+$/.test(text) && URL.canParse(text),
    'must be the address by which others reach the hub, as https://hub.example.com, without ? or #',
  ),
);
const milliseconds = v.pipe(v.string(), v.regex(/^[1-9]\d{0,9}$/, 'must be a number of milliseconds, 1 or more'));

const Environment = v.object({
  PORT: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,5}$/, 'must be a port number, or 0 for any free one'),
      v.transform(Number),
      v.maxValue(65_535, 'must be at most 65535'),
    ),
    '3000',
  ),
  HOOKLINE_ADMIN_KEY: v.optional(
    v.pipe(v.string(), v.regex(/^[\x21-\x7e]+$/, 'must be visible characters without blanks')),
  ),
  HOOKLINE_DATA: v.optional(v.pipe(v.string(), v.nonEmpty('must be a folder, or :memory:')), '.hookline'),
  HOOKLINE_DYNAMODB_ENDPOINT: v.optional(url),
  HOOKLINE_PUBLIC_URL: v.optional(publicUrl),
  HOOKLINE_LOG: v.optional(v.picklist(['json', 'plain'], 'must be json or plain')),
  HOOKLINE_ALLOW_PRIVATE_HOSTS: v.optional(v.picklist(['0', '1'], 'must be 0 or 1')),
  HOOKLINE_CALL_MS: v.optional(milliseconds),
  HOOKLINE_LEASE_MS: v.optional(milliseconds),
  HOOKLINE_GRACE_MS: v.optional(milliseconds),
  HOOKLINE_WATCHDOG_MS: v.optional(milliseconds),
  HOOKLINE_UNKNOWN_AFTER_MS: v.optional(milliseconds),
});
export type Settings = v.InferOutput<typeof Environment>;

/** The variables that the host hands on to the functions as they are. */
const handedOn = [
  'HOOKLINE_ALLOW_PRIVATE_HOSTS',
  'HOOKLINE_CALL_MS',
  'HOOKLINE_LEASE_MS',
  'HOOKLINE_GRACE_MS',
  'HOOKLINE_WATCHDOG_MS',
  'HOOKLINE_UNKNOWN_AFTER_MS',
] as const;

/** Reads the environment; what is wrong with it is said for all variables at once. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  // An empty variable is how a shell unsets one for a single command.
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value));
  const parsed = v.safeParse(Environment, set);
  if (parsed.success) return parsed.output;
  throw new Error(parsed.issues.map((issue) => `${v.getDotPath(issue)} ${issue.message}`).join('\n'));
}

export function settingsForFunctions(settings: Settings): Record<string, string> {
  return {
    HOOKLINE_LOCAL: '1',
    ...Object.fromEntries(handedOn.flatMap((name) => (settings[name] ? [[name, settings[name]]] : []))),
  };
}
