import * as v from 'valibot';
import { creditsIn, type Epoch, isPending, isUnsettled, reservedCredits } from '#lib/domain/send/part.ts';
import { toIso } from '#lib/domain/time.ts';
import { field } from '#lib/sender/change-parts.ts';
import {
  type LedgerEntry,
  type Quota,
  readAccount,
  readLedgerEntry,
  readPointer,
  readSend,
  type Send,
} from '#lib/sender/items.ts';
import { itemReader } from '#lib/store/items.ts';
import {
  accountKey,
  auditedKey,
  auditKey,
  directoryRange,
  entryId,
  LEDGER_PREFIX,
  POINTER_PREFIX,
  pointerKey,
  quotaKey,
  quotaKindKey,
  sendKey,
  sendListKey,
} from '#lib/store/keys.ts';
import { getAll, pagesOf, queryAll } from '#lib/store/query.ts';
import { retrying, type StorePorts } from '#lib/store/retry.ts';
import {
  absent,
  all,
  any,
  type Condition,
  compare,
  del,
  equal,
  exists,
  type Item,
  type Key,
  newTransaction,
  put,
  remove,
  type Store,
  StoreUnavailable,
  set,
  update,
} from '#lib/store/store.ts';
import { At, listed, type Stage, walk } from '#lib/store/walk.ts';
import { countReserved } from './credits.ts';
import { type Counted, countedIn, NOTHING, net, onQuota } from './spent.ts';

/** What differs tells one difference from another: the words have numbers that move all the time. */
interface Difference {
  readonly what: string;
  readonly words: string;
}

const optional = v.exactOptional;
const count = v.number();
const Base = v.object({ spent: count, unspent: count, counted: v.boolean() });
/** `grant` is the sum of all grants; `taken`: what those below zero took back of them. */
const Entered = v.object({ grant: count, reserve: count, refund: count, taken: v.optional(count, 0) });
type Entered = v.InferOutput<typeof Entered>;
const NOTHING_ENTERED: Entered = { grant: 0, reserve: 0, refund: 0, taken: 0 };

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
type AuditProgress = v.InferOutput<typeof AuditProgress>;

const begun = (startedAt: number): AuditProgress => ({
  ...{ step: 0, startedAt, pass: 1, isWalked: false },
  ...{ seen: {}, entered: {}, differences: {} },
});

interface Saved {
  /** Absent where nothing was kept, or by another version: then it is begun anew. */
  readonly progress?: AuditProgress;
  readonly asRead: Condition;
}

async function readProgress(store: Store, workspace: string): Promise<Saved> {
  const item = await store.get(auditKey(workspace), { consistent: true });
  if (!item) return { asRead: absent() };
  const asRead = typeof item.step === 'number' ? equal('step', item.step) : absent('step');
  const read = v.safeParse(AuditProgress, item);
  return read.success ? { progress: read.output, asRead } : { asRead };
}

const SUMS_PAGE = 1000;
const LOOKS = 50;
/** A difference that the next look does not show was an index that lagged behind. */
const ALIKE = 3;

/**
 * 1: `granted = available + reserved + spent`, each from its own source, and the ledger says the same; what is counted
 * as spent is what the sends say. Looks until nothing has moved during a look; in a workspace that is never quiet, what
 * differs in each look by more than can have moved around it. Undefined: time was up before.
 */
async function sumDifferences(
  { store }: StorePorts,
  workspace: string,
  progress: AuditProgress,
  isTimeUp: () => boolean,
): Promise<readonly Difference[] | undefined> {
  let alike = 0;
  let last = '';
  const looks: (readonly Figures[])[] = [];
  while (looks.length < LOOKS && (looks.length === 0 || !isTimeUp())) {
    const before = await countedIn(store, workspace);
    const figures = await figuresOf(store, workspace, before, progress);
    const after = await countedIn(store, workspace);
    looks.push(figures);
    if (nameOf(before) !== nameOf(after)) continue;
    const differences = figures.flatMap(differencesOf);
    const name = JSON.stringify(differences);
    alike = name === last ? alike + 1 : 1;
    last = name;
    if (differences.length > 0 && alike < ALIKE) continue;
    await nowCounted(store, workspace, after.quotas);
    return differences;
  }
  return looks.length < FEWEST_LOOKS ? undefined : unmovedDifferences(looks);
}

