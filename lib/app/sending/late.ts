import { stateKey } from '../receiving/delivery-state.ts';
import type { Store } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import { leaveQueue } from './cancel.ts';
import { countEnds, type EndingPorts } from './ends.ts';
import { readPart } from './head.ts';
import { readProviderMessage, type Send } from './items.ts';
import { type Ending, failingWith, settling } from './settle.ts';
import { readStatuses } from './statuses.ts';
import type { Head } from './turn.ts';

const TRIES = 5;

/**
 * Writes down what is certain about an attempt whose lease is gone, or whose answer never came: to the part alone, and
 * only if the attempt is still the part's last. Never to generation, lease or spacing, which are somebody else's now.
 * False: there was nothing left to settle.
 */
export async function settleLate(
  ports: EndingPorts,
  { send: { messageId }, index }: Pick<Head, 'index'> & { readonly send: { readonly messageId: string } },
  intentAt: number,
  ending: Ending,
): Promise<boolean> {
  const { store, clock, random } = ports;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const head = await readPart(store, messageId, index);
    if (head.part.intentAt !== intentAt || !['sending', 'unknown'].includes(head.part.state)) return false;
    // A file that turns out not to have gone takes the text with it only while it is still the file's turn.
    const parts = ending.kind === 'failed' && head.part.state === 'sending' ? failingWith(head.send, index) : [index];
    const { writes, leaving, ends } = settling(head.send, parts, ending, clock.now());
    const account = leaving > 0 ? [leaveQueue(head.send.accountId, leaving)] : [];
    if (ending.kind === 'sent' && ending.inferred && (await isClaimed(store, head.send, ending.providerId)))
      return false;
    const transacted = await store.transact([...writes, ...account], newTransaction(random));
    if (!transacted.done) continue;
    countEnds(ports, ends);
    if (ending.kind === 'sent') await readStatuses(ports, head.send, ending.providerId);
    return true;
  }
  throw new Error(`part ${index} of ${messageId} changed ${TRIES} times while it was being settled`);
}

/** A message that is known to be another part's is evidence of that one alone. */
export async function isClaimed(store: Store, send: Send, providerId: string): Promise<boolean> {
  const item = await store.get(stateKey(send, providerId), { consistent: true });
  return item !== undefined && readProviderMessage(item).send !== undefined;
}
