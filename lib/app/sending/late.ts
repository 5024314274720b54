import { stateKey } from '../receiving/delivery-state.ts';
import { add, type Delete, exists, type Key, type Put, type Transacted, type Update, update } from '../store.ts';
import { newTransaction } from '../transaction.ts';
import { countEnds, type EndingPorts } from './ends.ts';
import { readPart } from './head.ts';
import { readProviderMessage, type Send } from './items.ts';
import { accountKey, quotaKey } from './keys.ts';
import { type Ending, failingWith, isNews, settling } from './settle.ts';
import { meetsNothing, onAccount, onQuota, type Spending } from './spent.ts';
import { readStatuses } from './statuses.ts';
import type { Head } from './turn.ts';

const TRIES = 5;

/**
 * Writes down what is certain about an attempt whose lease is gone, or whose answer never came: to the part alone, and
 * only if the attempt is still the part's last, whatever was taken for its end meanwhile. Never to generation, lease or
 * spacing, which are somebody else's now.
 * False: there was nothing left to settle, or the provider's id that was inferred is another part's. `asRead`: the head,
 * by a consistent read just now.
 */
export async function settleLate(
  ports: EndingPorts,
  { send: { messageId }, index }: Pick<Head, 'index'> & { readonly send: { readonly messageId: string } },
  intentAt: number,
  ending: Ending,
  asRead?: Head,
): Promise<boolean> {
  const { store, clock, random } = ports;
  let isGone = false;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const head = tries === 0 && asRead ? asRead : await readPart(store, messageId, index);
    // What was erased keeps no name: nothing would lead to it.
    if (head.part.intentAt !== intentAt || head.send.erased || !isNews(head.part, ending)) return false;
    // A file that turns out not to have gone takes the text with it only while it is still the file's turn.
    const parts = ending.kind === 'failed' && head.part.state === 'sending' ? failingWith(head.send, index) : [index];
    const { writes, leaving, spending, ends } = settling(head.send, parts, ending, clock.now());
    const account = accountWrites(head.send, leaving, spending, isGone);
    const transacted = await store.transact([...account, ...writes], newTransaction(random));
    if (!transacted.done) {
      const isInferred = ending.kind === 'sent' && ending.inferred;
      const refused = transacted.refused.slice(account.length);
      if (isInferred && isAnothers(writes, refused, stateKey(head.send, ending.providerId))) return false;
      isGone ||= account.length > 0 && meetsNothing(transacted.refused[0]);
      continue;
    }
    countEnds(ports, ends);
    if (ending.kind === 'sent') await readStatuses(ports, head.send, ending.providerId);
    return true;
  }
  throw new Error(`part ${index} of ${messageId} changed ${TRIES} times while it was being settled`);
}

/** An account is deleted with nothing in its queue, and its counts are the quota's from then on. */
function accountWrites({ workspace, accountId, epoch }: Send, leaving: number, spending: Spending, isGone: boolean) {
  const changes = [...(leaving > 0 ? [add('pending', -leaving)] : []), ...onAccount(epoch, spending)];
  if (changes.length === 0) return [];
  return isGone
    ? [update(quotaKey(workspace, epoch), onQuota(spending), exists())]
    : [update(accountKey(accountId), changes, exists())];
}

/** A message that is known to be another part's is evidence of that one alone. */
function isAnothers(
  writes: readonly (Update | Put | Delete)[],
  refused: Extract<Transacted, { done: false }>['refused'],
  { pk }: Key,
): boolean {
  const item = refused[writes.findIndex((write) => write.kind === 'update' && write.key.pk === pk)]?.item;
  return item !== undefined && readProviderMessage(item).send !== undefined;
}
