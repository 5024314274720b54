import { expect, test } from 'vitest';
import { World } from '#test/support/simulation/world.ts';

test('a message is sent and the account comes to rest', async () => {
  const world = new World();
  await world.addAccount('a', 'main', 10);
  const id = await world.sendNow('a');
  await world.run(10_000);
  expect(world.message(id).parts[0]).toMatchObject({ state: 'sent', creditState: 'spent' });
  expect(world.account('a')).toMatchObject({ chain: 'IDLE', pending: 0 });
  expect(world.invariants.violations).toEqual([]);
});

test('200 messages go in order at the pace of the account', async () => {
  const world = new World();
  await world.addAccount('a', 'main', 300);
  for (let i = 0; i < 200; i += 1) await world.sendNow('a');
  await world.run(500_000);
  expect(world.provider.calls.length).toBe(200);
  expect(world.invariants.violations).toEqual([]);
  expect(world.account('a')).toMatchObject({ chain: 'IDLE', pending: 0 });
});
