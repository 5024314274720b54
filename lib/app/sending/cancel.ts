import type { Store } from '../store.ts';
import { add, exists, type Update, update } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import type { SendingConfig } from './config.ts';
import { countEnds, type EndingPorts } from './ends.ts';
import { readSend, type Send } from './items.ts';
import { accountKey, sendKey } from './keys.ts';
import { settling } from './settle.ts';
import { withRetries } from './with-retries.ts';

export type Cancelled = 'cancelled' | 'too late' | 'not found';

const TRIES = 5;

/**
 * Takes what is still queued of a send out of the queue, with its credit back; a text behind a file that has gone may
 * be cancelled alone. Not while a part of it is being sent.
 */
export async function cancel(
  given: EndingPorts,
  workspace: string,
  messageId: string,
  config: SendingConfig,
): Promise<Cancelled> {
  const ports = withRetries(given, config);
  const { store, clock, random } = ports;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const send = await findSend(store, workspace, messageId);
    if (!send) return 'not found';
    const queued = send.parts.flatMap((part, index) => (part.state === 'queued' ? [index] : []));
    if (queued.length === 0 || send.parts.some((part) => part.state === 'sending')) return 'too late';
    const { writes, leaving, ends } = settling(send, queued, { kind: 'cancelled' }, clock.now());
    const transacted = await store.transact([leaveQueue(send.accountId, leaving), ...writes], newTransaction(random));
    if (!transacted.done) continue;
    countEnds(ports, ends);
    return 'cancelled';
  }
  throw new Error(`${messageId} changed ${TRIES} times while it was being cancelled`);
}

/** A send of this workspace; another's is not found. */
export async function findSend(store: Store, workspace: string, messageId: string): Promise<Send | undefined> {
  const item = await store.get(sendKey(messageId), { consistent: true });
  const send = item && readSend(item);
  return send?.workspace === workspace ? send : undefined;
}

/** Parts that go without the account's lease: neither spacing nor generation is theirs to touch. */
const leaveQueue = (account: string, parts: number): Update =>
  update(accountKey(account), [add('pending', -parts)], exists());
