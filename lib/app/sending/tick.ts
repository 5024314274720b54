import { retrying } from '../retrying-store.ts';
import { call, callLimit, declareIntent, hasTimeToCall, takeBack } from './attempt.ts';
import { noteActivity } from './chat-activity.ts';
import { type Claim, claim, clampTimes } from './claim.ts';
import type { SendingConfig } from './config.ts';
import { seeToCrash } from './crash.ts';
import { gatesOpenAt } from './due.ts';
import { abandon, findHead } from './head.ts';
import { type Account, isBlocked, readAccount } from './items.ts';
import { settleLate } from './late.ts';
import { giveBack, goIdle, passOver, releaseBlocked } from './let-go.ts';
import { recordOutcome } from './outcome.ts';
import type { KeptAnswer, Tick } from './ports.ts';
import { prepare } from './prepare.ts';
import { type RunClock, runClock } from './run-clock.ts';
import { scheduleTick } from './schedule.ts';
import { readStatuses } from './statuses.ts';
import type { End, Step, TickPorts, Turn } from './turn.ts';

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

/** Doing it twice is doing it once: it counts for its own attempt, as long as that is not known to be sent. */
async function takeAnswer({ send: messageId, part: index, intentAt, providerId }: KeptAnswer, ports: RunPorts) {
  await settleLate(ports, { send: { messageId }, index }, intentAt, { kind: 'sent', providerId });
}

/** The next tick first: whatever goes wrong after it, the queue moves on. */
async function finish(end: End, ports: RunPorts): Promise<TickResult> {
  if (end.kind === 'next') await scheduleTick(ports.ticks, end.tick, ports.clock.now());
  if (end.taken) {
    await readStatuses(ports, end.taken.send, end.taken.providerId);
    await noteActivity(ports.store, end.taken.send, ports.clock.now());
  }
  return { kind: 'done', why: end.kind === 'over' ? end.why : 'next' };
}

async function takeTurn(turn: Turn): Promise<End> {
  for (let look = 0; look < turn.config.looksPerTick; look += 1) {
    const step = await sendHead(turn);
    if (step.kind !== 'look again') return step;
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

type RunPorts = TickPorts & { readonly clock: RunClock };

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
