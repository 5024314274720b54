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

/** Counters; the names and what to do about each stand in docs/operations.md. */
export interface Metrics {
  count(name: string, dimensions?: Readonly<Record<string, string>>): void;
}
