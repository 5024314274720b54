import type { Clock } from '#lib/domain/ports.ts';
import { longestGap } from '#lib/domain/send/outcome.ts';
import { accountKey } from '#lib/store/keys.ts';
import { retrying } from '#lib/store/retry.ts';
import { absent, all, any, compare, equal, exists, set, update } from '#lib/store/store.ts';
import { gatesOpenAt, scheduleTick } from './account.ts';
import type { SendingConfig } from './config.ts';
import { type Account, findHead, isBlocked, readAccount } from './items.ts';
import { readStatuses, recordOutcome, takeAnswer } from './outcome.ts';
import type { Tick } from './provider.ts';
import { sentEventId, sightRecipient } from './sent-event.ts';
import {
  abandon,
  call,
  callLimit,
  cancelNeedless,
  declareIntent,
  type End,
  giveBack,
  goIdle,
  hasTimeToCall,
  lookOnceMore,
  prepare,
  type RunClock,
  type RunPorts,
  releaseBlocked,
  type Step,
  type TickPorts,
  type Turn,
} from './turn.ts';

/** One invocation. `id` is its own alone; `endsAt`, on `clock.monotonic`, is when the platform stops it. */
export interface Run {
  readonly id: string;
  readonly endsAt: number;
  /** The queue's own words: how often it has handed the tick out, and when it did so first (by its clock). */
  readonly received: { readonly times: number; readonly firstAt: number };
}

/** `later`: not done with the tick; let the queue show it again after so many seconds. */
export type TickResult =
  | { readonly kind: 'done'; readonly why: string }
  | { readonly kind: 'later'; readonly seconds: number };

/**
 * One tick sends the head of one account's queue and schedules the next. Any tick may be lost, doubled, late or early:
 * the account's generation, lease and gates decide whether it has anything to do.
 */
export async function tick(
  { answer, ...message }: Tick,
  run: Run,
  given: TickPorts,
  config: SendingConfig,
): Promise<TickResult> {
  const clock = runClock(given.clock, run.received.firstAt);
  const store = retrying(given.store, clock, given.random, run.endsAt - config.handOverMs);
  const ports = { ...given, clock, store };
  if (answer) await takeAnswer(answer, ports);
  if (run.received.times > 1) return exchange(message, ports);
  await napUntil(message.at, clock, config);
  const claimed = await claimInTime(message, run, ports, config);
  if (claimed.kind !== 'claimed') return withoutClaim(message, claimed, ports, config);

  const end = await takeTurn({
    me: run.id,
    account: claimed.account,
    endsAt: run.endsAt,
    ports,
    config,
    mismatches: 0,
    failedFiles: 0,
    preparingUntil: clock.monotonic() + config.prepareMs,
  });
  return finish(end, ports);
}

const MOST_EXCHANGES = 3;

/**
 * Only the first receive of a tick tells the time: by an old stamp a host that is slow would write times that are over
 * already, and shorten the gap behind its call. A fresh tick takes the old one's place. Not for ever: on an account that
 * does not get on, the watchdog's ticks would become more and more.
 */
async function exchange(message: Tick, { ticks, clock }: RunPorts): Promise<TickResult> {
  const { exchanges = 0 } = message;
  if (exchanges === MOST_EXCHANGES) return { kind: 'done', why: 'left to the watchdog' };
  await scheduleTick(ticks, { ...message, exchanges: exchanges + 1 }, clock.now());
  return { kind: 'done', why: 'exchanged' };
}

async function takeTurn(begun: Turn): Promise<End> {
  let turn = begun;
  for (let look = 0; look < turn.config.looksPerTick; look += 1) {
    const step = await sendHead(turn);
    if (step.kind !== 'look again') return step;
    turn = step.turn;
  }
  return giveBack(turn);
}

/** The protocol, top to bottom: head, prepare, intent, call, outcome. */
async function sendHead(turn: Turn): Promise<Step> {
  const head = await findHead(turn.ports.store, turn.account.id);
  if (!head) return goIdle(turn);
  if (head.part.state === 'sending') return abandon(turn, head);
  if (head.part.state !== 'queued') return lookOnceMore(turn);
  if (isBlocked(turn.account)) return releaseBlocked(turn);

  const needless = await cancelNeedless(turn, head);
  if (needless) return needless;

  const prepared = await prepare(turn, head);
  if (prepared.kind !== 'ready') return prepared;
  const limit = callLimit(turn, head.part.kind);
  if (!hasTimeToCall(turn, limit)) return giveBack(turn);

  const intent = await declareIntent(turn, head, limit);
  if (intent.kind !== 'declared') return intent;

  const outcome = await call(turn, head, prepared.content, intent);
  return recordOutcome(turn, head, intent.at, outcome);
}

/** The next tick first: whatever goes wrong after it, the queue moves on. */
async function finish(end: End, ports: RunPorts): Promise<TickResult> {
  if (end.kind === 'next') await scheduleTick(ports.ticks, end.tick, ports.clock.now());
  if (end.taken) {
    const { send, part, providerId } = end.taken;
    await readStatuses(ports, send, part, providerId);
    await sightRecipient(ports.store, send, ports.clock.now(), { event: sentEventId(send.messageId, part) });
  }
  return { kind: 'done', why: end.kind === 'over' ? end.why : 'next' };
}

/**
 * The gates compare one host's time with another's, so a host's clock is not trusted alone: gates are compared with the
 * queue's stamp, which is never ahead of the time, and written from whichever is later. A clock that is off, or a tick that
 * is handed over late, costs time. One case is left: a host that is slow and gets its tick late by as much shortens the next
 * gap by that. Clocks that are kept in step, as a Lambda's are, run slow by a few milliseconds.
 */
