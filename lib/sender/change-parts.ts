import { known } from '#lib/domain/schema.ts';
import { creditsIn, hasGoneOut, isPending, type PartState, reservedCredits } from '#lib/domain/send/part.ts';
import { dueListOf, dueSortKey, ledgerKey, quotaKey, reservedSortKey, sendKey, stateKey } from '#lib/store/keys.ts';
import {
  absent,
  add,
  all,
  append,
  type Change,
  type Condition,
  equal,
  exists,
  type Key,
  type Put,
  put,
  remove,
  set,
  type Update,
  unchanged,
  update,
} from '#lib/store/store.ts';
import type { Part, Send } from './items.ts';

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

export const field = (index: number, name: keyof Part) => ['parts', index, name] as const;

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
      ...changes.flatMap((change) => fieldsOf(change, send.parts[change.index])),
      ...(movesCredit ? reservedIndex(send, changes) : []),
      ...historyOf(send, changes, at),
      ...also,
    ],
    all(
      exists(),
      // What was emptied meanwhile gets back neither content nor anything that leads to it.
      unchanged({ erased: send.erased }),
      ...changes.flatMap((change) => asRead(send, change)),
      ...onlyIf,
      ...(movesCredit ? send.parts.map((part, index) => equal(field(index, 'creditState'), part.creditState)) : []),
    ),
  );
}

function fieldsOf({ index, to, credit, detail, also = [] }: PartChange, part: Part | undefined): Change[] {
  const isError = detail !== undefined && to !== 'queued';
  const isMended = hasGoneOut(to) && part?.error !== undefined;
  return [
    set(field(index, 'state'), to),
    ...(credit === undefined ? [] : [set(field(index, 'creditState'), credit)]),
    ...(isError ? [set(field(index, 'error'), detail)] : []),
    ...(isMended ? [remove(field(index, 'error'))] : []),
    ...also,
  ];
}

/**
 * The state as read, and with an attempt behind it: that very attempt; with a spent credit: counted or not, as read. What
 * goes out after all, also whether it has been sent again: that is taken back then.
 */
function asRead(send: Send, { index, to }: PartChange): Condition[] {
  const part = send.parts[index];
  if (part === undefined) throw new RangeError(`${send.messageId} has no part ${index}`);
  const state = equal(field(index, 'state'), part.state);
  const attempt = part.intentAt === undefined ? [] : [equal(field(index, 'intentAt'), part.intentAt)];
  const counted = field(index, 'counted');
  const count = part.creditState === 'spent' ? [part.counted ? equal(counted, true) : absent(counted)] : [];
  const resent = isAfterAll(part, to) ? [unchanged({ resentAs: send.resentAs })] : [];
  return [state, ...attempt, ...count, ...resent];
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

/** It counted as unknown or as not sent, and has gone out. */
export const isAfterAll = ({ state }: Part, to: PartState): boolean =>
  hasGoneOut(to) && !hasGoneOut(state) && !isPending(state);

function historyOf({ history, parts, resentAs }: Send, changes: readonly PartChange[], at: number): Change[] {
  const isFull = history.length >= LONGEST_HISTORY;
  const entries = changes
    .filter((change) => !change.silent && !(isFull && isPending(change.to)))
    .map(({ index, to, ...change }) => {
      const part = parts[index];
      const late = [
        ...(part?.creditState === 'refunded' ? [AFTER_ALL] : []),
        ...(resentAs === undefined ? [] : [`it had been sent again as ${resentAs}`]),
      ].join('; ');
      const detail = change.detail ?? (part && isAfterAll(part, to) && late ? late : undefined);
      return { at, part: index, state: to, ...known({ detail }) };
    });
  return entries.length === 0 ? [] : [append('history', ...entries)];
}

/** What these parts cost. */
export const creditsOf = (send: Send, parts: readonly number[]): number =>
  creditsIn(parts.flatMap((index) => send.parts[index] ?? []));

/** The credits go back to the epoch that they were charged to, in the transaction that changes the parts. */
export function refund(
  send: Send,
  parts: readonly number[],
  at: number,
  reason: string,
  also: readonly Change[] = [],
): [Update, Put] {
  const credits = creditsOf(send, parts);
  const entry = `${send.messageId}#refund#${parts.join('+')}`;
  return [
    update(quotaKey(send.workspace, send.epoch), [add('available', credits), ...also], exists()),
    put(
      {
        ...ledgerKey(send.workspace, at, entry),
        kind: 'ledger',
        entry: 'refund',
        at,
        credits,
        epoch: send.epoch,
        send: send.messageId,
        reason,
      },
      absent(),
    ),
  ];
}

const scopeOfPart = ({ parts, scope }: Send, index: number): string => parts[index]?.scope ?? scope;

/** Where all stands that the provider tells of the message that a part is. */
export const stateOfPart = (send: Send, index: number, providerId: string): Key =>
  stateKey({ ...send, scope: scopeOfPart(send, index) }, providerId);

/**
 * The part's id, and with it the name of the account under which it is filed: the send's moves with the account when
 * another part goes out, and a webhook may tell of each part under another name.
 */
export function namedBy(send: Send, index: number, providerId: string): Change[] {
  const scope = scopeOfPart(send, index);
  const mayDiffer = send.parts.length > 1 || scope !== send.scope;
  return [set(field(index, 'providerId'), providerId), ...(mayDiffer ? [set(field(index, 'scope'), scope)] : [])];
}

/** From now on, what the provider tells of its message is told of this part. */
export function mapped(send: Send, index: number, providerId: string, onlyIf?: Condition): Update {
  const { messageId, recipient } = send;
  const { phone, jid, chat_id: id, chat, provider_chat: providerChat } = recipient;
  // For whoever reads a status: in which chat the message stands, and to whom it went.
  const told = known({ chat, toPhone: phone, toId: phone === undefined ? (jid ?? id ?? providerChat) : undefined });
  const changes = Object.entries({ send: messageId, part: index, ...told }).map(([name, value]) => set(name, value));
  return update(stateOfPart(send, index, providerId), changes, onlyIf);
}

/** Puts a send where the watchdog looks for unknown outcomes; the part that is due first decides when. */
export function awaitEvidence(send: Send, at: number): Change[] {
  const others = send.parts.flatMap((part) => (part.state === 'unknown' ? [part.reconcileAt ?? at] : []));
  return [
    set('gsi3pk', dueListOf('unknown', send.accountId)),
    set('gsi3sk', dueSortKey(Math.min(at, ...others), send.messageId)),
  ];
}
