import { add, type Change, exists, remove, set, update } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import { field } from './change-parts.ts';
import { countEnds } from './ends.ts';
import { readAccount } from './items.ts';
import { accountKey, sendKey } from './keys.ts';
import { giveBack, refresh } from './let-go.ts';
import type { Outgoing } from './ports.ts';
import { failingWith, settling } from './settle.ts';
import { type Head, holdsLease, lookAgain, type Step, type Turn } from './turn.ts';

export type Prepared = { readonly kind: 'ready'; readonly content: Outgoing['content'] } | Step;

/**
 * Fetches and checks the attachment; a tick whose time is mostly gone leaves that to the next one. Nothing has left yet, so a crash here costs nothing. What fails for good, or fails
 * twice, is settled at once without using up any spacing.
 */
export async function prepare(turn: Turn, { send, index, part }: Head): Promise<Prepared> {
  if (part.kind === 'text') return { kind: 'ready', content: { kind: 'text', text: part.text ?? '' } };
  if (turn.failedFiles >= turn.config.failuresPerTick) return giveBack(turn);
  if (turn.ports.clock.monotonic() > turn.preparingUntil - turn.config.prepareMs / 2) return giveBack(turn);
  const isWatched = part.crashes !== undefined;
  if (isWatched) await mark(turn, { send, index, part }, set(field(index, 'preparing'), true));
  const fetched = await fetchTwice(turn, part.url ?? '', part.name ?? '');
  if (isWatched) await mark(turn, { send, index, part }, remove(field(index, 'preparing')));
  if (fetched.kind === 'ok') {
    const { name, mimeType, bytes } = fetched;
    return { kind: 'ready', content: { kind: 'file', name, mimeType, bytes } };
  }
  turn.failedFiles += 1;
  return failUnsent(turn, { send, index, part }, fetched.reason);
}

/** Tells the run after this one, should this one die, what it died of. Not by the intent: that may fail by itself. */
async function mark({ ports: { store } }: Turn, { send }: Head, change: Change): Promise<void> {
  await store.write(update(sendKey(send.messageId), [change], exists()));
}

/** The file's host gets a second chance within the tick. */
async function fetchTwice(turn: Turn, url: string, name: string) {
  const { attachments } = turn.ports;
  const first = await attachments.fetch(url, name, turn.preparingUntil);
  return first.kind === 'unavailable' ? attachments.fetch(url, name, turn.preparingUntil) : first;
}

export async function failUnsent(turn: Turn, head: Head, reason: string): Promise<Step> {
  const { store, clock, random } = turn.ports;
  const { writes, leaving, ends } = settling(
    head.send,
    failingWith(head.send, head.index),
    { kind: 'failed', reason },
    clock.now(),
  );
  const transacted = await store.transact(
    [update(accountKey(turn.account.id), [add('pending', -leaving)], holdsLease(turn.me)), ...writes],
    newTransaction(random),
  );
  if (transacted.done) {
    countEnds(turn.ports, ends);
    return lookAgain;
  }
  const [account] = transacted.refused;
  return account ? refresh(turn, account.item && readAccount(account.item)) : lookAgain;
}