/** One in the middle, and one to each side that says how much moved around it. */
const FEWEST_LOOKS = 3;
/** What is read at one moment is compared with what was read at another: all that moved counts for both of them. */
const BOTH_SIDES = 2;

/**
 * A sum that is off by `by` in a look around which `moved` credits moved is off by something within `by ± 2 moved`. What
 * is truly off is so in each of these ranges; a range with 0 in it, or two that do not meet, may all be movement.
 */
function unmovedDifferences(looks: readonly (readonly Figures[])[]): readonly Difference[] {
  const ranges = new Map<string, readonly [least: number, most: number]>();
  for (const [i, look] of looks.entries()) {
    const [earlier, later] = [looks[i - 1], looks[i + 1]];
    if (!earlier || !later) continue;
    for (const figures of look) {
      const { epoch } = figures.quota;
      const moved = BOTH_SIDES * (movesOf(later, epoch) - movesOf(earlier, epoch));
      for (const { what, by, isExact } of checksOf(figures)) {
        const [least, most] = ranges.get(what) ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
        const room = isExact ? 0 : moved;
        ranges.set(what, [Math.max(least, by - room), Math.min(most, by + room)]);
      }
    }
  }
  const isOff = ({ what }: Difference) => {
    const [least, most] = ranges.get(what) ?? [0, 0];
    return least <= most && (least > 0 || most < 0);
  };
  return (looks.at(-2) ?? [])
    .flatMap(checksOf)
    .filter(isOff)
    .map(({ what, words }) => ({ what, words }));
}

/** How many credits have moved so far; it only grows. */
const movesOf = (look: readonly Figures[], wanted: Epoch): number =>
  look.find(({ quota: { epoch } }) => epoch === wanted)?.moves ?? 0;

const nameOf = ({ quotas, spending }: Counted): string => JSON.stringify([quotas, ...spending]);

