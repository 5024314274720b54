import { known } from '#lib/domain/schema.ts';
import { meanGap } from '#lib/domain/send/pace.ts';
import { accountKey, dueTime, POINTER_PREFIX, probeKey } from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import type { Store } from '#lib/store/store.ts';
import { type Account, isBlocked, type Pointer, readAccount, readPointer, readProbe, type Send } from './items.ts';
import { gatesOpenAt } from './schedule.ts';

/** Where a send stands in its account's queue. */
export interface Place {
  /** From 1; two messages of one send take two places. */
  readonly position: number;
  /** About when its turn comes, in milliseconds. Absent on a blocked account: nobody knows. */
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
}

const PAGE = 1_000;
/** What a call takes, as far as a guess needs to know. */
const USUAL_CALL_MS = 500;

export type Queues = ReadonlyMap<string, Queue | undefined>;

/** The queues of these accounts, each read once, however many of its sends are asked for. */
export async function queuesOf(store: Store, accounts: Iterable<string>): Promise<Queues> {
  const ids = [...new Set(accounts)];
  return new Map(await Promise.all(ids.map(async (id) => [id, await readQueue(store, id)] as const)));
}

/** The places of those sends that wait, by message id. `queues`: those that are read already. */
export async function placesOf(
  store: Store,
  sends: readonly Send[],
  now: number,
  queues?: Queues,
): Promise<ReadonlyMap<string, Place>> {
  const waiting = sends.filter((send) => send.parts.some((part) => part.state === 'queued'));
  const accounts = waiting.map((send) => send.accountId);
  const known = queues && accounts.every((id) => queues.has(id)) ? queues : await queuesOf(store, accounts);
  return new Map(
    waiting.flatMap((send) => {
      const place = placeOf(send, known.get(send.accountId), now);
      return place ? [[send.messageId, place] as const] : [];
    }),
  );
}

async function readQueue(store: Store, id: string): Promise<Queue | undefined> {
  const { pk } = accountKey(id);
  const [account, pointers, probe] = await Promise.all([
    store.get(accountKey(id)),
    queryAll(store, { pk, prefix: POINTER_PREFIX, limit: PAGE }),
    nextProbe(store, id),
  ]);
  if (!account) return undefined;
  const read = readAccount(account);
  const probeAt = read.held ? probe : undefined;
  return { account: read, ...known({ probeAt }), pointers: pointers.map(readPointer) };
}

/** When the provider of a held account is asked again, in milliseconds. */
export async function nextProbe(store: Store, account: string): Promise<number | undefined> {
  const probe = await store.get(probeKey(account));
  return probe && dueTime(readProbe(probe).gsi3sk);
}

function waitingOf({ account, probeAt }: Queue, now: number): Waiting {
  const { paused, pauseReason, held, holdReason, backoffUntil } = account;
  if (paused) return { for: 'pause', ...known({ reason: pauseReason }) };
  if (held) return { for: 'hold', ...known({ reason: holdReason, until: probeAt }) };
  return backoffUntil > now ? { for: 'backoff', until: backoffUntil } : { for: 'turn' };
}

function placeOf({ messageId }: Send, queue: Queue | undefined, now: number): Place | undefined {
  const ahead = queue?.pointers.findIndex((pointer) => pointer.send === messageId) ?? -1;
  if (!queue || ahead < 0) return undefined;
  const { account } = queue;
  const position = ahead + 1;
  const waiting = waitingOf(queue, now);
  if (isBlocked(account)) return { position, waiting };
  const wait = ahead * (meanGap(account.pacing) + USUAL_CALL_MS);
  return { position, waiting, etaAt: Math.max(now, gatesOpenAt(account)) + wait };
}
