import type { Clock } from '#lib/domain/ports.ts';
import { longestGap } from '#lib/domain/send/pace.ts';
import { accountKey } from '#lib/store/keys.ts';
import { retrying } from '#lib/store/retry.ts';
import {
  absent,
  all,
  any,
  type Change,
  type Condition,
  compare,
  equal,
  exists,
  type Store,
  set,
  type Update,
  update,
} from '#lib/store/store.ts';
import {
  abandon,
  call,
  callLimit,
  cancelNeedless,
  declareIntent,
  hasTimeToCall,
  prepare,
  seeToCrash,
  takeBack,
} from './attempt.ts';
import type { SendingConfig } from './config.ts';
import { type Account, findHead, isBlocked, readAccount } from './items.ts';
import { noteActivity, recordOutcome, takeAnswer } from './outcome.ts';
import type { Tick } from './provider.ts';
import { gatesOpenAt, scheduleTick } from './schedule.ts';
import { readStatuses } from './statuses.ts';
import {
  type End,
  giveBack,
  goIdle,
  holdAgain,
  isSilent,
  passOver,
  type RunClock,
  type RunPorts,
  releaseBlocked,
  type Step,
  type TickPorts,
  type Turn,
} from './turn.ts';

type Claim =
  /** `takenOver`: from a run that never released it. */
  | { readonly kind: 'claimed'; readonly account: Account; readonly takenOver: boolean }
  | { readonly kind: 'dropped'; readonly why: 'gone' | 'stale' | 'idle' }
  | { readonly kind: 'leased' | 'early'; readonly account: Account };

/**
 * Free for a tick: of the current generation, on a running chain, leased to nobody else, both gates open.
 *
 *   leaseId = me: the repeat of a claim that had succeeded is a success
 *   whether the account is blocked is asked at the intent: a crashed attempt is cleared even on a blocked account
 */
function isFree(gen: number, now: number, lease: readonly Condition[]): Condition {
  return all(
    exists(),
    equal('gen', gen),
    equal('chain', 'RUNNING'),
    any(...lease),
    compare('nextSendAt', '<=', now),
    compare('backoffUntil', '<=', now),
  );
}

/** `now` is the time that has certainly come; `leaseUntil` is reckoned from the time that may have. */
async function claim(store: Store, tick: Tick, me: string, now: number, leaseUntil: number): Promise<Claim> {
  const free = [equal('leaseId', me), absent('leaseId')];
  const first = await tryClaim(store, tick, me, now, leaseUntil, free);
  if (first.kind !== 'early' || gatesOpenAt(first.account) > now || first.account.leaseId === undefined) return first;
  // A lease that has run out was left behind by a run that died, which is worth knowing: hence the second write.
  const second = await tryClaim(store, tick, me, now, leaseUntil, [...free, compare('leaseUntil', '<=', now)]);
  return second.kind === 'claimed' ? { ...second, takenOver: true } : second;
}

async function tryClaim(
  store: Store,
  { account: id, gen }: Tick,
  me: string,
  now: number,
  leaseUntil: number,
  lease: readonly Condition[],
): Promise<Claim> {
  const written = await store.write(
    update(accountKey(id), [set('leaseId', me), set('leaseUntil', leaseUntil)], isFree(gen, now, lease)),
    { returns: 'new' },
  );
  if (!written.item) return { kind: 'dropped', why: 'gone' };
  const account = readAccount(written.item);
  if (written.done) return { kind: 'claimed', account, takenOver: false };
  if (account.gen !== gen) return { kind: 'dropped', why: 'stale' };
  if (account.chain === 'IDLE') return { kind: 'dropped', why: 'idle' };
  if (account.leaseId !== undefined && account.leaseId !== me && (account.leaseUntil ?? 0) > now) {
    return { kind: 'leased', account };
  }
  return { kind: 'early', account };
}

