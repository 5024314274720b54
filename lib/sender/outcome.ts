import { namesOfRecipient, phoneOfRecipient, sightChat } from '#lib/chats/people.ts';
import { onAccount } from '#lib/credits/credits.ts';
import { chatKindOfJid } from '#lib/domain/person.ts';
import { known } from '#lib/domain/schema.ts';
import { judge, type SendOutcome, type Verdict } from '#lib/domain/send/outcome.ts';
import { drawGap } from '#lib/domain/send/pace.ts';
import { accountKey } from '#lib/store/keys.ts';
import { retrying } from '#lib/store/retry.ts';
import {
  add,
  all,
  type Change,
  equal,
  newTransaction,
  remove,
  type Store,
  StoreUnavailable,
  set,
  setIfAbsent,
  type Update,
  update,
  type Write,
} from '#lib/store/store.ts';
import { sendingSince } from './attempt.ts';
import { changeParts, field } from './change-parts.ts';
import type { SendingConfig } from './config.ts';
import { holding, silenceOf } from './hold.ts';
import { type Account, type Head, type Part, readPart, type Send } from './items.ts';
import type { KeptAnswer } from './provider.ts';
import { clearDue, scheduleTick, setDue } from './schedule.ts';
import { placedAsTold, sentEventId, threadIn } from './sent-event.ts';
import { becomesUnknown, countSettled, type Ending, type Settled, type SettlingPorts, settling } from './settle.ts';
import { nameUnknown, settleLate } from './statuses.ts';
import { dropLease, type End, handOn, holdsLease, next, over, refreshed, type Turn } from './turn.ts';

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
  { messageId, workspace, provider, accountId, scope, recipient }: Send,
  part: number,
  at: number,
): Promise<void> {
  const thread = threadIn(recipient);
  if (!thread) return;
  const { chat, providerChatId } = thread;
  const kind = chatKindOfJid(providerChatId);
  const account = { workspace, provider, accountId, accountKey: accountId, accountNames: [scope] };
  const names = namesOfRecipient(recipient);
  const event = sentEventId(messageId, part);
  const phone = phoneOfRecipient(recipient);
  const sighting = { ...account, providerChatId, kind, isInferred: true, names, at, event, ...known({ phone }) };
  await sightChat(store, sighting, chat);
}

/** What an outcome changes beside generation, lease and spacing, which every outcome changes alike. */
interface OutcomePlan {
  readonly account: readonly Change[];
  readonly writes: readonly Write[];
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
      return withSuccess(account, settled(head, verdict, when));
    case 'failed':
      return settled(head, verdict, when);
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
  ending: Extract<Verdict, { kind: 'sent' | 'failed' }>,
  { now, nextSendAt }: When,
): OutcomePlan {
  const { spending, ...settled } = settling(head.send, [head.index], ending, now);
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
  const counted = [resetFailures, set('unknownRunning', silence.running), set('unknownTimes', silence.times)];
  const writes = becomesUnknown(head, when.now, reason, config, verdict.providerId);
  if (holdReason === undefined) return { account: counted, writes, leaving: 1, due: when.nextSendAt };
  const { changes, writes: held } = holding(account, holdReason, when.now, config, true);
  return { account: [...counted, ...changes], writes: [...writes, ...held], leaving: 1 };
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
  const { changes, writes } = holding(account, detail, when.now, config);
  return {
    account: [resetFailures, ...changes],
    writes: [
      changeParts(send, [{ index, to: 'queued', detail, also, silent: repeats(send, part, detail) }], when.now),
      ...writes,
    ],
    leaving: 0,
  };
}

const OUTCOME_TRIES = 4;

/**
 * Writes down what came of a call: part, pointer, account, and on a refund the quota, all in one transaction. As soon as
 * the table does not take it once, the provider's id goes into the queue as well: with this run it would be forgotten, a
 * message that went out refunded, and one that has an id sent again.
 */
export async function recordOutcome(turn: Turn, head: Head, intentAt: number, outcome: SendOutcome): Promise<End> {
  const { ports, config, endsAt } = turn;
  const { table, clock, random } = ports;
  const answer = keptAnswer(head, intentAt, outcome);
  let isKept = answer === undefined;
  const keep = async () => {
    if (isKept || !answer) return;
    await sendAnswer(turn, answer);
    isKept = true;
  };
  const onFailure = async (error: unknown) => {
    // Others write to the same items, so the table is there. What the queue does not take now it is given again at the end.
    const isAway = error instanceof StoreUnavailable && error.reason !== 'conflict';
    if (isAway) await Promise.allSettled([keep()]);
  };
  const store = retrying(table, clock, random, endsAt - config.handOverMs, onFailure);
  try {
    return await writeOutcome({ ...turn, ports: { ...ports, store } }, head, intentAt, outcome);
  } catch (cause) {
    await keep().catch(forgotten(cause, head.send));
    throw cause;
  }
}

const forgotten =
  (cause: unknown, { messageId }: Send) =>
  (failure: unknown) => {
    throw new AggregateError([cause, failure], `the answer for ${messageId} is in the log alone`);
  };

/** Nothing where the provider gave no id. */
function keptAnswer({ send, index }: Head, intentAt: number, outcome: SendOutcome): KeptAnswer | undefined {
  const attempt = { send: send.messageId, part: index, intentAt };
  if (outcome.kind === 'accepted') return { ...attempt, providerId: outcome.providerId };
  if (outcome.kind !== 'unknown' || outcome.providerId === undefined) return undefined;
  return { ...attempt, unknownId: outcome.providerId };
}

