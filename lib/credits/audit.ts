import * as v from 'valibot';
import { creditsIn, isPending, isUnsettled, reservedCredits } from '#lib/domain/send/part.ts';
import { toIso } from '#lib/domain/time.ts';
import {
  field,
  type LedgerEntry,
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
} from '#lib/store/keys.ts';
import { beginningWith, getAll, pagesOf, queryAll } from '#lib/store/query.ts';
import { AGAIN, retrying, retryOnConflict, type StorePorts } from '#lib/store/retry.ts';
import {
  absent,
  add,
  all,
  any,
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
  set,
  unchanged,
  update,
} from '#lib/store/store.ts';
import { At, type Stage, walk } from '#lib/store/walk.ts';
import { countedIn, countReserved, NOTHING, net, type Spending } from './credits.ts';

/** `what` tells one difference from another: the words have numbers that move all the time. */
interface Difference {
  readonly what: string;
  readonly words: string;
}
type Note = (difference: Difference) => void;

const count = v.number();
/** Sums of the ledger. `moved` grows with every entry, whatever its sign: it tells how much has moved between two looks. */
const Entered = v.object({ grant: count, reserve: count, refund: count, moved: count });
type Entered = v.InferOutput<typeof Entered>;
const NOTHING_ENTERED: Entered = { grant: 0, reserve: 0, refund: 0, moved: 0 };

/** How far an audit has come, with its sums by period: what it has counted need not be counted again. */
const AuditProgress = v.object({
  /** Counts the calls, so that of two at once only one goes on. */
  step: count,
  startedAt: count,
  /** A sort key: entries after it may still come in between others. */
  ledgerEnd: v.string(),
  at: v.exactOptional(At),
  /** How many credits had been counted as spent or given back before the first send was looked at. */
  base: v.record(v.string(), count),
  /** Spent credits by the sends themselves. */
  seen: v.record(v.string(), count),
  /** Of the ledger up to `ledgerEnd`. */
  entered: v.record(v.string(), Entered),
  differences: v.record(v.string(), v.string()),
});
type AuditProgress = v.InferOutput<typeof AuditProgress>;

/** No transaction stays on its way for so long: what the ledger says up to then is what it will always say. */
const SETTLES_MS = 600_000;

async function begun({ store, clock }: StorePorts, workspace: string): Promise<AuditProgress> {
  const startedAt = clock.now();
  const { spending } = await countedIn(store, workspace);
  return {
    ...{ step: 0, startedAt, ledgerEnd: `${LEDGER_PREFIX}${toIso(startedAt - SETTLES_MS)}` },
    base: Object.fromEntries([...spending].map(([epoch, sums]) => [epoch, turnover(sums)])),
    ...{ seen: {}, entered: {}, differences: {} },
  };
}

const turnover = ({ spent, unspent }: Spending): number => spent + unspent;

/** Nothing of what another version has kept: then it is begun anew. */
async function readProgress(store: Store, workspace: string) {
  const item = await store.get(auditKey(workspace), { consistent: true });
  const read = v.safeParse(AuditProgress, item);
  const asRead = item ? unchanged({ step: item.step }) : absent();
  return { asRead, ...(read.success && { progress: read.output }) };
}

/**
 * What an audit walks through. The ledger leads to the sends: it names each of them, and can be read consistently. Sums go
 * into `progress`; what can be told at once is noted.
 */
function stagesOf(ports: StorePorts, workspace: string, progress: AuditProgress, note: Note): readonly Stage[] {
  const { store } = ports;
  const accounts = { ...directoryRange(workspace, 'ACCOUNT'), consistent: true };
  let sends = new Map<string, Item>();
  return [
    {
      name: '1-sends',
      partitions: async () => [{ name: 'ledger', query: ledgerOf(workspace) }],
      load: async (entries) => {
        const named = entries.map(readLedgerEntry).flatMap(({ entry, send }) => (entry === 'reserve' && send) || []);
        const items = await getAll(store, named.map(sendKey), { consistent: true });
        sends = new Map(items.map((item) => [readSend(item).messageId, item]));
        return entries;
      },
      visit: async (item) => {
        const entry = readLedgerEntry(item);
        if (item.sk < progress.ledgerEnd) enter(progress.entered, entry);
        const send = entry.entry === 'reserve' ? sends.get(entry.send ?? '') : undefined;
        if (send) await auditSend(ports, send, progress, note);
      },
    },
    {
      name: '2-places',
      partitions: async () => {
        const ids = (await queryAll(store, { ...accounts, limit: PAGE })).map(entryId);
        return ids.map((id) => ({ name: id, query: { ...placesOf(id), consistent: true } }));
      },
      visit: (place) => noteIdlePlace(store, place, note),
    },
    {
      name: '3-accounts',
      partitions: async () => [{ name: 'accounts', query: accounts }],
      visit: (entry) => auditPending(store, entryId(entry), note),
    },
  ];
}

