import type { SendOutcome } from '#lib/domain/sending/outcome.ts';
import type { Account, Send } from './items.ts';

/** An errand to an account's queue. `at`: when it is due, so that a tick that comes a little early waits in place. */
export interface Tick {
  readonly account: string;
  readonly gen: number;
  readonly at: number;
  /** How many ticks before this one came to nothing. */
  readonly exchanges?: number;
  /** What a provider answered, where the table did not take it. */
  readonly answer?: KeptAnswer;
}

/** That a provider took a part: ids alone, since it lies in a queue. */
export interface KeptAnswer {
  readonly send: string;
  readonly part: number;
  /** Names the attempt. */
  readonly intentAt: number;
  readonly providerId: string;
}

export interface Ticks {
  /** Whole seconds, 0 to 900. */
  send(tick: Tick, delaySeconds: number): Promise<void>;
}

/** The bytes that were checked are the bytes that are sent. */
export interface Attachment {
  readonly name: string;
  readonly mimeType: string;
  readonly bytes: Uint8Array;
}

/** Deadlines are in milliseconds of `Clock.monotonic`, so that no clock that is set can stretch them. */
export interface Attachments {
  fetch(url: string, name: string, deadline: number): Promise<Fetched>;
}
export type Fetched =
  | ({ readonly kind: 'ok' } & Attachment)
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface Outgoing {
  readonly messageId: string;
  readonly part: number;
  /** The how-manieth attempt of this part, from 1. */
  readonly attempt: number;
  readonly recipient: Send['recipient'];
  readonly content: { readonly kind: 'text'; readonly text: string } | ({ readonly kind: 'file' } & Attachment);
}

export interface Sender {
  /**
   * One call of the provider: no retries, no redirects, over by the deadline. Never throws for what the provider or
   * the network did; a throw is a fault of ours, and leaves the part to be found as unknown.
   */
  send(message: Outgoing, account: Account, deadline: number): Promise<SendOutcome>;
}

export interface Prober {
  /** Asks the provider whether the account can send again. */
  probe(account: Account): Promise<ProbeResult>;
}
export type ProbeResult =
  | { readonly kind: 'ok' }
  | { readonly kind: 'held'; readonly reason: string }
  /** `answers`: the provider does answer, and only does not say how the account is. */
  | { readonly kind: 'unknown'; readonly answers?: boolean };

export interface Evidence {
  /** What became of an attempt whose answer never came. Says more than `none` only where exactly one message fits. */
  find(send: Send, part: number): Promise<Finding>;
}
export type Finding =
  | { readonly kind: 'accepted'; readonly providerId: string }
  | { readonly kind: 'rejected'; readonly reason: string; readonly providerId?: string }
  | { readonly kind: 'none' };
