import * as v from 'valibot';
import { sha256 } from '#lib/domain/ids.ts';
import { Instant, known, optional, strictObject, text, Whole } from '#lib/domain/schema.ts';
import { type Epoch, epochAt, type QuotaKind } from '#lib/domain/send/part.ts';
import { toIso } from '#lib/domain/time.ts';
import type { SendingConfig } from '#lib/sender/config.ts';
import { type LedgerEntry, type Quota, readLedgerEntry, readQuota, readQuotaKind } from '#lib/sender/items.ts';
import { itemReader } from '#lib/store/items.ts';
import {
  accountKey,
  entryId,
  idempotencyKey,
  LEDGER_PREFIX,
  ledgerKey,
  QUOTA_PREFIX,
  quotaKey,
  quotaKindKey,
  reservedListKey,
  workspacePartition,
} from '#lib/store/keys.ts';
import {
  beginningWith,
  getAll,
  type ListPage,
  newestPage,
  type PageRequest,
  pageOf,
  queryAll,
} from '#lib/store/query.ts';
import { AGAIN, retryOnConflict, type StorePorts, withRetries } from '#lib/store/retry.ts';
import {
  absent,
  absentOrExpired,
  add,
  all,
  type Change,
  compare,
  equal,
  exists,
  type Item,
  newTransaction,
  type Put,
  put,
  type Store,
  set,
  type Update,
  unchanged,
  update,
} from '#lib/store/store.ts';
import { MAIN, wholeDirectory } from '#lib/tenants/workspaces.ts';

const PAGE = 1000;

/**
 * Spent credits are counted by period on the account's item, which an outcome writes anyway: a counter on the quota's
 * item would be written by every message of the workspace. Both only grow: `unspent` are those of the spent ones that
 * were given back. An account that is deleted leaves its counts to the quota's item. A part says whether it is counted,
 * since older ones are not before an audit has met them.
 */
export interface Spending {
  readonly spent: number;
  readonly unspent: number;
}

export const NOTHING: Spending = { spent: 0, unspent: 0 };

export const net = ({ spent, unspent }: Spending = NOTHING): number => spent - unspent;

/** `countings` moves with every change, so that a deletion can tell whether it has seen them all. */
export function onAccount(epoch: Epoch, spending: Spending): Change[] {
  const changes = adding(`_${epoch}`, spending);
  return changes.length === 0 ? [] : [...changes, add('countings', 1)];
}

export const onQuota = (spending: Spending): Change[] => adding('', spending);

const adding = (suffix: string, spending: Spending): Change[] =>
  (['spent', 'unspent'] as const).flatMap((name) => (spending[name] === 0 ? [] : [add(name + suffix, spending[name])]));

/** Of a write that was refused: the item is not there. */
export const meetsNothing = (refusal: { readonly item?: Item } | undefined): boolean =>
  refusal !== undefined && refusal.item === undefined;

/** What an account's item has counted, by period. */
function spendingOf(account: Item): ReadonlyMap<Epoch, Spending> {
  const counted = new Map<Epoch, Spending>();
  for (const [name, value] of Object.entries(account)) {
    const [, kind, epoch] = /^(spent|unspent)_(.+)$/.exec(name) ?? [];
    if (kind === undefined || epoch === undefined) continue;
    counted.set(epoch, { ...(counted.get(epoch) ?? NOTHING), [kind]: Number(value) });
  }
  return counted;
}

/** Takes over what a deleted account has counted. */
export const takeOver = (workspace: string, account: Item): Update[] =>
  [...spendingOf(account)].map(([epoch, spending]) => update(quotaKey(workspace, epoch), onQuota(spending), exists()));

/**
 * All that a workspace has counted. Each account by itself, so that under way the sum may be off by what just moves; and
 * by all that an account has counted which is deleted at this moment.
 */
