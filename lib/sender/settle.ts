import { meetsNothing, NOTHING, onAccount, onQuota, type Spending } from '#lib/credits/credits.ts';
import type { Metrics } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import {
  afterNews,
  creditsIn,
  hasGoneOut,
  isPending,
  type News,
  type PartStanding,
  type PartState,
  type Status,
} from '#lib/domain/send/part.ts';
import type { Unheard } from '#lib/inbox/delivery-state.ts';
import { accountKey, ledgerKey, pointerKey, QUOTA_PREFIX, quotaKey, scopeIn, sendKey } from '#lib/store/keys.ts';
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
  put,
  remove,
  set,
  setIfAbsent,
  type Transacted,
  type Update,
  update,
  type Write,
} from '#lib/store/store.ts';
import { forgetUnknown, mapped, namedBy, unknownMarks } from './evidence.ts';
import {
  changeParts,
  field,
  type Head,
  type Part,
  type PartChange,
  partOf,
  readProviderMessage,
  readSend,
  type Send,
  stateOfPart,
} from './items.ts';
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

/** How a part's story ends, or goes on after that. */
export type Ending =
  /**
   * `inferred`: from evidence rather than from the provider's answer. It takes no name that another part has. `state`:
   * where a webhook has told of the message, be it by another name of the account than the send's.
   */
  | { readonly kind: 'sent'; readonly providerId: string; readonly inferred?: true; readonly state?: string }
  /** `providerId`: the message that the provider itself says has failed. */
  | { readonly kind: 'failed'; readonly reason: string; readonly providerId?: string }
  | { readonly kind: 'cancelled'; readonly reason?: string }
  | { readonly kind: 'expired'; readonly reason: string }
  /** What the provider tells of the message that the part is known to be. `reason`: of a failure. */
  | { readonly kind: 'told'; readonly status: Status; readonly reason: string };

const NEWS = { sent: 'named', failed: 'refused', cancelled: 'cancelled', expired: 'given up' } as const;
const newsOf = (ending: Ending): News => (ending.kind === 'told' ? ending.status : NEWS[ending.kind]);

/** The id under which the provider has the message, where the ending tells it. */
export const idIn = (ending: Ending): string | undefined => ('providerId' in ending ? ending.providerId : undefined);

/** A part as it is, and as the ending leaves it. */
interface Moving {
  readonly index: number;
  readonly part: Part;
  readonly after: PartStanding;
}

interface Settling {
  /** The send, its pointers, and the provider's message or the refund. The account is the caller's to write. */
  readonly writes: readonly Write[];
  /** How many parts leave the account's queue. */
  readonly leaving: number;
  /** To be counted on the account; on the quota, and among the writes, where the account is gone. */
  readonly spending: Spending;
  /** For `countSettled`, once all of this is written. */
  readonly settled: Settled;
}

interface Circumstances {
  readonly unheard?: Unheard | undefined;
  /** The account is deleted: its counts are the quota's. */
  readonly isGone?: boolean;
}

/** Everything that changes together when parts end the same way. The send comes first. */
export function settling(
  send: Send,
  parts: readonly number[],
  ending: Ending,
  at: number,
  { unheard, isGone = false }: Circumstances = {},
): Settling {
  const moving = parts.map((index) => movedBy(send, index, ending));
  const queued = moving.filter(({ part }) => isPending(part.state));
  const refunded = moving.filter(({ part, after }) => movesTo(part, after) === 'refunded');
  const spent = moving.filter(({ part, after }) => movesTo(part, after) === 'spent');
  const unspent = refunded.filter(({ part }) => part.creditState === 'spent' && part.counted);
  const spending = { spent: creditsOf(spent), unspent: creditsOf(unspent) };
  return {
    writes: [
      changeParts(
        send,
        moving.map((one) => changeOf(send, one, ending)),
        at,
        ...offTheList(send, moving),
      ),
      ...queued.map(({ index }) => del(pointerKey(send.accountId, send.seq, index))),
      ...moving.flatMap((one) => markAfter(send, one, ending, at)),
      ...moving.flatMap((one) => namedAs(send, one, ending, unheard)),
      ...creditWrites(send, refunded, isGone ? spending : NOTHING, at, detailIn(ending) ?? ending.kind),
      ...toldOf(send, parts, ending, at, refunded.length > 0),
    ],
    leaving: queued.length,
    spending,
    settled: {
      state: ending.kind === 'told' ? ending.status : ending.kind,
      parts: parts.length,
      refunded: creditsOf(refunded),
    },
  };
}

