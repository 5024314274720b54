import * as v from 'valibot';
import { known } from '#lib/domain/schema.ts';
import {
  CREDIT_STATES,
  hasGoneOut,
  isPending,
  PART_STATES,
  type PartState,
  reservedCredits,
} from '#lib/domain/send/part.ts';
import { itemReader } from '#lib/store/items.ts';
import { accountKey, POINTER_PREFIX, reservedSortKey, sendKey, stateKey } from '#lib/store/keys.ts';
import {
  absent,
  all,
  append,
  type Change,
  type Condition,
  equal,
  exists,
  type Key,
  remove,
  type Store,
  set,
  type Update,
  unchanged,
  update,
} from '#lib/store/store.ts';

/**
 * The items of sending as the table holds them. Readers throw on an item that is not what it should be: guessing would
 * cost somebody a message or a credit. Times are milliseconds since the epoch.
 */
const optional = v.exactOptional;
const text = v.string();
const time = v.number();
const count = v.pipe(v.number(), v.integer());

/** The one schema of an account's item. Who needs less of it takes a `Pick` of `Account`. */
const AccountItem = v.object({
  id: text,
  workspace: text,
  provider: text,
  channel: v.picklist(['whatsapp', 'sms']),
  name: optional(text),
  /** What the provider's message ids are unique within: its name of the account, or else our id. */
  scope: text,
  /** What its scope was before: messages that went out then are told of by these names. */
  formerScopes: optional(v.array(text)),
  /** Its own id at the provider, where it has one. */
  instance: optional(text),
  line: optional(text),
  /** The line that nobody else of the workspace may have; an account of an earlier release has none before its first call. */
  claim: optional(text),
  /** Which version of the secret its credentials are; without one, the newest is meant. */
  credentialsVersion: optional(count),
  /** The phone that sends for it, by the provider's id, and which of its SIM cards. */
  device: optional(text),
  sim: optional(count),
  /** The number that it sends from, where the operator has told it. */
  phone: optional(text),
  /** The provider's own settings of this account. Never a secret. */
  settings: optional(v.looseObject({})),
  pacing: v.object({ minMs: v.number(), maxMs: v.number() }),
  /** IDLE: nobody is on it. RUNNING: one tick of generation `gen` is on its way, or the watchdog will send it. */
  chain: v.picklist(['IDLE', 'RUNNING']),
  gen: count,
  leaseId: optional(text),
  leaseUntil: optional(time),
  /** The earliest start of the next call; while a call runs, the latest time by which that can be. */
  nextSendAt: time,
  backoffUntil: time,
  /** When its last call ended, for the measure of the gap. */
  endedAt: optional(time),
  /** Parts in its queue: those queued, and the one that is being sent. */
  pending: count,
  tailSeq: count,
  paused: v.boolean(),
  pauseReason: optional(text),
  held: v.boolean(),
  holdReason: optional(text),
  /** Holds since a message last went out: the more, the later the next one is looked at. */
  holdsRunning: optional(count),
  startedBy: optional(text),
  failuresRunning: count,
  /** Unknown outcomes since a message was last accepted, and when the latest were. */
  unknownRunning: optional(count),
  unknownTimes: optional(v.array(time)),
  createdAt: text,
  /** When it was connected last. */
  connectedAt: text,
  /** Present while a tick is due: the time leads. */
  gsi3sk: optional(text),
});
export type Account = v.InferOutput<typeof AccountItem>;

/** A pause is the operator's, a hold is the provider's; neither undoes the other. */
export const isBlocked = (account: Account): boolean => account.paused || account.held;

const PartItem = v.object({
  kind: v.picklist(['text', 'file']),
  text: optional(text),
  url: optional(text),
  name: optional(text),
  /** The text that goes with a file in one call. */
  caption: optional(text),
  /** The message that it quotes, by the provider's id. */
  quoted: optional(text),
  /** What it costs, where that is not one. */
  credits: optional(count),
  state: v.picklist(PART_STATES),
  creditState: v.picklist(CREDIT_STATES),
  attempts: count,
  /** Runs that have begun to prepare this part since one of them came to the end of that: they died of it, or it goes on. */
  crashes: optional(count),
  /** When the running or last attempt began. Names the attempt. */
  intentAt: optional(time),
  retries: optional(count),
  retryingSince: optional(time),
  unknownAt: optional(time),
  reconcileAt: optional(time),
  providerId: optional(text),
  /** The name of the account under which that id is filed; without one, the send's. */
  scope: optional(text),
  /** Its credit stands in the count of spent ones (lib/credits/credits.ts); no longer, once it was given back. */
  counted: optional(v.literal(true)),
  error: optional(text),
});
export type Part = v.InferOutput<typeof PartItem>;

