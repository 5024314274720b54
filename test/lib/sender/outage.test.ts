import { describe, expect, test } from 'vitest';
import { audit } from '#lib/credits/audit.ts';
import { sendState } from '#lib/domain/send/part.ts';
import { clearHold, resume } from '#lib/sender/account.ts';
import type { ProbeResult } from '#lib/sender/provider.ts';
import { type Behaviour, obliging } from '#test/support/simulation/fake-provider.ts';
import { World, type WorldOptions } from '#test/support/simulation/world.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const failing: Behaviour = { outcome: { kind: 'unknown', reason: 'http 502' }, latencyMs: 80, takes: false };
const hanging: Behaviour = { ...failing, latencyMs: HOUR };
const rejecting: Behaviour = { ...failing, outcome: { kind: 'rejected', reason: 'http 400: no such number' } };

async function worldWith(options?: WorldOptions): Promise<World> {
  const world = new World(options);
  await world.addAccount('a', 'main', 5_000);
  return world;
}

async function queue(world: World, messages: number): Promise<void> {
  for (let i = 0; i < messages; i += 1) await world.sendNow('a');
}

const statesOf = (world: World) => {
  const states = world.invariants.acceptances.map(({ messageId }) => sendState(world.message(messageId).parts));
  return Object.fromEntries([...Map.groupBy(states, (state) => state)].map(([state, all]) => [state, all.length]));
};
const ask = <Result>(world: World, work: (ports: ReturnType<World['ports']>) => Promise<Result>) =>
  world.until(world.spawn('ask', undefined, work));

/** One after another, the provider does these things; then it is well. */
function playing(world: World, ...script: readonly Behaviour[]): void {
  const rest = [...script];
  world.provider.behave = () => rest.shift() ?? obliging;
}

async function expectSound(world: World): Promise<void> {
  world.invariants.books();
  expect(world.invariants.violations).toEqual([]);
  expect(await audit(world.honest(), 'main')).toMatchObject({ ok: true, differences: [], complete: true });
}

