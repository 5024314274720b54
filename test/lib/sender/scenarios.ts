import { sendCreditState, sendState } from '#lib/domain/send/part.ts';
import { cancel, resend } from '#lib/outbox/cancel.ts';
import type { AcceptPorts } from '#lib/sender/accept.ts';
import { pause, resume, wake } from '#lib/sender/account.ts';
import type { Account } from '#lib/sender/items.ts';
import { accountKey } from '#lib/store/keys.ts';
import { del, equal, set, update } from '#lib/store/store.ts';
import { obliging } from '#test/support/simulation/fake-provider.ts';
import type { Write } from '#test/support/simulation/faulty-store.ts';
import {
  at,
  atCall,
  isCharge,
  isClaim,
  isIdling,
  isIntentOfPart,
  isQueueing,
  isRefund,
  isResending,
  isWake,
  once,
} from '#test/support/simulation/landmarks.ts';
import type { Point } from '#test/support/simulation/scheduler.ts';
import { noFaults, World, type WorldOptions } from '#test/support/simulation/world.ts';

/**
 * What can go wrong, played through once each. A scenario returns its complaints: none for the protocol as it is, and at
 * least one for the protocol without the guard that the scenario is about.
 */
export type Scenario = (options?: WorldOptions) => Promise<string[]>;

export class Trial extends World {
  readonly complaints: string[] = [];

  static async begin(options: WorldOptions = {}, credits = 100): Promise<Trial> {
    const world = new Trial(options);
    await world.addAccount('a', 'main', credits);
    await world.addAccount('b', 'main');
    return world;
  }

  expect(holds: boolean, complaint: string): void {
    if (!holds) this.complaints.push(complaint);
  }

  verdict(): string[] {
    return [...new Set([...this.complaints, ...this.invariants.violations])];
  }

  stateOf(messageId: string): string {
    const { parts } = this.message(messageId);
    return `${sendState(parts)}/${sendCreditState(parts)}`;
  }

  callsOf(messageId: string) {
    return this.provider.calls.filter((call) => call.messageId === messageId);
  }

