import { type CreditState, hasGoneOut, isUnsettled, type PartStanding, type PartState } from './part.ts';

/** What a provider tells about a message after it has taken it. */
export const STATUSES = ['sent', 'delivered', 'read', 'failed'] as const;
export type Status = (typeof STATUSES)[number];

/** What is heard of a part. */
export type News =
  /** The provider has it, under an id: it went out. */
  | 'named'
  /** It certainly did not go out, and will not. */
  | 'refused'
  | 'given up'
  | 'cancelled'
  /** Of the message that the part is known to be. */
  | Status;

/**
 * Every step that news can make a part take. What came late counts like what came in time: the state tells what
 * happened. What is not here leaves the part as it is: a failure after a delivery, a refusal of what has an id.
 */
const STEPS: Readonly<Record<PartState, Readonly<Partial<Record<News, PartState>>>>> = {
  queued: { refused: 'failed', cancelled: 'cancelled' },
  sending: { named: 'sent', refused: 'failed' },
  unknown: { named: 'sent', refused: 'failed', 'given up': 'expired' },
  expired: { named: 'sent', refused: 'failed' },
  cancelled: { named: 'sent' },
  sent: { delivered: 'delivered', read: 'read', failed: 'failed' },
  failed: { named: 'sent', sent: 'sent', delivered: 'delivered', read: 'read' },
  delivered: { read: 'read' },
  read: {},
};

/** Where a part stands after the news. A credit that went back stays back, whatever turns out. */
export function afterNews(part: PartStanding & { readonly providerId?: string }, news: News): PartStanding {
  const { state: before, creditState } = part;
  // It had this id when it failed: that is no news.
  if (before === 'failed' && news === 'named' && part.providerId !== undefined) return { state: before, creditState };
  const state = STEPS[before][news];
  return state === undefined ? { state: before, creditState } : { state, creditState: creditAfter(creditState, state) };
}

function creditAfter(before: CreditState, state: PartState): CreditState {
  if (before === 'refunded' || isUnsettled(state)) return before;
  return hasGoneOut(state) ? 'spent' : 'refunded';
}

/** When each status was reached last, by the provider's clock where it gives one. */
export type Reports = Readonly<Partial<Record<Status, number>>>;

/**
 * The one status that all reports come to, in whatever order they came. A failure counts only before any sign of
 * delivery, and not where the message was sent again after it.
 */
export function comesTo(reports: Reports): Status | undefined {
  const { sent, delivered, read, failed } = reports;
  if (read !== undefined) return 'read';
  if (delivered !== undefined) return 'delivered';
  if (failed !== undefined && (sent === undefined || sent <= failed)) return 'failed';
  return sent === undefined ? undefined : 'sent';
}
