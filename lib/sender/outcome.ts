import { onAccount } from '#lib/credits/credits.ts';
import { drawGap, judge, type SendOutcome, type Verdict } from '#lib/domain/send/outcome.ts';
import { comesTo, type Status } from '#lib/domain/send/part.ts';
import { keepLinked, reportsIn } from '#lib/inbox/delivery-state.ts';
import { accountKey, dueListOf, dueSortKey, headKey } from '#lib/store/keys.ts';
import { AGAIN, retryOnConflict, withRetries } from '#lib/store/retry.ts';
import {
  absent,
  add,
  all,
  type Change,
  type Condition,
  equal,
  exists,
  type Key,
  newTransaction,
  remove,
  type Store,
  StoreUnavailable,
  set,
  setIfAbsent,
  type Transacted,
  type Update,
  update,
  type Write,
} from '#lib/store/store.ts';
import { clearDue, holding, scheduleTick, setDue, silenceOf } from './account.ts';
import type { SendingConfig } from './config.ts';
import { becomesUnknown } from './evidence.ts';
import {
  changeParts,
  field,
  type Head,
  type ProviderMessage,
  readPart,
  readProviderMessage,
  type Send,
  stateOfPart,
} from './items.ts';
import type { KeptAnswer } from './provider.ts';
import { placedAsTold } from './sent-event.ts';
import {
  type AsRead,
  countSettled,
  type Ending,
  idIn,
  type Place,
  type Settled,
  type SettlingPorts,
  settlePart,
  settling,
} from './settle.ts';
import { dropLease, type End, holdsLease, next, over, refreshed, sendingSince, type Turn } from './turn.ts';

/**
 * Writes down what came of a call. Where the table does not take it for the rest of the run, the provider's id goes into the
 * queue: with this run it would be forgotten, and a message that went out refunded.
 */
export async function recordOutcome(turn: Turn, head: Head, intentAt: number, outcome: SendOutcome): Promise<End> {
  const { ports, account, config } = turn;
  const { messageId } = head.send;
  const verdict = judge(outcome, pastOf(turn, head), ports.clock.now(), ports.random.next(), config);
  ports.metrics.count('SendOutcome', { kind: verdict.kind, correlationId: messageId });
  measureGap(turn, head, intentAt);
  try {
    return await writeOutcome(turn, head, intentAt, verdict);
  } catch (cause) {
    if (verdict.kind !== 'sent') throw cause;
    const answer = { send: messageId, part: head.index, intentAt, providerId: verdict.providerId };
    const now = ports.clock.now();
    // Not at once: a tick that waits for a table keeps a run from the accounts that have one. And by then this run is over.
    const later = { account: account.id, gen: account.gen, at: now + config.graceMs, answer };
    await scheduleTick(ports.ticks, later, now).catch((failure: unknown) => {
      throw new AggregateError([cause, failure], `the answer for ${messageId} is in the log alone`);
    });
    throw cause;
  }
}

/** An answer that lay in the queue. Taking it twice, or after it was written down after all, changes nothing. */
export async function takeAnswer({ send, part, intentAt, providerId }: KeptAnswer, ports: SettlingPorts) {
  await settleLate(ports, { send: { messageId: send }, index: part }, intentAt, { kind: 'sent', providerId });
}

/** Only a message that had to wait for its turn says something about the gap; others came when nothing was going on. */
function measureGap({ account, ports }: Turn, { send }: Head, intentAt: number): void {
  const { id, endedAt, nextSendAt, backoffUntil } = account;
  if (endedAt === undefined || send.createdAt > nextSendAt || backoffUntil > nextSendAt) return;
  ports.metrics.count('SendGap', { account: id }, intentAt - endedAt);
}

const pastOf = ({ account, ports: { clock } }: Turn, { part }: Head) => ({
  ...part,
  retries: part.retries ?? 0,
  failuresRunning: account.failuresRunning,
  silence: silenceOf(account),
  gate: clock.gate(),
});

/** Part, pointer, account, and on a refund the quota, all in one transaction. */
async function writeOutcome(begun: Turn, head: Head, intentAt: number, verdict: Verdict): Promise<End> {
  const { store, clock, random } = begun.ports;
  const endedAt = clock.now();
  const nextSendAt = endedAt + drawGap(begun.account.pacing, random.next());
  let turn = begun;
  let sending: Head = { ...head, send: sendingSince(head, turn.account, intentAt) };
  return retryOnConflict(`the outcome of ${head.send.messageId}`, async (round) => {
    // The time of this attempt: by it the message stands in the feed.
    const plan = planOutcome(sending, verdict, turn, { now: clock.now(), nextSendAt });
    // The last in the queue: the chain goes to rest with it, instead of by a tick that finds nothing.
    const rests = plan.leaving > 0 && plan.leaving === turn.account.pending;
    const account = endTurn(turn, plan, { endedAt, nextSendAt, rests });
    const transacted = await inItsPlace(turn, round, store.transact([account, ...plan.writes], newTransaction(random)));
    if (transacted === AGAIN) return AGAIN;
    if (transacted.done) {
      await placedAsTold(turn.ports, plan.writes);
      if (plan.settled) countSettled(turn.ports, plan.settled);
      const end = rests ? over('idle') : nextOf(turn, plan);
      if (verdict.kind !== 'sent') return end;
      return { ...end, taken: { send: sending.send, part: sending.index, providerId: verdict.providerId } };
    }
    const step = refreshed(turn, transacted);
    if (step.kind !== 'look again') return recordLate(turn, head, intentAt, verdict);
    turn = step.turn;
    if (transacted.refused[0]) return AGAIN;
    // The credit of the send's other part has moved meanwhile.
    sending = await readPart(store, head.send.messageId, head.index);
    return AGAIN;
  });
}

