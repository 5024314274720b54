import { expect, test } from 'vitest';
import { sendState } from '#lib/domain/sending/part.ts';
import { World, type WorldOptions } from '#test/support/simulation/world.ts';

/** What a review of the sender came upon, each played through once. */
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const _HOUR = 60 * MINUTE;
const _unsure = { outcome: { kind: 'unknown', reason: 'reset' }, latencyMs: 50, takes: false } as const;

async function worldWith(credits: number, options?: WorldOptions): Promise<World> {
  const world = new World(options);
  await world.addAccount('a', 'main', credits);
  return world;
}

const _ask = <Result>(world: World, work: (ports: ReturnType<World['ports']>) => Promise<Result>) =>
  world.until(world.spawn('ask', undefined, work));

const _stateOf = (world: World, messageId: string) => sendState(world.message(messageId).parts);
const _file = (url: string) => ({ kind: 'file', url, name: 'a' }) as const;

test('a host whose clock is ten minutes fast delays its account by a call and a gap', async () => {
  const world = await worldWith(2);
  let runs = 0;
  world.skew = () => (runs++ === 0 ? 10 * MINUTE : 0);
  await world.sendNow('a');
  await world.sendNow('a');
  await world.run(40 * SECOND);
  expect(world.provider.calls.length).toBe(2);
  expect(world.invariants.violations).toEqual([]);
});