const ledgerOf = (workspace: string) => ({
  ...beginningWith(quotaKindKey(workspace).pk, LEDGER_PREFIX),
  consistent: true,
});
const placesOf = (account: string) => beginningWith(accountKey(account).pk, POINTER_PREFIX);

function enter(entered: Record<string, Entered>, { epoch, entry, credits }: LedgerEntry): void {
  const sums = entered[epoch] ?? NOTHING_ENTERED;
  entered[epoch] = { ...sums, [entry]: sums[entry] + credits, moved: sums.moved + Math.abs(credits) };
}

async function auditSend(ports: StorePorts, given: Item, { seen }: AuditProgress, note: Note): Promise<void> {
  const item = await counted(ports, given, note);
  const send = readSend(item);
  noteCredits(item, send, note);
  seen[send.epoch] = (seen[send.epoch] ?? 0) + creditsIn(send.parts.filter((part) => part.creditState === 'spent'));
  for (const place of pendingPlaces(send)) await noteLostPlace(ports.store, send, place, note);
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

/** 3: what waits has its place. A part that has left its queue never comes back to it: a second look is certain. */
async function noteLostPlace(store: Store, { messageId }: Send, place: Key, note: Note): Promise<void> {
  if (await store.get(place, { consistent: true })) return;
  const item = await store.get(sendKey(messageId), { consistent: true });
  if (!item || !pendingPlaces(readSend(item)).some(({ sk }) => sk === place.sk)) return;
  note({ what: `${messageId} ${place.sk}`, words: `${messageId} waits, but has no place in its queue` });
}

/** 3: a place in a queue is that of a part that waits. */
async function noteIdlePlace(store: Store, place: Item, note: Note): Promise<undefined> {
  const { send: messageId, part } = readPointer(place);
  const item = await store.get(sendKey(messageId), { consistent: true });
  const state = item && readSend(item).parts[part]?.state;
  if ((state && isPending(state)) || !(await store.get(place, { consistent: true }))) return;
  note({ what: place.pk + place.sk, words: `${messageId} has a place in the queue, but does not wait` });
}

const TRIES = 5;
const PAGE = 1000;

/** 3: `pending` is the number of places. An account on which something moves each time is left out. */
async function auditPending(store: Store, account: string, note: Note): Promise<undefined> {
  let asRead = '';
  for (let tries = 0; tries < TRIES; tries += 1) {
    const places = await queryAll(store, { ...placesOf(account), limit: PAGE, consistent: true });
    const item = await store.get(accountKey(account), { consistent: true });
    if (!item) return;
    const { gen, tailSeq, pending } = readAccount(item);
    // Whatever moves in a queue moves one of these.
    const isStill = asRead === String([gen, tailSeq, pending]);
    asRead = String([gen, tailSeq, pending]);
    if (!isStill) continue;
    const words = `${account}: pending ${pending}, but ${places.length} places in its queue`;
    if (pending !== places.length) note({ what: `${account} places`, words });
    return;
  }
}

/**
 * A send of which everything is counted: what was spent before spent credits were counted, or was spent or given back by
 * an older version that ran beside this one, is told and counted now, on the quota.
 */
async function counted(ports: StorePorts, given: Item, note: Note): Promise<Item> {
  let item = given;
  return retryOnConflict(given.pk, async () => {
    if (await countMissed(ports, readSend(item), note)) return item;
    item = (await ports.store.get(item, { consistent: true })) ?? item;
    return AGAIN;
  });
}

/** False where a part has changed meanwhile. Each goes with its mark in one transaction, so that it is counted once. */
async function countMissed({ store, random }: StorePorts, send: Send, note: Note): Promise<boolean> {
  const { messageId, workspace, epoch, parts } = send;
  for (const [index, { creditState, credits = 1, counted: isCounted = false }] of parts.entries()) {
    const isSpent = creditState === 'spent';
    if (creditState === 'reserved' || isSpent === isCounted) continue;
    const mark = field(index, 'counted');
    const asRead = isSpent ? absent(mark) : equal(mark, true);
    const writes = [
      update(quotaKey(workspace, epoch), [add(isSpent ? 'spent' : 'unspent', credits)], exists()),
      update(
        sendKey(messageId),
        [isSpent ? set(mark, true) : remove(mark)],
        all(exists(), equal(field(index, 'creditState'), creditState), asRead),
      ),
    ];
    if (!(await store.transact(writes, newTransaction(random))).done) return false;
    note({ what: `${messageId} counted`, words: `${messageId} was spent or given back and not counted; now it is` });
  }
  return true;
}

/**
 * The sums of each period, each from its own source. The ledger's last minutes are read anew each time: entries come in
 * there between others.
 */
async function lookAt(store: Store, workspace: string, { entered, ledgerEnd }: AuditProgress) {
  const sums = { ...entered };
  const tail = { ...ledgerOf(workspace), from: ledgerEnd, limit: PAGE };
  for await (const page of pagesOf(store, tail)) for (const item of page) enter(sums, readLedgerEntry(item));
  const { quotas, spending } = await countedIn(store, workspace);
  const figures = quotas.map(async (quota) => ({
    quota,
    reserved: await countReserved(store, workspace, quota.epoch),
    spending: spending.get(quota.epoch) ?? NOTHING,
    entered: sums[quota.epoch] ?? NOTHING_ENTERED,
  }));
  return Promise.all(figures);
}

type Look = Awaited<ReturnType<typeof lookAt>>;

/** How many credits have moved so far; it only grows. */
function movesIn(look: Look, epoch: string): number {
  const found = look.find(({ quota }) => quota.epoch === epoch);
  return found ? found.entered.moved + turnover(found.spending) : 0;
}

/** What is read at one moment is compared with what was read at another: all that moved counts for both of them. */
const BOTH_SIDES = 2;

/**
 * `by`: how far apart two figures are that should be equal. `room`: how far they may be, since so much has moved. `moved`:
 * how many credits moved around this look.
 */
function checksOf(
  { quota: { epoch, granted, available }, reserved, spending, entered }: Look[number],
  { base, seen }: AuditProgress,
  moved: number,
) {
  const left = entered.grant - entered.reserve + entered.refund;
  const spent = net(spending);
  const bySends = seen[epoch] ?? 0;
  // The sends may have been seen before or after what moved since the walk began.
  const walked = turnover(spending) - (base[epoch] ?? 0);
  const check = (what: string, by: number, room: number, words: string) => {
    return { what: `${epoch} ${what}`, by, room, words: `${epoch}: ${words}` };
  };
  const sum = `granted ${granted}, but available ${available} + reserved ${reserved} + spent ${spent}`;
  const room = BOTH_SIDES * moved;
  return [
    check('below zero', Math.min(0, available), 0, `${available} credits available`),
    check('sum', available + reserved + spent - granted, room, sum),
    check('grants', entered.grant - granted, room, `granted ${granted}, but ${entered.grant} by the ledger`),
    check('ledger', left - available, room, `available ${available}, but ${left} by the ledger`),
    check('spent', bySends - spent, walked, `${spent} counted as spent, but ${bySends} by the sends`),
  ];
}

const LOOKS = 50;
/** Whatever the time: what differs in fewer, or for less than a second, may be an index that lags behind. */
const FEWEST_LOOKS = 10;
const BETWEEN_LOOKS_MS = 100;

/**
 * 1: `granted = available + reserved + spent`, each from its own source, and the ledger says the same; what is counted
 * as spent is what the sends say. Looks until nothing differs while nothing moves, and else as often as time allows.
 */
async function sumDifferences(
  { store, clock }: StorePorts,
  workspace: string,
  progress: AuditProgress,
  isTimeUp: () => boolean,
) {
  const ranges: Ranges = new Map();
  let looks: readonly Look[] = [];
  for (let n = 0; n < LOOKS && (n < FEWEST_LOOKS || !isTimeUp()); n += 1) {
    looks = [...looks.slice(-2), await lookAt(store, workspace, progress)];
    if (narrow(ranges, looks, progress) === 0 && outsideOf(ranges).length === 0) break;
    if (outsideOf(ranges).length > 0) await clock.sleep(BETWEEN_LOOKS_MS);
  }
  return outsideOf(ranges);
}

/**
 * A sum that is off by `by` in a look is truly off by something within `by ± room`. What is truly off is so in each of
 * these ranges; a range with 0 in it, or two that do not meet, may all be movement, or an index that lags behind.
 */
type Ranges = Map<string, Difference & { readonly least: number; readonly most: number }>;

const outsideOf = (ranges: Ranges): readonly Difference[] =>
  [...ranges.values()].filter(({ least, most }) => least <= most && (least > 0 || most < 0));

/** Takes in the middle one of three looks. Answers how much has moved around it; undefined while there are fewer. */
function narrow(ranges: Ranges, [earlier, look, later]: readonly Look[], progress: AuditProgress): number | undefined {
  if (!earlier || !look || !later) return undefined;
  let all = 0;
  for (const figures of look) {
    const { epoch } = figures.quota;
    const moved = movesIn(later, epoch) - movesIn(earlier, epoch);
    all += moved;
    for (const { what, words, by, room } of checksOf(figures, progress, moved)) {
      const { least, most } = ranges.get(what) ?? { least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY };
      ranges.set(what, { what, words, least: Math.max(least, by - room), most: Math.min(most, by + room) });
    }
  }
  return all;
}

/** `asOf`: when it was begun. */
const readAudited = itemReader(v.object({ ok: v.boolean(), differences: v.array(v.string()), asOf: v.number() }));

/** What the last audit that came to its end has found; undefined where there was none. */
export async function lastAudit(store: Store, workspace: string) {
  const item = await store.get(auditedKey(workspace), { consistent: true });
  return item && readAudited(item);
}

/** API Gateway waits 30 s for an answer; one slow item may come on top of this. */
const LONGEST_MS = 20_000;
const TIMEOUT_MS = 5_000;
/** Sums are known no better than by how much they moved meanwhile: what was left for so long would say little. */
const STALE_MS = 24 * 3_600_000;
/** An answer is for people to read. */
const MOST_DIFFERENCES = 100;

/**
 * Counts everything again from the sends themselves, and compares it with what was kept along the way; as far as the
 * time of one call reaches, and on from there with the next. The hub goes on meanwhile. So what lies in one item, or in
 * two that only change together, is compared at once; sums are known no better than by how much they moved while they
 * were counted, and what lies within that is no difference. Until it is `complete` what was counted so far is kept.
 */
export async function audit(given: StorePorts, workspace: string, budgetMs = LONGEST_MS) {
  const { clock, random } = given;
  const deadline = clock.monotonic() + budgetMs;
  const isTimeUp = () => clock.monotonic() >= deadline;
  const store = retrying(given.store, clock, random, deadline + TIMEOUT_MS);
  const ports = { store, clock, random };
  const { progress: saved, asRead } = await readProgress(store, workspace);
  const isFresh = (saved?.startedAt ?? 0) > clock.now() - STALE_MS;
  const progress = isFresh && saved ? saved : await begun(ports, workspace);
  const note = ({ what, words }: Difference) => {
    if (Object.keys(progress.differences).length < MOST_DIFFERENCES) progress.differences[what] ??= words;
  };
  const at = await walk(store, stagesOf(ports, workspace, progress, note), progress.at, isTimeUp);
  const complete = at === undefined;
  if (complete) (await sumDifferences(ports, workspace, progress, isTimeUp)).forEach(note);
  const differences = Object.values(progress.differences);
  const found = { ok: differences.length === 0, differences, asOf: progress.startedAt };
  // Somebody else may have asked at the same time and be further on: then this call has only its own answer.
  if (complete) {
    await store.write(del(auditKey(workspace), asRead));
    await store.write(put({ ...auditedKey(workspace), ...found }, any(absent(), compare('asOf', '<=', found.asOf))));
  } else {
    await store.write(
      put({ ...auditKey(workspace), kind: 'audit', ...progress, at: { ...at }, step: progress.step + 1 }, asRead),
    );
  }
  return { ...found, complete };
}