  available(): number {
    return Number(this.store.peek({ pk: 'WS#main', sk: 'QUOTA#lifetime' })?.available);
  }
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const text = (words: string) => ({ parts: [{ kind: 'text', text: words }] as const });
export const fileAndText = {
  parts: [
    { kind: 'file', url: 'https://files.test/a.pdf', name: 'a.pdf' },
    { kind: 'text', text: 'see the file' },
  ] as const,
};
const keyed = (hash: string) => ({ webhook: 'w', key: 'k', requestHash: hash });

export const concurrentSameKey: Scenario = async (options) => {
  const world = await Trial.begin(options);
  const request = { ...text('hello'), idempotency: keyed('1') };
  const answers = await world.until(Promise.all([world.send('a', request), world.send('a', request)]));
  await world.run(10 * SECOND);
  const ids = answers.map((answer) => ('messageId' in answer ? answer.messageId : answer.kind));
  world.expect(ids[0] === ids[1], `two answers: ${ids.join(', ')}`);
  world.expect(world.provider.calls.length === 1, 'not one message');
  world.expect(world.available() === 99, 'not one charge');
  return world.verdict();
};

export const sameKeyOtherText: Scenario = async (options) => {
  const world = await Trial.begin(options);
  const id = await world.sendNow('a', { ...text('hello'), idempotency: keyed('1') });
  const answer = await world.until(world.send('a', { ...text('bye'), idempotency: keyed('2') }));
  await world.run(10 * SECOND);
  world.expect(answer.kind === 'mismatch', `answered ${answer.kind}`);
  world.expect(world.available() === 99, 'charged for a refusal');
  world.expect(world.stateOf(id) === 'sent/spent', 'the first was affected');
  return world.verdict();
};

export const twoCreditsForOne: Scenario = async (options) => {
  const world = await Trial.begin(options, 1);
  const answer = await world.until(world.send('a', fileAndText));
  world.expect(answer.kind === 'no credit', `answered ${answer.kind}`);
  world.expect(world.available() === 1 && world.account('a').pending === 0, 'something was taken');
  return world.verdict();
};

export const tenForFiveCredits: Scenario = async (options) => {
  const world = await Trial.begin(options, 5);
  const answers = await world.until(Promise.all(Array.from({ length: 10 }, () => world.send('a', text('hello')))));
  const accepted = answers.filter((answer) => answer.kind === 'accepted').length;
  world.expect(accepted === 5, `${accepted} accepted`);
  world.expect(world.available() === 0, `${world.available()} left`);
  return world.verdict();
};

export const acceptAnswerLost: Scenario = async (options) => {
  const world = await Trial.begin(options);
  once(world, at(isCharge, 'after'), undefined, () => {
    world.faults = { ...noFaults, answerLost: 1 };
    world.scheduler.at(world.now + 15, () => {
      world.faults = noFaults;
    });
  });
  await world.sendNow('a');
  await world.run(10 * SECOND);
  world.expect(world.available() === 99, `${world.available()} left`);
  world.expect(world.provider.calls.length === 1, `${world.provider.calls.length} calls`);
  return world.verdict();
};

export const crashBeforeTick: Scenario = async (options) => {
  const world = await Trial.begin(options);
  once(world, at(isWake, 'after'), 'kill');
  world.begin(world.send('a', text('hello')));
  await world.run(world.config.graceMs + MINUTE + 5 * SECOND);
  world.expect(world.provider.calls.length === 1, 'not sent within the grace and a watchdog');
  world.invariants.atRest();
  return world.verdict();
};

/** A message comes in between the look that finds the queue empty and the write that says so. No watchdog helps. */
export const acceptWhileIdling: Scenario = async (options) => {
  const world = await Trial.begin({ ...options, watchdog: false });
  await world.sendNow('a');
  let second: Promise<string> | undefined;
  once(world, at(isIdling, 'before'), { stallMs: 2 * SECOND }, () => {
    second = world.send('a', text('late')).then((answer) => ('messageId' in answer ? answer.messageId : answer.kind));
  });
  await world.run(20 * SECOND);
  const id = await second;
  world.expect(id !== undefined && world.stateOf(id) === 'sent/spent', 'the second message was left lying');
  return world.verdict();
};

export const tickEarly: Scenario = async (options) => {
  const world = await Trial.begin(options);
  world.faults = { ...noFaults, tickEarly: 1 };
  for (let i = 0; i < 5; i += 1) await world.sendNow('a');
  await world.run(20 * SECOND);
  world.expect(world.provider.calls.length === 5, `${world.provider.calls.length} calls`);
  return world.verdict();
};

export const crashAfterIntent: Scenario = async (options) => {
  const world = await Trial.begin(options);
  once(world, at(isIntentOfPart, 'after'), 'kill');
  const first = await world.sendNow('a');
  const second = await world.sendNow('a');
  const intendedAt = world.now;
  await world.run(5 * MINUTE);
  world.expect(world.stateOf(first) === 'unknown/reserved', `the first is ${world.stateOf(first)}`);
  world.expect(world.callsOf(first).length === 0, 'it was called');
  const [call] = world.callsOf(second);
  world.expect(call !== undefined, 'the second was not sent');
  const soonest = intendedAt + world.config.callMs;
  world.expect((call?.startedAt ?? soonest) >= soonest, 'the second came before the first could have ended');
  return world.verdict();
};

export const crashAfterAcceptance: Scenario = async (options) => {
  const world = await Trial.begin(options);
  once(world, atCall('provider', 'after'), 'kill');
  world.provider.lists = (account, attempted) => world.provider.journal(account, attempted);
  const id = await world.sendNow('a');
  await world.run(2.5 * MINUTE);
  world.expect(world.stateOf(id) === 'unknown/reserved', `at first it is ${world.stateOf(id)}`);
  await world.run(3 * MINUTE);
  world.expect(world.stateOf(id) === 'sent/spent', `in the end it is ${world.stateOf(id)}`);
  world.expect(world.callsOf(id).length === 1, 'it was called again');
  return world.verdict();
};

/** The host is stalled just before the request leaves, and dies in the call. Its lease ends soon after. */
export const stallBeforeCall: Scenario = async (options) => {
  const world = await Trial.begin({ ...options, config: { leaseMs: 14 * SECOND } });
  world.zombies = true;
  world.provider.behave = () => ({ ...obliging, latencyMs: 12 * SECOND });
  once(world, atCall('provider', 'before'), { stallMs: 5 * SECOND });
  await world.sendNow('a');
  await world.sendNow('a');
  await world.run(7 * SECOND);
  world.crash();
  world.provider.behave = () => obliging;
  await world.run(6 * SECOND);
  await tickEachSecond(world, 10);
  world.expect(world.provider.calls.length === 2, `${world.provider.calls.length} calls`);
  return world.verdict();
};

export const stallAfterIntent: Scenario = async (options) => {
  const world = await Trial.begin(options);
  once(world, at(isIntentOfPart, 'after'), { stallMs: 5 * SECOND });
  const id = await world.sendNow('a');
  await world.run(20 * SECOND);
  world.expect(world.counted.get('IntentReverted') === 1, 'the stale intent was not taken back');
  world.expect(world.stateOf(id) === 'sent/spent', `it is ${world.stateOf(id)}`);
  world.expect(world.callsOf(id).length === 1, `${world.callsOf(id).length} calls`);
  return world.verdict();
};

/** The intent is written and nobody hears of it: nothing was sent, so the message goes back, and waits a little. */
export const intentUnheard: Scenario = async (options) => {
  const world = await Trial.begin(options);
  let intendedAt = Number.POSITIVE_INFINITY;
  once(world, at(isIntentOfPart, 'before'), undefined, () => {
    intendedAt = world.now;
    world.faults = { ...noFaults, answerLost: 1 };
    world.scheduler.at(world.now + 1.1 * SECOND, () => {
      world.faults = noFaults;
    });
  });
  const id = await world.sendNow('a');
  await world.run(20 * SECOND);
  const [call, ...others] = world.callsOf(id);
  world.expect(world.counted.get('IntentReverted') === 1, 'the intent was not taken back');
  world.expect(world.stateOf(id) === 'sent/spent', `it is ${world.stateOf(id)}`);
  world.expect(others.length === 0, 'it was called again');
  const soonest = intendedAt + world.config.intentTimeoutMs * 0.9 + world.config.backoff.firstMs;
  world.expect((call?.startedAt ?? 0) >= soonest, 'the next attempt did not wait');
  return world.verdict();
};

/** The tick of the account's generation is lost, and an earlier one comes again when the gates are open. */
export const staleTick: Scenario = async (options) => {
  const world = await Trial.begin(options);
  const stale = world.account('a').gen + 1;
  await world.sendNow('a');
  world.faults = { ...noFaults, tickLost: 1 };
  await world.sendNow('a');
  await world.run(5 * SECOND);
  world.faults = noFaults;
  world.queue.send({ account: 'a', gen: stale, at: world.now }, 0);
  await world.run(5 * SECOND);
  world.expect(world.provider.calls.length === 1, 'a stale tick was not dropped');
  await world.run(3 * MINUTE);
  world.expect(world.provider.calls.length === 2, `${world.provider.calls.length} calls in the end`);
  return world.verdict();
};

/** A run dies in its call, and its lease is over before the call could have been: as seen from a host whose clock is fast. */
export const deadInCallWithoutLease: Scenario = async (options) => {
  const world = await Trial.begin({ ...options, config: { leaseMs: 3 * SECOND } });
  world.provider.behave = () => ({ ...obliging, latencyMs: 9 * SECOND });
  await world.sendNow('a');
  await world.sendNow('a');
  await world.run(SECOND);
  world.crash();
  await tickEachSecond(world, 20);
  world.expect(world.provider.calls.length === 2, `${world.provider.calls.length} calls`);
  return world.verdict();
};

async function tickEachSecond(world: World, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i += 1) {
    world.queue.send({ account: 'a', gen: world.account('a').gen, at: world.now }, 0);
    await world.run(SECOND);
  }
}

