import { meetsNothing, onAccount, onQuota, type Spending } from '#lib/credits/credits.ts';
import type { Metrics } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import { nextReconciliation } from '#lib/domain/send/pace.ts';
import { afterNews, isPending, type News, type PartState } from '#lib/domain/send/part.ts';
import type { Unheard } from '#lib/inbox/delivery-state.ts';
import { accountKey, oldUnknownKey, pointerKey, QUOTA_PREFIX, quotaKey, scopeIn } from '#lib/store/keys.ts';
import { AGAIN, retryOnConflict, type StorePorts } from '#lib/store/retry.ts';
import {
  absent,
  add,
  all,
  type Change,
  type Condition,
  type Delete,
  del,
  equal,
  exists,
  type Key,
  newTransaction,
  type Put,
  remove,
  set,
  setIfAbsent,
  type Transacted,
  type Update,
  update,
  type Write,
} from '#lib/store/store.ts';
import {
  awaitEvidence,
  changeParts,
  creditsOf,
  field,
  mapped,
  namedBy,
  type PartChange,
  refund,
  stateOfPart,
} from './change-parts.ts';
import type { SendingConfig } from './config.ts';
import { forgetUnknown, soughtUntil, unknownMarks } from './evidence.ts';
import { type Head, type Part, readPart, readProviderMessage, type Send } from './items.ts';
import { placedAsTold, sendReport, sentEvent, sentEventId, threadIn } from './sent-event.ts';

/** For whoever brings parts to an end, or further than that. */
export interface SettlingPorts extends StorePorts {
  readonly metrics: Metrics;
}

/** Parts that came to a state in one transaction, and how many credits went back with it. */
export interface Settled {
  readonly state: PartState;
  readonly parts: number;
  readonly refunded: number;
}

/** Only after the transaction has succeeded: what was refused may be tried again, and would be counted twice. */
export function countSettled({ metrics }: Pick<SettlingPorts, 'metrics'>, { state, parts, refunded }: Settled): void {
  metrics.count('SendState', { state }, parts);
  if (refunded > 0) metrics.count('CreditsRefunded', {}, refunded);
}

/** How a part's story ends, as far as sending goes. */
export type Ending =
  /**
   * `inferred`: from evidence rather than from the provider's answer. It takes no name that another part has. `state`:
   * where a webhook has told of the message, be it by another name of the account than the send's.
   */
  | { readonly kind: 'sent'; readonly providerId: string; readonly inferred?: true; readonly state?: string }
  /** `providerId`: the message that the provider itself says has failed. */
  | { readonly kind: 'failed'; readonly reason: string; readonly providerId?: string }
  | { readonly kind: 'cancelled'; readonly reason?: string }
  | { readonly kind: 'expired'; readonly reason: string };

interface Settling {
  /** The send, its pointers, and the provider's message or the refund. The account is the caller's to write. */
  readonly writes: readonly Write[];
  /** How many parts leave the account's queue. */
  readonly leaving: number;
  /** To be counted on the account, or on the quota where the account is gone. */
  readonly spending: Spending;
  /** For `countEnds`, once all of this is written. */
  readonly settled: Settled;
}

const NEWS: Readonly<Record<Ending['kind'], News>> = {
  sent: 'named',
  failed: 'refused',
  cancelled: 'cancelled',
  expired: 'given up',
};

/** Whether the ending is news for the part as it stands: it may have come to another, or to the same, before. */
const isNews = (part: Part, { kind }: Ending): boolean => afterNews(part, NEWS[kind]).state !== part.state;

