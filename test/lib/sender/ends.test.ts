import { beforeEach, expect, test } from 'vitest';
import type { Status } from '#lib/domain/send/part.ts';
import { cancel } from '#lib/outbox/cancel.ts';
import { unsure } from '#test/support/simulation/fake-provider.ts';
import { hello, World } from '#test/support/simulation/world.ts';
import { fileAndText } from './scenarios.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const rejected = { outcome: { kind: 'rejected', reason: 'too big' }, latencyMs: 50, takes: false } as const;

let world: World;

beforeEach(async () => {
  world = new World({ config: { unknownLimitMs: HOUR } });
  await world.addAccount('a', 'main', 10);
});

const ended = () => Object.fromEntries(world.ended);
const cancelling = (id: string) =>
  world.until(world.spawn('ask', undefined, (ports) => cancel(ports, 'main', id, world.config)));

async function report(...statuses: readonly Status[]): Promise<void> {
  for (const status of statuses) {
    const [taken] = world.provider.taken;
    if (!taken) throw new Error('nothing was taken');
    world.status(taken, status);
    await world.run(SECOND);
  }
}

test('counts each part that was sent', async () => {
  await world.sendNow('a', fileAndText);
  await world.run(10 * SECOND);
  expect(ended()).toEqual({ sent: 2 });
});

test('counts both parts that fail, each with its credit', async () => {
  world.provider.behave = () => rejected;
  await world.sendNow('a', fileAndText);
  await world.run(10 * SECOND);
  expect(ended()).toEqual({ failed: 2, CreditsRefunded: 2 });
});

test('counts parts that fail before any call', async () => {
  world.fetch = () => ({ kind: 'refused', reason: 'a page' });
  await world.sendNow('a', fileAndText);
  await world.run(10 * SECOND);
  expect(ended()).toEqual({ failed: 1, CreditsRefunded: 1, sent: 1 });
});

test('counts what is cancelled, and a second cancel not at all', async () => {
  const id = await world.sendNow('a', fileAndText);
  await world.run(SECOND);
  expect([await cancelling(id), await cancelling(id)]).toEqual(['cancelled', 'too late']);
  await world.run(5 * SECOND);
  expect(ended()).toEqual({ sent: 1, cancelled: 1, CreditsRefunded: 1 });
});

test('counts an unknown part when it expires, and no sooner', async () => {
  world.provider.behave = () => unsure;
  await world.sendNow('a');
  await world.run(HOUR / 2);
  expect(ended()).toEqual({});
  await world.run(HOUR);
  expect(ended()).toEqual({ expired: 1, CreditsRefunded: 1 });
});

test('counts an unknown part as sent once there is evidence', async () => {
  world.provider.behave = () => unsure;
  await world.sendNow('a');
  await world.run(5 * SECOND);
  await world.until(world.echo(hello(world, 'P1')));
  expect(ended()).toEqual({ sent: 1 });
});

test('counts each state that a provider reports, once however often it does', async () => {
  await world.sendNow('a');
  await world.run(5 * SECOND);
  await report('delivered', 'delivered', 'read', 'delivered');
  expect(ended()).toEqual({ sent: 1, delivered: 1, read: 1 });
});

test('counts the credit that comes back when a provider reports a failure late', async () => {
  await world.sendNow('a');
  await world.run(5 * SECOND);
  await report('failed');
  expect(ended()).toEqual({ sent: 1, failed: 1, CreditsRefunded: 1 });
});
