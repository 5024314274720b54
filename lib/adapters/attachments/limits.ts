/** What one attachment may take of our memory and of our time. */
export interface Limits {
  readonly bytes: number;
  readonly redirects: number;
  /** Milliseconds for the look-up, the connection and, where there is one, the TLS handshake. */
  readonly connectMs: number;
  /** Milliseconds from then until the headers of the answer are complete. */
  readonly firstByteMs: number;
  /** Milliseconds for all of it, redirects included. */
  readonly totalMs: number;
  /** A body is given up when fewer than `windowBytes` came in any `windowMs`. */
  readonly windowMs: number;
  readonly windowBytes: number;
}

export const LIMITS: Limits = {
  bytes: 2_097_152,
  redirects: 3,
  connectMs: 3_000,
  firstByteMs: 5_000,
  totalMs: 12_000,
  windowMs: 5_000,
  windowBytes: 5 * 1024, // 1 KB/s
};