/** Everything that changes together when parts end the same way. The send comes first. */
export function settling(
  send: Send,
  parts: readonly number[],
  ending: Ending,
  at: number,
  unheard?: Unheard,
): Settling {
  const moving = parts.map((index) => ({ index, part: partOf(send, index) }));
  const changes = moving.map(({ index, part }) => endingChange(send, index, part, ending));
  const queued = moving.filter(({ part }) => isPending(part.state));
  const refunded = changes.filter(({ credit }) => credit === 'refunded').map(({ index }) => index);
  const spent = changes.filter(({ credit }) => credit === 'spent').map(({ index }) => index);
  return {
    writes: [
      changeParts(send, changes, at, ...offTheList(send, parts)),
      ...queued.map(({ index }) => del(pointerKey(send.accountId, send.seq, index))),
      ...moving.flatMap(({ index, part }) => markAfter(send, index, part, ending, at)),
      ...moving.flatMap(({ index, part }) => namedAs(send, index, part, ending, unheard)),
      ...(ending.kind === 'sent' || refunded.length === 0 ? [] : refund(send, refunded, at, reasonOf(ending))),
      ...(ending.kind === 'sent'
        ? parts.flatMap((index) => sentEvent(send, index, ending.providerId, at))
        : sendReport(send, parts, ending.kind, at, detailIn(ending))),
    ],
    leaving: queued.length,
    spending: { spent: creditsOf(send, spent), unspent: 0 },
    settled: { state: ending.kind, parts: parts.length, refunded: creditsOf(send, refunded) },
  };
}

/** All of it in one transaction, the account's write first; then it is counted, and what is told is in its place. */
export async function writeSettling(
  ports: SettlingPorts,
  account: readonly Update[],
  { writes, settled }: Pick<Settling, 'writes' | 'settled'>,
): Promise<Transacted> {
  const transacted = await ports.store.transact([...account, ...writes], newTransaction(ports.random));
  if (transacted.done) {
    countSettled(ports, settled);
    await placedAsTold(ports, writes);
  }
  return transacted;
}

/** The part under the name of its account by which a webhook has told of the message: what else is told of it lies there. */
function filedAsTold(send: Send, index: number, ending: Ending): Send {
  if (ending.kind !== 'sent' || ending.state === undefined || partOf(send, index).providerId !== undefined) return send;
  const scope = scopeIn(ending.state, send, ending.providerId);
  return { ...send, parts: send.parts.map((part, at) => (at === index ? { ...part, scope } : part)) };
}

/** The last unknown part takes its send off the watchdog's list, unless another has become unknown meanwhile. */
function offTheList(send: Send, parts: readonly number[]): [Change[], Condition[]] {
  const others = [...send.parts.entries()].filter(([index]) => !parts.includes(index));
  const isLast = parts.some((index) => partOf(send, index).state === 'unknown');
  if (!isLast || others.some(([, { state }]) => state === 'unknown')) return [[], []];
  return [
    [remove('gsi3pk'), remove('gsi3sk')],
    others.map(([index, { state }]) => equal(field(index, 'state'), state)),
  ];
}

function partOf({ messageId, parts }: Send, index: number): Part {
  const part = parts[index];
  if (!part) throw new RangeError(`${messageId} has no part ${index}`);
  return part;
}

/** An echo that is later than this by the time of its message's end is no sign of it any more. */
const SOUGHT_AFTER_END_MS = 3 * 24 * 3_600_000;

/** What has expired can still be named by its echo: a provider's webhooks may be a day late. */
function markAfter(send: Send, index: number, { state }: Part, ending: Ending, at: number): (Put | Delete)[] {
  if (state !== 'unknown' && state !== 'expired') return [];
  const old = del(oldUnknownKey(send.accountId, send.messageId, index));
  // What is known by an id, or certainly did not go out, can be no other message any more.
  if (idIn(ending) !== undefined || ending.kind === 'failed') return [...forgetUnknown(send, index), old];
  return ending.kind === 'expired' ? [...unknownMarks(send, index, at + SOUGHT_AFTER_END_MS), old] : [old];
}

function endingChange(send: Send, index: number, part: Part, ending: Ending): PartChange {
  const { state: to, creditState } = afterNews(part, NEWS[ending.kind]);
  if (to === part.state) throw new Error(`a part that is ${part.state} cannot end as ${ending.kind}`);
  const credit = creditState === part.creditState || creditState === 'reserved' ? {} : { credit: creditState };
  const providerId = idIn(ending);
  const named = providerId === undefined ? [] : namedBy(send, index, providerId);
  const counted = creditState === 'spent' ? [set(field(index, 'counted'), true)] : [];
  return { index, to, ...credit, ...known({ detail: detailIn(ending) }), also: [...named, ...counted] };
}

const detailIn = (ending: Ending): string | undefined => ('reason' in ending ? ending.reason : undefined);

