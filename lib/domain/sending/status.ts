import type { CreditState, PartStanding, PartState } from './part.ts';

/** What a provider tells about a message after it has taken it. */
export const STATUSES = ['sent', 'delivered', 'read', 'failed'] as const;
export type Status = (typeof STATUSES)[number];

const RANK: Readonly<Partial<Record<PartState, number>>> = { sent: 1, failed: 2, delivered: 3, read: 4 };

/** How far a part has come; it only ever rises. Undefined before the provider has taken it. */
const rankOf = (state: PartState): number | undefined => RANK[state];

/**
 * Where a part stands once these statuses are known, in whatever order they came. A failure counts only before any
 * sign of delivery; delivery after a refund raises the state and leaves the credit refunded.
 *
 *   sent ──▶ failed (refund) ──▶ delivered ──▶ read        only to the right
 */
export function afterStatuses(part: PartStanding, seen: ReadonlySet<Status>): PartStanding {
  const rank = rankOf(part.state);
  if (rank === undefined) return part;
  const reached = (['read', 'delivered', 'failed'] as const).find((status) => seen.has(status));
  if (reached === undefined || (rankOf(reached) ?? 0) <= rank) return part;
  const creditState: CreditState = reached === 'failed' ? 'refunded' : part.creditState;
  return { state: reached, creditState };
}