function runClock(clock: Clock, firstReceivedAt: number): RunClock {
  const startedAt = clock.monotonic();
  const latest = Math.max(clock.now(), firstReceivedAt);
  const from = (base: number) => Math.floor(base + clock.monotonic() - startedAt);
  return {
    now: () => from(latest),
    gate: () => from(firstReceivedAt),
    monotonic: () => clock.monotonic(),
    sleep: (milliseconds) => clock.sleep(milliseconds),
  };
}

type Claim =
  | { readonly kind: 'dropped'; readonly why: 'gone' | 'stale' | 'idle' }
  | { readonly kind: 'claimed' | 'leased' | 'early'; readonly account: Account };

const CLAIMS = 3;

/** A tick that is early by a moment waits for it here; anything longer goes back to the queue. */
async function claimInTime(message: Tick, run: Run, ports: RunPorts, config: SendingConfig): Promise<Claim> {
  for (let tries = 1; ; tries += 1) {
    const claimed = await claim(message, run.id, ports, config);
    if (claimed.kind === 'claimed' || claimed.kind === 'dropped') return claimed;
    const account = await clamp(claimed.account, ports, config);
    const isNear = gatesOpenAt(account) - ports.clock.gate() <= config.napMs;
    if (claimed.kind === 'leased' || tries === CLAIMS || !isNear) return { kind: claimed.kind, account };
    await napUntil(gatesOpenAt(account), ports.clock, config);
  }
}

/**
 * Takes the lease of an account that is free for this tick: of its generation, on a running chain, leased to nobody else,
 * both gates open.
 *
 *   leaseId = me: the repeat of a claim that had succeeded is a success
 *   whether the account is blocked is asked at the intent: a crashed attempt is cleared even on a blocked account
 */
async function claim({ account: id, gen }: Tick, me: string, { store, clock }: RunPorts, config: SendingConfig) {
  const now = clock.now();
  const gate = clock.gate();
  const isFree = all(
    exists(),
    equal('gen', gen),
    equal('chain', 'RUNNING'),
    any(equal('leaseId', me), absent('leaseId'), compare('leaseUntil', '<=', gate)),
    compare('nextSendAt', '<=', gate),
    compare('backoffUntil', '<=', gate),
  );
  const lease = [set('leaseId', me), set('leaseUntil', now + config.leaseMs)];
  const written = await store.write(update(accountKey(id), lease, isFree), { returns: 'new' });
  if (!written.item) return { kind: 'dropped', why: 'gone' } as const;
  const account = readAccount(written.item);
  if (written.done) return { kind: 'claimed', account } as const;
  if (account.gen !== gen) return { kind: 'dropped', why: 'stale' } as const;
  if (account.chain === 'IDLE') return { kind: 'dropped', why: 'idle' } as const;
  const isLeased = account.leaseId !== undefined && account.leaseId !== me && (account.leaseUntil ?? 0) > gate;
  return { kind: isLeased ? 'leased' : 'early', account } as const;
}

/**
 * A host whose clock runs ahead may have written times that no honest host writes. They are brought back to the
 * furthest that one would, so that a bad clock delays an account and never freezes it. Answers the account as it is
 * afterwards: the next tick must not wait for the time that was corrected.
 */
async function clamp(account: Account, { store, clock, metrics }: RunPorts, config: SendingConfig): Promise<Account> {
  const now = clock.now();
  const furthest = {
    nextSendAt: now + Math.max(config.callMs, config.uploadCallMs) + longestGap(account.pacing),
    backoffUntil: now + config.backoff.longestMs,
    leaseUntil: now + config.leaseMs,
  };
  const tooFar = (['nextSendAt', 'backoffUntil', 'leaseUntil'] as const).flatMap((name) => {
    const read = account[name];
    return read !== undefined && read > furthest[name] ? [{ name, read }] : [];
  });
  if (tooFar.length === 0) return account;
  metrics.count('ClockClamped', { account: account.id });
  const changes = tooFar.map(({ name }) => set(name, furthest[name]));
  const asRead = tooFar.map(({ name, read }) => equal(name, read));
  const { item } = await store.write(update(accountKey(account.id), changes, all(exists(), ...asRead)), {
    returns: 'new',
  });
  return item ? readAccount(item) : account;
}

async function withoutClaim(
  message: Tick,
  claimed: Exclude<Claim, { kind: 'claimed' }>,
  { ticks, clock }: RunPorts,
  config: SendingConfig,
): Promise<TickResult> {
  if (claimed.kind === 'dropped') return { kind: 'done', why: claimed.why };
  if (claimed.kind === 'leased') {
    // Should its holder be dead, this very tick takes over when the lease has run out.
    const rest = Math.min(config.leaseMs, (claimed.account.leaseUntil ?? 0) - clock.gate());
    return { kind: 'later', seconds: Math.max(1, Math.ceil(rest / 1000)) };
  }
  // A fresh tick, and with it a fresh stamp.
  await scheduleTick(ticks, { ...message, at: gatesOpenAt(claimed.account) }, clock.gate());
  return { kind: 'done', why: 'early' };
}

async function napUntil(at: number, clock: RunClock, config: SendingConfig): Promise<void> {
  const wait = at - clock.gate();
  if (wait > 0 && wait <= config.napMs) await clock.sleep(Math.ceil(wait));
}