interface Figures {
  readonly quota: Quota;
  readonly reserved: number;
  readonly spent: number;
  readonly entered: Entered;
  /** All that was entered, spent and given back of it: it tells how much has moved between two looks. */
  readonly moves: number;
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
    const entered = all[epoch] ?? NOTHING_ENTERED;
    const { grant, reserve, refund, taken } = entered;
    return {
      quota,
      reserved: await countReserved(store, workspace, epoch),
      spent: net(now),
      entered,
      // What was taken back moved twice: once each way.
      moves: grant + 2 * taken + reserve + refund + now.spent + now.unspent,
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

interface Compared extends Difference {
  /** 0 where the two are equal. */
  readonly by: number;
  /** However much moves, it is 0 in what is right. */
  readonly isExact: boolean;
}

const differencesOf = (figures: Figures): Difference[] =>
  checksOf(figures).flatMap(({ what, by, words }) => (by === 0 ? [] : [{ what, words }]));

function checksOf({ quota, reserved, spent, entered, seen, seenAtLeast, seenAtMost }: Figures): readonly Compared[] {
  const { epoch, granted, available } = quota;
  const left = entered.grant - entered.reserve + entered.refund;
  const check = (what: string, by: number, words: string, isExact = false) => {
    return { what: `${epoch} ${what}`, by, words: `${epoch}: ${words}`, isExact };
  };
  return [
    check('below zero', Math.min(0, available), `${available} credits available`, true),
    check(
      'sum',
      available + reserved + spent - granted,
      `granted ${granted}, but available ${available} + reserved ${reserved} + spent ${spent}`,
    ),
    check('grants', entered.grant - granted, `granted ${granted}, but ${entered.grant} by the ledger`),
    check('ledger', left - available, `available ${available}, but ${left} by the ledger`),
    check(
      'spent',
      Math.min(0, seen - seenAtLeast) + Math.max(0, seen - seenAtMost),
      `${spent} counted as spent, but ${seen} by the sends`,
      true,
    ),
  ];
}

/** Every send was met by now, and what comes after is counted where it is spent. */
async function nowCounted(store: Store, workspace: string, quotas: readonly Quota[]): Promise<void> {
  for (const { epoch, counted } of quotas) {
    if (!counted) await store.write(update(quotaKey(workspace, epoch), [set('counted', true)], exists()));
  }
}

type Note = (difference: Difference) => void;

const TRIES = 5;
const PAGE = 1000;
/** No transaction stays on its way for so long: what the ledger says up to then is what it will always say. */
const SETTLES_MS = 600_000;

/** What an audit walks through. Sums go into `progress`; what can be told at once is noted. */
async function auditStages(
  ports: StorePorts,
  workspace: string,
  progress: AuditProgress,
  note: Note,
): Promise<readonly Stage[]> {
  progress.base ??= await baseOf(ports.store, workspace);
  const { pk } = quotaKindKey(workspace);
  return [
    sendStage(ports, workspace, progress, note),
    {
      name: '2-queues',
      partitions: async () => [
        { name: 'accounts', query: { ...directoryRange(workspace, 'ACCOUNT'), consistent: true } },
      ],
      visit: async ({ sk }) => {
        await auditQueue(ports.store, entryId({ sk }), note);
      },
    },
    {
      name: '3-ledger',
      partitions: async () => {
        progress.ledgerEnd ??= `${LEDGER_PREFIX}${toIso(ports.clock.now() - SETTLES_MS)}`;
        const query = { pk, from: LEDGER_PREFIX, before: progress.ledgerEnd, consistent: true };
        return [{ name: 'entries', query }];
      },
      visit: async (item) => {
        enter(progress.entered, readLedgerEntry(item));
      },
    },
  ];
}

async function baseOf(store: Store, workspace: string): Promise<NonNullable<AuditProgress['base']>> {
  const { quotas, spending } = await countedIn(store, workspace);
  return Object.fromEntries(
    quotas.map(({ epoch, counted = false }) => [epoch, { ...(spending.get(epoch) ?? NOTHING), counted }]),
  );
}

function enter(entered: Record<string, Entered>, { epoch, entry, credits }: LedgerEntry): void {
  const sums = entered[epoch] ?? NOTHING_ENTERED;
  const taken = sums.taken + Math.max(0, -credits);
  entered[epoch] = { ...sums, taken, [entry]: sums[entry] + credits };
}

function sendStage(ports: StorePorts, workspace: string, progress: AuditProgress, note: Note): Stage {
  const { store } = ports;
  const { partitions, load } = listed(store, (shard) => sendListKey(workspace, shard));
  let places = new Set<string>();
  return {
    name: '1-sends',
    partitions,
    load: async (entries) => {
      const items = await countSpent(ports, workspace, (await load?.(entries)) ?? [], progress, note);
      places = await placesOf(store, items.map(readSend));
      return items;
    },
    visit: async (item) => {
      const send = readSend(item);
      noteCredits(item, send, note);
      const spent = creditsIn(send.parts.filter((part) => part.creditState === 'spent'));
      if (spent > 0) progress.seen[send.epoch] = (progress.seen[send.epoch] ?? 0) + spent;
      for (const key of pendingPlaces(send))
        if (!places.has(key.pk + key.sk)) await noteLostPlace(store, send, key, note);
    },
  };
}

/** 2: a credit is reserved exactly as long as its part is unsettled, and listed so. */
function noteCredits({ gsi2sk }: Item, { messageId, parts }: Send, note: Note): void {
  for (const [i, { state, creditState }] of parts.entries()) {
    if (isUnsettled(state) === (creditState === 'reserved')) continue;
    note({ what: `${messageId} ${i}`, words: `${messageId} part ${i}: ${state}, but ${creditState}` });
  }
  const reserved = reservedCredits(parts);
  const listed = gsi2sk === undefined ? 0 : Number.parseInt(String(gsi2sk), 10);
  if (listed === reserved) return;
  note({ what: `${messageId} listed`, words: `${messageId}: ${reserved} credits reserved, but listed with ${listed}` });
}

const pendingPlaces = ({ accountId, seq, parts }: Send): Key[] =>
  parts.flatMap(({ state }, part) => (isPending(state) ? [pointerKey(accountId, seq, part)] : []));

async function placesOf(store: Store, sends: readonly Send[]): Promise<Set<string>> {
  const places = await getAll(store, sends.flatMap(pendingPlaces), { consistent: true });
  return new Set(places.map(({ pk, sk }) => pk + sk));
}

/** 3: what waits has its place. A part that has left its queue never comes back to it: a second look is certain. */
async function noteLostPlace(store: Store, { messageId }: Send, place: Key, note: Note): Promise<void> {
  if (await store.get(place, { consistent: true })) return;
  const item = await store.get(sendKey(messageId), { consistent: true });
  if (!item || !pendingPlaces(readSend(item)).some(({ sk }) => sk === place.sk)) return;
  note({ what: `${messageId} ${place.sk}`, words: `${messageId} waits, but has no place in its queue` });
}

/** 3: `pending` is the number of places, and each is that of a part that waits. */
async function auditQueue(store: Store, account: string, note: Note): Promise<void> {
  const { pk } = accountKey(account);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const before = await store.get(accountKey(account), { consistent: true });
    const places = await queryAll(store, { pk, prefix: POINTER_PREFIX, limit: PAGE, consistent: true });
    const after = await store.get(accountKey(account), { consistent: true });
    if (!before || !after) return;
    // Whatever moves in a queue moves one of these.
    const [read, now] = [before, after].map(readAccount).map(({ gen, tailSeq, pending }) => [gen, tailSeq, pending]);
    if (String(read) !== String(now)) continue;
    const { pending } = readAccount(after);
    if (pending !== places.length) {
      note({
        what: `${account} places`,
        words: `${account}: pending ${pending}, but ${places.length} places in its queue`,
      });
    }
    await noteIdlePlaces(store, account, places, note);
    return;
  }
}

async function noteIdlePlaces(store: Store, account: string, places: readonly Item[], note: Note): Promise<void> {
  const messages = [...new Set(places.map((place) => readPointer(place).send))];
  const sends = await getAll(store, messages.map(sendKey), { consistent: true });
  const waiting = new Set(
    sends
      .map(readSend)
      .flatMap(pendingPlaces)
      .map(({ sk }) => sk),
  );
  for (const { pk, sk, send } of places) {
    if (waiting.has(sk) || !(await store.get({ pk, sk }, { consistent: true }))) continue;
    note({ what: `${account} ${sk}`, words: `${account}: ${send} has a place in the queue, but does not wait` });
  }
}

/**
 * What was spent before spent credits were counted, or was spent or given back by an older version that ran beside this
 * one, is counted here: on the quota, in one transaction with the marks of the parts. Answers the items as they are then.
 */
async function countSpent(
  { store, random }: StorePorts,
  workspace: string,
  given: readonly Item[],
  { base = {} }: AuditProgress,
  note: Note,
): Promise<readonly Item[]> {
  let items = given;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const missed = items.map(readSend).filter((send) => missedOf(send).length > 0);
    if (missed.length === 0) return items;
    for (const [epoch, sends] of Map.groupBy(missed, (send) => send.epoch)) {
      // A transaction has 100 writes, and a page 100 sends.
      for (const some of [sends.slice(0, 50), sends.slice(50)].filter(({ length }) => length > 0)) {
        const parts = some.flatMap(missedOf);
        const spent = creditsIn(parts.filter(({ isSpent }) => isSpent));
        const counts = onQuota({ spent, unspent: creditsIn(parts) - spent });
        const quota = update(quotaKey(workspace, epoch), counts, exists());
        const { done } = await store.transact([quota, ...some.map(marked)], newTransaction(random));
        if (!done || !base[epoch]?.counted) continue;
        for (const { messageId } of some) {
          const words = `${messageId} was spent or given back and not counted; now it is`;
          note({ what: `${messageId} counted`, words });
        }
      }
    }
    items = await getAll(store, items, { consistent: true });
  }
  throw new StoreUnavailable('conflict');
}

