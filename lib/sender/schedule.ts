import { known } from '#lib/domain/schema.ts';
import { meanGap } from '#lib/domain/send/pace.ts';
import { accountKey, dueSortKey, dueTime, POINTER_PREFIX, probeKey } from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import {
  add,
  all,
  type Change,
  equal,
  exists,
  remove,
  type Store,
  set,
  setIfAbsent,
  update,
} from '#lib/store/store.ts';
import type { SendingConfig } from './config.ts';
import { type Account, isBlocked, type Pointer, readAccount, readPointer, readProbe, type Send } from './items.ts';
import type { Tick, Ticks } from './provider.ts';

/**
 * When an account needs a tick: `dueAt` of the protocol. It is the sort key of the watchdog's index (whose partition
 * key every account has for life), so an account stands in that index exactly while it has one.
 */
export const setDue = (at: number, config: SendingConfig): Change => set('gsi3sk', dueKey(at, config));
export const setDueIfNone = (at: number, config: SendingConfig): Change => setIfAbsent('gsi3sk', dueKey(at, config));
export const clearDue: Change = remove('gsi3sk');

/**
 * To the quarter of the grace, and never earlier than it is: an entry of the index that moves costs two writes, and that
 * of an account which sends would move with each message. A tick that is lost is missed later by that at most.
 */
function dueKey(at: number, { graceMs }: SendingConfig): string {
  const step = Math.max(1, Math.floor(graceMs / 4));
  return dueSortKey(Math.ceil(at / step) * step);
}

export const dueOf = (item: { readonly gsi3sk?: string }): number | undefined =>
  item.gsi3sk === undefined ? undefined : dueTime(item.gsi3sk);

/** The time at which the account's gates are open. */
export const gatesOpenAt = (account: { readonly nextSendAt: number; readonly backoffUntil: number }): number =>
  Math.max(account.nextSendAt, account.backoffUntil);

/** The longest that the queue can hold a message back. */
const LONGEST_DELAY_S = 900;

/** Rounded down: the tick waits for the rest of a second itself, and its gates stay shut until it is over. */
export async function scheduleTick(ticks: Ticks, tick: Tick, now: number): Promise<void> {
  const seconds = Math.floor(Math.max(0, tick.at - now) / 1000);
  await ticks.send(tick, Math.min(LONGEST_DELAY_S, seconds));
}

export const isOverdue = (account: Account, now: number, config: SendingConfig): boolean => {
  const due = dueOf(account);
  return due !== undefined && due < now - config.graceMs;
};

/** Sets a resting account going; `me` tells the repeat of this very write from another's. */
export const waking = (account: Account, me: string, now: number, config: SendingConfig): readonly Change[] => [
  add('gen', 1),
  set('chain', 'RUNNING'),
  setDue(Math.max(now, gatesOpenAt(account)), config),
  set('startedBy', me),
];

/**
 * The same by itself, and its tick. Only from IDLE: a second chain beside a running one would be stopped by the gates, but
 * it would cost requests for ever. `account` as just read.
 */
export async function wake(
  store: Store,
  ticks: Ticks,
  account: Account,
  me: string,
  now: number,
  config: SendingConfig,
): Promise<void> {
  const isAtRest = all(exists(), equal('chain', 'IDLE'));
  const written = await store.write(update(accountKey(account.id), waking(account, me, now, config), isAtRest), {
    returns: 'new',
  });
  if (!written.item) return;
  const current = readAccount(written.item);
  if (written.done) return tickAgain(ticks, current, now);
  if (current.startedBy === me || isOverdue(current, now, config)) await tickAgain(ticks, current, now);
}

/** Another tick of the generation that is there: harmless if the first one is still on its way. */
export async function tickAgain(ticks: Ticks, account: Account, now: number): Promise<void> {
  await scheduleTick(ticks, { account: account.id, gen: account.gen, at: gatesOpenAt(account) }, now);
}

/** Where a send stands in its account's queue. */
export interface Place {
  /** From 1; two messages of one send take two places. Absent where it stands behind all of the queue that was read. */
  readonly position?: number;
  /** About when its turn comes, in milliseconds. Absent on a blocked account, too: nobody knows. */
  readonly etaAt?: number;
  readonly waiting: Waiting;
}