/** The id under which the provider has the message, where the ending tells it. */
export const idIn = (ending: Ending): string | undefined => ('providerId' in ending ? ending.providerId : undefined);

/** Whether the id comes from evidence, and is not the part's own already: then it must not be another part's. */
const mayBeAnothers = (part: Part, ending: Ending): boolean =>
  idIn(ending) !== part.providerId &&
  (ending.kind === 'failed' || (ending.kind === 'sent' && ending.inferred === true));

const reasonOf = (ending: Exclude<Ending, { kind: 'sent' }>): string => ending.reason ?? ending.kind;

/** Statuses that came first are in the provider's message already, and stay: `applyStatuses` reads it afterwards. */
function namedAs(send: Send, index: number, part: Part, ending: Ending, unheard?: Unheard): Update[] {
  const providerId = idIn(ending);
  if (providerId === undefined) return [];
  const conditions = [
    ...(mayBeAnothers(part, ending) ? [absent('send')] : []),
    ...(unheard === undefined ? [] : [unheard.condition]),
  ];
  const named = mapped(send, index, providerId, conditions.length === 0 ? undefined : all(...conditions));
  // The feed shows the message once: as this event, or as an echo that was there before.
  const claims =
    ending.kind === 'sent' && threadIn(send.recipient) ? [setIfAbsent('fed', sentEventId(send.messageId, index))] : [];
  return [{ ...named, changes: [...named.changes, ...claims, ...(unheard?.changes ?? [])] }];
}

/** Which part it is, whatever has become of it. */
export type Place = Pick<Head, 'index'> & { readonly send: Pick<Send, 'messageId'> };

/** By consistent reads just now: the head, and where it was so, that no status was told of the provider's message yet. */
export interface AsRead {
  readonly head: Head;
  readonly unheard?: Unheard | undefined;
}

/**
 * Writes down what is certain about an attempt whose lease is gone, or whose answer never came: to the part alone, and
 * only if the attempt is still the part's last, whatever was taken for its end meanwhile. Never to generation, lease or
 * spacing, which are somebody else's now.
 * Answers the send as it was before, but for the name that the part is filed under, and whether a status may have been told of the
 * message by then. Undefined: there was nothing left to settle, or the provider's id that was inferred is another part's.
 */
export async function settlePart(
  ports: SettlingPorts,
  { send: { messageId }, index }: Place,
  intentAt: number,
  ending: Ending,
  asRead?: AsRead,
): Promise<{ readonly send: Send; readonly mayBeTold: boolean } | undefined> {
  const { store, clock } = ports;
  let isGone = false;
  return retryOnConflict(`part ${index} of ${messageId}`, async (tries) => {
    const known = tries === 0 ? asRead : undefined;
    const head = known?.head ?? (await readPart(store, messageId, index));
    // What was erased keeps no name: nothing would lead to it.
    if (head.part.intentAt !== intentAt || head.send.erased || !isNews(head.part, ending)) return undefined;
    const send = filedAsTold(head.send, index, ending);
    const state = stateOfPart(send, index, idIn(ending) ?? '');
    // What was read is the state under the name by which the webhook came.
    const unheard = ending.kind === 'sent' && ending.state === state.pk ? known?.unheard : undefined;
    const ended = settling(send, [index], ending, clock.now(), unheard);
    const account = accountWrites(send, ended, isGone);
    const transacted = await writeSettling(ports, account, ended);
    if (transacted.done) return { send, mayBeTold: unheard === undefined };
    const refused = transacted.refused.slice(account.length);
    if (mayBeAnothers(head.part, ending) && isAnothers(ended.writes, refused, state)) return undefined;
    isGone ||= account.length > 0 && meetsNothing(transacted.refused[0]);
    return AGAIN;
  });
}

export interface Parts {
  readonly send: Send;
  readonly parts: readonly number[];
}

/** As DynamoDB has it. */
const MOST_WRITES = 100;

/**
 * Ends parts that wait in no queue, of sends that were charged to one quota, all in one transaction; or none of them, as
 * where they are too many for one: a part has a mark for each name of its recipient.
 */
