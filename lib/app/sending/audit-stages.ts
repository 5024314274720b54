import { isPending, isUnsettled, reservedCredits } from '#lib/domain/sending/part.ts';
import { toIso } from '#lib/domain/time.ts';
import { getAll } from '../get-all.ts';
import { listed, type Stage } from '../lists/walk.ts';
import { queryAll } from '../query-all.ts';
import {
  absent,
  all,
  equal,
  exists,
  type Item,
  type Key,
  remove,
  type Store,
  StoreUnavailable,
  set,
  update,
} from '../store.ts';
import { newTransaction } from '../transaction.ts';
import type { AuditProgress, Difference, Entered } from './audit-progress.ts';
import { field } from './change-parts.ts';
import { type LedgerEntry, readAccount, readLedgerEntry, readPointer, readSend, type Send } from './items.ts';
import {
  accountKey,
  LEDGER_PREFIX,
  POINTER_PREFIX,
  pointerKey,
  quotaKey,
  quotaKindKey,
  sendKey,
  sendListKey,
} from './keys.ts';
import { countedIn, NOTHING, onQuota } from './spent.ts';
import type { StorePorts } from './with-retries.ts';

type Note = (difference: Difference) => void;

const TRIES = 5;
const PAGE = 1000;
/** No transaction stays on its way for so long: what the ledger says up to then is what it will always say. */
const SETTLES_MS = 600_000;

/** What an audit walks through. Sums go into `progress`; what can be told at once is noted. */
export async function auditStages(
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
        { name: 'accounts', query: { pk, from: 'ACCOUNT#', before: 'ACCOUNT$', consistent: true } },
      ],
      visit: async ({ sk }) => {
        await auditQueue(ports.store, sk.slice('ACCOUNT#'.length), note);
        return true;
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
        return true;
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

export function enter(entered: Record<string, Entered>, { epoch, entry, credits }: LedgerEntry): void {
  const sums = entered[epoch] ?? { grant: 0, reserve: 0, refund: 0 };
  entered[epoch] = { ...sums, [entry]: sums[entry] + credits };
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
      const spent = send.parts.filter((part) => part.creditState === 'spent').length;
      if (spent > 0) progress.seen[send.epoch] = (progress.seen[send.epoch] ?? 0) + spent;
      for (const key of pendingPlaces(send))
        if (!places.has(key.pk + key.sk)) await noteLostPlace(store, send, key, note);
      return true;
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
        const spent = parts.filter(({ isSpent }) => isSpent).length;
        const counts = onQuota({ spent, unspent: parts.length - spent });
        const quota = update(quotaKey(workspace, epoch), counts, exists());
        const { done } = await store.transact([quota, ...some.map(marked)], newTransaction(random));
        if (!done || !base[epoch]?.counted) continue;
        for (const { messageId } of some) {
          const words = `${messageId} was spent or given back and not counted; now it is`;
          note({ what: `${messageId} counted`, words });
        }
      }
    }
    items = await getAll(
      store,
      items.map(({ pk, sk }) => ({ pk, sk })),
      { consistent: true },
    );
  }
  throw new StoreUnavailable('conflict');
}

const missedOf = ({ parts }: Send): { readonly index: number; readonly isSpent: boolean }[] =>
  parts.flatMap(({ creditState, counted = false }, index) => {
    const isSpent = creditState === 'spent';
    return creditState === 'reserved' || isSpent === counted ? [] : [{ index, isSpent }];
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
