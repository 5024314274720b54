import type { Account } from '#lib/app/sending/items.ts';
import type { Outgoing } from '#lib/app/sending/ports.ts';
import type { SendOutcome } from '#lib/domain/sending/outcome.ts';
import type { Status } from '#lib/domain/sending/status.ts';
import type { Process, Scheduler } from './scheduler.ts';

export interface Call {
  readonly account: string;
  /** With which version of its credentials. */
  readonly credentials: number | undefined;
  readonly messageId: string;
  readonly part: number;
  readonly startedAt: number;
  readonly deadline: number;
  endedAt?: number;
  outcome?: SendOutcome;
}

/** What the provider does with one call. */
export interface Behaviour {
  readonly outcome: SendOutcome;
  readonly latencyMs: number;
  /** The message goes out, whatever the answer. */
  readonly takes: boolean;
  readonly statuses?: readonly { readonly status: Status; readonly afterMs: number }[];
}

export const obliging: Behaviour = {
  outcome: { kind: 'accepted', providerId: '' },
  latencyMs: 120,
  takes: true,
};

export interface Taken {
  readonly account: string;
  readonly messageId: string;
  readonly part: number;
  readonly providerId: string;
  readonly at: number;
}

/** A provider that keeps a log of what it was asked and of what it took. */
export class FakeProvider {
  readonly calls: Call[] = [];
  readonly taken: Taken[] = [];
  behave: (account: string, message: Outgoing) => Behaviour = () => obliging;
  onCall: (call: Call) => void = () => undefined;
  onStatus: (taken: Taken, status: Status) => void = () => undefined;
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  async send(process: Process, message: Outgoing, account: Account, limit: () => number): Promise<SendOutcome> {
    const scheduler = this.#scheduler;
    await scheduler.pass(process, { call: 'provider', moment: 'before', detail: message });
    const startedAt = scheduler.now;
    const deadline = limit();
    if (startedAt >= deadline) return { kind: 'retry', reason: 'the deadline had passed before the call' };
    const { id, credentialsVersion: credentials } = account;
    const { messageId, part } = message;
    const call: Call = { account: id, credentials, messageId, part, startedAt, deadline };
    this.calls.push(call);
    this.onCall(call);
    const behaviour = this.behave(account.id, message);
    const providerId = `3EB0${this.calls.length}`;
    const answersAt = startedAt + behaviour.latencyMs;
    // It acts halfway through, whether or not anybody is left to hear the answer.
    if (behaviour.takes) this.#take({ ...call, providerId, at: startedAt + behaviour.latencyMs / 2 }, behaviour);
    await scheduler.wait(process, Math.min(answersAt, deadline) - startedAt);
    call.endedAt = scheduler.now;
    const { outcome } = behaviour;
    const named: SendOutcome = outcome.kind === 'accepted' ? { kind: 'accepted', providerId } : outcome;
    call.outcome = answersAt > deadline ? { kind: 'unknown', reason: 'no answer in time' } : named;
    await scheduler.pass(process, { call: 'provider', moment: 'after', detail: message });
    return call.outcome;
  }

  #take({ account, messageId, part, providerId, at }: Taken, { statuses = [] }: Behaviour): void {
    const taken: Taken = { account, messageId, part, providerId, at };
    this.#scheduler.at(at, () => this.taken.push(taken));
    for (const { status, afterMs } of statuses) this.#scheduler.at(at + afterMs, () => this.onStatus(taken, status));
  }
}
