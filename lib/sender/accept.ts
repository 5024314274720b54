import { currentEpoch, openEpoch, openingCredits, quotaKind } from '#lib/credits/credits.ts';
import type { Metrics } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import { creditsIn, type Epoch } from '#lib/domain/send/part.ts';
import {
  accountKey,
  idempotencyKey,
  ledgerKey,
  pointerKey,
  quotaKey,
  reservedListKey,
  reservedSortKey,
  sendKey,
  sendListing,
} from '#lib/store/keys.ts';
import { AGAIN, retryOnConflict, type StorePorts, withRetries } from '#lib/store/retry.ts';
import {
  absent,
  absentOrExpired,
  add,
  all,
  compare,
  equal,
  exists,
  type Item,
  type Put,
  put,
  type Store,
  set,
  type Transacted,
  type Update,
  update,
  type Write,
} from '#lib/store/store.ts';
import { isOverdue, setDueIfNone, tickAgain, wake, waking } from './account.ts';
import type { SendingConfig } from './config.ts';
import { type Account, field, type Part, readAccount, readIdempotency, type Send } from './items.ts';
import type { Ticks } from './provider.ts';

export type Idempotency = NonNullable<SendRequest['idempotency']>;

type Earlier =
  | { readonly kind: 'replayed'; readonly messageId: string; readonly account: string }
  /** The key was used with another body. */
  | { readonly kind: 'mismatch' };

/** What the mark of a key, which is still good, says to a request with this hash. */
function earlierOf(mark: Item, requestHash: string | undefined): Earlier {
  const { requestHash: first, send: messageId, account } = readIdempotency(mark);
  return first === requestHash ? { kind: 'replayed', messageId, account } : { kind: 'mismatch' };
}

/** What a key was answered before; undefined where it is new, or so old that it counts as new. */
export async function findEarlier(
  store: Store,
  workspace: string,
  { webhook, key, requestHash }: Idempotency,
  now: number,
): Promise<Earlier | undefined> {
  const mark = await store.get(idempotencyKey(workspace, webhook, key), { consistent: true });
  if (!mark || readIdempotency(mark).expiresAt <= now / 1000) return undefined;
  return earlierOf(mark, requestHash);
}

const KEEPS_KEY_S = 86_400;

/** What is written, and which of it is which, to read a refusal by. */
interface AcceptPlan {
  readonly writes: readonly Write[];
  readonly quota: Write;
  readonly account: Write;
  readonly mark: Write | undefined;
  readonly original: Write | undefined;
}

interface Facts {
  readonly messageId: string;
  /** As it was when the send took its number. */
  readonly account: Account;
  /** As it was last seen. */
  readonly seen: Account;
  readonly epoch: Epoch;
  readonly now: number;
  readonly config: SendingConfig;
}

/**
 * All of it or nothing: the charge, its entry in the ledger, the send, its place in the queue, the key's mark; and an
 * account at rest is set going. Its chain must be as it was seen: one that runs needs nothing, since with something
 * pending it cannot go to rest, and the tick of one that rests is sent for the generation that follows the one seen.
 */
function acceptPlan(request: SendRequest, facts: Facts): AcceptPlan {
  const { messageId, account, seen, epoch, now, config } = facts;
  const rests = seen.chain === 'IDLE';
  const credits = creditsIn(request.parts);
  const places = request.parts.length;
  const isSo = (name: 'chain' | 'gen') => equal(name, seen[name]);
  const quota = update(
    quotaKey(request.workspace, epoch),
    [add('available', -credits)],
    all(exists(), compare('available', '>=', credits)),
  );
  const queue = update(
    accountKey(account.id),
    [add('pending', places), ...(rests ? waking(seen, messageId, now, config) : [setDueIfNone(now, config)])],
    all(
      exists(),
      compare('pending', '<=', config.queueLimit - places),
      ...(rests ? [isSo('chain'), isSo('gen')] : [isSo('chain')]),
    ),
  );
  const mark = idempotencyMark(request, facts);
  const original = request.resendOf && resent(request.resendOf, messageId);
  const writes = [
    quota,
    queue,
    put(newSend(request, facts), absent()),
    ledgerReserve(request.workspace, messageId, epoch, credits, now),
    ...request.parts.map((_, part) =>
      put({ ...pointerKey(account.id, account.tailSeq, part), kind: 'pointer', send: messageId, part }, absent()),
    ),
    ...(mark ? [mark] : []),
    ...(original ? [original] : []),
  ];
  return { writes, quota, account: queue, mark, original };
}

