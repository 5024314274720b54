import type { Clock, Metrics } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import type { SendOutcome } from '#lib/domain/send/outcome.ts';
import { longestGap } from '#lib/domain/send/outcome.ts';
import { hasGoneOut } from '#lib/domain/send/part.ts';
import { accountKey, sendKey } from '#lib/store/keys.ts';
import { retrying, type StorePorts } from '#lib/store/retry.ts';
import {
  add,
  all,
  any,
  type Change,
  type Condition,
  equal,
  exists,
  type Item,
  newTransaction,
  remove,
  StoreUnavailable,
  set,
  type Transacted,
  unchanged,
  update,
} from '#lib/store/store.ts';
import { clearDue, setDue } from './account.ts';
import type { SendingConfig } from './config.ts';
import { becomesUnknown } from './evidence.ts';
import { type Account, changeParts, field, type Head, type Part, readAccount, readSend, type Send } from './items.ts';
import type { Attachments, Outgoing, Sender, Tick, Ticks } from './provider.ts';
import { transactTold } from './sent-event.ts';
import { type Ending, settlePart, settling, writeSettling } from './settle.ts';

export interface TickPorts extends StorePorts {
  readonly ticks: Ticks;
  readonly sender: Sender;
  readonly attachments: Attachments;
  readonly metrics: Metrics;
}

/** As a run uses them: the store tries for as long as the run may last. */
export interface RunPorts extends TickPorts {
  readonly clock: RunClock;
}

/** A clock for one run: it goes forward evenly, whatever happens to the host's meanwhile. */
export interface RunClock extends Clock {
  /** The time that has certainly come: what a gate is compared with. Never later than `now`. */
  gate(): number;
}

/**
 * One tick's turn on an account, whose lease it holds under the name of its run. It never changes: a step that has found
 * something out answers the turn as it is from then on.
 */
export interface Turn {
  readonly me: string;
  /** As last read under the lease. */
  readonly account: Account;
  /** When the run must be over, on `clock.monotonic`. */
  readonly endsAt: number;
  readonly ports: RunPorts;
  readonly config: SendingConfig;
  /** Attachments are fetched until then, on `clock.monotonic`. */
  readonly preparingUntil: number;
  /** How often what the queue shows and what the account and its parts say did not agree. */
  readonly mismatches: number;
  readonly failedFiles: number;
}

/** What one look at the head of the queue came to. */
export type Step = { readonly kind: 'look again'; readonly turn: Turn } | End;

export type End =
  /** This tick is over and no other follows: there is nothing to do, or somebody else does it. */
  | { readonly kind: 'over'; readonly why: string; readonly taken?: Taken }
  /** The generation was raised; a tick of the new one is due then. */
  | { readonly kind: 'next'; readonly tick: Tick; readonly taken?: Taken };

/** A message that the provider has just taken: statuses may have come before its name was written. */
interface Taken {
  readonly send: Send;
  readonly part: number;
  readonly providerId: string;
}

const lookAgain = (turn: Turn) => ({ kind: 'look again', turn }) as const;
export const over = (why: string): End => ({ kind: 'over', why });
/** Of the generation that the account has got, which is counted from the account as it was read and not from the tick. */
export const next = ({ account: { id, gen } }: Turn, at: number): End => ({
  kind: 'next',
  tick: { account: id, gen: gen + 1, at },
});

/** Only the holder of the lease decides about spacing. Nobody brings a deleted account back. */
export const holdsLease = (me: string): Condition => all(exists(), equal('leaseId', me));

export const dropLease: readonly Change[] = [remove('leaseId'), remove('leaseUntil')];

const writeAccount = ({ ports, account, me }: Turn, changes: readonly Change[], ...onlyIf: readonly Condition[]) =>
  ports.store.write(update(accountKey(account.id), changes, all(holdsLease(me), ...onlyIf)));