const nextOf = (turn: Turn, { due }: OutcomePlan): End => (due === undefined ? over('held') : next(turn, due));

const PLACES = 4;

/** What has a place in the feed is tried for a short time alone (lib/store/retry.ts): the next attempt has another. */
async function inItsPlace({ ports, endsAt, config }: Turn, round: number, transacting: Promise<Transacted>) {
  try {
    return await transacting;
  } catch (error) {
    const isAway = error instanceof StoreUnavailable && error.reason !== 'refused';
    if (isAway && round + 1 < PLACES && ports.clock.monotonic() < endsAt - config.handOverMs) return AGAIN;
    throw error;
  }
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

function planOutcome(head: Head, verdict: Verdict, { account, config }: Turn, when: When): OutcomePlan {
  const { send, index, part } = head;
  const { now, nextSendAt } = when;
  switch (verdict.kind) {
    case 'sent':
    case 'failed': {
      const { spending, ...settled } = settling(send, [index], verdict, now);
      // A message that went out ends whatever was counted against the account, and with it how late the next probe would be.
      const counted = verdict.kind === 'sent' ? (['holdsRunning', 'unknownRunning'] as const) : [];
      const forgotten = counted.filter((name) => account[name] !== undefined).map((name) => remove(name));
      return {
        account: [resetFailures, ...onAccount(send.epoch, spending), ...forgotten],
        ...settled,
        due: nextSendAt,
      };
    }
    case 'unknown': {
      // The credit is held, the part leaves the queue, and those behind it go on, unless the provider is silent.
      const { reason, silence, holdReason, providerId } = verdict;
      const counted = [resetFailures, set('unknownRunning', silence.running), set('unknownTimes', silence.times)];
      const writes = becomesUnknown(head, now, reason, config, providerId);
      if (holdReason === undefined) return { account: counted, writes, leaving: 1, due: nextSendAt };
      const held = holding(account, holdReason, now, config, true);
      return { account: [...counted, ...held.changes], writes: [...writes, ...held.writes], leaving: 1 };
    }
    case 'again': {
      // First in the queue still: the order within the account holds, so the others wait.
      const backoffUntil = now + verdict.waitMs;
      const also = [add(field(index, 'retries'), 1), setIfAbsent(field(index, 'retryingSince'), now)];
      return {
        account: [set('failuresRunning', verdict.failuresRunning), set('backoffUntil', backoffUntil)],
        writes: [queuedAgain(head, verdict.reason, now, also)],
        leaving: 0,
        due: Math.max(nextSendAt, backoffUntil),
      };
    }
    case 'held': {
      // The account is at fault and not the message, whose own tries start anew. No tick follows until the hold ends.
      const anew = part.retries === undefined ? [] : (['retries', 'retryingSince'] as const);
      const held = holding(account, verdict.reason, now, config);
      const also = anew.map((name) => remove(field(index, name)));
      const back = queuedAgain(head, verdict.reason, now, also);
      return { account: [resetFailures, ...held.changes], writes: [back, ...held.writes], leaving: 0 };
    }
  }
}

/** What was said of the attempt before is not said again. */
function queuedAgain({ send, index, part }: Head, detail: string, now: number, also: readonly Change[]): Update {
  const silent = part.attempts > 0 && send.history.at(-1)?.detail === detail;
  return changeParts(send, [{ index, to: 'queued', detail, also, silent }], now);
}

/** Every outcome ends the turn: the lease goes, the next generation begins, and the gap is drawn from the call's end. */
function endTurn(
  { me, account: { id, gen }, config }: Turn,
  { account, leaving, due }: OutcomePlan,
  { endedAt, nextSendAt, rests }: { readonly endedAt: number; readonly nextSendAt: number; readonly rests: boolean },
): Update {
  return update(
    accountKey(id),
    [
      set('gen', gen + 1),
      set('nextSendAt', nextSendAt),
      set('endedAt', endedAt),
      ...account,
      ...(leaving > 0 ? [add('pending', -leaving)] : []),
      ...(rests ? [set('chain', 'IDLE')] : []),
      rests || due === undefined ? clearDue : setDue(due, config),
      ...dropLease,
    ],
    rests ? all(holdsLease(me), equal('pending', leaving)) : holdsLease(me),
  );
}

/** This run was suspended for so long that its lease has gone to another: only what is certain is written. */
async function recordLate({ ports }: Turn, head: Head, intentAt: number, verdict: Verdict): Promise<End> {
  if (verdict.kind === 'sent') await settleLate(ports, head, intentAt, verdict);
  else if (verdict.kind !== 'unknown')
    await settleLate(ports, head, intentAt, { kind: 'failed', reason: verdict.reason });
  return over('lease lost');
}

// What is certain, or told, later.

/**
 * Writes down what is certain about an attempt whose lease is gone, or whose answer never came: only if the attempt is
 * still the part's last, whatever was taken for its end meanwhile. With an id, all that was told of that before counts, too.
 * Answers the send as it was; undefined: there was nothing to settle.
 */
export async function settleLate(
  ports: SettlingPorts,
  place: Place,
  intentAt: number,
  ending: Ending,
  asRead?: AsRead,
): Promise<Send | undefined> {
  // What was erased keeps no name: nothing would lead to it.
  const ofAttempt = ({ send, part }: Head) => (part.intentAt === intentAt && !send.erased ? ending : undefined);
  const settled = await settlePart(ports, place, ofAttempt, asRead);
  const providerId = idIn(ending);
  if (settled?.mayBeTold && providerId !== undefined) await readStatuses(ports, settled.send, place.index, providerId);
  return settled?.send;
}

/**
 * After a status was written to the provider's message: moves the part on, if it is known which part that is. A status
 * may come before our own outcome is written. Both sides write first and read after, so that whoever comes second sees
 * both; should that one die in between, the watchdog finds the status waiting.
 *
 * `item` is the provider's message as the update of the status returned it.
 */
export async function onStatus(
  given: SettlingPorts,
  key: Key,
  item: ProviderMessage,
  config: SendingConfig,
): Promise<void> {
  const ports = withRetries(given, config);
  if (item.send !== undefined) return applyStatuses(ports, item);
  // By then whoever is sending it has written its name, or has died.
  const due = ports.clock.now() + config.leaseMs + config.graceMs;
  const written = await ports.store.write(
    update(
      key,
      [set('gsi3pk', dueListOf('status', key.pk)), set('gsi3sk', dueSortKey(due, key.pk))],
      all(exists(), absent('send')),
    ),
  );
  if (!written.done && written.item) await applyStatuses(ports, readProviderMessage(written.item));
}

/** The other side: after an outcome has named the message, whatever was told of it before. */
export async function readStatuses(ports: SettlingPorts, send: Send, index: number, providerId: string): Promise<void> {
  const item = await keepLinked(ports.store, stateOfPart(send, index, providerId), ports.clock.now() / 1000);
  if (item) await applyStatuses(ports, readProviderMessage(item));
}

/** Idempotent, and indifferent to order: it looks at all that is known of the message, not at one event. */
async function applyStatuses(ports: SettlingPorts, message: ProviderMessage): Promise<void> {
  const { send: messageId, part: index } = message;
  const status = comesTo(reportsIn(message));
  if (messageId === undefined || index === undefined || status === undefined) return;
  const reason = message.detail_failed ?? 'the provider could not deliver it';
  const place = { send: { messageId }, index };
  await settlePart(ports, place, (head) => (isOpen(head) ? firstEnding(head, status, reason) : undefined));
  await settlePart(ports, place, (head) => (isOpen(head) ? undefined : { kind: 'told', status, reason }));
  await applied(ports.store, message);
}

/** The provider gave it an id when it could not say what would become of it: what is told of that settles it first. */
const isOpen = ({ part: { state } }: Head): boolean => state === 'unknown' || state === 'expired';

function firstEnding({ send, part }: Head, status: Status, reason: string): Ending | undefined {
  const { providerId } = part;
  if (send.erased || providerId === undefined) return undefined;
  return status === 'failed' ? { kind: 'failed', reason, providerId } : { kind: 'sent', providerId };
}

/** The provider's words stand in the send by now, and end with it. Newer ones stay until they are applied, too. */
async function applied(store: Store, message: ProviderMessage): Promise<void> {
  await noLongerDue(store, message);
  const { pk, detail_failed: words } = message;
  if (words === undefined) return;
  await store.write(update(headKey(pk), [remove('detail_failed')], equal('detail_failed', words)));
}

/** Takes a message off the watchdog's list. A newer status that was put there meanwhile stays. */
async function noLongerDue(store: Store, { pk, gsi3sk }: ProviderMessage, onlyIf?: Condition): Promise<void> {
  if (gsi3sk === undefined) return;
  const isAsRead = equal('gsi3sk', gsi3sk);
  const changes = [remove('gsi3pk'), remove('gsi3sk')];
  await store.write(update(headKey(pk), changes, onlyIf ? all(isAsRead, onlyIf) : isAsRead));
}

/**
 * The watchdog's part: statuses whose message had no name yet when they came. By now it has one, and whoever gave it
 * may have died before he looked at the statuses; or it is none of ours, as is everything that people write by hand.
 */
export async function revisitStatuses(ports: SettlingPorts, item: Key): Promise<void> {
  const found = await keepLinked(ports.store, item, ports.clock.now() / 1000);
  if (!found) return;
  const message = readProviderMessage(found);
  if (message.send !== undefined) return applyStatuses(ports, message);
  await noLongerDue(ports.store, message, absent('send'));
}
