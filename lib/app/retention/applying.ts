import * as v from 'valibot';
import type { Store } from '../store.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const AppliedCounts = v.object({
  events: v.pipe(count, v.description('Given another end, or none')),
  attempts: v.pipe(count, v.description('Given an earlier end')),
  sends: v.pipe(count, v.description('Emptied of recipient, text, file and errors')),
  chats: v.pipe(count, v.description('Deleted: nothing has happened in them for so long')),
});
export type AppliedCounts = v.InferOutput<typeof AppliedCounts>;

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
