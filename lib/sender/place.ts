import { known } from '#lib/domain/schema.ts';
import { meanGap } from '#lib/domain/send/pace.ts';
import { accountKey, dueTime, POINTER_PREFIX, probeKey } from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import type { Store } from '#lib/store/store.ts';
import { type Account, isBlocked, type Pointer, readAccount, readPointer, readProbe, type Send } from './items.ts';
import { gatesOpenAt } from './schedule.ts';

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