const SendItem = v.object({
  messageId: text,
  workspace: text,
  /** The send webhook through which it came. */
  webhook: optional(text),
  accountId: text,
  provider: text,
  channel: optional(v.picklist(['whatsapp', 'sms'])),
  scope: text,
  /** The number that its account sent from when it was accepted, where it was known. */
  sender: optional(text),
  recipient: v.record(text, text),
  epoch: text,
  seq: count,
  createdAt: time,
  parts: v.array(PartItem),
  history: v.array(
    v.object({ at: time, part: optional(count), state: v.picklist(PART_STATES), detail: optional(text) }),
  ),
  resendOf: optional(text),
  resentAs: optional(text),
  /** Its content was erased; nobody can send it again. */
  erased: optional(v.literal(true)),
  gsi3sk: optional(text),
});
export type Send = v.InferOutput<typeof SendItem>;

const PointerItem = v.object({ sk: text, send: text, part: count });
export type Pointer = v.InferOutput<typeof PointerItem>;

const ProbeItem = v.object({
  account: text,
  tries: count,
  /** The account is held because its provider did not answer, and for nothing that the provider said. */
  silent: optional(v.boolean()),
  gsi3sk: text,
});

export type Probe = v.InferOutput<typeof ProbeItem>;

const IdempotencyItem = v.object({ requestHash: text, send: text, account: text, expiresAt: v.number() });

const QuotaItem = v.object({
  epoch: text,
  granted: count,
  available: count,
  /** How much of what was granted came with the epoch itself. */
  opening: optional(count),
  /** Spent through accounts that are gone, and before spent credits were counted; given back of these. */
  spent: optional(count),
  unspent: optional(count),
});
export type Quota = v.InferOutput<typeof QuotaItem>;

const QuotaKindItem = v.variant('quota', [
  v.object({ quota: v.literal('prepaid') }),
  v.object({ quota: v.literal('monthly'), credits: count }),
]);

const LedgerItem = v.object({
  at: time,
  entry: v.picklist(['grant', 'reserve', 'refund']),
  credits: count,
  epoch: text,
  send: optional(text),
  reason: optional(text),
});
export type LedgerEntry = v.InferOutput<typeof LedgerItem>;

const ProviderMessageItem = v.object({
  pk: text,
  send: optional(text),
  part: optional(count),
  at_sent: optional(time),
  at_delivered: optional(time),
  at_read: optional(time),
  at_failed: optional(time),
  last_sent: optional(time),
  last_failed: optional(time),
  own_sent: optional(time),
  /** Why it failed, as the provider says. */
  detail_failed: optional(text),
  gsi3sk: optional(text),
});
export type ProviderMessage = v.InferOutput<typeof ProviderMessageItem>;

export const readAccount = itemReader(AccountItem);
export const readSend = itemReader(SendItem);
export const readPointer = itemReader(PointerItem);
export const readProbe = itemReader(ProbeItem);
export const readIdempotency = itemReader(IdempotencyItem);
export const readQuota = itemReader(QuotaItem);
export const readQuotaKind = itemReader(QuotaKindItem);
export const readLedgerEntry = itemReader(LedgerItem);
export const readProviderMessage = itemReader(ProviderMessageItem);

export const field = (index: number, name: keyof Part) => ['parts', index, name] as const;

export const scopeOfPart = ({ parts, scope }: Send, index: number): string => parts[index]?.scope ?? scope;

/** Where all stands that the provider tells of the message that a part is. */
export const stateOfPart = (send: Send, index: number, providerId: string): Key =>
  stateKey({ ...send, scope: scopeOfPart(send, index) }, providerId);

export interface PartChange {
  readonly index: number;
  readonly to: PartState;
  readonly credit?: 'spent' | 'refunded';
  /** For people: kept as the part's error where it ends badly, and in the history. */
  readonly detail?: string;
  readonly also?: readonly Change[];
  /** Left out of the history: what only repeats. */
  readonly silent?: boolean;
}

/**
 * One write to a send that moves parts on from the states in which they were read, and from no other: what somebody
 * else has done in between is refused, not undone. Where a credit moves, the credits of all parts must be as read,
 * since their number is kept in the index of what is reserved.
 */
