import { meanGap } from '#lib/domain/sending/pace.ts';
import { type SendCreditState, type SendState, sendCreditState, sendState } from '#lib/domain/sending/part.ts';
import { toIso } from '#lib/domain/time.ts';
import { queryAll } from '../query-all.ts';
import type { Store } from '../store.ts';
import { gatesOpenAt } from './due.ts';
import { type Account, isBlocked, type Part, type Pointer, readAccount, readPointer, type Send } from './items.ts';
import { accountKey, POINTER_PREFIX } from './keys.ts';

/** A send as the API shows it. */
export interface SendView {
  readonly messageId: string;
  readonly state: SendState;
  readonly creditState: SendCreditState;
  readonly credits: number;
  readonly accountId: string;
  readonly recipient: Send['recipient'];
  readonly parts: readonly PartView[];
  readonly history: readonly { readonly at: string; readonly state: string; readonly detail?: string }[];
  /** Its place in the account's queue, from 1; two messages of one send take two places. */
  readonly position?: number;
  /** About when its turn comes. Absent on a blocked account: nobody knows. */
  readonly etaAt?: string;
  readonly resendOf?: string;
  readonly resentAs?: string;
}
interface PartView extends Pick<Part, 'kind' | 'state' | 'creditState'> {
  readonly providerMessageId?: string;
  readonly error?: string;
}

interface Queue {
  readonly account: Account;
  readonly pointers: readonly Pointer[];
}

const PAGE = 1_000;
/** What a call takes, as far as a guess needs to know. */
const USUAL_CALL_MS = 500;

/** Each queue is read once, however many of its sends are shown. */
export async function describeSends(store: Store, sends: readonly Send[], now: number): Promise<SendView[]> {
  const waiting = sends.filter((send) => send.parts.some((part) => part.state === 'queued'));
  const accounts = [...new Set(waiting.map((send) => send.accountId))];
  const queues = new Map(await Promise.all(accounts.map(async (id) => [id, await readQueue(store, id)] as const)));
  return sends.map((send) => ({ ...view(send), ...placeOf(send, queues.get(send.accountId), now) }));
}

async function readQueue(store: Store, id: string): Promise<Queue | undefined> {
  const { pk } = accountKey(id);
  const [account, pointers] = await Promise.all([
    store.get(accountKey(id)),
    queryAll(store, { pk, prefix: POINTER_PREFIX, limit: PAGE }),
  ]);
  return account && { account: readAccount(account), pointers: pointers.map(readPointer) };
}

function placeOf(send: Send, queue: Queue | undefined, now: number): Pick<SendView, 'position' | 'etaAt'> {
  const ahead = queue?.pointers.findIndex((pointer) => pointer.send === send.messageId) ?? -1;
  if (!queue || ahead < 0) return {};
  const position = ahead + 1;
  if (isBlocked(queue.account)) return { position };
  const { account } = queue;
  const wait = ahead * (meanGap(account.pacing) + USUAL_CALL_MS);
  return { position, etaAt: toIso(Math.max(now, gatesOpenAt(account)) + wait) };
}

function view(send: Send): SendView {
  const { messageId, accountId, recipient, parts, history, resendOf, resentAs } = send;
  return {
    messageId,
    state: sendState(parts),
    creditState: sendCreditState(parts),
    credits: parts.length,
    accountId,
    recipient,
    parts: parts.map(partView),
    history: history.map(({ at, state, detail }) => ({
      at: toIso(at),
      state,
      ...(detail === undefined ? {} : { detail }),
    })),
    ...(resendOf === undefined ? {} : { resendOf }),
    ...(resentAs === undefined ? {} : { resentAs }),
  };
}

function partView({ kind, state, creditState, providerId, error }: Part): PartView {
  return {
    kind,
    state,
    creditState,
    ...(providerId === undefined ? {} : { providerMessageId: providerId }),
    ...(error === undefined ? {} : { error }),
  };
}
