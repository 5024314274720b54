import { addressesIn, saidIn, tracesOf } from '#lib/domain/sending/evidence.ts';
import { queryAll } from '../query-all.ts';
import { eventOf } from '../receiving/event-item.ts';
import { echoKey } from '../sending/keys.ts';
import { accountsOf } from '../sends/accounts.ts';
import { absent, all, del, exists, type Item, type Key, set, update } from '../store.ts';
import { emptySend } from './empty-send.ts';
import type { Erasing } from './erasing.ts';

/** Longer than a mark is kept: a provider's clock may be two days off before ours counts. */
const MARKED_S = 4 * 86_400;

/**
 * Deletes an event with its chunks. They lie under its key, so the head goes last; from the first step on it counts as
 * run out, and no reader meets a head whose chunks are gone.
 */
export async function eraseEvent(erasing: Erasing, head: Item, isTheirs: boolean): Promise<void> {
  const { store, counts, nowSeconds } = erasing;
  await eraseEchoMarks(erasing, head);
  if (typeof head.stateKey === 'string') await eraseDelivery(erasing, { pk: head.stateKey, sk: 'META' }, isTheirs);
  const items = await queryAll(store, { pk: head.pk, limit: 100, consistent: true });
  const chunks = items.filter(({ sk }) => sk !== head.sk);
  if (chunks.length > 0) {
    await store.write(update({ pk: head.pk, sk: head.sk }, [set('expiresAt', nowSeconds)], exists()));
    await store.writeMany(chunks.map(({ pk, sk }) => del({ pk, sk })));
  }
  // The head may be of a page that was read before its chat was swept.
  const { done } = await store.write(del({ pk: head.pk, sk: head.sk }, exists()));
  if (done) counts.events += 1;
}

/** What is kept for a day to find the send by that the message may be. */
async function eraseEchoMarks({ store, workspace, nowSeconds }: Erasing, head: Item): Promise<void> {
  const { kind, direction, provider, orderedAt } = head;
  const isMarked = Date.parse(String(orderedAt)) / 1000 > nowSeconds - MARKED_S;
  if (kind !== 'message' || direction !== 'outbound' || !isMarked) return;
  const event = await eventOf(store, head).catch(unlessDamaged);
  const said = event?.kind === 'message' ? saidIn(event.message) : undefined;
  if (event?.kind !== 'message' || !said) return;
  const { message, accountId } = event;
  const named = accountId === undefined ? await accountsOf(store, workspace) : [{ id: accountId, provider }];
  for (const { id } of named.filter((account) => account.provider === provider)) {
    for (const trace of tracesOf(id, said, addressesIn(message)))
      await store.write(del(echoKey(id, trace, message.id)));
  }
}

/** Of an event that is half erased there is nothing left to find its marks by; they run out. */
function unlessDamaged(cause: unknown): undefined {
  if (!(cause instanceof TypeError)) throw cause;
}

/**
 * How far a message got. A send that is the person's is emptied with it; where sending still uses the state, it stays:
 * it holds times.
 */
async function eraseDelivery(erasing: Erasing, key: Key, isTheirs: boolean): Promise<void> {
  const { store, counts, mentions } = erasing;
  const state = await store.get(key, { consistent: true });
  if (!state) return;
  if (isTheirs && typeof state.send === 'string') await emptySend(erasing, state.send);
  const { done } = await store.write(
    mentions(JSON.stringify(state)) ? del(key, exists()) : del(key, all(exists(), absent('send'))),
  );
  if (done) counts.deliveries += 1;
}
