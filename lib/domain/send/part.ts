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
