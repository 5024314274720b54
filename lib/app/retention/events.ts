import { expiryOf } from '#lib/domain/retention.ts';
import { listed, type Stage } from '../lists/walk.ts';
import { queryAll } from '../query-all.ts';
import { lastTold } from '../receiving/delivery-state.ts';
import { eventOf } from '../receiving/event-item.ts';
import { absent, all, equal, exists, type Item, isLive, remove, StoreUnavailable, set, update } from '../store.ts';
import type { Applying } from './applying.ts';

/** Gives every stored event the end that it would have had, had it come in under this retention. */
export function eventStage(applying: Applying): Stage {
  const { store, workspace } = applying;
  return {
    name: '1-events',
    ...listed(store, (shard) => `WS#${workspace}#EVT#${shard}`),
    visit: async (head) => {
      await applyTo(applying, head);
      await applyToState(applying, head);
      return true;
    },
  };
}

// Each round more means that the event was replayed in this very moment.
const ROUNDS = 5;

async function applyTo({ store, retentionDays, now, counts }: Applying, met: Item): Promise<void> {
  const key = { pk: met.pk, sk: met.sk };
  let head: Item | undefined = met;
  for (let round = 0; round < ROUNDS; round++) {
    // What has run out is gone, and a longer retention does not bring it back.
    if (!head || !isLive(head, now / 1000)) return;
    const expiresAt = expiryOf(Date.parse((await eventOf(store, head)).receivedAt), retentionDays);
    const change = expiresAt === undefined ? remove('expiresAt') : set('expiresAt', expiresAt);
    const ends = (at: unknown) => (typeof at === 'number' ? at : Number.POSITIVE_INFINITY);
    const isSooner = ends(expiresAt) < ends(head.expiresAt);
    const condition = all(exists(), equal('receipt', head.receipt ?? null));
    const chunks = (await queryAll(store, { pk: head.pk, limit: 100, consistent: true })).filter(
      ({ sk }) => sk !== key.sk,
    );
    const changeChunks = async () => {
      for (const { pk, sk } of chunks) await store.write(update({ pk, sk }, [change], exists()));
    };
    // A head never outlives its chunks.
    if (!isSooner) await changeChunks();
    const isSame = ends(expiresAt) === ends(head.expiresAt);
    const { done } = isSame ? { done: true } : await store.write(update(key, [change], condition));
    if (done) {
      if (isSooner) await changeChunks();
      if (!isSame) counts.events += 1;
      return;
    }
    head = await store.get(key, { consistent: true });
  }
  throw new StoreUnavailable('conflict');
}

/** What is known of a message's delivery ends with the last that was told of it, and is found through its events alone. */
async function applyToState({ store, retentionDays, now }: Applying, head: Item): Promise<void> {
  if (typeof head.stateKey !== 'string' || !isLive(head, now / 1000)) return;
  const key = { pk: head.stateKey, sk: 'META' };
  const state = await store.get(key, { consistent: true });
  if (!state || !isLive(state, now / 1000)) return;
  const expiresAt = expiryOf(lastTold(state) ?? Date.parse(String(head.orderedAt)), retentionDays);
  if (expiresAt === state.expiresAt) return;
  const asRead = state.expiresAt === undefined ? absent('expiresAt') : equal('expiresAt', state.expiresAt);
  // Refused: a status has come in meanwhile, and has brought an end of its own.
  const change = expiresAt === undefined ? remove('expiresAt') : set('expiresAt', expiresAt);
  await store.write(update(key, [change], all(exists(), asRead)));
}