/** Nothing waits: the account rests until the next accept wakes it. Refused if something came in after the look. */
export async function goIdle(turn: Turn): Promise<Step> {
  const written = await writeAccount(turn, [set('chain', 'IDLE'), clearDue, ...dropLease], equal('pending', 0));
  if (written.done) return over('idle');
  const step = refresh(turn, written.item);
  return step.kind === 'look again' ? lookOnceMore(step.turn) : step;
}

/** A blocked account keeps its queue and its running chain, but no tick is due until it is resumed. */
export async function releaseBlocked(turn: Turn): Promise<Step> {
  const isBlocked = any(equal('paused', true), equal('held', true));
  const written = await writeAccount(turn, [clearDue, ...dropLease], isBlocked);
  return written.done ? over('blocked') : refresh(turn, written.item);
}

/** So often the queue is looked at again before it counts as damaged. */
const MORE_LOOKS = 3;

/**
 * The queue seemed empty and something had just come in, or its first part has been settled since its place was read. What
 * is still so after a few looks is a fault of ours: say it, and leave the account to the watchdog.
 */
export async function lookOnceMore(turn: Turn): Promise<Step> {
  const mismatches = turn.mismatches + 1;
  if (mismatches <= MORE_LOOKS) return lookAgain({ ...turn, mismatches });
  turn.ports.metrics.count('QueueInconsistent', { account: turn.account.id });
  await writeAccount(turn, [setDue(turn.ports.clock.now(), turn.config), ...dropLease]);
  return over('queue inconsistent');
}

/** The account's part of taking an attempt back: the turn goes to a new generation, at this time. */
const handingOn = ({ account, config }: Turn, at: number): readonly Change[] => [
  set('gen', account.gen + 1),
  set('nextSendAt', at),
  setDue(at, config),
  ...dropLease,
];

/** Without an attempt: the next tick begins where this one has ended. */
export async function giveBack(turn: Turn): Promise<End> {
  const at = turn.ports.clock.now();
  const written = await writeAccount(turn, handingOn(turn, at));
  if (written.done) return next(turn, at);
  const account = written.item && readAccount(written.item);
  // The repeat of a write whose answer was lost is refused; the watchdog would be slow to send the tick it owes.
  return account?.gen === turn.account.gen + 1 && account.leaseId === undefined ? next(turn, at) : leaseLost(turn);
}

/** After a refusal: another look with what stood in the way, unless the lease is no longer ours. */
function refresh(turn: Turn, found: Item | undefined): Step {
  const account = found && readAccount(found);
  return account?.leaseId === turn.me ? lookAgain({ ...turn, account }) : leaseLost(turn);
}

/** The same after a transaction, of whose writes the account's is the first. Anything else will be read anew as well. */
export const refreshed = (turn: Turn, { refused: [account] }: Extract<Transacted, { done: false }>): Step =>
  account ? refresh(turn, account.item) : lookAgain(turn);

function leaseLost(turn: Turn): End {
  turn.ports.metrics.count('LeaseLost', { account: turn.account.id });
  return over('lease lost');
}

// The steps of an attempt, in their order.

/**
 * A head that is being sent while the lease is ours was left by a run that died. It may have reached the provider, so
 * it is never sent again: its credit is held until there is evidence.
 */
export async function abandon(turn: Turn, head: Head): Promise<Step> {
  const { clock, metrics } = turn.ports;
  const queue = update(accountKey(turn.account.id), [add('pending', -1)], holdsLease(turn.me));
  const unknown = becomesUnknown(head, clock.now(), 'the attempt was cut short', turn.config);
  const transacted = await transactTold(turn.ports, [queue, ...unknown]);
  if (!transacted.done) return refreshed(turn, transacted);
  metrics.count('AttemptAbandoned', { account: turn.account.id });
  return lookAgain(turn);
}

const NEEDLESS = { kind: 'cancelled', reason: 'the message that it repeats went out after all' } as const;