/** What a send waits for, the first of these that holds: what an operator can end comes first. */
export const WAITING_FOR = ['pause', 'hold', 'backoff', 'turn'] as const;

interface Waiting {
  readonly for: (typeof WAITING_FOR)[number];
  readonly reason?: string;
  /** When the provider is asked again, or called again, in milliseconds. */
  readonly until?: number;
}

interface Queue {
  readonly account: Account;
  /** When the provider of a held account is asked again. */
  readonly probeAt?: number;
  readonly pointers: readonly Pointer[];
  /** More than these wait. */
  readonly isCut: boolean;
}

/** Of each queue a list reads no more than this. */
export const LISTED = 1_000;
/** What a call takes, as far as a guess needs to know. */
const USUAL_CALL_MS = 500;

export type Queues = ReadonlyMap<string, Queue | undefined>;

/** The queues of these accounts, each read once, however many of its sends are asked for. `most`: of its places. */
export async function queuesOf(store: Store, accounts: Iterable<string>, most?: number): Promise<Queues> {
  const ids = [...new Set(accounts)];
  return new Map(await Promise.all(ids.map(async (id) => [id, await readQueue(store, id, most)] as const)));
}

/** The places of those sends that wait, by message id. `queues`: those that are read already, each as far as a list needs. */
export async function placesOf(
  store: Store,
  sends: readonly Send[],
  now: number,
  queues?: Queues,
): Promise<ReadonlyMap<string, Place>> {
  const waiting = sends.filter((send) => send.parts.some((part) => part.state === 'queued'));
  const unread = waiting.map((send) => send.accountId).filter((id) => !queues?.has(id));
  const known = new Map([...(queues ?? []), ...(await queuesOf(store, unread, queues && LISTED))]);
  return new Map(
    waiting.flatMap((send) => {
      const place = placeOf(send, known.get(send.accountId), now);
      return place ? [[send.messageId, place] as const] : [];
    }),
  );
}

async function readQueue(store: Store, id: string, most?: number): Promise<Queue | undefined> {
  const query = { pk: accountKey(id).pk, prefix: POINTER_PREFIX, limit: most ?? LISTED };
  const [account, { items, next }, probeAt] = await Promise.all([
    store.get(accountKey(id)),
    most === undefined ? queryAll(store, query).then((items) => ({ items, next: undefined })) : store.query(query),
    nextProbe(store, id),
  ]);
  if (!account) return undefined;
  return {
    account: readAccount(account),
    ...known({ probeAt }),
    pointers: items.map(readPointer),
    isCut: next !== undefined,
  };
}

/** When the provider of a held account is asked again, in milliseconds. */
export async function nextProbe(store: Store, account: string): Promise<number | undefined> {
  const probe = await store.get(probeKey(account));
  return probe && dueTime(readProbe(probe).gsi3sk);
}

function waitingOf(send: Send, { account, probeAt }: Queue, now: number): Waiting {
  const { paused, pauseReason, held, holdReason, backoffUntil } = account;
  if (paused) return { for: 'pause', ...known({ reason: pauseReason }) };
  if (held) return { for: 'hold', ...known({ reason: holdReason, until: probeAt }) };
  if (backoffUntil <= now) return { for: 'turn' };
  return { for: 'backoff', ...known({ reason: errorOf(send) }), until: backoffUntil };
}

/** What the provider said when the message was tried last; those behind it wait for the same. */
function errorOf({ parts, history }: Send): string | undefined {
  const isTried = parts.some(({ state, retryingSince }) => state === 'queued' && retryingSince !== undefined);
  return isTried ? history.findLast(({ state }) => state === 'queued')?.detail : undefined;
}

function placeOf(send: Send, queue: Queue | undefined, now: number): Place | undefined {
  const ahead = queue?.pointers.findIndex((pointer) => pointer.send === send.messageId) ?? -1;
  if (!queue || (ahead < 0 && !queue.isCut)) return undefined;
  const { account } = queue;
  const waiting = waitingOf(send, queue, now);
  if (ahead < 0) return { waiting };
  const position = ahead + 1;
  if (isBlocked(account)) return { position, waiting };
  const wait = ahead * (meanGap(account.pacing) + USUAL_CALL_MS);
  return { position, waiting, etaAt: Math.max(now, gatesOpenAt(account)) + wait };
}
