import { sightChat } from '#lib/chats/chat.ts';
import { onAccount } from '#lib/credits/spent.ts';
import { chatKindOfJid } from '#lib/domain/person.ts';
import { judge, type SendOutcome, type Verdict } from '#lib/domain/send/outcome.ts';
import { drawGap } from '#lib/domain/send/pace.ts';
import { accountKey, pointerKey } from '#lib/store/keys.ts';
import {
  add,
  all,
  type Change,
  type Delete,
  del,
  equal,
  newTransaction,
  type Put,
  remove,
  type Store,
  set,
  setIfAbsent,
  type Update,
  update,
} from '#lib/store/store.ts';
import { sendingSince } from './attempt.ts';
import { changeParts, field } from './change-parts.ts';
import type { SendingConfig } from './config.ts';
import { holding, silenceOf } from './hold.ts';
import { type Account, type Part, readAccount, type Send } from './items.ts';
import { clearDue, scheduleTick, setDue } from './schedule.ts';
import { threadIn } from './sent-event.ts';
import { countSettled, type Ending, failingWith, type Settled, settling } from './settle.ts';
import { settleLate } from './statuses.ts';
import {
  becomesUnknown,
  dropLease,
  type End,
  type Head,
  holdsLease,
  lookAgain,
  next,
  over,
  readPart,
  refresh,
  type Turn,
} from './turn.ts';

/** Only a message that had to wait for its turn says something about the gap; others came when nothing was going on. */
function measureGap({ account, ports }: Turn, { send }: Head, intentAt: number): void {
  const { id, endedAt, nextSendAt, backoffUntil } = account;
  if (endedAt === undefined || send.createdAt > nextSendAt || backoffUntil > nextSendAt) return;
  ports.metrics.count('SendGap', { account: id }, intentAt - endedAt);
}

/**
 * Brings the chat of a message that went out to the top of its list. Should this get lost, the next message of the chat
 * makes up for it; the message itself stands in the chat's history by then.
 */
export async function noteActivity(
  store: Store,
  { workspace, provider, accountId, recipient }: Send,
  at: number,
): Promise<void> {
  const thread = threadIn(recipient);
  if (!thread) return;
  const { chat, providerChatId } = thread;
  const kind = chatKindOfJid(providerChatId);
  const sighting = { workspace, provider, accountId, accountKey: accountId, providerChatId, kind, at };
  await sightChat(store, sighting, chat);
}

/** What an outcome changes beside generation, lease and spacing, which every outcome changes alike. */
interface OutcomePlan {
  readonly account: readonly Change[];
  readonly writes: readonly (Update | Put | Delete)[];
  /** How many parts leave the account's queue. */
  readonly leaving: number;
  /** When the next tick is due. Left out: none follows. */
  readonly due?: number;
  readonly settled?: Settled;
}

interface When {
  readonly now: number;
  readonly nextSendAt: number;
}

const resetFailures = set('failuresRunning', 0);

/** What an outcome is judged by, beside itself. */
interface Setting {
  readonly account: Account;
  readonly when: When;
  readonly config: SendingConfig;
}

function planOutcome(head: Head, verdict: Verdict, setting: Setting): OutcomePlan {
  const { account, when } = setting;
  switch (verdict.kind) {
    case 'sent':
      return withSuccess(account, settled(head, [head.index], verdict, when));
    case 'failed':
      return settled(head, failingWith(head.send, head.index), verdict, when);
    case 'unknown':
      return unsure(head, verdict, setting);
    case 'again':
      return tryAgain(head, verdict, when);
    case 'held':
      return holdAccount(head, verdict.reason, setting);
  }
}

function settled(
  head: Head,
  parts: readonly number[],
  ending: Extract<Verdict, { kind: 'sent' | 'failed' }>,
  { now, nextSendAt }: When,
): OutcomePlan {
  const { spending, ...settled } = settling(head.send, parts, ending, now);
  return { account: [resetFailures, ...onAccount(head.send.epoch, spending)], ...settled, due: nextSendAt };
}

/** Whatever was counted against the account or its provider is forgotten, and with it how late the next probe would be. */
function withSuccess(account: Account, plan: OutcomePlan): OutcomePlan {
  const counted = (['holdsRunning', 'unknownRunning'] as const).filter((name) => account[name] !== undefined);
  return { ...plan, account: [...plan.account, ...counted.map((name) => remove(name))] };
}

/** The credit is held, the part leaves the queue, and those behind it go on, unless the provider is silent. */
function unsure(head: Head, verdict: Extract<Verdict, { kind: 'unknown' }>, setting: Setting): OutcomePlan {
  const { account, when, config } = setting;
  const { reason, silence, holdReason } = verdict;
  const { accountId, seq } = head.send;
  const counted = [resetFailures, set('unknownRunning', silence.running), set('unknownTimes', silence.times)];
  const unknown = becomesUnknown(head, when.now, reason, config, verdict.providerId);
  const writes = [...unknown, del(pointerKey(accountId, seq, head.index))];
  if (holdReason === undefined) return { account: counted, writes, leaving: 1, due: when.nextSendAt };
  const { changes, probe } = holding(account, holdReason, when.now, config, true);
  return { account: [...counted, ...changes], writes: [...writes, probe], leaving: 1 };
}

/** First in the queue still: the order within the account holds, so the others wait. */
function tryAgain({ send, index, part }: Head, verdict: Extract<Verdict, { kind: 'again' }>, when: When): OutcomePlan {
  const backoffUntil = when.now + verdict.waitMs;
  const due = Math.max(when.nextSendAt, backoffUntil);
  const detail = verdict.reason;
  const also = [add(field(index, 'retries'), 1), setIfAbsent(field(index, 'retryingSince'), when.now)];
  const silent = repeats(send, part, detail);
  return {
    account: [set('failuresRunning', verdict.failuresRunning), set('backoffUntil', backoffUntil)],
    writes: [changeParts(send, [{ index, to: 'queued', detail, also, silent }], when.now)],
    leaving: 0,
    due,
  };
}

/** What was said of the attempt before is not said again. */
const repeats = (send: Send, { attempts }: Part, detail: string): boolean =>
  attempts > 0 && send.history.at(-1)?.detail === detail;

/** The account is at fault and not the message, whose own tries start anew. No tick follows until the hold ends. */
function holdAccount({ send, index, part }: Head, detail: string, { account, when, config }: Setting): OutcomePlan {
  const also = [remove(field(index, 'retries')), remove(field(index, 'retryingSince'))];
  const { changes, probe } = holding(account, detail, when.now, config);
  return {
    account: [resetFailures, ...changes],
    writes: [
      changeParts(send, [{ index, to: 'queued', detail, also, silent: repeats(send, part, detail) }], when.now),
      probe,
    ],
    leaving: 0,
  };
}

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
      if (plan.settled) countSettled(turn.ports, plan.settled);
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
