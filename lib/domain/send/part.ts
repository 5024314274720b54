/**
 * The part is the unit of work, of spacing and of settling: one call of the provider. It costs one credit; a file whose
 * text goes with it as its caption costs two. A send has one part, or two: a file, then its text.
 */
export const PART_STATES = [
  'queued',
  'sending',
  'sent',
  'delivered',
  'read',
  'failed',
  'unknown',
  'cancelled',
  'expired',
] as const;
export type PartState = (typeof PART_STATES)[number];

export const CREDIT_STATES = ['reserved', 'spent', 'refunded'] as const;
export type CreditState = (typeof CREDIT_STATES)[number];

/** What a rule needs to know of a part. */
export interface PartStanding {
  readonly state: PartState;
  readonly creditState: CreditState;
  /** What it costs, where that is not one. */
  readonly credits?: number;
}

export const creditsIn = (parts: readonly Pick<PartStanding, 'credits'>[]): number =>
  parts.reduce((sum, { credits = 1 }) => sum + credits, 0);

export type SendState = PartState | 'partially_sent';
type SendCreditState = CreditState | 'partly_refunded';

const UNSETTLED: readonly PartState[] = ['queued', 'sending', 'unknown'];
const SUCCEEDED: readonly PartState[] = ['sent', 'delivered', 'read'];
const IN_VAIN: readonly PartState[] = ['failed', 'expired', 'cancelled'];

/** In the account's queue: it holds a pointer and counts in `pending`. */
export const isPending = (state: PartState): boolean => state === 'queued' || state === 'sending';

/** The provider may still do something, or we do not know whether it did: the credit is held. */
export const isUnsettled = (state: PartState): boolean => UNSETTLED.includes(state);

/** The provider has taken it, and has not said that it failed. */
export const hasGoneOut = (state: PartState): boolean => SUCCEEDED.includes(state);

/**
 * The state of a send follows from its parts. While any is unsettled: the least advanced of those. After that their
 * common state, of two degrees of success the lower one; one sent and the other not: `partially_sent`.
 */
export function sendState(parts: readonly PartStanding[]): SendState {
  const has = (state: PartState) => parts.some((part) => part.state === state);
  const unsettled = UNSETTLED.find(has);
  if (unsettled) return unsettled;
  const succeeded = SUCCEEDED.find(has);
  const inVain = IN_VAIN.find(has);
  if (succeeded && inVain) return 'partially_sent';
  return succeeded ?? inVain ?? 'failed';
}

export function sendCreditState(parts: readonly PartStanding[]): SendCreditState {
  const has = (state: CreditState) => parts.some((part) => part.creditState === state);
  if (has('reserved')) return 'reserved';
  if (!has('refunded')) return 'spent';
  return has('spent') ? 'partly_refunded' : 'refunded';
}

export const reservedCredits = (parts: readonly PartStanding[]): number =>
  creditsIn(parts.filter((part) => part.creditState === 'reserved'));

/** How a workspace comes by its credits. */
export type QuotaKind =
  | { readonly kind: 'prepaid' }
  /** So many are granted anew each calendar month (UTC); what is left of the month before stays there. */
  | { readonly kind: 'monthly'; readonly credits: number };

/** The period that a credit is charged to, and refunded to: `lifetime`, or a month such as `2026-11`. */
export type Epoch = string;

export function epochAt(quota: QuotaKind, iso: string): Epoch {
  return quota.kind === 'prepaid' ? 'lifetime' : iso.slice(0, 7);
}

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
