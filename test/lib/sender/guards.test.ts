import { beforeEach, expect, test } from 'vitest';
import { sendState } from '#lib/domain/send/part.ts';
import { noteStatus } from '#lib/inbox/delivery-state.ts';
import { pause, resume } from '#lib/sender/hold.ts';
import { readProviderMessage } from '#lib/sender/items.ts';
import { onStatus, settleLate } from '#lib/sender/statuses.ts';
import { dueTime, stateKey } from '#lib/store/keys.ts';
import { obliging } from '#test/support/simulation/fake-provider.ts';
import type { Write } from '#test/support/simulation/faulty-store.ts';
import { at, once } from '#test/support/simulation/landmarks.ts';
import { World } from '#test/support/simulation/world.ts';

/** What changes between a look and the writing that follows from it, where only a condition stands between the two. */
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const unsure = { ...obliging, outcome: { kind: 'unknown', reason: 'reset' } } as const;

let world: World;
beforeEach(async () => {
  world = new World({ watchdog: false });
  await world.addAccount('a', 'main', 10);
  world.provider.behave = () => unsure;
});

const ask = <Result>(work: (ports: ReturnType<World['ports']>) => Promise<Result>) =>
  world.until(world.spawn('ask', 'main', work));
const changesOf = (write: Write) => (write.kind === 'update' ? write.changes : []);
const nameOf = (path: unknown) => String(path);
const isPostponing = (write: Write) => {
  const names = changesOf(write).map(({ path }) => nameOf(path));
  return names.some((name) => name.endsWith('reconcileAt')) && !names.some((name) => name.endsWith('state'));
};

test('a part that becomes unknown while another of its send is put off is looked at in its own time', async () => {
  const parts = [
    { kind: 'file', url: 'https://files.test/a.pdf', name: 'a.pdf' },
    { kind: 'text', text: 'hello' },
  ] as const;
  // Between the file's call and that of the text, the operator pauses the account.
  once(
    world,
    at((write) => write.kind === 'put' && write.item.pk.startsWith('ECHO#'), 'after'),
    undefined,
    () => world.begin(world.spawn('pause', 'main', (ports) => pause(ports, 'a', 'a test', world.config))),
  );
  const id = await world.sendNow('a', { parts });
  await world.run(2 * MINUTE);
  expect(world.message(id).parts.map(({ state }) => state)).toEqual(['unknown', 'queued']);
  once(world, at(isPostponing, 'before'), { stallMs: 9 * SECOND });
  world.begin(world.watch());
  await world.run(SECOND);
  await ask((ports) => resume(ports, 'a', world.config));
  await world.run(20 * SECOND);
  const { parts: now, gsi3sk = '' } = world.message(id);
  expect(now.map(({ state }) => state)).toEqual(['unknown', 'unknown']);
  expect(dueTime(gsi3sk)).toBeLessThanOrEqual(now[1]?.reconcileAt ?? 0);
});

test('of two runs at once only one looks', async () => {
  await world.sendNow('a');
  await world.run(2 * MINUTE);
  let looks = 0;
  world.provider.lists = () => {
    looks += 1;
    return [];
  };
  await world.until(Promise.all([world.watch(), world.watch(), world.watch()]));
  expect(looks).toBe(1);
});

test('what the provider lists as failed is not the message that another part is known to be', async () => {
  world.provider.behave = () => obliging;
  const known = await world.sendNow('a');
  await world.run(5 * SECOND);
  world.provider.behave = () => unsure;
  const unknown = await world.sendNow('a');
  await world.run(5 * SECOND);
  const { intentAt = 0 } = world.message(unknown).parts[0] ?? {};
  const { providerId = '' } = world.message(known).parts[0] ?? {};
  const failed = { kind: 'failed', reason: 'it says so', providerId } as const;
  expect(
    await ask((ports) => settleLate(ports, { send: world.message(unknown), index: 0 }, intentAt, failed)),
  ).toBeUndefined();
  expect([known, unknown].map((id) => sendState(world.message(id).parts))).toEqual(['sent', 'unknown']);
  const key = stateKey({ workspace: 'main', provider: 'fake', scope: 'a' }, providerId);
  expect(world.store.peek(key)).toMatchObject({ send: known });
});

test('a status that comes while an earlier one leaves the list stays on it', async () => {
  const key = stateKey({ workspace: 'main', provider: 'fake', scope: 'a' }, 'P1');
  const told = (state: 'sent' | 'delivered') =>
    ask(async (ports) => {
      const life = { isTheirs: true, nowSeconds: world.now / 1000 };
      const item = await noteStatus(ports.store, key, { state, messageId: 'P1' }, world.now, life);
      if (item) await onStatus(ports, key, readProviderMessage(item), world.config);
    });
  await told('sent');
  await world.run(3 * MINUTE);
  const isDelisting = (write: Write) =>
    changesOf(write).some(({ kind, path }) => kind === 'remove' && path === 'gsi3sk');
  once(world, at(isDelisting, 'before'), { stallMs: 5 * SECOND });
  const watching = world.watch();
  await world.run(SECOND);
  await told('delivered');
  await world.until(watching);
  expect(dueTime(String(world.store.peek(key)?.gsi3sk))).toBeGreaterThan(world.now);
});
