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
