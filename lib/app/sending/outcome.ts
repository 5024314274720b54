import type { SendOutcome } from '#lib/domain/sending/outcome.ts';
import { drawGap } from '#lib/domain/sending/pace.ts';
import { judge, type Verdict } from '#lib/domain/sending/verdict.ts';
import {
  add,
  type Change,
  type Delete,
  del,
  type Put,
  remove,
  set,
  setIfAbsent,
  type Update,
  update,
} from '../store.ts';
import { sendingSince } from './attempt.ts';
import { changeParts, field } from './change-parts.ts';
import { clearDue, setDue } from './due.ts';
import { becomesUnknown, readPart } from './head.ts';
import { firstProbe } from './hold.ts';
import { accountKey, pointerKey } from './keys.ts';
import { settleLate } from './late.ts';
import { giveBack, leaseLost } from './let-go.ts';
import { type Ending, failingWith, settling } from './settle.ts';
import { readStatuses } from './statuses.ts';
import { dropLease, freshToken, type Head, holdsLease, next, over, type Step, type Turn } from './turn.ts';

const TRIES = 4;

/** Writes down what came of a call: part, pointer, account, and on a refund the quota, all in one transaction. */
export async function recordOutcome(turn: Turn, head: Head, intentAt: number, outcome: SendOutcome): Promise<Step> {
  const { store, clock, random, metrics } = turn.ports;
  const endedAt = clock.now();
  const past = { ...head.part, retries: head.part.retries ?? 0, failuresRunning: turn.account.failuresRunning };
  const verdict = judge(outcome, past, endedAt, random.next(), turn.config);
  const nextSendAt = endedAt + drawGap(turn.account.pacing, random.next());
  metrics.count('SendOutcome', { kind: verdict.kind });
  let sending: Head = { ...head, send: sendingSince(head, intentAt) };
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { writes, then } = planOutcome(turn, sending, verdict, endedAt, nextSendAt);
    const transacted = await store.transact(writes, freshToken(random));
    if (transacted.done) {
      if (verdict.kind === 'sent') await readStatuses(turn.ports, head.send, verdict.providerId);
      return then;
    }
    if (transacted.refused[0]) return recordLate(turn, head, intentAt, verdict);
    // The credit of the send's other part has moved meanwhile.
    sending = await readPart(store, head.send.messageId, head.index);
    if (sending.part.state !== 'sending' || sending.part.intentAt !== intentAt) return giveBack(turn);
  }
  throw new Error(`the outcome of ${head.send.messageId} could not be written in ${TRIES} tries`);
}

interface OutcomePlan {
  readonly writes: readonly (Update | Put | Delete)[];
  readonly then: Step;
}

function planOutcome(turn: Turn, head: Head, verdict: Verdict, now: number, nextSendAt: number): OutcomePlan {
  const handOn = (changes: readonly Change[], due: readonly Change[], writes: readonly (Update | Put | Delete)[]) => [
    update(
      accountKey(turn.account.id),
      [set('gen', turn.account.gen + 1), set('nextSendAt', nextSendAt), ...changes, ...due, ...dropLease],
      holdsLease(turn.me),
    ),
    ...writes,
  ];
  const dueAt = (at: number) => [setDue(at)];
  const calm = set('failuresRunning', 0);
  switch (verdict.kind) {
    case 'sent':
    case 'failed': {
      const parts = verdict.kind === 'failed' ? failingWith(head.send, head.index) : [head.index];
      const { writes, leaving } = settling(head.send, parts, verdict, now);
      return { writes: handOn([calm, add('pending', -leaving)], dueAt(nextSendAt), writes), then: next(nextSendAt) };
    }
    case 'unknown': {
      const writes = [
        becomesUnknown(head, now, verdict.reason, turn.config),
        del(pointerKey(turn.account.id, head.send.seq, head.index)),
      ];
      return { writes: handOn([calm, add('pending', -1)], dueAt(nextSendAt), writes), then: next(nextSendAt) };
    }
    case 'again': {
      const backoffUntil = now + verdict.waitMs;
      const due = Math.max(nextSendAt, backoffUntil);
      const changes = [set('failuresRunning', verdict.failuresRunning), set('backoffUntil', backoffUntil)];
      return { writes: handOn(changes, dueAt(due), [backToQueue(head, now, verdict.reason)]), then: next(due) };
    }
    case 'held': {
      const held = [calm, set('held', true), set('holdReason', verdict.reason)];
      const writes = [heldBack(head, now, verdict.reason), firstProbe(turn.account.id, now, turn.config)];
      return { writes: handOn(held, [clearDue], writes), then: over('held') };
    }
  }
}

/** First in the queue still: order within the account holds, the others wait. */
function backToQueue({ send, index, part }: Head, now: number, detail: string): Update {
  const also = [add(field(index, 'retries'), 1), setIfAbsent(field(index, 'retryingSince'), now)];
  const repeats = send.history.at(-1)?.detail === detail;
  return changeParts(send, [{ index, to: 'queued', detail, also, silent: repeats && part.attempts > 0 }], now);
}

/** The account was at fault, not the message: its own tries start anew. */
function heldBack({ send, index }: Head, now: number, detail: string): Update {
  const also = [remove(field(index, 'retries')), remove(field(index, 'retryingSince'))];
  return changeParts(send, [{ index, to: 'queued', detail, also }], now);
}

/** This run was suspended for so long that its lease has gone to another. */
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