/**
 * A message that is sent again, and need not be: what it repeats has gone out after all, or has got an id and may still
 * go out. Undefined for all others.
 */
export async function cancelNeedless(turn: Turn, head: Head): Promise<Step | undefined> {
  for (let id = head.send.resendOf; id !== undefined; ) {
    const item = await turn.ports.store.get(sendKey(id), { consistent: true });
    const original = item && readSend(item);
    const repeated = original?.parts.find(({ kind }) => kind === head.part.kind);
    if (repeated && makesNeedless(repeated)) return endUnsent(turn, head, NEEDLESS);
    id = original?.resendOf;
  }
  return undefined;
}

const makesNeedless = ({ state, providerId }: Part): boolean =>
  hasGoneOut(state) || (providerId !== undefined && (state === 'unknown' || state === 'expired'));

async function endUnsent(turn: Turn, head: Head, ending: Ending): Promise<Step> {
  const ended = settling(head.send, [head.index], ending, turn.ports.clock.now());
  const queue = update(accountKey(turn.account.id), [add('pending', -ended.leaving)], holdsLease(turn.me));
  const transacted = await writeSettling(turn.ports, [queue], ended);
  return transacted.done ? lookAgain(turn) : refreshed(turn, transacted);
}

type Prepared = { readonly kind: 'ready'; readonly content: Outgoing['content'] } | Step;

/**
 * Fetches and checks the attachment; a tick whose time is mostly gone leaves that to the next one. Nothing has left yet,
 * so a crash here costs nothing. What fails for good, or fails twice, is settled at once without using up any spacing.
 */
export async function prepare(turn: Turn, head: Head): Promise<Prepared> {
  const { part } = head;
  if (part.kind === 'text') return { kind: 'ready', content: { kind: 'text', text: part.text ?? '' } };
  if (turn.failedFiles >= turn.config.failuresPerTick) return giveBack(turn);
  if (turn.ports.clock.monotonic() > turn.preparingUntil - turn.config.prepareMs / 2) return giveBack(turn);
  const failedNow = { ...turn, failedFiles: turn.failedFiles + 1 };
  if ((part.crashes ?? 0) >= turn.config.crashesPerPart)
    return endUnsent(failedNow, head, { kind: 'failed', reason: 'it could not be prepared' });
  const fetched = await watched(turn, head, () => fetchTwice(turn, part.url ?? '', part.name ?? ''));
  if (fetched.kind !== 'ok') return endUnsent(failedNow, head, { kind: 'failed', reason: fetched.reason });
  const { name, mimeType, bytes } = fetched;
  return { kind: 'ready', content: { kind: 'file', name, mimeType, bytes, ...known({ caption: part.caption }) } };
}

/**
 * A run that dies of a file leaves its count on the part: a file that has ended so many runs has failed, or nothing behind
 * it would ever be sent. Counted before and forgotten after, since a run may die of anything else as well.
 */
async function watched<Result>({ ports: { store } }: Turn, { send, index }: Head, work: () => Promise<Result>) {
  const mark = (change: Change) => store.write(update(sendKey(send.messageId), [change], exists()));
  await mark(add(field(index, 'crashes'), 1));
  const result = await work();
  await mark(remove(field(index, 'crashes')));
  return result;
}

/** The file's host gets a second chance within the tick. */
async function fetchTwice(turn: Turn, url: string, name: string) {
  const { attachments } = turn.ports;
  const first = await attachments.fetch(url, name, turn.preparingUntil);
  return first.kind === 'unavailable' ? attachments.fetch(url, name, turn.preparingUntil) : first;
}

interface Intent {
  readonly kind: 'declared';
  /** Milliseconds since the epoch: the name of the attempt. */
  readonly at: number;
  /** When the call must be over, on `clock.monotonic`. Anchored here and not at the call: a stall must not stretch it. */
  readonly deadline: number;
}