export async function settleTogether(ports: SettlingPorts, ends: readonly Parts[], ending: Ending): Promise<boolean> {
  const { store, clock, random } = ports;
  const settlings = ends.map(({ send, parts }) => settling(send, parts, ending, clock.now()));
  const refunded = settlings.reduce((sum, { settled }) => sum + settled.refunded, 0);
  // A transaction touches an item once.
  const isQuota = (write: Write) => write.kind === 'update' && write.key.sk.startsWith(QUOTA_PREFIX);
  const writes = settlings.flatMap((one) => one.writes).filter((write) => !isQuota(write));
  const quotas = ends.slice(0, 1).map(({ send }) => quotaKey(send.workspace, send.epoch));
  const back = quotas.map((quota) => update(quota, [add('available', refunded)], exists()));
  if (back.length + writes.length > MOST_WRITES) return false;
  const { done } = await store.transact([...back, ...writes], newTransaction(random));
  if (!done) return false;
  for (const { settled } of settlings) countSettled(ports, settled);
  await placedAsTold(ports, writes);
  return true;
}

/** An account is deleted with nothing in its queue, and its counts are the quota's from then on. */
function accountWrites({ workspace, accountId, epoch }: Send, { leaving, spending }: Settling, isGone: boolean) {
  const changes = [...(leaving > 0 ? [add('pending', -leaving)] : []), ...onAccount(epoch, spending)];
  if (changes.length === 0) return [];
  return isGone
    ? [update(quotaKey(workspace, epoch), onQuota(spending), exists())]
    : [update(accountKey(accountId), changes, exists())];
}

/** A message that is known to be another part's is evidence of that one alone. */
function isAnothers(
  writes: readonly Write[],
  refused: Extract<Transacted, { done: false }>['refused'],
  { pk }: Key,
): boolean {
  const item = refused[writes.findIndex((write) => write.kind === 'update' && write.key.pk === pk)]?.item;
  return item !== undefined && readProviderMessage(item).send !== undefined;
}

/** Of what was sent again, once what it repeats has gone out. */
export const NEEDLESS = { kind: 'cancelled', reason: 'the message that it repeats went out after all' } as const;

/** What repeats a part that went out after all is cancelled where it still waits. What is under way can only be told of. */
export async function cancelResends(ports: SettlingPorts, { resentAs }: Send, kind: Part['kind']): Promise<void> {
  for (let next = resentAs; next !== undefined; next = (await cancelQueued(ports, next, kind)).resentAs);
}

async function cancelQueued(ports: SettlingPorts, messageId: string, kind: Part['kind']) {
  return retryOnConflict(messageId, async () => {
    const { send } = await readPart(ports.store, messageId, 0);
    const index = send.parts.findIndex((part) => part.kind === kind && part.state === 'queued');
    return index < 0 || (await cancelParts(ports, send, [index], NEEDLESS)) ? send : AGAIN;
  });
}

/** Parts that wait, without the lease of their account: spacing and generation stay as they are. False: something has changed. */
export async function cancelParts(
  ports: SettlingPorts,
  send: Send,
  parts: readonly number[],
  ending: Ending,
): Promise<boolean> {
  const ended = settling(send, parts, ending, ports.clock.now());
  return (await writeSettling(ports, accountWrites(send, ended, false), ended)).done;
}

/**
 * The part, its place in the queue, and the marks by which what a webhook tells of it is found. With an id of the
 * provider's, what is told of that is told of the part. The account is the caller's to write.
 */
export function becomesUnknown(
  { send, index }: Head,
  now: number,
  detail: string,
  config: SendingConfig,
  providerId?: string,
): readonly Write[] {
  const reconcileAt = now + nextReconciliation(0, config.unknownLimitMs);
  const named = providerId === undefined ? [] : namedBy(send, index, providerId);
  const also = [set(field(index, 'unknownAt'), now), set(field(index, 'reconcileAt'), reconcileAt), ...named];
  return [
    changeParts(send, [{ index, to: 'unknown', detail, also }], now, awaitEvidence(send, reconcileAt)),
    del(pointerKey(send.accountId, send.seq, index)),
    ...unknownMarks(send, index, soughtUntil(now, config)),
    ...(providerId === undefined ? [] : [mapped(send, index, providerId)]),
    ...sendReport(send, [index], 'unknown', now, detail),
  ];
}
