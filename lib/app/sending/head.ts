import { nextReconciliation } from '#lib/domain/sending/pace.ts';
import { add, del, type Put, type Store, set, type Update, update } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import { awaitEvidence, changeParts, field, mapped } from './change-parts.ts';
import type { SendingConfig } from './config.ts';
import { readAccount, readPointer, readSend } from './items.ts';
import { accountKey, POINTER_PREFIX, pointerKey, sendKey } from './keys.ts';
import { refresh } from './let-go.ts';
import { soughtUntil, unknownMarks } from './marks.ts';
import { type Head, holdsLease, lookAgain, type Step, type Turn } from './turn.ts';

/** The first in the account's queue, read consistently: a stale look could take the queue for empty, or a sent part for waiting. */
export async function findHead(store: Store, account: string): Promise<Head | undefined> {
  const page = await store.query({
    pk: accountKey(account).pk,
    prefix: POINTER_PREFIX,
    limit: 1,
    consistent: true,
  });
  const [item] = page.items;
  if (!item) return undefined;
  const pointer = readPointer(item);
  return readPart(store, pointer.send, pointer.part);
}

export async function readPart(store: Store, messageId: string, index: number): Promise<Head> {
  const item = await store.get(sendKey(messageId), { consistent: true });
  const send = item && readSend(item);
  const part = send?.parts[index];
  if (!send || !part) throw new Error(`a part that does not exist stands in a queue: ${messageId} ${index}`);
  return { send, index, part };
}

/**
 * A head that is being sent while the lease is ours was left by a run that died. It may have reached the provider, so
 * it is never sent again: its credit is held until there is evidence.
 */
export async function abandon(turn: Turn, head: Head): Promise<Step> {
  const { store, random, clock, metrics } = turn.ports;
  const transacted = await store.transact(
    [
      update(accountKey(turn.account.id), [add('pending', -1)], holdsLease(turn.me)),
      ...becomesUnknown(head, clock.now(), 'the attempt was cut short', turn.config),
      del(pointerKey(turn.account.id, head.send.seq, head.index)),
    ],
    newTransaction(random),
  );
  if (transacted.done) {
    metrics.count('AttemptAbandoned', { account: turn.account.id });
    return lookAgain;
  }
  const [account] = transacted.refused;
  return account ? refresh(turn, account.item && readAccount(account.item)) : lookAgain;
}

/**
 * The part, and the marks by which what a webhook tells of it is found. With an id of the provider's, what is told of that
 * is told of the part.
 */
export function becomesUnknown(
  { send, index }: Head,
  now: number,
  detail: string,
  config: SendingConfig,
  providerId?: string,
): readonly (Update | Put)[] {
  const reconcileAt = now + nextReconciliation(0, config.unknownLimitMs);
  const named = providerId === undefined ? [] : [set(field(index, 'providerId'), providerId)];
  const also = [set(field(index, 'unknownAt'), now), set(field(index, 'reconcileAt'), reconcileAt), ...named];
  return [
    changeParts(send, [{ index, to: 'unknown', detail, also }], now, awaitEvidence(send, reconcileAt)),
    ...unknownMarks(send, index, soughtUntil(now, config)),
    ...(providerId === undefined ? [] : [mapped(send, index, providerId)]),
  ];
}