function newSend(request: SendRequest, { messageId, account, epoch, now }: Facts) {
  const { workspace, webhook, recipient, parts, resendOf } = request;
  return {
    ...sendKey(messageId),
    ...sendListing(workspace, messageId, now),
    gsi2pk: reservedListKey(workspace, epoch),
    gsi2sk: reservedSortKey(creditsIn(parts), messageId),
    kind: 'send',
    messageId,
    workspace,
    accountId: account.id,
    provider: account.provider,
    channel: account.channel,
    scope: account.scope,
    recipient,
    epoch,
    seq: account.tailSeq,
    createdAt: now,
    parts: parts.map(newPart),
    history: [{ at: now, state: 'queued' }],
    ...known({ webhook, sender: account.phone, resendOf: resendOf?.messageId }),
  };
}

const newPart = (part: NewPart): Part => ({ ...part, state: 'queued', creditState: 'reserved', attempts: 0 });

function ledgerReserve(workspace: string, send: string, epoch: Epoch, credits: number, at: number): Put {
  return put(
    { ...ledgerKey(workspace, at, `${send}#reserve`), kind: 'ledger', entry: 'reserve', at, credits, epoch, send },
    absent(),
  );
}

function idempotencyMark({ workspace, idempotency }: SendRequest, { messageId, account, now }: Facts): Put | undefined {
  if (!idempotency) return undefined;
  const nowSeconds = Math.floor(now / 1000);
  const mark = {
    ...idempotencyKey(workspace, idempotency.webhook, idempotency.key),
    kind: 'idempotency',
    requestHash: idempotency.requestHash,
    send: messageId,
    account: account.id,
    expiresAt: nowSeconds + (idempotency.keptSeconds ?? KEEPS_KEY_S),
  };
  return put(mark, absentOrExpired(nowSeconds));
}

/** One resend per send, and only of what is still as it was seen: what has got an id meanwhile has gone out. */
function resent(original: Send, as: string): Update {
  const asSeen = original.parts.flatMap(({ state, providerId }, index) => [
    equal(field(index, 'state'), state),
    ...(providerId === undefined ? [absent(field(index, 'providerId'))] : []),
  ]);
  return update(sendKey(original.messageId), [set('resentAs', as)], all(exists(), absent('resentAs'), ...asSeen));
}

interface OfPart {
  readonly credits?: number;
  /** The message that it quotes, by the provider's id. */
  readonly quoted?: string;
}

export type NewPart =
  | (OfPart & { readonly kind: 'text'; readonly text: string })
  | (OfPart & {
      readonly kind: 'file';
      readonly url: string;
      readonly name: string;
      readonly caption?: string;
    });

/** A request that was checked: its recipient is resolved, its account chosen. */
export interface SendRequest {
  readonly workspace: string;
  /** The send webhook through which it came. */
  readonly webhook?: string;
  readonly account: string;
  readonly recipient: Readonly<Record<string, string>>;
  readonly parts: readonly [NewPart] | readonly [NewPart, NewPart];
  readonly idempotency?: {
    readonly webhook: string;
    readonly key: string;
    /** Of the canonical body. */
    readonly requestHash: string;
    /** How long the same key is the same message; a day unless it says so. */
    readonly keptSeconds?: number;
  };
  /** The send that this one repeats on an operator's behalf. */
  readonly resendOf?: Send;
}

export type Accepted =
  /** `startFailed`: it is safe and will be sent, only not at once; the watchdog starts it. For the log. */
  { readonly kind: 'accepted' | 'replayed'; readonly messageId: string; readonly startFailed?: unknown } | Refusal;

type Refusal =
  /** The idempotency key was used with another body. */
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'no credit' }
  | { readonly kind: 'account gone' }
  | { readonly kind: 'queue full' }
  /** Of a resend: the first send was resent already, or is not what it was. */
  | { readonly kind: 'changed' };

export interface AcceptPorts extends StorePorts {
  readonly ticks: Ticks;
  readonly metrics: Metrics;
}

