import { stateKey } from '../receiving/delivery-state.ts';
import type { Delete, Put, Update } from '../store.ts';
import { absent, del, set, update } from '../store.ts';
import { changeParts, field, type PartChange, refund } from './change-parts.ts';
import type { Ends } from './ends.ts';
import type { Send } from './items.ts';
import { pointerKey, unknownKey } from './keys.ts';
import { sentEvent } from './sent-event.ts';
import { NOTHING, type Spending } from './spent.ts';

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

/** Everything that changes together when parts end the same way. The send comes first. */
export function settling(send: Send, parts: readonly number[], ending: Ending, at: number): Settling {
  const queued = parts.filter((index) => hasPointer(send, index));
  return {
    writes: [
      changeParts(
        send,
        parts.map((index) => endingChange(index, ending)),
        at,
      ),
      ...queued.map((index) => del(pointerKey(send.accountId, send.seq, index))),
      ...parts
        .filter((index) => isUnknown(send, index))
        .map((index) => del(unknownKey(send.accountId, send.messageId, index))),
      ...(ending.kind === 'sent' ? parts.flatMap((index) => takenAs(send, index, ending, at)) : []),
      ...(ending.kind === 'sent' ? [] : refund(send, parts, at, reasonOf(ending))),
    ],
    leaving: queued.length,
    spending: ending.kind === 'sent' ? { spent: parts.length, unspent: 0 } : NOTHING,
    ends: { state: ending.kind, parts: parts.length, refunded: ending.kind === 'sent' ? 0 : parts.length },
  };
}

/** If a file fails before it was sent, the text that waits behind it has lost its point: both fail. */
export function failingWith(send: Send, index: number): number[] {
  if (send.parts[index]?.kind !== 'file') return [index];
  return [index, ...send.parts.flatMap((part, i) => (i !== index && part.state === 'queued' ? [i] : []))];
}

function hasPointer(send: Send, index: number): boolean {
  const state = send.parts[index]?.state;
  return state === 'queued' || state === 'sending';
}

const isUnknown = (send: Send, index: number): boolean => send.parts[index]?.state === 'unknown';

function endingChange(index: number, ending: Ending): PartChange {
  switch (ending.kind) {
    case 'sent': {
      const also = [set(field(index, 'providerId'), ending.providerId), set(field(index, 'counted'), true)];
      return { index, to: 'sent', credit: 'spent', also };
    }
    case 'failed':
    case 'expired':
      return { index, to: ending.kind, credit: 'refunded', detail: ending.reason };
    case 'cancelled':
      return { index, to: 'cancelled', credit: 'refunded' };
  }
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
