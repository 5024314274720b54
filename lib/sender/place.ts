import { meanGap } from '#lib/domain/send/pace.ts';
import { accountKey, POINTER_PREFIX } from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import type { Store } from '#lib/store/store.ts';
import { type Account, isBlocked, type Pointer, readAccount, readPointer, type Send } from './items.ts';
import { gatesOpenAt } from './schedule.ts';

/** Where a send stands in its account's queue. */
export interface Place {
  /** From 1; two messages of one send take two places. */
  readonly position: number;
  /** About when its turn comes, in milliseconds. Absent on a blocked account: nobody knows. */
  readonly etaAt?: number;
}

interface Queue {
  readonly account: Account;
  readonly pointers: readonly Pointer[];
}

const PAGE = 1_000;
/** What a call takes, as far as a guess needs to know. */
const USUAL_CALL_MS = 500;

/** The places of those sends that wait, by message id. Each queue is read once, however many of its sends are asked for. */
export async function placesOf(store: Store, sends: readonly Send[], now: number): Promise<ReadonlyMap<string, Place>> {
  const waiting = sends.filter((send) => send.parts.some((part) => part.state === 'queued'));
  const accounts = [...new Set(waiting.map((send) => send.accountId))];
  const queues = new Map(await Promise.all(accounts.map(async (id) => [id, await readQueue(store, id)] as const)));
  return new Map(
    waiting.flatMap((send) => {
      const place = placeOf(send, queues.get(send.accountId), now);
      return place ? [[send.messageId, place] as const] : [];
    }),
  );
}

async function readQueue(store: Store, id: string): Promise<Queue | undefined> {
  const { pk } = accountKey(id);
  const [account, pointers] = await Promise.all([
    store.get(accountKey(id)),
    queryAll(store, { pk, prefix: POINTER_PREFIX, limit: PAGE }),
  ]);
  return account && { account: readAccount(account), pointers: pointers.map(readPointer) };
}

function placeOf({ messageId }: Send, queue: Queue | undefined, now: number): Place | undefined {
  const ahead = queue?.pointers.findIndex((pointer) => pointer.send === messageId) ?? -1;
  if (!queue || ahead < 0) return undefined;
  const { account } = queue;
  const position = ahead + 1;
  if (isBlocked(account)) return { position };
  const wait = ahead * (meanGap(account.pacing) + USUAL_CALL_MS);
  return { position, etaAt: Math.max(now, gatesOpenAt(account)) + wait };
}
