import { isUnsettled } from '#lib/domain/sending/part.ts';
import { stateKey } from '../receiving/delivery-state.ts';
import { field } from '../sending/change-parts.ts';
import { readSend, type Send } from '../sending/items.ts';
import { sendKey } from '../sending/keys.ts';
import { forgetUnknown } from '../sending/marks.ts';
import { all, type Change, del, equal, exists, remove, type Store, StoreUnavailable, set, update } from '../store.ts';
import type { Erasing } from './erasing.ts';

const UNSETTLED = 'It is queued, being sent, or its outcome is not known';
// Each round more means that a status came in between.
const ROUNDS = 5;

/** Empties a send whose fate is settled; one that is not is left as it is, for it may be going out this very moment. */
export async function emptySend(erasing: Erasing, messageId: string): Promise<void> {
  const { store, workspace, counts, left } = erasing;
  for (let round = 0; round < ROUNDS; round++) {
    const item = await store.get(sendKey(messageId), { consistent: true });
    const send = item && readSend(item);
    if (send?.workspace !== workspace || send.erased) return;
    if (send.parts.some((part) => isUnsettled(part.state))) {
      // A message of it may have led here before.
      if (left.every(({ id }) => id !== messageId)) left.push({ kind: 'send', id: messageId, why: UNSETTLED });
      return;
    }
    counts.deliveries += await eraseStates(store, send);
    await eraseMarks(store, send);
    if (await empty(store, send)) {
      counts.sends += 1;
      return;
    }
  }
  throw new StoreUnavailable('conflict');
}

/** What it said can be tested against them by whoever guesses it. */
async function eraseMarks(store: Store, send: Send): Promise<void> {
  const marks = send.parts.flatMap(({ unknownAt }, index) =>
    unknownAt === undefined ? [] : forgetUnknown(send, index),
  );
  for (const mark of marks) await store.write(mark);
}

/** Answers how many there were. */
export async function eraseStates(store: Store, send: Send): Promise<number> {
  let erased = 0;
  for (const { providerId } of send.parts) {
    if (providerId === undefined) continue;
    const { done } = await store.write(del(stateKey(send, providerId), exists()));
    if (done) erased += 1;
  }
  return erased;
}

/** Credits are counted by the sends that they paid for: the send stays, with its states and without its content. */
export async function empty(store: Store, send: Send): Promise<boolean> {
  const changes: Change[] = [
    set('erased', true),
    set('recipient', {}),
    ...send.parts.flatMap((part, index) =>
      (['text', 'url', 'name', 'error', 'providerId'] as const).flatMap((name) =>
        part[name] === undefined ? [] : [remove(field(index, name))],
      ),
    ),
    set(
      'history',
      send.history.map(({ at, part, state }) => ({ at, state, ...(part !== undefined && { part }) })),
    ),
  ];
  const asRead = send.parts.map((part, index) => equal(field(index, 'state'), part.state));
  const { done } = await store.write(update(sendKey(send.messageId), changes, all(exists(), ...asRead)));
  return done;
}