/**
 * A host whose clock runs ahead may have written times that no honest host writes. They are brought back to the
 * furthest that one would, so that a bad clock delays an account and never freezes it. Undefined: nothing to correct.
 */
function clampTimes(account: Account, now: number, config: SendingConfig): Update | undefined {
  const furthest = {
    nextSendAt: now + Math.max(config.callMs, config.uploadCallMs) + longestGap(account.pacing),
    backoffUntil: now + config.backoff.longestMs,
    leaseUntil: now + config.leaseMs,
  };
  const changes: Change[] = [];
  const asRead: Condition[] = [];
  for (const name of ['nextSendAt', 'backoffUntil', 'leaseUntil'] as const) {
    const read = account[name];
    if (read === undefined || read <= furthest[name]) continue;
    changes.push(set(name, furthest[name]));
    asRead.push(equal(name, read));
  }
  return changes.length === 0 ? undefined : update(accountKey(account.id), changes, all(exists(), ...asRead));
}

// Together they stay under what the shortest drawn gap leaves over the promised one.
const SLOW_BY_MS = 25;
const HANDED_OVER_WITHIN_MS = 75;

/**
 * The gates compare one host's time with another's, so a host's clock is checked against the queue's stamp: a tick is
 * handed over within moments of its first receive.
 *
 *   host ◀── before ──  stamp  ── within moments ── ▶ host ── later ──▶ host
 *   slow: the stamp is right        honest            fast, or handed over late: nobody can tell
 *
 * In the last case gates are compared with the earlier time and written from the later one. Either way the error costs
 * time, and never the distance between two calls. One case is left: a host that is slow and gets its tick late by as
 * much looks honest, and the next call may come too early by that. Clocks that are kept in step, as a Lambda's are, do
 * not run slow by more than the few milliseconds that there is room for.
 */
function runClock(clock: Clock, firstReceivedAt: number): RunClock {
  const startedAt = clock.monotonic();
  const believed = clock.now();
  const lag = believed - firstReceivedAt;
  const isSlow = lag < -SLOW_BY_MS;
  const isDoubtful = lag > HANDED_OVER_WITHIN_MS;
  const from = (base: number) => Math.floor(base + clock.monotonic() - startedAt);
  return {
    now: () => from(isSlow ? firstReceivedAt : believed),
    gate: () => from(isSlow || isDoubtful ? firstReceivedAt : believed),
    monotonic: () => clock.monotonic(),
    sleep: (milliseconds) => clock.sleep(milliseconds),
  };
}

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
  const ports = { ...given, clock, store, table: given.store };
  if (answer) await takeAnswer(answer, ports, config);
  if (run.received.times > 1) return exchange(message, ports, config);
  await napUntil(message.at, clock, config);
  const claimed = await claimInTime(message, run, ports, config);
  if (claimed.kind !== 'claimed') return withoutClaim(message, claimed, ports, config);

  const turn: Turn = {
    me: run.id,
    account: claimed.account,
    endsAt: run.endsAt,
    ports,
    config,
    takenOver: claimed.takenOver,
    emptyLooks: 0,
    failedFiles: 0,
    preparingUntil: ports.clock.monotonic() + config.prepareMs,
  };
  return finish(await takeTurn(turn), ports);
}

