import { expect, test } from 'vitest';
import { dueOf } from '#lib/sender/account.ts';
import { readAccount } from '#lib/sender/items.ts';
import { accountKey } from '#lib/store/keys.ts';
import { World } from '#test/support/simulation/world.ts';

const TEXT = 'Your table for four is booked for Saturday, 19:30. Reply 1 to confirm or 2 to change. Thank you!';
const ACCOUNT = 'acc_5f0c2f5fd90b4b0e8d0c6b1d3f1e2a47';

/** Per message. Ids of true length: an item that grows over 1 KB costs twice. */
async function costOf(messages: number): Promise<{ readonly units: number; readonly ticks: number }> {
  const world = new World();
  await world.addAccount(ACCOUNT, 'ws_5f0c2f5fd90b4b0e8d0c6b1d3f1e2a47', 1_000);
  const before = world.store.units;
  for (let i = 0; i < messages; i += 1) {
    await world.sendNow(ACCOUNT, {
      parts: [{ kind: 'text', text: TEXT }],
      recipient: { phone: '+14151231234', chatId: '14151231234@c.us' },
    });
  }
  await world.run(messages * 4_000);
  expect(world.invariants.violations).toEqual([]);
  return { units: (world.store.units - before) / messages, ticks: world.queue.sent / messages };
}

test.each([
  ['in a busy queue', 50, 24.25],
  ['on an account at rest', 1, 24],
])('a message %s costs one tick and no more than %s write units', async (_, messages, atMost) => {
  const { units, ticks } = await costOf(messages);
  expect(units).toBeLessThanOrEqual(atMost);
  expect(ticks).toBe(1);
});

test('an account that sends moves in the list of the watchdog once in a quarter of its grace, and is never due too early', async () => {
  const world = new World();
  await world.addAccount(ACCOUNT, 'main', 1_000);
  for (let i = 0; i < 12; i += 1) await world.sendNow(ACCOUNT, { parts: [{ kind: 'text', text: TEXT }] });
  const moves = new Set<number>();
  for (let seconds = 0; seconds < 24; seconds += 1) {
    await world.run(1_000);
    const item = world.store.peek(accountKey(ACCOUNT));
    if (!item) throw new Error('the account is gone');
    const account = readAccount(item);
    const due = dueOf(account);
    if (due === undefined) continue;
    moves.add(due);
    if (account.leaseId === undefined) expect(due).toBeGreaterThanOrEqual(account.nextSendAt);
    expect(due - account.nextSendAt).toBeLessThan(world.config.graceMs / 4 + 1);
  }
  expect(moves.size).toBeGreaterThan(1);
  expect(moves.size).toBeLessThanOrEqual(3);
});
