import type { SendOutcome } from '#lib/domain/sending/outcome.ts';
import { longestGap } from '#lib/domain/sending/pace.ts';
import { retrying } from '../retrying-store.ts';
import {
  add,
  all,
  type Condition,
  equal,
  StoreUnavailable,
  set,
  type Transacted,
  unchanged,
  update,
} from '../store.ts';
import { newTransaction } from '../transaction.ts';
import { changeParts, field } from './change-parts.ts';
import { type Account, isBlocked, readAccount } from './items.ts';
import { accountKey } from './keys.ts';
import { settleLate } from './late.ts';
import { giveBack, handingOn, leaseLost, refresh, releaseBlocked } from './let-go.ts';
import type { Outgoing } from './ports.ts';
import { type Head, holdsLease, lookAgain, next, type Step, type Turn } from './turn.ts';

export interface Intent {
  /** Milliseconds since the epoch: the name of the attempt. */
  readonly at: number;
  /** When the call must be over, on `clock.monotonic`. Anchored here and not at the call: a stall must not stretch it. */
  readonly deadline: number;
  readonly declaredBy: number;
}

export const callLimit = (turn: Turn, kind: 'text' | 'file'): number =>
  kind === 'file' ? turn.config.uploadCallMs : turn.config.callMs;

/** Whether enough of the run is left for a call and for writing down what came of it. */
export const hasTimeToCall = (turn: Turn, limit: number): boolean =>
  turn.endsAt - turn.ports.clock.monotonic() >= limit + turn.config.marginMs;

export type Declared =
  | { readonly kind: 'declared'; readonly intent: Intent }
  | { readonly kind: 'not declared'; readonly step: Step };

const notDeclared = (step: Step): Declared => ({ kind: 'not declared', step });

/**
 * Says that the part is about to be sent, before it is. `nextSendAt` is pessimistic on purpose: should this run die
 * now, the next call still keeps its distance from the end of this one, whenever that is.
 */
export async function declareIntent(turn: Turn, head: Head, limit: number): Promise<Declared> {
  const { clock, random, store } = turn.ports;
  const at = clock.now();
  const startedAt = clock.monotonic();
  const intent = { at, deadline: startedAt + limit, declaredBy: startedAt + turn.config.intentPatienceMs };
  const patient = retrying(store, clock, random, intent.declaredBy);
  const transacted = await orUnavailable(patient.transact(intentWrites(turn, head, at, limit), newTransaction(random)));
  if (transacted === 'unavailable') return notDeclared(await takeBack(turn, head, intent));
  if (transacted.done) return { kind: 'declared', intent };
  const [account] = transacted.refused;
  // The account counts first: without the lease, what the part says is no business of this run.
  if (!account) return notDeclared(lookAgain);
  const step = refresh(turn, account.item && readAccount(account.item));
  return notDeclared(step === lookAgain && isBlocked(turn.account) ? await releaseBlocked(turn) : step);
}

function intentWrites(turn: Turn, { send, index, part }: Head, at: number, limit: number) {
  const begun = [set(field(index, 'intentAt'), at), add(field(index, 'attempts'), 1)];
  // The account may have got other credentials, and with them another name at the provider, since the send was accepted.
  const moved = send.scope === turn.account.scope ? [] : [set('scope', turn.account.scope)];
  return [
    update(
      accountKey(turn.account.id),
      [set('nextSendAt', at + limit + longestGap(turn.account.pacing))],
      all(holdsLease(turn.me), equal('paused', false), equal('held', false), sameLine(turn.account)),
    ),
    changeParts(send, [{ index, to: 'sending', also: begun, silent: part.attempts > 0 }], at, moved),
  ];
}

/** Once a change of an account is answered, nothing begins with the credentials or under the name that it had before. */
const sameLine = ({ scope, credentialsVersion }: Account): Condition => unchanged({ scope, credentialsVersion });

async function orUnavailable(transacting: Promise<Transacted>): Promise<Transacted | 'unavailable'> {
  try {
    return await transacting;
  } catch (error) {
    if (error instanceof StoreUnavailable) return 'unavailable';
    throw error;
  }
}

/** Takes an intent back that came too late to act upon, or that we cannot know to be written. Nothing was sent. */
export async function takeBack(turn: Turn, head: Head, intent: Intent): Promise<Step> {
  const { store, clock, random, metrics } = turn.ports;
  metrics.count('IntentReverted', { account: turn.account.id });
  const now = clock.now();
  // A table that is slow now is slow in a moment, too: at once, the next attempt would only add to what it has to do.
  const soon = now + turn.config.backoff.firstMs;
  const transacted = await store.transact(
    [
      update(accountKey(turn.account.id), handingOn(turn.account, soon), holdsLease(turn.me)),
      changeParts(
        sendingSince(head, turn.account, intent.at),
        [{ index: head.index, to: 'queued', also: [add(field(head.index, 'attempts'), -1)], silent: true }],
        now,
      ),
    ],
    newTransaction(random),
  );
  if (transacted.done) return next(turn, soon);
  const [account] = transacted.refused;
  if (!account) return giveBack(turn);
  await settleLate(turn.ports, head, intent.at, {
    kind: 'failed',
    reason: 'the attempt was overtaken before the call',
  });
  return leaseLost(turn);
}

/** The send as this run's own intent has left it. */
export function sendingSince({ send, index }: Head, { scope }: Account, intentAt: number) {
  return {
    ...send,
    scope,
    parts: send.parts.map((part, i) => (i === index ? { ...part, state: 'sending' as const, intentAt } : part)),
  };
}

export function call(turn: Turn, head: Head, content: Outgoing['content'], intent: Intent): Promise<SendOutcome> {
  const { messageId, recipient } = head.send;
  const message = { messageId, part: head.index, attempt: head.part.attempts + 1, recipient, content };
  return turn.ports.sender.send(message, turn.account, intent.deadline);
}
