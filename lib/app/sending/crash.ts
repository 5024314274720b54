import { remove, type Store, set } from '../store.ts';
import { changeParts, field } from './change-parts.ts';
import { abandon, findHead } from './head.ts';
import { readPointer, readSend } from './items.ts';
import { accountKey, POINTER_PREFIX, sendKey } from './keys.ts';
import { failUnsent } from './prepare.ts';
import { type Head, lookAgain, type Step, type Turn } from './turn.ts';

/**
 * The run before this one died. If it was calling, that attempt is given up. If it was not, it may have died of the file
 * that it prepared, as will the next one and the one after it: a file that has ended so many runs has failed, or nothing
 * behind it would ever be sent. A run may die of anything else, so from the first time on each leaves a mark on the file
 * while it prepares it, and only those that leave it behind count.
 */
export async function seeToCrash(turn: Turn): Promise<Step> {
  turn.takenOver = false;
  const { store, clock } = turn.ports;
  const cutShort = await findSending(store, turn.account.id);
  if (cutShort) return abandon(turn, cutShort);
  const head = await findHead(store, turn.account.id);
  if (head?.part.kind !== 'file' || head.part.state !== 'queued') return lookAgain;
  const { send, index, part } = head;
  const crashes = (part.crashes ?? 0) + (part.preparing ? 1 : 0);
  if (part.preparing && crashes >= turn.config.crashesPerPart)
    return failUnsent(turn, head, 'it could not be prepared');
  const also = [set(field(index, 'crashes'), crashes), remove(field(index, 'preparing'))];
  await store.write(changeParts(send, [{ index, to: 'queued', also, silent: true }], clock.now()));
  return lookAgain;
}

/** As many as may have been accepted, at the same moment, before the one that was first in the queue. */
const NEAR_THE_FRONT = 50;

/** It need not be the first: one with a lower number, accepted at the same moment, may have come to the queue later. */
async function findSending(store: Store, account: string): Promise<Head | undefined> {
  const query = { pk: accountKey(account).pk, prefix: POINTER_PREFIX, limit: NEAR_THE_FRONT, consistent: true };
  const { items } = await store.query(query);
  const ids = [...new Set(items.map((item) => readPointer(item).send))];
  if (ids.length === 0) return undefined;
  const sends = await store.getMany(ids.map(sendKey), { consistent: true });
  const [found] = sends
    .map(readSend)
    .flatMap((send) => send.parts.flatMap((part, index) => (part.state === 'sending' ? [{ send, index, part }] : [])));
  return found;
}
