import { known } from '#lib/domain/schema.ts';
import type { SendOutcome } from '#lib/domain/send/outcome.ts';
import { longestGap } from '#lib/domain/send/pace.ts';
import { hasGoneOut } from '#lib/domain/send/part.ts';
import { accountKey, sendKey } from '#lib/store/keys.ts';
import { retrying } from '#lib/store/retry.ts';
import {
  add,
  all,
  type Change,
  type Condition,
  equal,
  exists,
  newTransaction,
  remove,
  StoreUnavailable,
  set,
  type Transacted,
  unchanged,
  update,
} from '#lib/store/store.ts';
import { changeParts, field } from './change-parts.ts';
import { type Account, findHead, findSending, type Head, type Part, readSend } from './items.ts';
import type { Outgoing } from './provider.ts';
import { transactTold } from './sent-event.ts';
import { becomesUnknown, type Ending, NEEDLESS, settling, writeSettling } from './settle.ts';
import { settleLate } from './statuses.ts';
import {
  giveBack,
  handingOn,
  holdsLease,
  leaseLost,
  lookAgain,
  next,
  refreshed,
  type Step,
  type Turn,
} from './turn.ts';

type Prepared = { readonly kind: 'ready'; readonly content: Outgoing['content'] } | Step;

/**
 * Fetches and checks the attachment; a tick whose time is mostly gone leaves that to the next one. Nothing has left yet,
 * so a crash here costs nothing. What fails for good, or fails twice, is settled at once without using up any spacing.
 */
export async function prepare(turn: Turn, { send, index, part }: Head): Promise<Prepared> {
  if (part.kind === 'text') return { kind: 'ready', content: { kind: 'text', text: part.text ?? '' } };
  if (turn.failedFiles >= turn.config.failuresPerTick) return giveBack(turn);
  if (turn.ports.clock.monotonic() > turn.preparingUntil - turn.config.prepareMs / 2) return giveBack(turn);
  const isWatched = part.crashes !== undefined;
  if (isWatched) await mark(turn, { send, index, part }, set(field(index, 'preparing'), true));
  const fetched = await fetchTwice(turn, part.url ?? '', part.name ?? '');
  if (isWatched) await mark(turn, { send, index, part }, remove(field(index, 'preparing')));
  if (fetched.kind === 'ok') {
    const { name, mimeType, bytes } = fetched;
    return { kind: 'ready', content: { kind: 'file', name, mimeType, bytes, ...known({ caption: part.caption }) } };
  }
  return failUnsent({ ...turn, failedFiles: turn.failedFiles + 1 }, { send, index, part }, fetched.reason);
}

/** Tells the run after this one, should this one die, what it died of. Not by the intent: that may fail by itself. */
async function mark({ ports: { store } }: Turn, { send }: Head, change: Change): Promise<void> {
  await store.write(update(sendKey(send.messageId), [change], exists()));
}

/** The file's host gets a second chance within the tick. */
async function fetchTwice(turn: Turn, url: string, name: string) {
  const { attachments } = turn.ports;
  const first = await attachments.fetch(url, name, turn.preparingUntil);
  return first.kind === 'unavailable' ? attachments.fetch(url, name, turn.preparingUntil) : first;
}

const failUnsent = (turn: Turn, head: Head, reason: string): Promise<Step> =>
  endUnsent(turn, head, { kind: 'failed', reason });

async function endUnsent(turn: Turn, head: Head, ending: Ending): Promise<Step> {
  const ended = settling(head.send, [head.index], ending, turn.ports.clock.now());
  const queue = update(accountKey(turn.account.id), [add('pending', -ended.leaving)], holdsLease(turn.me));
  const transacted = await writeSettling(turn.ports, [queue], ended);
  return transacted.done ? lookAgain(turn) : refreshed(turn, transacted);
}

/**
 * A message that is sent again, and need not be: what it repeats went out after all, and whoever found that died before
 * this one was cancelled. Undefined for all others.
 */
export async function cancelNeedless(turn: Turn, head: Head): Promise<Step | undefined> {
  const { send, part } = head;
  for (let id = send.resendOf; id !== undefined; ) {
    const item = await turn.ports.store.get(sendKey(id), { consistent: true });
    const original = item && readSend(item);
    const repeated = original?.parts.find(({ kind }) => kind === part.kind);
    if (repeated && makesNeedless(repeated)) return endUnsent(turn, head, NEEDLESS);
    id = original?.resendOf;
  }
  return undefined;
}

/** What is unknown and has an id may still go out. */
const makesNeedless = ({ state, providerId }: Part): boolean =>
  hasGoneOut(state) || (providerId !== undefined && (state === 'unknown' || state === 'expired'));

/**
 * The run before this one died. If it was calling, that attempt is given up. If it was not, it may have died of the file
 * that it prepared, as will the next one and the one after it: a file that has ended so many runs has failed, or nothing
 * behind it would ever be sent. A run may die of anything else, so from the first time on each leaves a mark on the file
 * while it prepares it, and only those that leave it behind count.
 */
export async function seeToCrash(found: Turn): Promise<Step> {
  const turn = { ...found, takenOver: false };
  const { store, clock } = turn.ports;
  const cutShort = await findSending(store, turn.account.id);
  if (cutShort) return abandon(turn, cutShort);
  const head = await findHead(store, turn.account.id);
  if (head?.part.kind !== 'file' || head.part.state !== 'queued') return lookAgain(turn);
  const { send, index, part } = head;
  const crashes = (part.crashes ?? 0) + (part.preparing ? 1 : 0);
  if (part.preparing && crashes >= turn.config.crashesPerPart)
    return failUnsent(turn, head, 'it could not be prepared');
  const also = [set(field(index, 'crashes'), crashes), remove(field(index, 'preparing'))];
  await store.write(changeParts(send, [{ index, to: 'queued', also, silent: true }], clock.now()));
  return lookAgain(turn);
}

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

interface Intent {
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

type Declared =
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
  const intent = { at, deadline: startedAt + limit, declaredBy: startedAt + turn.config.intentTimeoutMs };
  const timed = retrying(store, clock, random, intent.declaredBy);
  const transacted = await orUnavailable(timed.transact(intentWrites(turn, head, at, limit), newTransaction(random)));
  if (transacted === 'unavailable') return notDeclared(await takeBack(turn, head, intent));
  if (transacted.done) return { kind: 'declared', intent };
  // The account counts first: without the lease, what the part says is no business of this run.
  return notDeclared(refreshed(turn, transacted));
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
      update(accountKey(turn.account.id), handingOn(turn, soon), holdsLease(turn.me)),
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
  const { attempts, quoted } = head.part;
  const message = { messageId, part: head.index, attempt: attempts + 1, recipient, content, ...known({ quoted }) };
  return turn.ports.sender.send(message, turn.account, intent.deadline);
}