/** Charges, queues and sets going. Once it has said `accepted`, the message is sent or its credit is given back. */
export async function accept(request: SendRequest, given: AcceptPorts, config: SendingConfig): Promise<Accepted> {
  const ports = withRetries(given, config);
  const { store, random } = ports;
  const messageId = `wa_backend:3EB0${Buffer.from(random.bytes(8)).toString('hex').toUpperCase()}`;
  const [account, quota] = await Promise.all([takeNumber(store, request), quotaKind(store, request.workspace)]);
  if (!account) return { kind: 'account gone' };
  let seen = account;
  return retryOnConflict(`what ${messageId} is charged to`, async (round) => {
    const now = ports.clock.now();
    const epoch = currentEpoch(quota, now);
    const plan = acceptPlan(request, { messageId, account, seen, epoch, now, config });
    // Derived from the send: whoever repeats this very write repeats the same transaction.
    const transacted = await store.transact(plan.writes, `${messageId.slice(-20)}-${round + 1}`);
    if (transacted.done) {
      ports.metrics.count('CreditsReserved', {}, creditsIn(request.parts));
      ports.metrics.count('SendAccepted', { provider: seen.provider });
      return orLater(ports, account.id, { kind: 'accepted', messageId }, async () => {
        if (seen.chain === 'IDLE') await tickAgain(ports.ticks, { ...seen, gen: seen.gen + 1 }, now);
        else if (isOverdue(seen, now, config)) await tickAgain(ports.ticks, seen, now);
      });
    }
    const answer = read(transacted, plan, request, config);
    if (answer.kind === 'replayed') return startAgain(ports, answer, config);
    if (answer.kind === 'moved') seen = answer.account;
    else if (answer.kind !== 'no month') return answer;
    else {
      const credits = openingCredits(request.workspace, quota, config);
      if (credits === 0) return { kind: 'no credit' };
      await openEpoch({ store, random }, request.workspace, epoch, credits, now);
    }
    return AGAIN;
  });
}

/** The order of acceptance, whatever the hosts' clocks say. A number that is never used does no harm. */
async function takeNumber(store: Store, { account, workspace }: SendRequest): Promise<Account | undefined> {
  // Another workspace's account is as good as none, and its numbers are not ours to take.
  const isOurs = all(exists(), equal('workspace', workspace));
  const written = await store.write(update(accountKey(account), [add('tailSeq', 1)], isOurs), { returns: 'new' });
  return written.done && written.item ? readAccount(written.item) : undefined;
}

/** Why the table refused, in the order in which it matters to the caller. */
function read(
  { refused }: Extract<Transacted, { done: false }>,
  plan: AcceptPlan,
  { idempotency, parts }: SendRequest,
  { queueLimit }: SendingConfig,
): Earlier | Refusal | { readonly kind: 'no month' } | { readonly kind: 'moved'; readonly account: Account } {
  const refusalOf = (write: Write | undefined) => (write ? refused[plan.writes.indexOf(write)] : undefined);
  const first = refusalOf(plan.mark)?.item;
  if (first) return earlierOf(first, idempotency?.requestHash);
  const account = refusalOf(plan.account);
  if (account && !account.item) return { kind: 'account gone' };
  const quota = refusalOf(plan.quota);
  if (quota) return { kind: quota.item ? 'no credit' : 'no month' };
  if (account?.item) {
    const now = readAccount(account.item);
    return now.pending > queueLimit - parts.length ? { kind: 'queue full' } : { kind: 'moved', account: now };
  }
  if (refusalOf(plan.original)) return { kind: 'changed' };
  throw new Error('an accept was refused for a reason that it does not state');
}

/** The first request may have died before it woke the account, and it may have been given another account than this one. */
async function startAgain(
  ports: AcceptPorts,
  { kind, messageId, account }: Extract<Earlier, { kind: 'replayed' }>,
  config: SendingConfig,
): Promise<Accepted> {
  const { store, ticks, clock } = ports;
  const item = await store.get(accountKey(account), { consistent: true });
  return orLater(ports, account, { kind, messageId }, async () => {
    if (item) await wake(store, ticks, readAccount(item), messageId, clock.now(), config);
  });
}

/** What fails here is not the caller's: the send is safe, and the watchdog starts it. */
async function orLater(
  { metrics }: AcceptPorts,
  account: string,
  answer: { readonly kind: 'accepted' | 'replayed'; readonly messageId: string },
  starting: () => Promise<void>,
): Promise<Accepted> {
  try {
    await starting();
    return answer;
  } catch (startFailed) {
    metrics.count('WakeFailed', { account });
    return { ...answer, startFailed };
  }
}
