import { known } from '#lib/domain/schema.ts';
import type { SendOutcome } from '#lib/domain/send/outcome.ts';
import type { Status } from '#lib/domain/send/part.ts';
import type { Account } from '#lib/sender/items.ts';
import type { Attempted, Candidate, Outgoing } from '#lib/sender/provider.ts';
import type { Process, Scheduler } from './scheduler.ts';

export interface Call {
  readonly account: string;
  /** With which version of its credentials. */
  readonly credentials: number | undefined;
  /** The account's name at the provider by then. */
  readonly scope: string;
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
  /** When its webhook tells that the message went out, after that; more than once if it repeats itself. */
  readonly echoes?: readonly number[];
}

export const obliging: Behaviour = {
  outcome: { kind: 'accepted', providerId: '' },
  latencyMs: 120,
  takes: true,
};

/** The message went out, and nobody was told. */
export const unsure = { outcome: { kind: 'unknown', reason: 'reset' }, latencyMs: 50, takes: true } as const;

export interface Taken {
  readonly account: string;
  readonly scope: string;
  readonly messageId: string;
  readonly part: number;
  readonly providerId: string;
  readonly at: number;
  /** Or an id that hides it. */
  readonly phone: string;
  readonly said: Said;
}
export type Said =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly name: string; readonly caption?: string };

/** A provider that keeps a log of what it was asked and of what it took. */
export class FakeProvider {
  readonly calls: Call[] = [];
  readonly taken: Taken[] = [];
  behave: (account: string, message: Outgoing) => Behaviour = () => obliging;
  onCall: (call: Call) => void = () => undefined;
  onStatus: (taken: Taken, status: Status) => void = () => undefined;
  onEcho: (taken: Taken) => void = () => undefined;
  /** What it answers when it is asked for an attempt. */
  lists: (account: Pick<Account, 'id' | 'scope'>, attempted: Attempted) => readonly Candidate[] = () => [];
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
    const { id, scope, credentialsVersion: credentials } = account;
    const { messageId, part } = message;
    const call: Call = { account: id, credentials, scope, messageId, part, startedAt, deadline };
    this.calls.push(call);
    this.onCall(call);
    const behaviour = this.behave(account.id, message);
    const providerId = `3EB0${this.calls.length}`;
    const answersAt = startedAt + behaviour.latencyMs;
    // It acts halfway through, whether or not anybody is left to hear the answer.
    const at = startedAt + behaviour.latencyMs / 2;
    if (behaviour.takes) this.#take({ ...takenOf(message), account: id, scope, providerId, at }, behaviour);
    await scheduler.wait(process, Math.min(answersAt, deadline) - startedAt);
    call.endedAt = scheduler.now;
    const { outcome } = behaviour;
    const named: SendOutcome = 'providerId' in outcome ? { ...outcome, providerId } : outcome;
    call.outcome = answersAt > deadline ? { kind: 'unknown', reason: 'no answer in time' } : named;
    await scheduler.pass(process, { call: 'provider', moment: 'after', detail: message });
    return call.outcome;
  }

  /** What is in its journal of an account and may be this attempt; whose it is, it does not know. */
  journal(
    { id, scope }: Pick<Account, 'id' | 'scope'>,
    { recipient, content, since }: Attempted,
    lagMs = 0,
  ): Candidate[] {
    const before = this.#scheduler.now - lagMs;
    return this.taken
      .filter((one) => one.account === id && one.scope === scope)
      .filter((one) => one.phone === nameOf(recipient) && isSame(one.said, content))
      .filter(({ at }) => at >= since - 5_000 && at <= before)
      .map(({ providerId }) => ({ providerId }));
  }

  #take(taken: Taken, { statuses = [], echoes = [] }: Behaviour): void {
    const { at } = taken;
    this.#scheduler.at(at, () => this.taken.push(taken));
    for (const afterMs of echoes) this.#scheduler.at(at + afterMs, () => this.onEcho(taken));
    for (const { status, afterMs } of statuses) this.#scheduler.at(at + afterMs, () => this.onStatus(taken, status));
  }
}

function takenOf({ messageId, part, recipient, content }: Outgoing) {
  const said: Said =
    content.kind === 'text'
      ? { kind: 'text', text: content.text }
      : { kind: 'file', name: content.name, ...known({ caption: content.caption }) };
  return { messageId, part, phone: nameOf(recipient), said };
}

const nameOf = ({ phone, jid = '' }: Outgoing['recipient']): string => phone ?? jid;

const isSame = (said: Said, content: Attempted['content']): boolean =>
  said.kind === 'text'
    ? content.kind === 'text' && content.text === said.text
    : content.kind === 'file' && content.name === said.name && content.caption === said.caption;
