import type { Epoch } from '#lib/domain/sending/credits.ts';
import { pagesOf } from '../query-all.ts';
import { exists, type Store, set, update } from '../store.ts';
import type { AuditProgress, Difference, Entered } from './audit-progress.ts';
import { enter } from './audit-stages.ts';
import { countReserved } from './credits.ts';
import { type Quota, readLedgerEntry } from './items.ts';
import { LEDGER_PREFIX, quotaKey, quotaKindKey } from './keys.ts';
import { type Counted, countedIn, NOTHING, net } from './spent.ts';
import type { StorePorts } from './with-retries.ts';

const SUMS_PAGE = 1000;
const LOOKS = 50;
/** A difference that the next look does not show was an index that lagged behind. */
const ALIKE = 3;

/**
 * 1: `granted = available + reserved + spent`, each from its own source, and the ledger says the same; what is counted
 * as spent is what the sends say. Looks until nothing has moved during a look. Undefined: time was up before.
 */
export async function sumDifferences(
  { store }: StorePorts,
  workspace: string,
  progress: AuditProgress,
  isTimeUp: () => boolean,
): Promise<readonly Difference[] | undefined> {
  let alike = 0;
  let last = '';
  for (let looks = 0; looks < LOOKS && (looks === 0 || !isTimeUp()); looks += 1) {
    const before = await countedIn(store, workspace);
    const figures = await figuresOf(store, workspace, before, progress);
    const after = await countedIn(store, workspace);
    if (nameOf(before) !== nameOf(after)) continue;
    const differences = figures.flatMap(differencesOf);
    const name = JSON.stringify(differences);
    alike = name === last ? alike + 1 : 1;
    last = name;
    if (differences.length > 0 && alike < ALIKE) continue;
    await nowCounted(store, workspace, after.quotas);
    return differences;
  }
  return undefined;
}

const nameOf = ({ quotas, spending }: Counted): string => JSON.stringify([quotas, ...spending]);

interface Figures {
  readonly quota: Quota;
  readonly reserved: number;
  readonly spent: number;
  readonly entered: Entered;
  readonly seen: number;
  /** The sends may have been seen before or after what moved while they were looked at. */
  readonly seenAtLeast: number;
  readonly seenAtMost: number;
}

async function figuresOf(
  store: Store,
  workspace: string,
  { quotas, spending }: Counted,
  { base = {}, seen, entered, ledgerEnd = LEDGER_PREFIX }: AuditProgress,
): Promise<readonly Figures[]> {
  const all = await withTail(store, workspace, entered, ledgerEnd);
  const figures = quotas.map(async (quota) => {
    const { epoch } = quota;
    const now = spending.get(epoch) ?? NOTHING;
    const then = base[epoch] ?? NOTHING;
    return {
      quota,
      reserved: await countReserved(store, workspace, epoch),
      spent: net(now),
      entered: all[epoch] ?? { grant: 0, reserve: 0, refund: 0 },
      seen: seen[epoch] ?? 0,
      seenAtLeast: net(then) - (now.unspent - then.unspent),
      seenAtMost: net(then) + (now.spent - then.spent),
    };
  });
  return Promise.all(figures);
}

/** The ledger's last minutes are read anew each time: entries come in there between others. */
async function withTail(store: Store, workspace: string, entered: Readonly<Record<Epoch, Entered>>, from: string) {
  const sums = { ...entered };
  const query = {
    pk: quotaKindKey(workspace).pk,
    from,
    before: `${LEDGER_PREFIX}\uffff`,
    limit: SUMS_PAGE,
    consistent: true,
  };
  for await (const page of pagesOf(store, query)) for (const item of page) enter(sums, readLedgerEntry(item));
  return sums;
}

function differencesOf({ quota, reserved, spent, entered, seen, seenAtLeast, seenAtMost }: Figures): Difference[] {
  const { epoch, granted, available } = quota;
  const left = entered.grant - entered.reserve + entered.refund;
  const checks: readonly (readonly [what: string, isRight: boolean, words: string])[] = [
    ['below zero', available >= 0, `${available} credits available`],
    [
      'sum',
      granted === available + reserved + spent,
      `granted ${granted}, but available ${available} + reserved ${reserved} + spent ${spent}`,
    ],
    ['grants', granted === entered.grant, `granted ${granted}, but ${entered.grant} by the ledger`],
    ['ledger', available === left, `available ${available}, but ${left} by the ledger`],
    ['spent', seen >= seenAtLeast && seen <= seenAtMost, `${spent} counted as spent, but ${seen} by the sends`],
  ];
  return checks.flatMap(([what, isRight, words]) =>
    isRight ? [] : [{ what: `${epoch} ${what}`, words: `${epoch}: ${words}` }],
  );
}

/** Every send was met by now, and what comes after is counted where it is spent. */
async function nowCounted(store: Store, workspace: string, quotas: readonly Quota[]): Promise<void> {
  for (const { epoch, counted } of quotas) {
    if (!counted) await store.write(update(quotaKey(workspace, epoch), [set('counted', true)], exists()));
  }
}
