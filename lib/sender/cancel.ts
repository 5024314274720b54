import { known } from '#lib/domain/schema.ts';
import { sendState } from '#lib/domain/send/part.ts';
import { accountKey, sendKey } from '#lib/store/keys.ts';
import { AGAIN, retryOnConflict, withRetries } from '#lib/store/retry.ts';
import { add, exists, newTransaction, type Store, type Update, update } from '#lib/store/store.ts';
import { type Accepted, type AcceptPorts, accept, type NewPart } from './accept.ts';
import type { SendingConfig } from './config.ts';
import { type Part, readSend, type Send } from './items.ts';
import { countSettled, type SettlingPorts, settling } from './settle.ts';

type Cancelled = 'cancelled' | 'too late' | 'not found';

/**
 * Takes what is still queued of a send out of the queue, with its credit back; a text behind a file that has gone may
 * be cancelled alone. Not while a part of it is being sent.
 */
export async function cancel(
  given: SettlingPorts,
  workspace: string,
  messageId: string,
  config: SendingConfig,
): Promise<Cancelled> {
  const ports = withRetries(given, config);
  const { store, clock, random } = ports;
  return retryOnConflict(messageId, async () => {
    const send = await findSend(store, workspace, messageId);
    if (!send) return 'not found';
    const queued = send.parts.flatMap((part, index) => (part.state === 'queued' ? [index] : []));
    if (queued.length === 0 || send.parts.some((part) => part.state === 'sending')) return 'too late';
    const { writes, leaving, settled } = settling(send, queued, { kind: 'cancelled' }, clock.now());
    const transacted = await store.transact([leaveQueue(send.accountId, leaving), ...writes], newTransaction(random));
    if (!transacted.done) return AGAIN;
    countSettled(ports, settled);
    return 'cancelled';
  });
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

export type Resent =
  | Accepted
  | { readonly kind: 'not found' }
  | { readonly kind: 'not unknown' }
  /** The provider has it, under an id: it went out, or still will. */
  | { readonly kind: 'named' }
  | { readonly kind: 'resent already'; readonly messageId: string };

/**
 * An operator's decision, since the recipient may get it twice: a new send, charged anew and linked to the old one, of
 * those parts whose fate is not known. The old one's credit comes back by its own evidence or limit.
 */
export async function resend(
  given: AcceptPorts,
  workspace: string,
  messageId: string,
  config: SendingConfig,
): Promise<Resent> {
  const send = await findSend(withRetries(given, config).store, workspace, messageId);
  if (!send || send.erased) return { kind: 'not found' };
  if (send.resentAs !== undefined) return { kind: 'resent already', messageId: send.resentAs };
  const state = sendState(send.parts);
  const unsure = send.parts.filter((part) => part.state === 'unknown' || part.state === 'expired');
  if ((state !== 'unknown' && state !== 'expired') || unsure.length === 0) return { kind: 'not unknown' };
  const [first, second] = unsure.filter(({ providerId }) => providerId === undefined).map(again);
  if (!first) return { kind: 'named' };
  const { accountId: account, recipient, webhook } = send;
  const parts = second ? ([first, second] as const) : ([first] as const);
  const origin = webhook === undefined ? {} : { webhook };
  return accept({ workspace, ...origin, account, recipient, parts, resendOf: send }, given, config);
}

function again({ kind, text, url, name, caption, credits }: Part): NewPart {
  if (kind === 'text') return { kind, text: text ?? '' };
  return { kind, url: url ?? '', name: name ?? '', ...known({ caption, credits }) };
}