export const callLimit = (turn: Turn, kind: 'text' | 'file'): number =>
  kind === 'file' ? turn.config.uploadCallMs : turn.config.callMs;

/** Whether enough of the run is left for a call and for writing down what came of it. */
export const hasTimeToCall = (turn: Turn, limit: number): boolean =>
  turn.endsAt - turn.ports.clock.monotonic() >= limit + turn.config.marginMs;

/**
 * Says that the part is about to be sent, before it is. `nextSendAt` is pessimistic on purpose: should this run die
 * now, the next call still keeps its distance from the end of this one, whenever that is.
 */
export async function declareIntent(turn: Turn, head: Head, limit: number): Promise<Intent | Step> {
  const { clock, random, store } = turn.ports;
  const at = clock.now();
  const startedAt = clock.monotonic();
  const declaredBy = startedAt + turn.config.intentTimeoutMs;
  const timed = retrying(store, clock, random, declaredBy);
  const writing = timed.transact(intentWrites(turn, head, at, limit), newTransaction(random));
  // Nobody knows whether it is written.
  const transacted = await writing.catch((error: unknown) => (isAway(error) ? undefined : Promise.reject(error)));
  // The account counts first: without the lease, what the part says is no business of this run.
  if (transacted?.done === false) return refreshed(turn, transacted);
  if (!transacted || clock.monotonic() > declaredBy) return takeBack(turn, head, at);
  return { kind: 'declared', at, deadline: startedAt + limit };
}

const isAway = (error: unknown): boolean => error instanceof StoreUnavailable;

function intentWrites(turn: Turn, { send, index, part }: Head, at: number, limit: number) {
  const begun = [set(field(index, 'intentAt'), at), add(field(index, 'attempts'), 1)];
  const { id, pacing, scope, credentialsVersion } = turn.account;
  // The account may have got other credentials, and with them another name at the provider, since the send was accepted.
  const moved = send.scope === scope ? [] : [set('scope', scope)];
  // Once a change of an account is answered, nothing begins with the credentials or under the name that it had before.
  const isSameLine = unchanged({ scope, credentialsVersion });
  return [
    update(
      accountKey(id),
      [set('nextSendAt', at + limit + longestGap(pacing))],
      all(holdsLease(turn.me), equal('paused', false), equal('held', false), isSameLine),
    ),
    changeParts(send, [{ index, to: 'sending', also: begun, silent: part.attempts > 0 }], at, moved),
  ];
}

/** Takes an intent back that came too late to act upon, or that we cannot know to be written. Nothing was sent. */
async function takeBack(turn: Turn, head: Head, intentAt: number): Promise<Step> {
  const { store, clock, random, metrics } = turn.ports;
  metrics.count('IntentReverted', { account: turn.account.id });
  const now = clock.now();
  // A table that is slow now is slow in a moment, too: at once, the next attempt would only add to what it has to do.
  const soon = now + turn.config.backoff.firstMs;
  const transacted = await store.transact(
    [
      update(accountKey(turn.account.id), handingOn(turn, soon), holdsLease(turn.me)),
      changeParts(
        sendingSince(head, turn.account, intentAt),
        [{ index: head.index, to: 'queued', also: [add(field(head.index, 'attempts'), -1)], silent: true }],
        now,
      ),
    ],
    newTransaction(random),
  );
  if (transacted.done) return next(turn, soon);
  const [account] = transacted.refused;
  if (!account) return giveBack(turn);
  const overtaken = { kind: 'failed', reason: 'the attempt was overtaken before the call' } as const;
  await settlePart(turn.ports, head, ({ part }) => (part.intentAt === intentAt ? overtaken : undefined));
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
  const { attempts, quoted } = head.part;
  const message = { messageId, part: head.index, attempt: attempts + 1, recipient, content, ...known({ quoted }) };
  return turn.ports.sender.send(message, turn.account, intent.deadline);
}