export async function countedIn(store: Store, workspace: string) {
  const { pk } = quotaKindKey(workspace);
  const [items, entries] = await Promise.all([
    queryAll(store, { pk, prefix: QUOTA_PREFIX, limit: PAGE, consistent: true }),
    wholeDirectory(store, workspace, 'ACCOUNT'),
  ]);
  const keys = entries.map((entry) => accountKey(entryId(entry)));
  const accounts = await getAll(store, keys, { consistent: true });
  const quotas = items.map(readQuota);
  return { quotas, spending: sumsOf(quotas, accounts) };
}

function sumsOf(quotas: readonly Quota[], accounts: readonly Item[]): ReadonlyMap<Epoch, Spending> {
  const sums = new Map<Epoch, Spending>();
  const count = (epoch: Epoch, { spent = 0, unspent = 0 }: Partial<Spending>) => {
    const sum = sums.get(epoch) ?? NOTHING;
    sums.set(epoch, { spent: sum.spent + spent, unspent: sum.unspent + unspent });
  };
  for (const quota of quotas) count(quota.epoch, known({ spent: quota.spent, unspent: quota.unspent }));
  for (const [epoch, spending] of accounts.flatMap((account) => [...spendingOf(account)])) count(epoch, spending);
  return sums;
}

/** A workspace without a word on its quota is prepaid. */
export async function quotaKind(store: Store, workspace: string): Promise<QuotaKind> {
  return quotaKindIn(await store.get(quotaKindKey(workspace), { consistent: true }));
}

function quotaKindIn(item: Item | undefined): QuotaKind {
  if (!item) return { kind: 'prepaid' };
  const { quota, ...rest } = readQuotaKind(item);
  return quota === 'prepaid' ? { kind: 'prepaid' } : { kind: 'monthly', credits: 'credits' in rest ? rest.credits : 0 };
}

export const currentEpoch = (quota: QuotaKind, now: number): Epoch => epochAt(quota, toIso(now));

/** What an epoch holds before anybody grants anything: the month's credits, or what the first workspace starts with. */
export function openingCredits(workspace: string, quota: QuotaKind, { startCredits }: SendingConfig): number {
  if (quota.kind === 'monthly') return quota.credits;
  return workspace === MAIN ? startCredits : 0;
}

/** Opens an epoch with its first credits: whoever needs it first does, and that another was first is as good. */
export async function openEpoch(
  { store, random }: Pick<StorePorts, 'store' | 'random'>,
  workspace: string,
  epoch: Epoch,
  credits: number,
  now: number,
): Promise<void> {
  await store.transact(opening(workspace, epoch, credits, now), newTransaction(random));
}

/** Refused where the epoch is open. No credits are no entry in the ledger, and an opening all the same. */
function opening(workspace: string, epoch: Epoch, credits: number, now: number): Put[] {
  const opened = { granted: credits, available: credits, opening: credits };
  return [
    put({ ...quotaKey(workspace, epoch), ...opened, kind: 'quota', workspace, epoch }, absent()),
    ...(credits === 0 ? [] : [ledgerGrant(workspace, epoch, credits, `${epoch} begins`, `${epoch}#grant`, now)]),
  ];
}

/** Credits more, or fewer, for an epoch that is open, with their entry in the ledger. What is spent or reserved stays. */
function grantWrites(
  workspace: string,
  epoch: Epoch,
  credits: number,
  reason: string,
  id: string,
  now: number,
): [Update, Put] {
  return [
    update(
      quotaKey(workspace, epoch),
      [add('granted', credits), add('available', credits)],
      credits < 0 ? all(exists(), compare('available', '>=', -credits)) : exists(),
    ),
    ledgerGrant(workspace, epoch, credits, reason, `${id}#grant`, now),
  ];
}