export const throttled: Scenario = async (options) => {
  const world = await Trial.begin(options);
  let answers = 0;
  world.provider.behave = (account) => {
    answers += account === 'a' ? 1 : 0;
    if (account !== 'a' || answers > 1) return obliging;
    return { outcome: { kind: 'retry', reason: 'http 429', retryAfterMs: 30 * SECOND }, latencyMs: 50, takes: false };
  };
  world.faults = { ...noFaults, tickEarly: 1 };
  const first = await world.sendNow('a');
  const second = await world.sendNow('a');
  const other = await world.sendNow('b');
  await world.run(60 * SECOND);
  const [refused, again] = world.callsOf(first);
  world.expect((again?.startedAt ?? 0) - (refused?.endedAt ?? 0) >= 30 * SECOND, 'called before Retry-After was over');
  const [next] = world.callsOf(second);
  world.expect((next?.startedAt ?? 0) > (again?.startedAt ?? Number.POSITIVE_INFINITY), 'the second was first');
  const [elsewhere] = world.callsOf(other);
  world.expect(
    (elsewhere?.startedAt ?? Number.POSITIVE_INFINITY) < (again?.startedAt ?? 0),
    'the other account waited',
  );
  return world.verdict();
};

export const loggedOut: Scenario = async (options) => {
  const world = await Trial.begin(options);
  world.probe = () => ({ kind: 'held', reason: 'still logged out' });
  world.provider.behave = () => ({ outcome: { kind: 'hold', reason: 'http 401' }, latencyMs: 50, takes: false });
  const ids = [await world.sendNow('a'), await world.sendNow('a'), await world.sendNow('a')];
  await world.run(10 * MINUTE);
  const account: Account = world.account('a');
  world.expect(account.held && account.holdReason === 'still logged out', 'not held with a reason');
  world.expect(world.provider.calls.length === 1, `${world.provider.calls.length} calls while held`);
  for (const id of ids) world.expect(world.stateOf(id) === 'queued/reserved', `one is ${world.stateOf(id)}`);
  world.provider.behave = () => obliging;
  await world.until(world.spawn('resume', 'main', (ports) => resume(ports, 'a', world.config)));
  await world.run(20 * SECOND);
  const order = world.provider.calls.slice(1).map((call) => call.messageId);
  world.expect(order.join() === ids.join(), 'not drained in order');
  return world.verdict();
};