describe('a provider that does not answer', () => {
  test('costs three messages, and the account says why it is held', async () => {
    const world = await worldWith();
    world.provider.behave = () => failing;
    world.probe = () => ({ kind: 'unknown' });
    await queue(world, 20);
    await world.run(10 * MINUTE);
    expect(statesOf(world)).toEqual({ unknown: 3, queued: 17 });
    expect(world.account('a')).toMatchObject({
      held: true,
      holdReason:
        'The provider did not answer 3 messages in a row (the last: http 502). Whether they went out is not known. The others wait, and go on by themselves once it answers.',
    });
    world.provider.behave = () => obliging;
    world.probe = () => ({ kind: 'ok' });
    await world.run(HOUR);
    expect(statesOf(world)).toEqual({ unknown: 3, sent: 17 });
    expect(world.account('a').unknownRunning).toBeUndefined();
    await expectSound(world);
  });

  test('and whose probes are well gets one message after each, ever later, until one is accepted', async () => {
    const world = await worldWith();
    const start = world.now;
    world.provider.behave = () => (world.now - start < 2 * HOUR ? failing : obliging);
    await queue(world, 30);
    await world.run(2 * HOUR);
    const tried = world.provider.calls.map(({ startedAt }) => Math.floor((startedAt - start) / MINUTE));
    expect(tried).toEqual([0, 0, 0, 2, 8, 39, 70, 101]);
    await world.run(HOUR);
    expect(statesOf(world)).toEqual({ unknown: 8, sent: 22 });
    playing(world, failing, failing, failing);
    await queue(world, 4);
    await world.run(3 * MINUTE);
    // What went out since has made the first probe come soon again.
    expect(statesOf(world)).toEqual({ unknown: 11, sent: 23 });
    await expectSound(world);
  });

  test.each([
    ['a refusal is no success', [failing, failing, rejecting, failing], true],
    ['a success starts the count anew', [failing, failing, obliging, failing, failing], false],
  ])('is counted without a success between: %s', async (_, script, held) => {
    const world = await worldWith();
    playing(world, ...script);
    await queue(world, 6);
    await world.run(30 * SECOND);
    expect(world.account('a').held).toBe(held);
    await expectSound(world);
  });

  /** Senders whose clocks are off by an hour. */
  const anHourOff = (world: World) => world.seeded.pick([0, HOUR, -HOUR]);
  test.each([
    ['', () => undefined],
    [', though clocks of senders are an hour off', (world: World) => (world.skew = () => anHourOff(world))],
  ] as const)(
    'costs six messages an hour at most, however often it takes one in between%s',
    {
      timeout: 60_000,
    },
    async (_, setting) => {
      const world = await worldWith();
      world.invariants.balancing = false;
      setting(world);
      playing(world, ...Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? obliging : failing)));
      await queue(world, 200);
      await world.run(6 * HOUR);
      const ends = world.provider.calls.flatMap(({ outcome, endedAt }) =>
        outcome?.kind === 'unknown' ? (endedAt ?? 0) : [],
      );
      const [most = 0] = ends
        .map((end) => ends.filter((other) => other >= end && other < end + HOUR).length)
        .sort((one, other) => other - one);
      expect(most).toBe(6);
      expect(ends.length).toBeGreaterThan(20);
      await expectSound(world);
    },
  );

  test('is tried with one message when the operator says so, though there were six within the hour', async () => {
    const world = await worldWith();
    playing(world, ...Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? obliging : failing)));
    await queue(world, 30);
    const unknown = () => world.provider.calls.filter(({ outcome }) => outcome?.kind === 'unknown').length;
    await world.run(10 * MINUTE);
    expect([unknown(), world.account('a').held]).toEqual([6, true]);
    expect(await ask(world, (ports) => resume(ports, 'a', world.config))).toBe('changed');
    await world.run(10 * MINUTE);
    expect([unknown(), world.account('a').held]).toEqual([7, true]);
    await expectSound(world);
  });

  test('gets no more messages for saying that all is well', async () => {
    const world = await worldWith();
    world.provider.behave = () => failing;
    await queue(world, 30);
    for (let i = 0; i < 50; i += 1) {
      await world.run(MINUTE);
      await ask(world, (ports) => clearHold(ports, 'a', world.config));
    }
    expect(world.provider.calls.length).toBe(6);
    await expectSound(world);
  });

  test('is tried with one message when the operator says so, and asked as late as before afterwards', async () => {
    const world = await worldWith();
    const start = world.now;
    world.provider.behave = () => failing;
    const asked: number[] = [];
    world.probe = (): ProbeResult => {
      asked.push(Math.floor((world.now - start) / MINUTE));
      return { kind: 'unknown' };
    };
    await queue(world, 30);
    await world.run(10 * MINUTE);
    expect(await ask(world, (ports) => resume(ports, 'a', world.config))).toBe('changed');
    await world.run(10 * SECOND);
    expect([world.provider.calls.length, world.account('a').held]).toEqual([4, true]);
    await world.run(10 * MINUTE);
    // Two probes had come of the first hold; the second begins where a second one does, after 5 minutes.
    expect(asked).toEqual([2, 8, 16]);
    await expectSound(world);
  });

  test('is not what a run died of: crashes hold no account', async () => {
    const world = await worldWith();
    let calls = 0;
    world.scheduler.accident = (_, { call, moment }) =>
      call === 'provider' && moment === 'before' && ++calls <= 4 ? 'kill' : undefined;
    await queue(world, 6);
    await world.run(20 * MINUTE);
    expect(statesOf(world)).toEqual({ unknown: 4, sent: 2 });
    expect(world.account('a').unknownRunning).toBeUndefined();
    await expectSound(world);
  });

  test.each([
    ['when its probe answers, even if it does not say how the account is', { kind: 'unknown', answers: true }, true],
    ['not while its probe stays without an answer', { kind: 'unknown' }, false],
    ['not where its probe says that the account is not well', { kind: 'held', reason: 'logged out' }, false],
  ] as const)('gets messages again by itself: %s', async (_, probe, again) => {
    const world = await worldWith();
    playing(world, failing, failing, failing);
    world.probe = () => probe;
    await queue(world, 5);
    await world.run(3 * MINUTE);
    expect(statesOf(world)).toEqual(again ? { unknown: 3, sent: 2 } : { unknown: 3, queued: 2 });
    world.probe = () => ({ kind: 'unknown', answers: true });
    await world.run(HOUR);
    // What the provider has said of the account counts, until it says something else.
    expect(world.account('a').held).toBe(probe.kind === 'held');
    await expectSound(world);
  });

  test('holds an account whose queue ends there, too', async () => {
    const world = await worldWith();
    world.provider.behave = () => failing;
    world.probe = () => ({ kind: 'unknown' });
    await queue(world, 3);
    await world.run(30 * SECOND);
    expect(world.account('a')).toMatchObject({ held: true, pending: 0 });
    world.provider.behave = () => obliging;
    world.probe = () => ({ kind: 'ok' });
    await queue(world, 1);
    await world.run(5 * MINUTE);
    expect(statesOf(world)).toEqual({ unknown: 3, sent: 1 });
    await expectSound(world);
  });
});

describe('an outage of an hour, with 1,000 messages on 10 accounts', () => {
  test.each([
    ['while the provider hangs, its probes too', hanging, { kind: 'unknown' }, 3],
    ['while sends alone fail', failing, { kind: 'ok' }, 6],
  ] as const)(
    '%s, costs a handful of messages and delays the others',
    { timeout: 120_000 },
    async (_, behaviour, probe, most) => {
      const world = new World();
      world.invariants.balancing = false;
      const accounts = Array.from({ length: 10 }, (_, i) => `acc${i}`);
      for (const account of accounts) await world.addAccount(account, 'main', 100);
      const from = world.now + 100 * SECOND;
      const isDown = () => world.now >= from && world.now < from + HOUR;
      world.provider.behave = () => (isDown() ? behaviour : obliging);
      world.probe = () => (isDown() ? probe : { kind: 'ok' });
      for (let i = 0; i < 100; i += 1) {
        for (const account of accounts) world.begin(world.send(account, { parts: [{ kind: 'text', text: 'hello' }] }));
        await world.run(SECOND);
      }
      await world.run(2 * HOUR);
      world.invariants.atRest();
      const sends = world.invariants.acceptances.map(({ messageId }) => world.message(messageId));
      expect(sends.length).toBe(1_000);
      for (const account of accounts) {
        const states = sends.filter(({ accountId }) => accountId === account).map(({ parts }) => sendState(parts));
        expect(states.filter((state) => state === 'unknown').length).toBeLessThanOrEqual(most);
        expect(states.filter((state) => state !== 'unknown' && state !== 'sent')).toEqual([]);
      }
      // Order, distances and "nothing twice" are looked at with each call.
      expect(world.provider.calls.length).toBe(1_000);
      await expectSound(world);
    },
  );
});