function ledgerGrant(workspace: string, epoch: Epoch, credits: number, reason: string, id: string, now: number): Put {
  return put(
    { ...ledgerKey(workspace, now, id), kind: 'ledger', entry: 'grant', at: now, credits, epoch, reason },
    absent(),
  );
}

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
  quota: QuotaChoice,
  audit: optional(
    v.object({ ok: v.boolean(), differences: v.array(v.string()), asOf: Instant }),
    'What the last audit found that was complete; left out where none was yet',
  ),
});

export const LEDGER_KINDS = ['grant', 'reserve', 'refund'] as const;

export const ShownLedgerEntry = v.object({
  at: Instant,
  kind: v.picklist(LEDGER_KINDS),
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

type Credits = Omit<v.InferOutput<typeof ShownCredits>, 'audit'>;

/**
 * The current epoch's numbers, each from its own source: what moves just now may show in one and not yet in another.
 * `reserved` is counted in an index and may lag behind by a moment.
 */
export async function showCredits(given: StorePorts, workspace: string, config: SendingConfig): Promise<Credits> {
  const { store, clock } = withRetries(given, config);
  const now = clock.now();
  // One of the two is the current one; which, is asked at the same time.
  const [quota, { quotas, spending }, lifetime, month] = await Promise.all([
    quotaKind(store, workspace),
    countedIn(store, workspace),
    countReserved(store, workspace, currentEpoch({ kind: 'prepaid' }, now)),
    countReserved(store, workspace, currentEpoch({ kind: 'monthly', credits: 0 }, now)),
  ]);
  const epoch = currentEpoch(quota, now);
  const reserved = quota.kind === 'prepaid' ? lifetime : month;
  const opening = openingCredits(workspace, quota, config);
  // An epoch that nobody has sent in yet has all that it begins with.
  const open = quotas.find((one) => one.epoch === epoch) ?? { granted: opening, available: opening };
  const { granted, available } = open;
  return { epoch, granted, available, reserved, spent: net(spending.get(epoch)), quota };
}

/** What may be spent now, and out of how much, in one look. */
export async function creditsNow(store: Store, workspace: string, config: SendingConfig, now: number) {
  const kindKey = quotaKindKey(workspace);
  const epochs = [currentEpoch({ kind: 'prepaid' }, now), currentEpoch({ kind: 'monthly', credits: 0 }, now)];
  const items = await store.getMany([kindKey, ...epochs.map((epoch) => quotaKey(workspace, epoch))]);
  const kind = quotaKindIn(items.find(({ sk }) => sk === kindKey.sk));
  const open = items.find(({ sk }) => sk === quotaKey(workspace, currentEpoch(kind, now)).sk);
  const opening = openingCredits(workspace, kind, config);
  const { available, granted } = open ? readQuota(open) : { available: opening, granted: opening };
  return { available, granted };
}

/** As an index has it, which may lag behind. */
export async function countReserved(store: Store, workspace: string, epoch: Epoch): Promise<number> {
  const items = await queryAll(store, { index: 'gsi2', pk: reservedListKey(workspace, epoch), limit: PAGE });
  return items.reduce((sum, item) => sum + Number.parseInt(String(item.gsi2sk), 10), 0);
}

interface Grant {
  /** Below zero: a correction, which takes back what was granted and is neither spent nor reserved. */
  readonly credits: number;
  readonly reason: string;
  /** The same key with the same grant within a day is the same grant. */
  readonly key?: string | undefined;
}

type Granted =
  | { readonly kind: 'granted' | 'replayed' }
  /** The key was used with another grant. */
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'too much'; readonly available: number };

const KEEPS_KEY_S = 86_400;
/** In the place of a webhook's id, among the marks of keys. */
const OF_GRANTS = 'grants';
const Mark = v.object({ requestHash: v.string() });
const readMark = itemReader(Mark);

export async function grant(
  given: StorePorts,
  workspace: string,
  { credits, reason, key }: Grant,
  config: SendingConfig,
): Promise<Granted> {
  const { store, clock, random } = withRetries(given, config);
  const quota = await quotaKind(store, workspace);
  const now = clock.now();
  const epoch = currentEpoch(quota, now);
  // Otherwise this grant would make the epoch's item, and nobody could tell what the epoch has had of its own.
  await openEpoch({ store, random }, workspace, epoch, openingCredits(workspace, quota, config), now);
  const id = newTransaction(random);
  const requestHash = sha256(JSON.stringify([credits, reason]));
  const seconds = Math.floor(now / 1000);
  const mark = { kind: 'idempotency', requestHash, expiresAt: seconds + KEEPS_KEY_S };
  const marks =
    key === undefined ? [] : [put({ ...idempotencyKey(workspace, OF_GRANTS, key), ...mark }, absentOrExpired(seconds))];
  const transacted = await store.transact([...grantWrites(workspace, epoch, credits, reason, id, now), ...marks], id);
  if (transacted.done) return { kind: 'granted' };
  const [refused, , marked] = transacted.refused;
  if (marked?.item) return { kind: readMark(marked.item).requestHash === requestHash ? 'replayed' : 'mismatch' };
  if (credits < 0 && refused?.item) return { kind: 'too much', available: readQuota(refused.item).available };
  // The epoch is open, and the ledger's entry has a random name.
  throw new Error(`a grant to ${workspace} was refused`);
}

/**
 * Switches between prepaid and monthly, or changes the month's credits. More of them count from this month on; fewer
 * from the next, since this month's may be charged already.
 */
export async function setQuota(
  given: StorePorts,
  workspace: string,
  quota: QuotaKind,
  config: SendingConfig,
): Promise<void> {
  const { store, clock, random } = withRetries(given, config);
  const { kind, ...rest } = quota;
  const chosen = put({ ...quotaKindKey(workspace), kind: 'quotaKind', quota: kind, ...rest });
  return retryOnConflict(`the quota of ${workspace}`, async () => {
    const id = newTransaction(random);
    // In one transaction: a quota that is chosen and not granted would stay so until next month.
    const granted = quota.kind === 'monthly' ? await monthsCredits(store, workspace, quota, id, clock.now()) : [];
    if ((await store.transact([chosen, ...granted], id)).done) return;
    return AGAIN;
  });
}

/** A month has had the most that its quota was in it: what was lowered and raised again is not granted twice. */
async function monthsCredits(
  store: Store,
  workspace: string,
  quota: Extract<QuotaKind, { kind: 'monthly' }>,
  id: string,
  now: number,
): Promise<readonly (Update | Put)[]> {
  const epoch = currentEpoch(quota, now);
  const item = await store.get(quotaKey(workspace, epoch), { consistent: true });
  if (!item) return opening(workspace, epoch, quota.credits, now);
  const open = readQuota(item);
  const { opening: had = open.granted } = open;
  if (quota.credits <= had) return [];
  const [more, entry] = grantWrites(workspace, epoch, quota.credits - had, 'the monthly quota was raised', id, now);
  const asRead = all(exists(), unchanged({ opening: open.opening }));
  return [update(more.key, [...more.changes, set('opening', quota.credits)], asRead), entry];
}

/** Every change of the credits, newest first. A page of one kind may be short and still have a next one. */
export async function listLedger(
  store: Store,
  workspace: string,
  page: PageRequest,
  kind?: ShownLedgerEntry['kind'],
): Promise<ListPage<ShownLedgerEntry>> {
  const range = beginningWith(workspacePartition(workspace), LEDGER_PREFIX);
  const filter = kind === undefined ? undefined : equal('entry', kind);
  const { entries, position } = await newestPage(store, range, page, filter);
  return pageOf('ledger', entries.map(readLedgerEntry).map(shown), position);
}

const shown = ({ at, entry, credits, epoch, send, reason }: LedgerEntry): ShownLedgerEntry => ({
  at: toIso(at),
  kind: entry,
  credits,
  epoch,
  ...known({ send, reason }),
});
