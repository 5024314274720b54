import type { MetricName } from './metrics.ts';

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