function movedBy(send: Send, index: number, ending: Ending): Moving {
  const part = partOf(send, index);
  const after = afterNews(part, newsOf(ending));
  if (after.state === part.state) throw new Error(`a part that is ${part.state} cannot end as ${ending.kind}`);
  return { index, part, after };
}

const movesTo = (part: Part, { creditState }: PartStanding): 'spent' | 'refunded' | undefined =>
  creditState === part.creditState || creditState === 'reserved' ? undefined : creditState;

const creditsOf = (moving: readonly Moving[]): number => creditsIn(moving.map(({ part }) => part));

function changeOf(send: Send, { index, part, after }: Moving, ending: Ending): PartChange {
  const credit = movesTo(part, after);
  const providerId = idIn(ending);
  const counted = field(index, 'counted');
  const also = [
    ...(providerId === undefined ? [] : namedBy(send, index, providerId)),
    ...(credit === 'spent' ? [set(counted, true)] : []),
    ...(credit === 'refunded' && part.counted ? [remove(counted)] : []),
  ];
  const detail = hasGoneOut(after.state) ? undefined : detailIn(ending);
  return { index, to: after.state, also, ...known({ credit, detail }) };
}

const detailIn = (ending: Ending): string | undefined => ('reason' in ending ? ending.reason : undefined);

/** The last unknown part takes its send off the watchdog's list, unless another has become unknown meanwhile. */
function offTheList({ parts }: Send, moving: readonly Moving[]): [Change[], Condition[]] {
  const others = [...parts.entries()].filter(([index]) => moving.every((one) => one.index !== index));
  const isLast = moving.some(({ part }) => part.state === 'unknown');
  if (!isLast || others.some(([, { state }]) => state === 'unknown')) return [[], []];
  return [
    [remove('gsi3pk'), remove('gsi3sk')],
    others.map(([index, { state }]) => equal(field(index, 'state'), state)),
  ];
}

/** An echo that is later than this by the time of its message's end is no sign of it any more. */
const SOUGHT_AFTER_END_MS = 3 * 24 * 3_600_000;

/** What has expired can still be named by its echo: a provider's webhooks may be a day late. */
function markAfter(send: Send, { index, part }: Moving, ending: Ending, at: number): (Put | Delete)[] {
  if (part.state !== 'unknown' && part.state !== 'expired') return [];
  // What is known by an id, or certainly did not go out, can be no other message any more.
  if (idIn(ending) !== undefined || ending.kind === 'failed') return forgetUnknown(send, index);
  return ending.kind === 'expired' ? unknownMarks(send, index, at + SOUGHT_AFTER_END_MS) : [];
}

/** Whether the id comes from evidence, and is not the part's own already: then it must not be another part's. */
const mayBeAnothers = (part: Part, ending: Ending): boolean =>
  idIn(ending) !== part.providerId &&
  (ending.kind === 'failed' || (ending.kind === 'sent' && ending.inferred === true));

