import type { SendOutcome } from '#lib/domain/sending/outcome.ts';
import { drawGap } from '#lib/domain/sending/pace.ts';
import { judge, type Verdict } from '#lib/domain/sending/verdict.ts';
import { type Change, set, type Update, update } from '../store.ts';
import { sendingSince } from './attempt.ts';
import { readPart } from './head.ts';
import { accountKey } from './keys.ts';
import { settleLate } from './late.ts';
import { leaseLost } from './let-go.ts';
import { planOutcome } from './outcome-plan.ts';
import type { Ending } from './settle.ts';
import { readStatuses } from './statuses.ts';
import { dropLease, freshToken, type Head, holdsLease, type Step, type Turn } from './turn.ts';

const TRIES = 4;

interface When {
  readonly now: number;
  readonly nextSendAt: number;
}

/** Writes down what came of a call: part, pointer, account, and on a refund the quota, all in one transaction. */
export async function recordOutcome(turn: Turn, head: Head, intentAt: number, outcome: SendOutcome): Promise<Step> {
  const { store, clock, random, metrics } = turn.ports;
  const now = clock.now();
  const when = { now, nextSendAt: now + drawGap(turn.account.pacing, random.next()) };
  const verdict = judge(outcome, pastOf(turn, head), now, random.next(), turn.config);
  metrics.count('SendOutcome', { kind: verdict.kind });
  measureGap(turn, head, intentAt);
  let sending: Head = { ...head, send: sendingSince(head, intentAt) };
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { account, writes, step } = planOutcome(sending, verdict, when, turn.config);
    const transacted = await store.transact([handOn(turn, when, account), ...writes], freshToken(random));
    if (transacted.done) {
      if (verdict.kind === 'sent') await readStatuses(turn.ports, head.send, verdict.providerId);
      return step;
    }
    if (transacted.refused[0]) return recordLate(turn, head, intentAt, verdict);
    // The credit of the send's other part has moved meanwhile.
    sending = await readPart(store, head.send.messageId, head.index);
    if (sending.part.state !== 'sending' || sending.part.intentAt !== intentAt) break;
  }
  // The lease and the pessimistic gate stay as they are: the part will be found as unknown, at its distance.
  throw new Error(`the outcome of ${head.send.messageId} could not be written`);
}

const pastOf = (turn: Turn, { part }: Head) => ({
  ...part,
  retries: part.retries ?? 0,
  failuresRunning: turn.account.failuresRunning,
});

/** Every outcome ends the turn: the lease goes, the next generation begins, and the gap is drawn from the call's end. */
function handOn(turn: Turn, { now, nextSendAt }: When, changes: readonly Change[]): Update {
  const times = [set('endedAt', now), set('nextSendAt', nextSendAt)];
  return update(
    accountKey(turn.account.id),
    [set('gen', turn.account.gen + 1), ...times, ...changes, ...dropLease],
    holdsLease(turn.me),
  );
}

/** Only a message that had to wait for its turn says something about the gap; others came when nothing was going on. */
function measureGap({ account, ports }: Turn, { send }: Head, intentAt: number): void {
  const { id, endedAt, nextSendAt, backoffUntil } = account;
  if (endedAt === undefined || send.createdAt > nextSendAt || backoffUntil > nextSendAt) return;
  ports.metrics.count('SendGap', { account: id }, intentAt - endedAt);
}

/** This run was suspended for so long that its lease has gone to another: only what is certain is written. */
async function recordLate(turn: Turn, head: Head, intentAt: number, verdict: Verdict): Promise<Step> {
  const ending = certainEnding(verdict);
  if (ending) await settleLate(turn.ports, head, intentAt, ending);
  return leaseLost(turn);
}

function certainEnding(verdict: Verdict): Ending | undefined {
  if (verdict.kind === 'unknown') return undefined;
  if (verdict.kind === 'sent') return verdict;
  return { kind: 'failed', reason: verdict.reason };
}
