import { known } from '#lib/domain/schema.ts';
import { isPending, type PartState } from '#lib/domain/send/part.ts';
import { type Accepted, type AcceptPorts, accept, type NewPart } from '#lib/sender/accept.ts';
import type { SendingConfig } from '#lib/sender/config.ts';
import { type Part, readAccount, readPointer, readSend, type Send } from '#lib/sender/items.ts';
import { cancelParts, type SettlingPorts } from '#lib/sender/settle.ts';
import { accountKey, POINTER_PREFIX, pointerKey, sendKey } from '#lib/store/keys.ts';
import { pagesOf } from '#lib/store/query.ts';
import { AGAIN, retryOnConflict, withRetries } from '#lib/store/retry.ts';
import type { Store } from '#lib/store/store.ts';

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
  return retryOnConflict(messageId, async () => {
    const send = await findSend(ports.store, workspace, messageId);
    if (!send) return 'not found';
    const queued = send.parts.flatMap((part, index) => (part.state === 'queued' ? [index] : []));
    if (queued.length === 0 || send.parts.some((part) => part.state === 'sending')) return 'too late';
    return (await cancelParts(ports, send, queued)) ? 'cancelled' : AGAIN;
  });
}

interface CancelledAll {
  /** Sends, not parts. */
  readonly cancelled: number;
  /** Time was up before all were looked at. */
  readonly more: boolean;
}

const PAGE = 100;
/** A call of the API has 30 s; one slow transaction may come on top of this. */
const LONGEST_MS = 15_000;

/**
 * Cancels what waits in an account's queue, one send after the other: all of them change the account and the quota. What
 * is accepted meanwhile stays, so it comes to an end; what is being sent stays, too.
 */
export async function cancelAll(
  given: SettlingPorts,
  workspace: string,
  account: string,
  config: SendingConfig,
  budgetMs = LONGEST_MS,
): Promise<CancelledAll | undefined> {
  const { store, clock } = withRetries(given, config);
  const deadline = clock.monotonic() + budgetMs;
  const item = await store.get(accountKey(account), { consistent: true });
  const read = item && readAccount(item);
  if (read?.workspace !== workspace) return undefined;
  const { pk } = accountKey(account);
  const end = pointerKey(account, read.tailSeq + 1, 0).sk;
  let cancelled = 0;
  for await (const page of pagesOf(store, { pk, from: POINTER_PREFIX, before: end, limit: PAGE, consistent: true })) {
    for (const messageId of new Set(page.map((pointer) => readPointer(pointer).send))) {
      if (clock.monotonic() >= deadline) return { cancelled, more: true };
      if ((await cancel(given, workspace, messageId, config)) === 'cancelled') cancelled += 1;
    }
  }
  return { cancelled, more: false };
}

/** A send of this workspace; another's is not found. */
export async function findSend(store: Store, workspace: string, messageId: string): Promise<Send | undefined> {
  const item = await store.get(sendKey(messageId), { consistent: true });
  const send = item && readSend(item);
  return send?.workspace === workspace ? send : undefined;
}

export type Resent =
  | Accepted
  | { readonly kind: 'not found' }
  /** Something of it still waits, or nothing of it failed. */
  | { readonly kind: 'nothing failed' }
  /** The provider has it, under an id: it went out, or still will. */
  | { readonly kind: 'named' }
  | { readonly kind: 'resent already'; readonly messageId: string };

/** What a resend repeats. What was cancelled, somebody did not want to go out. */
const IN_VAIN: readonly PartState[] = ['failed', 'unknown', 'expired'];

/**
 * An operator's decision, since the recipient may get it twice: a new send, charged anew and linked to the old one, of
 * those parts that failed or whose fate is not known, and of no other. The old one's credit has come back, or does so by
 * its own evidence or limit.
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
  const inVain = send.parts.filter(({ state }) => IN_VAIN.includes(state));
  if (send.parts.some(({ state }) => isPending(state)) || inVain.length === 0) return { kind: 'nothing failed' };
  const [first, second] = inVain.filter((part) => part.state === 'failed' || part.providerId === undefined).map(again);
  if (!first) return { kind: 'named' };
  const { accountId: account, recipient, webhook } = send;
  const parts = second ? ([first, second] as const) : ([first] as const);
  const origin = webhook === undefined ? {} : { webhook };
  return accept({ workspace, ...origin, account, recipient, parts, resendOf: send }, given, config);
}

function again({ kind, text, url, name, caption, credits, quoted }: Part): NewPart {
  if (kind === 'text') return { kind, text: text ?? '', ...known({ quoted }) };
  return { kind, url: url ?? '', name: name ?? '', ...known({ caption, credits, quoted }) };
}
