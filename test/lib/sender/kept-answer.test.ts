import { beforeEach, expect, test } from 'vitest';
import { sqsClient } from '#lib/aws/clients.ts';
import { sqsTicks, tickOf } from '#lib/aws/queues.ts';
import { loggedSender } from '#lib/aws/sender-entries.ts';
import { sendCreditState, sendState } from '#lib/domain/send/part.ts';
import type { Tick } from '#lib/sender/provider.ts';
import { tick } from '#lib/sender/tick.ts';
import { settingsOver, taken, type Wire } from '#test/support/aws-wire.ts';
import { obliging } from '#test/support/simulation/fake-provider.ts';
import { atCall, once } from '#test/support/simulation/landmarks.ts';
import { noFaults, World } from '#test/support/simulation/world.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

let world: World;

beforeEach(async () => {
  world = new World();
  await world.addAccount('a', 'main', 10);
});

const standing = (id: string) => {
  const { parts } = world.message(id);
  return `${sendState(parts)}/${sendCreditState(parts)}`;
};
const kept = () => world.queue.messages.flatMap(({ tick: { answer } }) => answer ?? []);

/** The table goes away while the provider answers, for so long. */
function losesTable(milliseconds: number): void {
  once(world, atCall('provider', 'after'), undefined, () => {
    world.faults = { ...noFaults, unreachable: 1 };
    world.scheduler.at(world.now + milliseconds, () => {
      world.faults = noFaults;
    });
  });
}

const ticking = (message: Tick) =>
  world.until(
    world.spawn('tick', 'main', (ports) => {
      const run = { id: 'by hand', endsAt: world.now + 45 * SECOND, received: { times: 1, firstAt: world.now } };
      return tick(message, run, ports, world.config);
    }),
  );

test.each([1, 10, 30])('an answer is written down once the table is back after %d minutes', async (minutes) => {
  losesTable(minutes * MINUTE);
  const id = await world.sendNow('a', { parts: [{ kind: 'text', text: 'a secret of theirs' }] });
  await world.run(50 * SECOND);
  expect(kept()).toEqual([{ send: id, part: 0, intentAt: world.message(id).parts[0]?.intentAt, providerId: '3EB01' }]);
  await world.run((minutes + 12) * MINUTE);
  expect(standing(id)).toBe('sent/spent');
  expect(world.message(id).parts[0]).toMatchObject({ providerId: '3EB01' });
  expect(kept()).toEqual([]);
  const next = await world.sendNow('a');
  await world.run(10 * SECOND);
  expect(standing(next)).toBe('sent/spent');
  expect(world.provider.calls.length).toBe(2);
  expect(world.invariants.violations).toEqual([]);
});

test('an answer that comes after the limit makes an expired message sent, its credit stays back', async () => {
  world = new World({ config: { unknownLimitMs: 5 * MINUTE } });
  await world.addAccount('a', 'main', 10);
  losesTable(2 * MINUTE);
  world.faults = { ...noFaults };
  const id = await world.sendNow('a');
  await world.run(50 * SECOND);
  const [message] = world.queue.messages.filter(({ tick: { answer } }) => answer !== undefined);
  const answering = message?.tick;
  if (!message || !answering) throw new Error('the answer was not kept');
  message.deleted = true;
  await world.run(20 * MINUTE);
  expect(standing(id)).toBe('expired/refunded');
  await ticking(answering);
  await ticking(answering);
  expect(standing(id)).toBe('sent/refunded');
  expect(world.invariants.violations).toEqual([]);
});

test('an answer that neither the table nor the queue takes is said to be in the log alone', async () => {
  losesTable(2 * MINUTE);
  const send = world.queue.send.bind(world.queue);
  world.queue.send = (message, delay) => {
    if (message.answer) throw new Error('the queue is away');
    send(message, delay);
  };
  const id = await world.sendNow('a');
  await world.run(MINUTE);
  expect(world.errors).toMatchObject([{ message: `the answer for ${id} is in the log alone` }]);
});

test('an answer that was written down after all changes nothing when it comes out of the queue', async () => {
  const id = await world.sendNow('a');
  await world.run(20 * SECOND);
  expect(standing(id)).toBe('sent/spent');
  const { intentAt = 0 } = world.message(id).parts[0] ?? {};
  const before = world.store.all();
  await ticking({ account: 'a', gen: 0, at: 0, answer: { send: id, part: 0, intentAt, providerId: '3EB01' } });
  expect(world.store.all()).toEqual(before);
});

test('a conflict alone puts nothing into the queue', async () => {
  once(world, atCall('provider', 'after'), undefined, () => {
    world.faults = { ...noFaults, conflict: 1 };
    world.scheduler.at(world.now + SECOND, () => {
      world.faults = noFaults;
    });
  });
  const id = await world.sendNow('a');
  await world.run(10 * SECOND);
  expect(standing(id)).toBe('sent/spent');
  expect(world.queue.messages).toEqual([]);
});

test('what is certain counts for its own attempt alone', async () => {
  world.provider.behave = () => ({ ...obliging, outcome: { kind: 'unknown', reason: 'reset' } });
  const id = await world.sendNow('a');
  await world.run(10 * SECOND);
  const intentAt = world.message(id).parts[0]?.intentAt ?? 0;
  const answer = { send: id, part: 0, providerId: '3EB01' };
  await ticking({ account: 'a', gen: 0, at: 0, answer: { ...answer, intentAt: intentAt - 1 } });
  expect(standing(id)).toBe('unknown/reserved');
  await ticking({ account: 'a', gen: 0, at: 0, answer: { ...answer, intentAt } });
  expect(standing(id)).toBe('sent/spent');
});

test('it passes through the queue as it is, and holds ids alone', async () => {
  const bodies: string[] = [];
  const wire: Wire = async (_operation, _headers, body) => {
    bodies.push(JSON.parse(body).MessageBody);
    return taken(body);
  };
  const answer = { send: 'm', part: 0, intentAt: 3, providerId: '3EB01' };
  const message = { account: 'a', gen: 1, at: 2, answer };
  const ticks = sqsTicks(sqsClient(settingsOver(wire)), 'https://sqs.eu-central-1.amazonaws.com/1/ticks');
  await ticks.send(message, 0);
  expect(bodies.map(tickOf)).toEqual([message]);
});

test('the log tells the id', async () => {
  const logged: object[] = [];
  const line = (_message: string, fields: object = {}) => void logged.push(fields);
  const sender = { send: async () => ({ kind: 'accepted', providerId: '3EB01' }) as const };
  const log = { info: line, warn: line, error: () => undefined };
  const clock = { now: () => 0, monotonic: () => 0, sleep: async () => undefined };
  const content = { kind: 'text', text: 'a secret of theirs' } as const;
  const message = { messageId: 'm', part: 0, attempt: 1, recipient: { phone: '+1415' }, content };
  await loggedSender(sender, clock, log).send(message, world.account('a'), 1);
  expect(logged).toMatchObject([{ outcome: 'accepted', providerMessageId: '3EB01' }]);
  expect(JSON.stringify(logged)).not.toMatch(/secret|1415/);
});
