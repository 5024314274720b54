import * as v from 'valibot';
import { Instant, known, optional, strictObject, text, Whole } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { type LedgerEntry, readLedgerEntry } from '#lib/sender/items.ts';
import { LEDGER_PREFIX, workspacePartition } from '#lib/store/keys.ts';
import { type ListPage, type PageRequest, pageOf } from '#lib/store/page.ts';
import { beginningWith, newestPage } from '#lib/store/query.ts';
import type { Store } from '#lib/store/store.ts';

const amountFrom = (least: number) => v.pipe(Whole, v.minValue(least), v.maxValue(1_000_000_000));

/** Prepaid: what is granted lasts. Monthly: so many anew each calendar month, in UTC. */
export const QuotaChoice = v.variant('kind', [
  strictObject({ kind: v.literal('prepaid') }),
  strictObject({ kind: v.literal('monthly'), credits: amountFrom(0) }),
]);

export const GrantedCredits = amountFrom(1);

/** Below zero: what was granted by mistake is taken back. */
export const CorrectedCredits = v.pipe(
  amountFrom(-1_000_000_000),
  v.check((credits) => credits !== 0, 'must not be 0'),
  v.description('Below 0: takes back what was granted, as far as it is neither spent nor reserved'),
);

export const ShownCredits = v.object({
  epoch: text('`lifetime`, or the month that these numbers are about'),
  granted: Whole,
  available: Whole,
  reserved: v.pipe(Whole, v.description('For messages whose fate is open')),
  spent: v.pipe(Whole, v.description('As counted along the way, one by one')),
  complete: optional(
    v.literal(false),
    '`spent` is what is left over: some were spent before they were counted, until `/api/credits/audit` has come to its end',
  ),
  quota: QuotaChoice,
  audit: optional(
    v.object({ ok: v.boolean(), differences: v.array(v.string()), asOf: Instant }),
    'What the last audit found that was complete; left out where none was yet',
  ),
});

export const ShownLedgerEntry = v.object({
  at: Instant,
  kind: v.picklist(['grant', 'reserve', 'refund']),
  credits: Whole,
  epoch: v.string(),
  send: optional(v.string()),
  reason: optional(v.string()),
});
type ShownLedgerEntry = v.InferOutput<typeof ShownLedgerEntry>;

export const ShownAudit = v.object({
  ok: v.boolean(),
  differences: v.pipe(v.array(v.string()), v.description('In words, with the numbers that should be equal')),
  complete: v.pipe(
    v.boolean(),
    v.description(
      '`false`: there is more to count, and the next call goes on; the rest is about what was counted so far',
    ),
  ),
  asOf: v.pipe(Instant, v.description('When the first of these calls began; what has moved since may not be counted')),
});

/** Every change of the credits, newest first. */
export async function listLedger(
  store: Store,
  workspace: string,
  page: PageRequest,
): Promise<ListPage<ShownLedgerEntry>> {
  const { entries, position } = await newestPage(
    store,
    beginningWith(workspacePartition(workspace), LEDGER_PREFIX),
    page,
  );
  return pageOf('ledger', entries.map(readLedgerEntry).map(shown), position);
}

const shown = ({ at, entry, credits, epoch, send, reason }: LedgerEntry): ShownLedgerEntry => ({
  at: toIso(at),
  kind: entry,
  credits,
  epoch,
  ...known({ send, reason }),
});