async function sendAnswer({ ports, account, config }: Turn, answer: KeptAnswer): Promise<void> {
  const now = ports.clock.now();
  // Not at once: a tick that waits for a table keeps a run from the accounts that have one. And by then this run is over.
  await scheduleTick(ports.ticks, { account: account.id, gen: account.gen, at: now + config.graceMs, answer }, now);
}

/** An answer that lay in the queue. Taking it twice, or after it was written down after all, changes nothing. */
export async function takeAnswer(answer: KeptAnswer, ports: SettlingPorts, config: SendingConfig): Promise<void> {
  const place = { send: { messageId: answer.send }, index: answer.part };
  if ('unknownId' in answer) await nameUnknown(ports, place, answer.intentAt, answer.unknownId, config);
  else await settleLate(ports, place, answer.intentAt, { kind: 'sent', providerId: answer.providerId });
}

async function writeOutcome(begun: Turn, head: Head, intentAt: number, outcome: SendOutcome): Promise<End> {
  let turn = begun;
  const { store, clock, random, metrics } = turn.ports;
  const now = clock.now();
  const when = { now, nextSendAt: now + drawGap(turn.account.pacing, random.next()) };
  const verdict = judge(outcome, pastOf(turn, head), now, random.next(), turn.config);
  metrics.count('SendOutcome', { kind: verdict.kind, correlationId: head.send.messageId });
  measureGap(turn, head, intentAt);
  let sending: Head = { ...head, send: sendingSince(head, turn.account, intentAt) };
  let away: StoreUnavailable | undefined;
  let left = OUTCOME_TRIES;
  while (left > 0) {
    // The time of this attempt: by it the message stands in the feed.
    const written = { ...when, now: clock.now() };
    const plan = planOutcome(sending, verdict, { account: turn.account, when: written, config: turn.config });
    const rests = plan.leaving > 0 && plan.leaving === turn.account.pending;
    const account = endTurn(turn, when, plan, rests);
    const transacted = await store
      .transact([account, ...plan.writes], newTransaction(random))
      .catch((error: unknown) => (mayTryAgain(turn, error) ? error : Promise.reject(error)));
    // Its place in the feed is over; the next attempt has another.
    away = transacted instanceof StoreUnavailable ? transacted : undefined;
    if (transacted instanceof StoreUnavailable) {
      left -= 1;
      continue;
    }
    if (transacted.done) {
      await placedAsTold(turn.ports, plan.writes);
      if (plan.settled) countSettled(turn.ports, plan.settled);
      const step = rests ? over('idle') : nextOf(turn, plan);
      return verdict.kind === 'sent'
        ? { ...step, taken: { send: sending.send, part: sending.index, providerId: verdict.providerId } }
        : step;
    }
    const step = refreshed(turn, transacted);
    if (step.kind !== 'look again') return recordLate(turn, head, intentAt, verdict);
    turn = step.turn;
    // Something came in, so the account does not rest. That is no failure, and may follow upon the last one.
    if (transacted.refused[0]) continue;
    left -= 1;
    // The credit of the send's other part has moved meanwhile.
    sending = await readPart(store, head.send.messageId, head.index);
    // Settled by an answer that was in the queue while this run stood still.
    if (sending.part.state !== 'sending' || sending.part.intentAt !== intentAt) return handOn(turn, when.nextSendAt);
  }
  // The lease and the pessimistic gate stay as they are: the part will be found as unknown, at its distance.
  throw away ?? new Error(`the outcome of ${head.send.messageId} could not be written`);
}

function mayTryAgain({ ports, endsAt, config }: Turn, error: unknown): error is StoreUnavailable {
  const isAway = error instanceof StoreUnavailable && error.reason !== 'refused';
  return isAway && ports.clock.monotonic() < endsAt - config.handOverMs;
}

const pastOf = ({ account, ports: { clock } }: Turn, { part }: Head) => ({
  ...part,
  retries: part.retries ?? 0,
  failuresRunning: account.failuresRunning,
  silence: silenceOf(account),
  gate: clock.gate(),
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
      rests || due === undefined ? clearDue : setDue(due, turn.config),
      ...dropLease,
    ],
    rests ? all(holdsLease(turn.me), equal('pending', leaving)) : holdsLease(turn.me),
  );
}

const nextOf = (turn: Turn, { due }: OutcomePlan): End => (due === undefined ? over('held') : next(turn, due));

/** This run was suspended for so long that its lease has gone to another: only what is certain is written. */
async function recordLate({ ports, config }: Turn, head: Head, intentAt: number, verdict: Verdict): Promise<End> {
  const ending = certainEnding(verdict);
  if (ending) await settleLate(ports, head, intentAt, ending);
  else if (verdict.kind === 'unknown' && verdict.providerId !== undefined)
    await nameUnknown(ports, head, intentAt, verdict.providerId, config);
  return over('lease lost');
}

function certainEnding(verdict: Verdict): Ending | undefined {
  if (verdict.kind === 'unknown') return undefined;
  if (verdict.kind === 'sent') return verdict;
  return { kind: 'failed', reason: verdict.reason };
}