const missedOf = ({ parts }: Send): { readonly index: number; readonly isSpent: boolean; readonly credits: number }[] =>
  parts.flatMap(({ creditState, credits = 1, counted = false }, index) => {
    const isSpent = creditState === 'spent';
    return creditState === 'reserved' || isSpent === counted ? [] : [{ index, isSpent, credits }];
  });

function marked(send: Send) {
  const parts = missedOf(send);
  return update(
    sendKey(send.messageId),
    parts.map(({ index, isSpent }) => (isSpent ? set(field(index, 'counted'), true) : remove(field(index, 'counted')))),
    all(
      exists(),
      ...parts.flatMap(({ index, isSpent }) => [
        equal(field(index, 'creditState'), isSpent ? 'spent' : 'refunded'),
        isSpent ? absent(field(index, 'counted')) : equal(field(index, 'counted'), true),
      ]),
    ),
  );
}

const Audited = v.object({
  ok: v.boolean(),
  /** In words, each with the numbers that should be equal. */
  differences: v.array(v.string()),
  /** When this audit was begun. */
  asOf: v.number(),
});
const readAudited = itemReader(Audited);

interface Audit extends v.InferOutput<typeof Audited> {
  /** False: what was counted so far is kept, and the next call goes on from there. */
  readonly complete: boolean;
}

