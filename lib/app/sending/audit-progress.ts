import * as v from 'valibot';
import { absent, type Condition, equal, type Store } from '../store.ts';
import { auditKey } from './keys.ts';

/** What differs tells one difference from another: the words have numbers that move all the time. */
export interface Difference {
  readonly what: string;
  readonly words: string;
}

const optional = v.exactOptional;
const count = v.number();
const At = v.object({ stage: v.string(), partition: v.string(), after: optional(v.string()) });
const Base = v.object({ spent: count, unspent: count, counted: v.boolean() });
const Entered = v.object({ grant: count, reserve: count, refund: count });
export type Entered = v.InferOutput<typeof Entered>;

/** How far an audit has come, with its sums by period: what it has counted need not be counted again. */
const AuditProgress = v.object({
  /** Counts the calls, so that of two at once only one goes on. */
  step: count,
  startedAt: v.number(),
  pass: count,
  at: optional(At),
  isWalked: v.boolean(),
  /** What was counted as spent before the first send was looked at. */
  base: optional(v.record(v.string(), Base)),
  /** Spent parts by the sends themselves. */
  seen: v.record(v.string(), count),
  /** Of the ledger up to `ledgerEnd`. */
  entered: v.record(v.string(), Entered),
  /** A sort key: entries after it may still come in between others. */
  ledgerEnd: optional(v.string()),
  differences: v.record(v.string(), v.string()),
  /** Sums that differed in each pass before. */
  suspects: optional(v.array(v.string())),
});
export type AuditProgress = v.InferOutput<typeof AuditProgress>;

export const begun = (startedAt: number): AuditProgress => ({
  ...{ step: 0, startedAt, pass: 1, isWalked: false },
  ...{ seen: {}, entered: {}, differences: {} },
});

export interface Saved {
  /** Absent where nothing was kept, or by another version: then it is begun anew. */
  readonly progress?: AuditProgress;
  readonly asRead: Condition;
}

export async function readProgress(store: Store, workspace: string): Promise<Saved> {
  const item = await store.get(auditKey(workspace), { consistent: true });
  if (!item) return { asRead: absent() };
  const asRead = typeof item.step === 'number' ? equal('step', item.step) : absent('step');
  const read = v.safeParse(AuditProgress, item);
  return read.success ? { progress: read.output, asRead } : { asRead };
}
