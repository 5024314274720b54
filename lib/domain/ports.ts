/** Time as use cases see it. Rules never ask a clock: they are handed the time. */
export interface Clock {
  /** Milliseconds since the epoch, as this host believes. */
  now(): number;
  /** Milliseconds that only ever go forward; meaningful as differences within one process. */
  monotonic(): number;
  sleep(milliseconds: number): Promise<void>;
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Cryptographically random bytes: ids, tokens and keys. */
  bytes(count: number): Uint8Array;
}

/** Structured log lines. Ids, states and figures only: no text of a message, no full number, no token, no secret. */
export interface Log {
  info(message: string, fields?: Readonly<Record<string, string | number | boolean>>): void;
  warn(message: string, fields?: Readonly<Record<string, string | number | boolean>>): void;
  /** `cause` is logged by name, message and stack. */
  error(message: string, cause: unknown, fields?: Readonly<Record<string, string | number | boolean>>): void;
}

export interface Metrics {
  /** `value`: how many, or how much in the metric's unit. Of `fields`, what the metric is not split by is for the log. */
  count(name: MetricName, fields?: Readonly<Record<string, string>>, value?: number): void;
}

/**
 * Every metric, with what it is split by. An id is never among that: CloudWatch keeps, and charges for, each value of it
 * as a metric of its own. What to do about each stands in docs/operations.md.
 */
export const METRICS = {
  /** Deliveries that the table refused and the fallback queue took. */
  FallbackEvents: { unit: 'Count', by: ['provider'] },
  NewQuarantinedType: { unit: 'Count', by: ['provider'] },
  QuarantinedEvents: { unit: 'Count', by: ['provider'] },
  /** Deliveries that nobody took: answered 503, and lost where the provider does not try again. */
  RefusedDeliveries: { unit: 'Count', by: ['provider'] },
  /** Calls of a URL that never existed: somebody guesses, or a provider kept an address of another deployment. */
  UnknownTokens: { unit: 'Count', by: ['provider'] },
  /** Calls of the API with a key that opens nothing. */
  RefusedKeys: { unit: 'Count', by: [] },

  SendAccepted: { unit: 'Count', by: ['provider'] },
  CreditsReserved: { unit: 'Count', by: [] },
  CreditsRefunded: { unit: 'Count', by: [] },
  /** Messages refused because nobody would pay for them. */
  CreditsMissing: { unit: 'Count', by: [] },
  SendOutcome: { unit: 'Count', by: ['kind'] },
  /** Parts that have ended, or got further than that: each state that one comes to, once. */
  SendState: { unit: 'Count', by: ['state'] },
  /** From the end of one call of an account to the start of its next, while something waited. */
  SendGap: { unit: 'Milliseconds', by: [] },
  WakeFailed: { unit: 'Count', by: [] },

  AttemptAbandoned: { unit: 'Count', by: [] },
  IntentReverted: { unit: 'Count', by: [] },
  LeaseLost: { unit: 'Count', by: [] },
  QueueInconsistent: { unit: 'Count', by: [] },
  ClockClamped: { unit: 'Count', by: [] },
  AccountOverdue: { unit: 'Count', by: [] },
  /** Tasks of the watchdog that failed, by the stage of its run. */
  WatchdogFailures: { unit: 'Count', by: ['stage'] },

  /** Calls of endpoints, by how they ended: `delivered`, `failed` (it comes again), `dead` (given up). */
  Deliveries: { unit: 'Count', by: ['result'] },
  /** Endpoints that began to fail: nothing is sent to them but probes. */
  EndpointsFailing: { unit: 'Count', by: [] },
  EndpointsDisabled: { unit: 'Count', by: [] },
  /** Rules that were stopped: all of a workspace that send, or one that never works. */
  RulesPaused: { unit: 'Count', by: [] },

  /** Measured by the watchdog each minute, not counted as they happen. */
  HeldAccounts: { unit: 'Count', by: [] },
  UnknownSends: { unit: 'Count', by: [] },
  OldestOverdue: { unit: 'Seconds', by: [] },
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = keyof typeof METRICS;

interface Metric {
  readonly unit: 'Count' | 'Milliseconds' | 'Seconds';
  readonly by: readonly string[];
}

/** Where provider credentials and the admin key are kept. Names have no leading slash: `accounts/<id>`, `admin-key`. */
export interface Secrets {
  /**
   * The newest version, or the one that is asked for: a version never changes, so it may be cached for ever. Undefined where
   * nothing has the name; a version that is not there throws, for it may be there in a moment.
   */
  get(name: string, version?: number): Promise<string | undefined>;
  /** The version that it has become. */
  put(name: string, value: string): Promise<number>;
  /** Does nothing where there is none. */
  delete(name: string): Promise<void>;
}

export const ADMIN_KEY = 'admin-key';
export const accountSecret = (accountId: string): string => `accounts/${accountId}`;