/** The next tick first: whatever goes wrong after it, the queue moves on. */
async function finish(end: End, ports: RunPorts): Promise<TickResult> {
  if (end.kind === 'next') await scheduleTick(ports.ticks, end.tick, ports.clock.now());
  if (end.taken) {
    await readStatuses(ports, end.taken.send, end.taken.part, end.taken.providerId);
    await noteActivity(ports.store, end.taken.send, end.taken.part, ports.clock.now());
  }
  return { kind: 'done', why: end.kind === 'over' ? end.why : 'next' };
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
  if (turn.takenOver) return seeToCrash(turn);
  const head = await findHead(turn.ports.store, turn.account.id);
  if (!head) return goIdle(turn);
  if (head.part.state === 'sending') return abandon(turn, head);
  if (head.part.state !== 'queued') return passOver(turn, head);
  if (isBlocked(turn.account)) return releaseBlocked(turn);
  if (isSilent(turn)) return holdAgain(turn);

  const needless = await cancelNeedless(turn, head);
  if (needless) return needless;

  const prepared = await prepare(turn, head);
  if (prepared.kind !== 'ready') return prepared;
  const limit = callLimit(turn, head.part.kind);
  if (!hasTimeToCall(turn, limit)) return giveBack(turn);

  const declared = await declareIntent(turn, head, limit);
  if (declared.kind !== 'declared') return declared.step;
  const { intent } = declared;
  if (turn.ports.clock.monotonic() > intent.declaredBy) return takeBack(turn, head, intent);

  const outcome = await call(turn, head, prepared.content, intent);
  return recordOutcome(turn, head, intent.at, outcome);
}

const CLAIMS = 3;

/** A tick that is early by a moment waits for it here; anything longer goes back to the queue. */
async function claimInTime(message: Tick, run: Run, ports: RunPorts, config: SendingConfig): Promise<Claim> {
  for (let tries = 1; ; tries += 1) {
    const gate = ports.clock.gate();
    const leaseUntil = ports.clock.now() + config.leaseMs;
    const claimed = await claim(ports.store, message, run.id, gate, leaseUntil);
    if (claimed.kind === 'claimed' || claimed.kind === 'dropped') return claimed;
    const account = await clamp(claimed.account, ports, config);
    if (claimed.kind === 'leased' || tries === CLAIMS || gatesOpenAt(account) - gate > config.napMs)
      return { kind: claimed.kind, account };
    await napUntil(gatesOpenAt(account), ports.clock, config);
  }
}

/** The account as it is afterwards: the next tick must not wait for the time that was corrected. */
async function clamp(account: Account, { store, clock, metrics }: RunPorts, config: SendingConfig): Promise<Account> {
  const clamped = clampTimes(account, clock.now(), config);
  if (!clamped) return account;
  metrics.count('ClockClamped', { account: account.id });
  const { item } = await store.write(clamped, { returns: 'new' });
  return item ? readAccount(item) : account;
}

/**
 * Only the first receive of a tick tells whether this host's clock can be trusted: a fresh tick takes the old one's
 * place. Not for ever: on an account that does not get on, the watchdog's ticks would become more and more.
 */
async function exchange(message: Tick, { ticks, clock }: RunPorts, config: SendingConfig): Promise<TickResult> {
  const { exchanges = 0 } = message;
  if (exchanges >= config.exchangesPerTick) return { kind: 'done', why: 'left to the watchdog' };
  await scheduleTick(ticks, { ...message, exchanges: exchanges + 1 }, clock.now());
  return { kind: 'done', why: 'exchanged' };
}

async function withoutClaim(
  message: Tick,
  claimed: Exclude<Claim, { kind: 'claimed' }>,
  ports: RunPorts,
  config: SendingConfig,
) {
  const now = ports.clock.gate();
  switch (claimed.kind) {
    case 'dropped':
      return { kind: 'done', why: claimed.why } as const;
    case 'leased':
      // Should its holder be dead, this very tick takes over when the lease has run out.
      return later(Math.min(config.leaseMs, (claimed.account.leaseUntil ?? now) - now));
    case 'early':
      await scheduleTick(ports.ticks, { ...message, at: gatesOpenAt(claimed.account) }, now);
      return { kind: 'done', why: 'early' } as const;
  }
}

const later = (ms: number) => ({ kind: 'later', seconds: Math.max(1, Math.ceil(ms / 1000)) }) as const;

async function napUntil(at: number, clock: RunClock, config: SendingConfig): Promise<void> {
  const wait = at - clock.gate();
  if (wait > 0 && wait <= config.napMs) await clock.sleep(Math.ceil(wait));
}
