import type { SendOutcome } from '#lib/domain/sending/outcome.ts';
import { drawGap } from '#lib/domain/sending/pace.ts';
import { judge, type Verdict } from '#lib/domain/sending/verdict.ts';
import { add, all, equal, set, type Update, update } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import { sendingSince } from './attempt.ts';
import { clearDue, setDue } from './due.ts';
import { countEnds } from './ends.ts';
import { measureGap } from './gap.ts';
import { readPart } from './head.ts';
import { silenceOf } from './hold.ts';
import { readAccount } from './items.ts';
import { accountKey } from './keys.ts';
import { settleLate } from './late.ts';
import { refresh } from './let-go.ts';
import { type OutcomePlan, planOutcome, type When } from './outcome-plan.ts';
import { scheduleTick } from './schedule.ts';
import type { Ending } from './settle.ts';
import { dropLease, type End, type Head, holdsLease, lookAgain, next, over, type Turn } from './turn.ts';

const OUTCOME_TRIES = 4;

/**
 * Writes down what came of a call: part, pointer, account, and on a refund the quota, all in one transaction. Where the
 * table does not take it for as long as this run may last, that the provider has the message goes into the queue: with
 * the run it would be forgotten, and the message refunded.
 */
export async function recordOutcome(turn: Turn, head: Head, intentAt: number, outcome: SendOutcome): Promise<End> {
  try {
    return await writeOutcome(turn, head, intentAt, outcome);
  } catch (cause) {
    if (outcome.kind === 'accepted') await keepAnswer(turn, head, intentAt, outcome.providerId, cause);
    throw cause;
  }
}

async function keepAnswer(turn: Turn, head: Head, intentAt: number, providerId: string, cause: unknown): Promise<void> {
  const { ports, account, config } = turn;
  const answer = { send: head.send.messageId, part: head.index, intentAt, providerId };
  const now = ports.clock.now();
  // Not at once: a tick that waits for a table keeps a run from the accounts that have one.
  const carrier = { account: account.id, gen: account.gen, at: now + config.graceMs, answer };
  const [kept] = await Promise.allSettled([scheduleTick(ports.ticks, carrier, now)]);
  if (kept.status === 'fulfilled') return;
  throw new AggregateError([cause, kept.reason], `the answer for ${answer.send} is in the log alone`);
}

async function writeOutcome(turn: Turn, head: Head, intentAt: number, outcome: SendOutcome): Promise<End> {
  const { store, clock, random, metrics } = turn.ports;
  const now = clock.now();
  const when = { now, nextSendAt: now + drawGap(turn.account.pacing, random.next()) };
  const verdict = judge(outcome, pastOf(turn, head), now, random.next(), turn.config);
  metrics.count('SendOutcome', { kind: verdict.kind, correlationId: head.send.messageId });
  measureGap(turn, head, intentAt);
  let sending: Head = { ...head, send: sendingSince(head, turn.account, intentAt) };
  for (let tries = 0; tries < OUTCOME_TRIES; tries += 1) {
    const plan = planOutcome(sending, verdict, { account: turn.account, when, config: turn.config });
    const rests = plan.leaving > 0 && plan.leaving === turn.account.pending;
    const account = endTurn(turn, when, plan, rests);
    const transacted = await store.transact([account, ...plan.writes], newTransaction(random));
    if (transacted.done) {
      if (plan.ends) countEnds(turn.ports, plan.ends);
      const step = rests ? over('idle') : nextOf(turn, plan);
      return verdict.kind === 'sent'
        ? { ...step, taken: { send: sending.send, providerId: verdict.providerId } }
        : step;
    }
    const [refusal] = transacted.refused;
    if (refusal) {
      const step = refresh(turn, refusal.item && readAccount(refusal.item));
      if (step !== lookAgain) return recordLate(turn, head, intentAt, verdict);
      continue; // something came in, so the account does not rest
    }
    // The credit of the send's other part has moved meanwhile.
    sending = await readPart(store, head.send.messageId, head.index);
    if (sending.part.state !== 'sending' || sending.part.intentAt !== intentAt) break;
  }
  // The lease and the pessimistic gate stay as they are: the part will be found as unknown, at its distance.
  throw new Error(`the outcome of ${head.send.messageId} could not be written`);
}

const pastOf = ({ account }: Turn, { part }: Head) => ({
  ...part,
  retries: part.retries ?? 0,
  failuresRunning: account.failuresRunning,
  silence: silenceOf(account),
});

/**
 * Every outcome ends the turn: the lease goes, the next generation begins, and the gap is drawn from the call's end.
 * `rests`: this was the last in the queue, so the chain goes to rest with it, instead of by a tick that finds nothing.
 */
function endTurn(turn: Turn, when: When, { account, leaving, due }: OutcomePlan, rests: boolean): Update {
  return update(
    accountKey(turn.account.id),
    [
      set('gen', turn.account.gen + 1),
      set('nextSendAt', when.nextSendAt),
      set('endedAt', when.now),
      ...account,
      ...(leaving > 0 ? [add('pending', -leaving)] : []),
      ...(rests ? [set('chain', 'IDLE')] : []),
      rests || due === undefined ? clearDue : setDue(due),
      ...dropLease,
    ],
    rests ? all(holdsLease(turn.me), equal('pending', leaving)) : holdsLease(turn.me),
  );
}

const nextOf = (turn: Turn, { due }: OutcomePlan): End => (due === undefined ? over('held') : next(turn, due));

/** This run was suspended for so long that its lease has gone to another: only what is certain is written. */
async function recordLate(turn: Turn, head: Head, intentAt: number, verdict: Verdict): Promise<End> {
  const ending = certainEnding(verdict);
  if (ending) await settleLate(turn.ports, head, intentAt, ending);
  return over('lease lost');
}

function certainEnding(verdict: Verdict): Ending | undefined {
  if (verdict.kind === 'unknown') return undefined;
  if (verdict.kind === 'sent') return verdict;
  return { kind: 'failed', reason: verdict.reason };
}