/** Statuses that came first are in the provider's message already, and stay: `applyStatuses` reads it afterwards. */
function namedAs(send: Send, { index, part }: Moving, ending: Ending, unheard?: Unheard): Update[] {
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

/** The credits go back to the epoch that they were charged to, in the transaction that changes the parts. */
function creditWrites(send: Send, refunded: readonly Moving[], counts: Spending, at: number, reason: string): Write[] {
  const { workspace, epoch, messageId } = send;
  const credits = creditsOf(refunded);
  const changes = [...(credits === 0 ? [] : [add('available', credits)]), ...onQuota(counts)];
  const quota = changes.length === 0 ? [] : [update(quotaKey(workspace, epoch), changes, exists())];
  if (credits === 0) return quota;
  const key = ledgerKey(workspace, at, `${messageId}#refund#${refunded.map(({ index }) => index).join('+')}`);
  const entry = { ...key, kind: 'ledger', entry: 'refund', at, credits, epoch, send: messageId, reason };
  return [...quota, put(entry, absent())];
}

/** What went out stands in its chat from then on, and what did not is reported. */
function toldOf(send: Send, parts: readonly number[], ending: Ending, at: number, refunds: boolean): readonly Put[] {
  if (ending.kind === 'sent') return parts.flatMap((index) => sentEvent(send, index, ending.providerId, at));
  if (ending.kind !== 'told') return sendReport(send, parts, ending.kind, at, detailIn(ending));
  return ending.status === 'failed' && refunds ? sendReport(send, parts, 'failed', at, ending.reason) : [];
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

/** Which part it is, whatever has become of it. */
export type Place = Pick<Head, 'index'> & { readonly send: Pick<Send, 'messageId'> };

/** By consistent reads just now: the head, and where it was so, that no status was told of the provider's message yet. */
export interface AsRead {
  readonly head: Head;
  readonly unheard?: Unheard | undefined;
}

/**
 * Writes down what a part has come to, without the lease of its account: never to generation, lease or spacing, which are
 * somebody else's. `endingOf` says what that is, by the part as it was read.
 * Answers the send as it was before, but for the name that the part is filed under, and whether a status may have been told
 * of the message by then. Undefined: it was no news, or the provider's id that was inferred is another part's.
 */
export async function settlePart(
  ports: SettlingPorts,
  { send: { messageId }, index }: Place,
  endingOf: (head: Head) => Ending | undefined,
  asRead?: AsRead,
): Promise<{ readonly send: Send; readonly mayBeTold: boolean } | undefined> {
  const { store, clock } = ports;
  let isGone = false;
  return retryOnConflict(`part ${index} of ${messageId}`, async (tries) => {
    const known = tries === 0 ? asRead : undefined;
    const read = known?.head.send ?? (await readIfThere(store, messageId));
    if (!read) return undefined;
    const part = partOf(read, index);
    const ending = endingOf({ send: read, index, part });
    if (!ending || afterNews(part, newsOf(ending)).state === part.state) return undefined;
    const send = filedAsTold(read, index, ending);
    const state = stateOfPart(send, index, idIn(ending) ?? '');
    // What was read is the state under the name by which the webhook came.
    const unheard = ending.kind === 'sent' && ending.state === state.pk ? known?.unheard : undefined;
    const ended = settling(send, [index], ending, clock.now(), { unheard, isGone });
    const account = isGone ? [] : accountWrites(send, ended);
    const transacted = await writeSettling(ports, account, ended);
    if (transacted.done) return { send, mayBeTold: unheard === undefined };
    const refused = transacted.refused.slice(account.length);
    if (mayBeAnothers(part, ending) && isAnothers(ended.writes, refused, state)) return undefined;
    isGone ||= account.length > 0 && meetsNothing(transacted.refused[0]);
    return AGAIN;
  });
}

async function readIfThere(store: StorePorts['store'], messageId: string): Promise<Send | undefined> {
  const item = await store.get(sendKey(messageId), { consistent: true });
  return item && readSend(item);
}

/** The part under the name of its account by which a webhook has told of the message: what else is told of it lies there. */
function filedAsTold(send: Send, index: number, ending: Ending): Send {
  if (ending.kind !== 'sent' || ending.state === undefined || partOf(send, index).providerId !== undefined) return send;
  const scope = scopeIn(ending.state, send, ending.providerId);
  return { ...send, parts: send.parts.map((part, at) => (at === index ? { ...part, scope } : part)) };
}

/** An account is deleted with nothing in its queue, and its counts are the quota's from then on. */
function accountWrites({ accountId, epoch }: Send, { leaving, spending }: Settling): Update[] {
  const changes = [...(leaving > 0 ? [add('pending', -leaving)] : []), ...onAccount(epoch, spending)];
  return changes.length === 0 ? [] : [update(accountKey(accountId), changes, exists())];
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

/** Parts that wait, without the lease of their account: spacing and generation stay as they are. False: something has changed. */
export async function cancelParts(ports: SettlingPorts, send: Send, parts: readonly number[]): Promise<boolean> {
  const ended = settling(send, parts, { kind: 'cancelled' }, ports.clock.now());
  return (await writeSettling(ports, accountWrites(send, ended), ended)).done;
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
