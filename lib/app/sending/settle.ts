import { isPending } from '#lib/domain/sending/part.ts';
import { afterNews, type News } from '#lib/domain/sending/status.ts';
import { stateKey } from '../receiving/delivery-state.ts';
import type { Change, Condition, Delete, Put, Update } from '../store.ts';
import { absent, del, equal, remove, set, update } from '../store.ts';
import { changeParts, field, type PartChange, refund } from './change-parts.ts';
import type { Ends } from './ends.ts';
import type { Part, Send } from './items.ts';
import { oldUnknownKey, pointerKey } from './keys.ts';
import { forgetUnknown, unknownMarks } from './marks.ts';
import { sentEvent } from './sent-event.ts';
import type { Spending } from './spent.ts';

/** How a part's story ends, as far as sending goes. */
export type Ending =
  /** `inferred`: from evidence rather than from the provider's answer. It takes no name that another part has. */
  | { readonly kind: 'sent'; readonly providerId: string; readonly inferred?: true }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'expired'; readonly reason: string };

export interface Settling {
  /** The send, its pointers, and the provider's message or the refund. The account is the caller's to write. */
  readonly writes: readonly (Update | Put | Delete)[];
  /** How many parts leave the account's queue. */
  readonly leaving: number;
  /** To be counted on the account, or on the quota where the account is gone. */
  readonly spending: Spending;
  /** For `countEnds`, once all of this is written. */
  readonly ends: Ends;
}

const NEWS: Readonly<Record<Ending['kind'], News>> = {
  sent: 'named',
  failed: 'refused',
  cancelled: 'cancelled',
  expired: 'given up',
};

/** Whether the ending is news for the part as it stands: it may have come to another, or to the same, before. */
export const isNews = (part: Part, { kind }: Ending): boolean => afterNews(part, NEWS[kind]).state !== part.state;

/** Everything that changes together when parts end the same way. The send comes first. */
export function settling(send: Send, parts: readonly number[], ending: Ending, at: number): Settling {
  const moving = parts.map((index) => ({ index, part: partOf(send, index) }));
  const changes = moving.map(({ index, part }) => endingChange(index, part, ending));
  const queued = moving.filter(({ part }) => isPending(part.state));
  const refunded = changes.filter(({ credit }) => credit === 'refunded').map(({ index }) => index);
  return {
    writes: [
      changeParts(send, changes, at, ...offTheList(send, parts)),
      ...queued.map(({ index }) => del(pointerKey(send.accountId, send.seq, index))),
      ...moving.flatMap(({ index, part }) => markAfter(send, index, part, ending, at)),
      ...(ending.kind === 'sent' ? parts.flatMap((index) => takenAs(send, index, ending, at)) : []),
      ...(ending.kind === 'sent' || refunded.length === 0 ? [] : refund(send, refunded, at, reasonOf(ending))),
    ],
    leaving: queued.length,
    spending: { spent: changes.filter(({ credit }) => credit === 'spent').length, unspent: 0 },
    ends: { state: ending.kind, parts: parts.length, refunded: refunded.length },
  };
}

/** If a file fails before it was sent, the text that waits behind it has lost its point: both fail. */
export function failingWith(send: Send, index: number): number[] {
  if (send.parts[index]?.kind !== 'file') return [index];
  return [index, ...send.parts.flatMap((part, i) => (i !== index && part.state === 'queued' ? [i] : []))];
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
function markAfter(send: Send, index: number, { state }: Part, { kind }: Ending, at: number): (Put | Delete)[] {
  if (state !== 'unknown' && state !== 'expired') return [];
  const old = del(oldUnknownKey(send.accountId, send.messageId, index));
  if (kind === 'sent') return [...forgetUnknown(send, index), old];
  return kind === 'expired' ? [...unknownMarks(send, index, at + SOUGHT_AFTER_END_MS), old] : [old];
}

function endingChange(index: number, part: Part, ending: Ending): PartChange {
  const { state: to, creditState } = afterNews(part, NEWS[ending.kind]);
  if (to === part.state) throw new Error(`a part that is ${part.state} cannot end as ${ending.kind}`);
  const credit = creditState === part.creditState || creditState === 'reserved' ? {} : { credit: creditState };
  if (ending.kind === 'sent') {
    const counted = creditState === 'spent' ? [set(field(index, 'counted'), true)] : [];
    return { index, to, ...credit, also: [set(field(index, 'providerId'), ending.providerId), ...counted] };
  }
  return { index, to, ...credit, ...(ending.kind === 'cancelled' ? {} : { detail: ending.reason }) };
}

const reasonOf = (ending: Exclude<Ending, { kind: 'sent' }>): string =>
  ending.kind === 'cancelled' ? 'cancelled' : ending.reason;

/** Statuses that came first are in the provider's message already, and stay: `applyStatuses` reads it afterwards. */
function takenAs(
  send: Send,
  index: number,
  { providerId, inferred }: Extract<Ending, { kind: 'sent' }>,
  at: number,
): (Update | Put)[] {
  const changes = [set('send', send.messageId), set('part', index)];
  const claim = update(stateKey(send, providerId), changes, inferred ? absent('send') : undefined);
  return [claim, ...sentEvent(send, index, providerId, at)];
}
