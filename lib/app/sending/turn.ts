import type { Clock, Metrics, Random } from '../ports.ts';
import { all, type Change, type Condition, equal, exists, remove, type Store } from '../store.ts';
import type { SendingConfig } from './config.ts';
import type { Account, Part, Send } from './items.ts';
import type { Attachments, Sender, Tick, Ticks } from './ports.ts';

export interface TickPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly ticks: Ticks;
  readonly sender: Sender;
  readonly attachments: Attachments;
  readonly metrics: Metrics;
}

/** One tick's turn on an account. It holds the account's lease under the name of its run. */
export interface Turn {
  readonly me: string;
  /** As last read under the lease. */
  account: Account;
  /** When the run must be over, on `clock.monotonic`. */
  readonly endsAt: number;
  readonly ports: TickPorts;
  readonly config: SendingConfig;
  /** What the looks at the queue have used up so far. */
  emptyLooks: number;
  /** The run before this one died, and what it left is not yet seen to. */
  takenOver: boolean;
  failedFiles: number;
  /** The last head that was settled already. */
  passedOver?: string;
  preparingUntil: number;
}

/** What one look at the head of the queue came to. */
export type Step = { readonly kind: 'look again' } | End;

export type End =
  /** This tick is over and no other follows: there is nothing to do, or somebody else does it. */
  | { readonly kind: 'over'; readonly why: string; readonly taken?: Taken }
  /** The generation was raised; a tick of the new one is due then. */
  | { readonly kind: 'next'; readonly tick: Tick; readonly taken?: Taken };

/** A message that the provider has just taken: statuses may have come before its name was written. */
export interface Taken {
  readonly send: Send;
  readonly providerId: string;
}

export const lookAgain: Step = { kind: 'look again' };
export const over = (why: string): End => ({ kind: 'over', why });
/** Of the generation that the account has got, which is counted from the account as it was read and not from the tick. */
export const next = ({ account: { id, gen } }: Turn, at: number): End => ({
  kind: 'next',
  tick: { account: id, gen: gen + 1, at },
});

/** The part that is first in an account's queue. */
export interface Head {
  readonly send: Send;
  readonly index: number;
  readonly part: Part;
}

/** Only the holder of the lease decides about spacing. Nobody brings a deleted account back. */
export const holdsLease = (me: string): Condition => all(exists(), equal('leaseId', me));

export const dropLease: readonly Change[] = [remove('leaseId'), remove('leaseUntil')];