export const longQueueBesideShort: Scenario = async (options) => {
  const world = await Trial.begin(options, 300);
  for (let i = 0; i < 200; i += 1) await world.sendNow('a');
  const id = await world.sendNow('b');
  const acceptedAt = world.now;
  await world.run(500 * SECOND);
  const [call] = world.callsOf(id);
  world.expect((call?.startedAt ?? Number.POSITIVE_INFINITY) - acceptedAt < 3 * SECOND, 'the other account waited');
  const calls = world.provider.calls.filter((one) => one.account === 'a');
  const gaps = calls.slice(1).map((one, i) => one.startedAt - (calls[i]?.endedAt ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  world.expect(calls.length === 200, `${calls.length} calls`);
  world.expect(Math.min(...gaps) >= 1_500, `a gap of ${Math.min(...gaps)} ms`);
  world.expect(Math.abs(mean - 2_000) <= 100, `a mean gap of ${mean} ms`);
  world.expect(new Set(gaps.map(Math.round)).size > 50, 'the gap is constant');
  return world.verdict();
};

/** Every status comes before the outcome is written, in the wrong order. */
export const statusesFirst: Scenario = async (options) => {
  const world = await Trial.begin(options);
  world.faults = { ...noFaults, stale: 1 };
  const statuses = (['read', 'delivered', 'sent'] as const).map((status, i) => ({ status, afterMs: 20 * i }));
  world.provider.behave = () => ({ ...obliging, latencyMs: 800, statuses });
  const id = await world.sendNow('a');
  await world.run(3 * SECOND);
  world.expect(world.stateOf(id) === 'read/spent', `it is ${world.stateOf(id)}`);
  const [told] = world.store.all().filter((item) => item.pk.startsWith('PID#'));
  world.expect(
    ['at_sent', 'at_delivered', 'at_read'].every((name) => told?.[name] !== undefined),
    'a time is missing',
  );
  return world.verdict();
};

export const failedTwice: Scenario = async (options) => {
  const world = await Trial.begin(options);
  const id = await world.sendNow('a');
  await world.run(5 * SECOND);
  const [taken] = world.provider.taken;
  if (!taken) throw new Error('nothing was taken');
  once(world, at(isRefund, 'before'), { stallMs: SECOND });
  world.status(taken, 'failed');
  world.status(taken, 'failed');
  await world.run(5 * SECOND);
  world.expect(world.stateOf(id) === 'failed/refunded', `it is ${world.stateOf(id)}`);
  world.expect(world.available() === 100, `${world.available()} credits`);
  return world.verdict();
};

/** An echo names the message between an operator's look at it and the send that repeats it. */
export const namedWhileResending: Scenario = async (options) => {
  const world = await Trial.begin({ ...options, config: { unknownLimitMs: 10 * MINUTE } });
  world.provider.behave = () => ({ ...obliging, outcome: { kind: 'unknown', reason: 'reset' } });
  const id = await world.sendNow('a');
  await world.run(20 * MINUTE);
  world.expect(world.stateOf(id) === 'expired/refunded', `it is ${world.stateOf(id)}`);
  once(world, at(isResending, 'before'), { stallMs: 5 * SECOND });
  const resending = world.spawn('ask', 'main', (ports) => resend(ports, 'main', id, world.config));
  const [taken] = world.provider.taken;
  const echoing = taken ? world.echo(taken) : Promise.resolve();
  const [resent] = await world.until(Promise.all([resending, echoing]));
  await world.run(MINUTE);
  world.expect(resent.kind === 'changed', `answered ${resent.kind}`);
  world.expect(world.stateOf(id) === 'sent/refunded', `it is ${world.stateOf(id)} in the end`);
  world.expect(world.provider.calls.length === 1, 'it went out twice');
  return world.verdict();
};

/** The operator's pause is answered after the tick has read the account, and before it declares its intent. */
export const pauseBeforeIntent: Scenario = async (options) => {
  const world = await Trial.begin(options);
  let pausedAt = Number.POSITIVE_INFINITY;
  once(world, at(isIntentOfPart, 'before'), { stallMs: SECOND / 2 }, () => {
    const pausing = world.spawn('pause', 'main', (ports) => pause(ports, 'a', 'lunch', world.config));
    world.begin(pausing.then(() => (pausedAt = world.now)));
  });
  const id = await world.sendNow('a');
  await world.run(5 * MINUTE);
  world.expect(
    world.provider.calls.every((call) => call.startedAt < pausedAt),
    'a call began after the pause',
  );
  world.expect(world.stateOf(id) === 'queued/reserved', `it is ${world.stateOf(id)}`);
  return world.verdict();
};

/** The account gets other credentials, or another number, after the tick has read it and before it declares its intent. */
const changedBeforeIntent =
  (changed: Readonly<Record<string, string | number>>): Scenario =>
  async (options) => {
    const world = await Trial.begin(options);
    let changedAt = Number.POSITIVE_INFINITY;
    const changes = Object.entries(changed).map(([name, value]) => set(name, value));
    once(world, at(isIntentOfPart, 'before'), { stallMs: SECOND / 2 }, () => {
      const patching = world.spawn('patch', 'main', ({ store }) => store.write(update(accountKey('a'), changes)));
      world.begin(patching.then(() => (changedAt = world.now)));
    });
    const id = await world.sendNow('a');
    await world.run(MINUTE);
    const [call] = world.callsOf(id);
    world.expect(call !== undefined && call.startedAt >= changedAt, 'nothing was called after the change');
    world.expect(call?.credentials === changed.credentialsVersion, 'a call began with the old credentials');
    world.expect(world.message(id).scope === (changed.scope ?? 'a'), 'it is filed under the old name');
    return world.verdict();
  };

export const credentialsBeforeIntent = changedBeforeIntent({ credentialsVersion: 2 });
export const numberBeforeIntent = changedBeforeIntent({ scope: 'another' });

/** A run is suspended between its call and its outcome until another has taken over. */
export const lateOutcome: Scenario = async (options) => {
  const world = await Trial.begin(options);
  world.zombies = true;
  once(world, at(isClaim, 'before'), { stallMs: SECOND / 2 });
  once(world, atCall('provider', 'after'), { stallMs: 4 * MINUTE });
  const first = await world.sendNow('a');
  const second = await world.sendNow('a');
  await world.run(3 * MINUTE);
  world.expect(world.stateOf(first) === 'unknown/reserved', `the first is ${world.stateOf(first)} meanwhile`);
  await world.run(3 * MINUTE);
  world.expect(world.stateOf(first) === 'sent/spent', `the first is ${world.stateOf(first)} in the end`);
  world.expect(world.stateOf(second) === 'sent/spent', `the second is ${world.stateOf(second)}`);
  world.expect(world.account('a').chain === 'IDLE', 'the account does not rest');
  return world.verdict();
};

interface Wakes {
  readonly requests: readonly Parameters<Trial['send']>[1][];
  readonly isIt: (write: Write) => boolean;
  /** Of these writes, so many are not delayed until the call is under way. */
  readonly atOnce: number;
}

/** Several requests see the account at rest; three of them would wake it when the call is under way. */
async function wakesDuringCall(world: Trial, { requests, isIt, atOnce }: Wakes): Promise<void> {
  world.provider.behave = () => ({ ...obliging, latencyMs: 2 * SECOND });
  let wakes = 0;
  world.scheduler.accident = (_, point) => {
    if (!at(isIt, 'before')(point)) return undefined;
    wakes += 1;
    return wakes > atOnce ? { stallMs: SECOND } : undefined;
  };
  await world.until(Promise.all(requests.map((request) => world.send('a', request))));
  await world.run(MINUTE);
  world.expect(wakes === 3 + atOnce, `${wakes} wakes`);
}

export const acceptsDuringCall: Scenario = async (options) => {
  const world = await Trial.begin(options);
  // Two parts each: what follows the first keeps the account from going to rest with it.
  await wakesDuringCall(world, { requests: Array.from({ length: 4 }, () => fileAndText), isIt: isWake, atOnce: 1 });
  world.expect(world.provider.calls.length === 8, `${world.provider.calls.length} calls`);
  return world.verdict();
};

/** The same of requests that come again for what has long gone out. */
export const replaysDuringCall: Scenario = async (options) => {
  const world = await Trial.begin(options);
  const keyed = ['1', '2', '3'].map((key) => ({
    ...text('hello'),
    idempotency: { webhook: 'w', key, requestHash: key },
  }));
  for (const request of keyed) await world.sendNow('a', request);
  await world.run(30 * SECOND);
  const isIt = (write: Write) => isWake(write) && !isQueueing(write);
  await wakesDuringCall(world, { requests: [text('hello'), text('again'), ...keyed], isIt, atOnce: 0 });
  world.expect(world.provider.calls.length === 5, `${world.provider.calls.length} calls`);
  return world.verdict();
};

/** An account that is seen at rest sends, and rests again, before it is woken. No watchdog helps. */
export const restsAgainWhileAccepting: Scenario = async (options) => {
  const world = await Trial.begin({ ...options, watchdog: false });
  once(world, at(isWake, 'before'), { stallMs: 10 * SECOND });
  const late = world.send('a', text('late'));
  world.begin(late);
  await world.run(SECOND);
  await world.sendNow('a');
  await world.run(40 * SECOND);
  const answer = await late;
  const state = 'messageId' in answer ? world.stateOf(answer.messageId) : answer.kind;
  world.expect(state === 'sent/spent', `it is ${state}`);
  return world.verdict();
};

/** A request dies when its message is queued and its account is awake, and comes again. No watchdog helps. */
export const comesAgainAfterCrash: Scenario = async (options) => {
  const world = await Trial.begin({ ...options, watchdog: false });
  once(world, at(isWake, 'after'), 'kill');
  const request = { ...text('hello'), idempotency: keyed('1') };
  world.begin(world.send('a', request));
  await world.run(SECOND);
  world.expect(world.account('a').chain === 'RUNNING' && world.provider.calls.length === 0, 'it was not cut short');
  const id = await world.sendNow('a', request);
  await world.run(10 * SECOND);
  world.expect(world.stateOf(id) === 'sent/spent', `it is ${world.stateOf(id)}`);
  world.expect(world.callsOf(id).length === 1 && world.available() === 99, 'not one message for one credit');
  return world.verdict();
};

/**
 * An operator sets an account going that is seen at rest, without raising its generation; by the time of the write it may
 * rest again, as its tick has found nothing. No watchdog helps.
 */
export const resumedWhileAccepting: Scenario = async (options) => {
  const complaints: string[] = [];
  for (const stallMs of [5, 10, 15, 20, 25, 30, 40, 60, 2 * SECOND]) {
    const world = await Trial.begin({ ...options, watchdog: false });
    await world.until(world.spawn('pause', 'main', (ports) => pause(ports, 'a', 'a break', world.config)));
    once(world, at(isCharge, 'before'), { stallMs }, () => {
      world.begin(world.spawn('resume', 'main', (ports) => resume(ports, 'a', world.config)));
    });
    const id = await world.sendNow('a');
    await world.run(10 * SECOND);
    world.expect(world.stateOf(id) === 'sent/spent', `after ${stallMs} ms it is ${world.stateOf(id)}`);
    complaints.push(...world.verdict());
  }
  return complaints;
};

/** Nothing brings back an account that is deleted after it was seen at rest, and nothing is charged for it. */
export const deletedWhileAccepting: Scenario = async (options) => {
  const world = await Trial.begin(options);
  once(world, at(isCharge, 'before'), { stallMs: 2 * SECOND }, () => {
    world.begin(world.spawn('delete', 'main', ({ store }) => store.write(del(accountKey('a'), equal('pending', 0)))));
  });
  const answer = await world.until(world.send('a', text('late')));
  world.expect(answer.kind === 'account gone', `answered ${answer.kind}`);
  world.expect(world.available() === 100, 'it was charged');
  world.expect(world.store.peek(accountKey('a')) === undefined, 'the account is back');
  return world.complaints;
};

/**
 * An earlier release queues first and wakes the account by a write of its own. While both run, what one of those has
 * queued goes out with the next message, and its late wake does no harm. No watchdog helps.
 */
export const besideEarlierRelease: Scenario = async (options) => {
  const world = await Trial.begin({ ...options, watchdog: false });
  world.faults = { ...noFaults, tickLost: 1 };
  const first = await world.sendNow('a');
  await world.run(SECOND);
  world.faults = noFaults;
  const asleep = update(accountKey('a'), [set('chain', 'IDLE')]);
  await world.until(world.spawn('queued alone', 'main', ({ store }) => store.write(asleep)));
  const seen = world.account('a');
  const second = await world.sendNow('a');
  const waking = ({ store, ticks }: AcceptPorts) => wake(store, ticks, seen, first, world.now, world.config);
  await world.until(world.spawn('late wake', 'main', waking));
  await world.run(20 * SECOND);
  const order = world.provider.calls.map(({ messageId }) => messageId);
  world.expect(order.join() === [first, second].join(), `called for ${order.join()}`);
  world.expect(world.account('a').gen === seen.gen + 3, `generation ${world.account('a').gen} after ${seen.gen}`);
  return world.verdict();
};

/** A message is cancelled between the look at it and the intent. */
export const cancelBeforeIntent: Scenario = async (options) => {
  const world = await Trial.begin(options);
  let first = '';
  once(world, at(isIntentOfPart, 'before'), { stallMs: SECOND / 2 }, () => {
    world.begin(world.spawn('cancel', 'main', (ports) => cancel(ports, 'main', first, world.config)));
  });
  first = await world.sendNow('a');
  await world.run(10 * SECOND);
  world.expect(world.stateOf(first) === 'cancelled/refunded', `it is ${world.stateOf(first)}`);
  world.expect(world.provider.calls.length === 0, 'it was sent');
  return world.verdict();
};

/**
 * Two runs on one account. The first is stalled before its intent; the second has looked at the same head and fetches its
 * file meanwhile. If the first one's intent went through, the second would take it for dead and call for the next.
 */
async function twoRuns(world: Trial, secondComesAfter: number): Promise<string[]> {
  once(world, at(isIntentOfPart, 'before'), { stallMs: 0.6 * SECOND }, () => {
    once(world, atCall('fetch', 'before'), { stallMs: 0.8 * SECOND });
  });
  world.provider.behave = () => ({ ...obliging, latencyMs: 2 * SECOND });
  const first = await world.sendNow('a', { parts: [{ kind: 'file', url: 'https://files.test/a.pdf', name: 'a.pdf' }] });
  const second = await world.sendNow('a');
  await world.run(secondComesAfter);
  world.queue.send({ account: 'a', gen: world.account('a').gen, at: world.now }, 0);
  await world.run(4 * MINUTE);
  for (const id of [first, second]) world.expect(world.stateOf(id) === 'sent/spent', `one is ${world.stateOf(id)}`);
  return world.verdict();
}

/** The same tick twice at once, with all the lease that there is. */
export const tickTwice: Scenario = async (options) => {
  const world = await Trial.begin(options);
  world.faults = { ...noFaults, tickDoubled: 1 };
  return twoRuns(world, 0);
};

/** The first one's lease has run out when the second comes: as seen from a host whose clock is fast. */
export const overtakenBeforeIntent: Scenario = async (options) => {
  return twoRuns(await Trial.begin({ ...options, config: { leaseMs: SECOND / 4 } }), SECOND / 4);
};

/** A run finds the queue empty, is suspended, and goes to rest while another run has the account and a message waits. */
export const lateIdling: Scenario = async (options) => {
  const world = await Trial.begin(options);
  world.zombies = true;
  once(world, at(isClaim, 'before'), { stallMs: SECOND });
  const none = await world.sendNow('a');
  await world.until(world.spawn('cancel', 'main', (ports) => cancel(ports, 'main', none, world.config)));
  once(world, at(isIdling, 'before'), { stallMs: 70 * SECOND });
  await world.run(52 * SECOND);
  world.provider.behave = () => ({ ...obliging, latencyMs: 9 * SECOND });
  const ids = [await world.sendNow('a'), await world.sendNow('a'), await world.sendNow('a')];
  world.queue.send({ account: 'a', gen: world.account('a').gen, at: world.now }, 0);
  const sentBy = world.now + 60 * SECOND;
  await world.run(60 * SECOND);
  for (const id of ids) world.expect(world.stateOf(id) === 'sent/spent', `after ${sentBy}: ${world.stateOf(id)}`);
  return world.verdict();
};

/** The account goes to rest between an accept's look at it and its transaction. No watchdog helps. */
export const restsWhileAccepting: Scenario = async (options) => {
  const world = await Trial.begin({ ...options, watchdog: false });
  await world.sendNow('a');
  once(world, at(isCharge, 'before'), { stallMs: 5 * SECOND });
  const id = await world.sendNow('a');
  await world.run(20 * SECOND);
  world.expect(world.stateOf(id) === 'sent/spent', `it is ${world.stateOf(id)}`);
  return world.verdict();
};

/** Hosts whose clocks are minutes off take turns with honest ones, and each tick is handed over as early as may be. */
export const clocksThatAreOff: Scenario = async (options) => {
  const world = await Trial.begin(options);
  const skews = [0, -5 * MINUTE, 5 * MINUTE, 0, 0.9 * SECOND, -0.9 * SECOND];
  let run = 0;
  world.skew = () => skews[run++ % skews.length] ?? 0;
  world.faults = { ...noFaults, tickEarly: 0.5, tickDoubled: 0.2 };
  for (let i = 0; i < 20; i += 1) await world.sendNow('a');
  await world.run(20 * MINUTE);
  world.expect(world.provider.calls.length === 20, `${world.provider.calls.length} calls`);
  world.expect((world.counted.get('ClockClamped') ?? 0) > 0, 'no time was clamped');
  return world.verdict();
};

/**
 * A provider is down for an hour, and its probes say that all is well. In between it takes one message in three, if
 * `takesSome`. The messages of the account wait, but for a few.
 */
const down =
  (takesSome: boolean): Scenario =>
  async (options) => {
    const world = await Trial.begin(options);
    const until = world.now + 60 * MINUTE;
    let calls = 0;
    world.provider.behave = () => {
      calls += 1;
      if (world.now > until || (takesSome && calls % 3 === 0)) return obliging;
      return { outcome: { kind: 'unknown', reason: 'http 502' }, latencyMs: 50, takes: false };
    };
    const ids: string[] = [];
    for (let i = 0; i < 40; i += 1) ids.push(await world.sendNow('a'));
    const unknown = () => ids.filter((id) => world.stateOf(id) === 'unknown/reserved').length;
    await world.run(30 * SECOND);
    world.expect(takesSome || unknown() <= 3, `${unknown()} are unknown at once`);
    await world.run(60 * MINUTE);
    world.expect(unknown() <= 6, `${unknown()} are unknown`);
    await world.run(60 * MINUTE);
    world.expect(unknown() <= 6, `${unknown()} are unknown in the end`);
    for (const id of ids) world.expect(world.stateOf(id) !== 'queued/reserved', 'one still waits');
    return world.verdict();
  };
export const downForAnHour = down(false);
export const halfDownForAnHour = down(true);

/** A file ends every run that prepares it: given up in the end, or nothing behind it would ever be sent. */
export const poisonedFile: Scenario = async (options) => {
  const world = await Trial.begin(options);
  world.scheduler.accident = (_, { call }) => (call === 'fetch' ? 'kill' : undefined);
  const poison = await world.sendNow('a', { parts: [fileAndText.parts[0]] });
  const behind = await world.sendNow('a');
  await world.run(20 * MINUTE);
  world.expect(world.stateOf(poison) === 'failed/refunded', `the file is ${world.stateOf(poison)}`);
  world.expect(world.stateOf(behind) === 'sent/spent', `what is behind it is ${world.stateOf(behind)}`);
  return world.verdict();
};

/** Ten runs in a row die before they have looked at the file, or after they have prepared it, as in a bad deployment. */
const diesBeside =
  (isThere: (point: Point) => boolean): Scenario =>
  async (options) => {
    const world = await Trial.begin(options);
    let deaths = 0;
    world.scheduler.accident = (_, point) => (isThere(point) && ++deaths <= 10 ? 'kill' : undefined);
    const id = await world.sendNow('a', { parts: [fileAndText.parts[0]] });
    await world.run(40 * MINUTE);
    world.expect(deaths > 10, `only ${deaths} runs died`);
    world.expect(world.stateOf(id) === 'sent/spent', `the file is ${world.stateOf(id)}`);
    return world.verdict();
  };
export const diesAfterClaim = diesBeside(at(isClaim, 'after'));
export const diesBeforeIntent = diesBeside(at(isIntentOfPart, 'before'));
