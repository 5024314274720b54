import * as v from 'valibot';
import { tally } from '#lib/domain/schema.ts';
import type { Store } from '../store.ts';

export const AppliedCounts = v.object({
  events: tally('Given another end, or none'),
  attempts: tally('Given an earlier end'),
  sends: tally('Emptied of recipient, text, file and errors'),
  chats: tally('Deleted: nothing has happened in them for so long'),
  ledgerEntries: tally("Refunds whose reason, a provider's words, was emptied; the figures stay"),
});
export type AppliedCounts = v.InferOutput<typeof AppliedCounts>;

/** What a walk in several calls carries along. */
export const Progress = v.object({
  ...AppliedCounts.entries,
  /** A cursor of an earlier version knows neither. */
  ledgerEntries: v.optional(v.number(), 0),
  /** How often the retention had been changed when it began; a cursor of an earlier version does not know. */
  changes: v.optional(v.number(), -1),
});
export type Progress = v.InferOutput<typeof Progress>;

/** One call's work on what is stored already. */
export interface Applying {
  readonly store: Store;
  readonly workspace: string;
  /** Absent: for ever. */
  readonly retentionDays?: number;
  /** Milliseconds. */
  readonly now: number;
  readonly counts: { -readonly [Kind in keyof AppliedCounts]: number };
}