export function changeParts(
  send: Send,
  changes: readonly PartChange[],
  at: number,
  also: readonly Change[] = [],
  onlyIf: readonly Condition[] = [],
): Update {
  const movesCredit = changes.some((change) => change.credit !== undefined);
  return update(
    sendKey(send.messageId),
    [
      ...changes.flatMap((change) => fieldsOf(change, partOf(send, change.index))),
      ...(movesCredit ? reservedIndex(send, changes) : []),
      ...historyOf(send, changes, at),
      ...also,
    ],
    all(
      exists(),
      // What was emptied meanwhile gets back neither content nor anything that leads to it.
      unchanged({ erased: send.erased }),
      ...changes.flatMap(({ index }) => asRead(index, partOf(send, index))),
      ...onlyIf,
      ...(movesCredit ? send.parts.map((part, index) => equal(field(index, 'creditState'), part.creditState)) : []),
    ),
  );
}

export function partOf({ messageId, parts }: Send, index: number): Part {
  const part = parts[index];
  if (!part) throw new RangeError(`${messageId} has no part ${index}`);
  return part;
}

function fieldsOf({ index, to, credit, detail, also = [] }: PartChange, part: Part): Change[] {
  const isError = detail !== undefined && to !== 'queued';
  const isMended = hasGoneOut(to) && part.error !== undefined;
  return [
    set(field(index, 'state'), to),
    ...(credit === undefined ? [] : [set(field(index, 'creditState'), credit)]),
    ...(isError ? [set(field(index, 'error'), detail)] : []),
    ...(isMended ? [remove(field(index, 'error'))] : []),
    ...also,
  ];
}

/** The state as read, and with an attempt behind it: that very attempt; with a spent credit: counted or not, as read. */
function asRead(index: number, { state, intentAt, creditState, counted }: Part): Condition[] {
  const isCounted = field(index, 'counted');
  return [
    equal(field(index, 'state'), state),
    ...(intentAt === undefined ? [] : [equal(field(index, 'intentAt'), intentAt)]),
    ...(creditState === 'spent' ? [counted ? equal(isCounted, true) : absent(isCounted)] : []),
  ];
}

function reservedIndex(send: Send, changes: readonly PartChange[]): Change[] {
  const after = send.parts.map((part, index) => ({
    ...part,
    creditState: changes.find((change) => change.index === index)?.credit ?? part.creditState,
  }));
  const reserved = reservedCredits(after);
  if (reserved === reservedCredits(send.parts)) return [];
  return reserved === 0
    ? [remove('gsi2pk'), remove('gsi2sk')]
    : [set('gsi2sk', reservedSortKey(reserved, send.messageId))];
}

/** An item has a largest size, and tries may go on for weeks: from here on only what ends a part is still noted. */
const LONGEST_HISTORY = 100;

const AFTER_ALL = 'it went out after all; its credit had gone back';

function historyOf(send: Send, changes: readonly PartChange[], at: number): Change[] {
  const isFull = send.history.length >= LONGEST_HISTORY;
  const entries = changes
    .filter((change) => !change.silent && !(isFull && isPending(change.to)))
    .map(({ index, to, ...change }) => {
      const { state, creditState } = partOf(send, index);
      const isAfterAll = hasGoneOut(to) && !hasGoneOut(state) && creditState === 'refunded';
      return {
        at,
        part: index,
        state: to,
        ...known({ detail: change.detail ?? (isAfterAll ? AFTER_ALL : undefined) }),
      };
    });
  return entries.length === 0 ? [] : [append('history', ...entries)];
}

/** A part of a send, as it was read: mostly the one that is first in its account's queue. */
export interface Head {
  readonly send: Send;
  readonly index: number;
  readonly part: Part;
}

/** The first in the account's queue, read consistently: a stale look could take the queue for empty, or a sent part for waiting. */
export async function findHead(store: Store, account: string): Promise<Head | undefined> {
  const page = await store.query({
    pk: accountKey(account).pk,
    prefix: POINTER_PREFIX,
    limit: 1,
    consistent: true,
  });
  const [item] = page.items;
  if (!item) return undefined;
  const pointer = readPointer(item);
  return readPart(store, pointer.send, pointer.part);
}

export async function readPart(store: Store, messageId: string, index: number): Promise<Head> {
  const item = await store.get(sendKey(messageId), { consistent: true });
  const send = item && readSend(item);
  const part = send?.parts[index];
  if (!send || !part) throw new Error(`a part that does not exist stands in a queue: ${messageId} ${index}`);
  return { send, index, part };
}
