import type { Clock, Metrics, Random } from '../ports.ts';
import { add, all, equal, exists, type Store, type Transacted, update } from '../store.ts';
import { type AcceptPlan, acceptPlan } from './accept-plan.ts';
import type { SendingConfig } from './config.ts';
import { type Earlier, earlierOf, findEarlier } from './idempotency.ts';
import { type Account, readAccount, type Send } from './items.ts';
import { accountKey } from './keys.ts';
import { isOverdue, kick } from './kick.ts';
import type { Ticks } from './ports.ts';
import { currentEpoch, openEpoch, openingCredits, quotaKind } from './quota.ts';
import { withRetries } from './with-retries.ts';

export type NewPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly url: string; readonly name: string };

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

export interface AcceptPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly ticks: Ticks;
  readonly metrics: Metrics;
}

/** A month is opened at most once on the way, and the account may go to rest; every other answer of the table is final. */
const TRIES = 5;

/** Charges, queues and sets going. Once it has said `accepted`, the message is sent or its credit is given back. */
export async function accept(request: SendRequest, given: AcceptPorts, config: SendingConfig): Promise<Accepted> {
  const ports = withRetries(given, config);
  const { store, random } = ports;
  const messageId = `wa_backend:3EB0${Buffer.from(random.bytes(8)).toString('hex').toUpperCase()}`;
  const [account, quota] = await Promise.all([takeNumber(store, request), quotaKind(store, request.workspace)]);
  if (!account) return answerWithout(ports, request);
  let seen = account;
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const now = ports.clock.now();
    const epoch = currentEpoch(quota, now);
    const runs = seen.chain === 'RUNNING' && !isOverdue(seen, now, config);
    const plan = acceptPlan(request, { messageId, account, epoch, now, runs, limit: config.queueLimit });
    // Derived from the send: whoever repeats this very write repeats the same transaction.
    const transacted = await store.transact(plan.writes, `${messageId.slice(-20)}-${tries}`);
    if (transacted.done) {
      ports.metrics.count('CreditsReserved', {}, request.parts.length);
      ports.metrics.count('SendAccepted', { provider: seen.provider });
      return start(ports, runs ? undefined : seen, { kind: 'accepted', messageId }, config);
    }
    const answer = read(transacted, plan, request, config);
    if (answer.kind === 'replayed') return startAgain(ports, answer, config);
    if (answer.kind === 'at rest') seen = answer.account;
    else if (answer.kind !== 'no month') return answer;
    else {
      const credits = openingCredits(request.workspace, quota, config);
      if (credits === 0) return { kind: 'no credit' };
      await openEpoch(store, random, request.workspace, epoch, credits, now);
    }
  }
  throw new Error(`${messageId} could not be accepted in ${TRIES} tries`);
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
  { places }: AcceptPlan,
  { idempotency, parts }: SendRequest,
  { queueLimit }: SendingConfig,
): Earlier | Refusal | { readonly kind: 'no month' } | { readonly kind: 'at rest'; readonly account: Account } {
  const first = places.idempotency === undefined ? undefined : refused[places.idempotency]?.item;
  if (first) return earlierOf(first, idempotency?.requestHash);
  const account = refused[places.account];
  if (account && !account.item) return { kind: 'account gone' };
  const quota = refused[places.quota];
  if (quota) return quota.item ? { kind: 'no credit' } : { kind: 'no month' };
  if (account?.item) {
    const now = readAccount(account.item);
    return now.pending > queueLimit - parts.length ? { kind: 'queue full' } : { kind: 'at rest', account: now };
  }
  if (places.original !== undefined && refused[places.original]) return { kind: 'changed' };
  throw new Error('an accept was refused for a reason that it does not state');
}

/** A key that has its message keeps its answer, whatever has become of the account since. */
async function answerWithout(
  { store, clock }: AcceptPorts,
  { workspace, idempotency }: SendRequest,
): Promise<Accepted> {
  const earlier = idempotency && (await findEarlier(store, workspace, idempotency, clock.now()));
  if (!earlier) return { kind: 'account gone' };
  return earlier.kind === 'mismatch' ? earlier : { kind: earlier.kind, messageId: earlier.messageId };
}

/** The first request may have died before its kick, and it may have been given another account than this one. */
async function startAgain(
  ports: AcceptPorts,
  { kind, messageId, account }: Extract<Earlier, { kind: 'replayed' }>,
  config: SendingConfig,
): Promise<Accepted> {
  const item = await ports.store.get(accountKey(account), { consistent: true });
  return start(ports, item && readAccount(item), { kind, messageId }, config);
}

/**
 * Sets the account going. None where its chain was running when the send was queued: a chain with something pending
 * cannot go to rest. A failure here is not the caller's: the send is safe, and the watchdog starts it.
 */
async function start(
  { store, ticks, clock, metrics }: AcceptPorts,
  account: Account | undefined,
  answer: { readonly kind: 'accepted' | 'replayed'; readonly messageId: string },
  config: SendingConfig,
): Promise<Accepted> {
  if (!account) return answer;
  try {
    await kick(store, ticks, account, answer.messageId, clock.now(), config);
    return answer;
  } catch (startFailed) {
    metrics.count('KickFailed', { account: account.id });
    return { ...answer, startFailed };
  }
}