/** What the last audit that came to its end has found; undefined where there was none. */
export async function lastAudit(store: Store, workspace: string) {
  const item = await store.get(auditedKey(workspace), { consistent: true });
  return item && readAudited(item);
}

/** API Gateway waits 30 s for an answer; one slow item may come on top of this. */
const LONGEST_MS = 20_000;
const TIMEOUT_MS = 5_000;
/** An index may show a send late, and a clock may have been wrong: a sum that differs counts if it does so each time. */
const PASSES = 3;
/** Sums are known no better than by how much they moved meanwhile: what was left for so long would say little. */
const STALE_MS = 24 * 3_600_000;
/** An answer is for people to read. */
const MOST_DIFFERENCES = 100;

/**
 * Counts everything again from the sends themselves, and compares it with what was kept along the way; as far as the
 * time of one call reaches, and on from there with the next. The hub goes on meanwhile. So what lies in one item, or in
 * two that only change together, is compared at once; sums are known no better than by how much they moved while they
 * were counted, and what lies within that is no difference.
 */
export async function audit(given: StorePorts, workspace: string, budgetMs = LONGEST_MS): Promise<Audit> {
  const { clock, random } = given;
  const deadline = clock.monotonic() + budgetMs;
  const isTimeUp = () => clock.monotonic() >= deadline;
  const ports = { clock, random, store: retrying(given.store, clock, random, deadline + TIMEOUT_MS) };
  const saved = await readProgress(ports.store, workspace);
  const isFresh = (saved.progress?.startedAt ?? 0) > clock.now() - STALE_MS;
  let progress = isFresh && saved.progress ? saved.progress : begun(clock.now());
  let complete = false;
  do {
    const walked = await onePass(ports, workspace, progress, isTimeUp);
    progress = walked.progress;
    complete = walked.complete;
    if (walked.isStopped) break;
  } while (!complete && !isTimeUp());
  // Somebody else may have asked at the same time and be further on: then this call has only its own answer.
  if (!complete) await ports.store.write(put({ ...auditKey(workspace), ...kept(progress) }, saved.asRead));
  else if (saved.progress) await ports.store.write(del(auditKey(workspace), saved.asRead));
  const differences = Object.values(progress.differences);
  const found = { ok: differences.length === 0, differences, asOf: progress.startedAt };
  if (complete) {
    const isNewer = any(absent(), compare('asOf', '<=', found.asOf));
    await ports.store.write(put({ ...auditedKey(workspace), ...found }, isNewer));
  }
  return { ...found, complete };
}

interface Walked {
  readonly progress: AuditProgress;
  readonly complete: boolean;
  readonly isStopped: boolean;
}

async function onePass(
  ports: StorePorts,
  workspace: string,
  progress: AuditProgress,
  isTimeUp: () => boolean,
): Promise<Walked> {
  const pass = { ...progress, differences: { ...progress.differences } };
  const note = ({ what, words }: Difference) => {
    if (Object.keys(pass.differences).length < MOST_DIFFERENCES) pass.differences[what] ??= words;
  };
  if (!pass.isWalked) {
    const at = await walk(ports.store, await auditStages(ports, workspace, pass, note), pass.at, isTimeUp);
    if (at) return { progress: { ...pass, at }, complete: false, isStopped: true };
    pass.isWalked = true;
  }
  const sums = await sumDifferences(ports, workspace, pass, isTimeUp);
  if (!sums) return { progress: pass, complete: false, isStopped: true };
  const lasting = sums.filter(({ what }) => pass.suspects?.includes(what) ?? true);
  if (lasting.length > 0 && pass.pass < PASSES) {
    const { startedAt, differences } = pass;
    const suspects = lasting.map(({ what }) => what);
    const next = { ...begun(startedAt), step: pass.step, pass: pass.pass + 1, differences, suspects };
    return { progress: next, complete: false, isStopped: false };
  }
  lasting.forEach(note);
  return { progress: pass, complete: true, isStopped: false };
}

const kept = (progress: AuditProgress) => ({ kind: 'audit', ...progress, step: progress.step + 1 });
