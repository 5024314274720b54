import { expect, test } from 'vitest';
import { setQuota } from '#lib/credits/credits.ts';
import { sendState } from '#lib/domain/send/part.ts';
import { noteStatus } from '#lib/inbox/delivery-state.ts';
import { cancel } from '#lib/outbox/cancel.ts';
import { clearHold, hold, holding, pause, resume } from '#lib/sender/account.ts';
import { readProviderMessage } from '#lib/sender/items.ts';
import { onStatus } from '#lib/sender/outcome.ts';
import { sendReport } from '#lib/sender/sent-event.ts';
import { tick } from '#lib/sender/tick.ts';
import { accountKey, stateKey } from '#lib/store/keys.ts';
import { type Item, put, set, update } from '#lib/store/store.ts';
import { obliging } from '#test/support/simulation/fake-provider.ts';
import { at, atCall, once } from '#test/support/simulation/landmarks.ts';
import { hello, noFaults, World, type WorldOptions } from '#test/support/simulation/world.ts';

/** What a review of the sender came upon, each played through once. */
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const unsure = { outcome: { kind: 'unknown', reason: 'reset' }, latencyMs: 50, takes: false } as const;

async function worldWith(credits: number, options?: WorldOptions): Promise<World> {
  const world = new World(options);
  await world.addAccount('a', 'main', credits);
  return world;
}

const ask = <Result>(world: World, work: (ports: ReturnType<World['ports']>) => Promise<Result>) =>
  world.until(world.spawn('ask', undefined, work));

const stateOf = (world: World, messageId: string) => sendState(world.message(messageId).parts);
const file = (url: string) => ({ kind: 'file', url, name: 'a' }) as const;

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

test('a slow host that gets a tick again does not shorten the gap behind it', async () => {
  const world = await worldWith(2);
  world.faults = { ...noFaults, tickLost: 1 };
  await world.sendNow('a');
  await world.sendNow('a');
  world.faults = noFaults;
  await world.run(10 * SECOND);
  const { gen } = world.account('a');
  // Its first run has died, and by now its stamp says nothing about the time.
  const received = { times: 2, firstAt: world.now - 5 * SECOND };
  const run = { id: 'again', endsAt: world.now + 45 * SECOND, received };
  const message = { account: 'a', gen, at: world.now - 5 * SECOND };
  await world.until(world.spawn('tick', 'main', (ports) => tick(message, run, ports, world.config), -4 * SECOND));
  await world.run(20 * SECOND);
  expect(world.provider.calls.length).toBe(2);
  expect(world.invariants.violations).toEqual([]);
});

test('a hold stays where a message went unanswered while its end was being written', async () => {
  const world = await worldWith(1);
  await ask(world, (ports) => hold(ports, 'a', 'a test', world.config));
  const frees = at(
    (write) => write.kind === 'update' && write.changes.some(({ kind, path }) => kind === 'set' && path === 'held'),
    'before',
  );
  once(world, frees, { stallMs: SECOND }, () => {
    void world.store.write(update(accountKey('a'), [set('unknownTimes', [world.now])]));
  });
  expect(await ask(world, (ports) => clearHold(ports, 'a', world.config))).toBe('unchanged');
  expect(world.account('a').held).toBe(true);
});

test('a message that is refused and allowed again and again for hours does not grow', async () => {
  const world = await worldWith(1, { config: { probeAfterMs: [MINUTE] } });
  world.provider.behave = () => ({ ...unsure, outcome: { kind: 'hold', reason: 'http 466' } });
  const id = await world.sendNow('a');
  await world.run(2 * HOUR);
  expect(world.provider.calls.length).toBeGreaterThan(50);
  expect(world.message(id).history.length).toBeLessThan(6);
});

test('a history has an end, and what ends a message is in it', { timeout: 30_000 }, async () => {
  const world = await worldWith(1, { config: { probeAfterMs: [MINUTE] } });
  let calls = 0;
  world.provider.behave = () => ({ ...unsure, outcome: { kind: 'hold', reason: `no. ${calls++}` } });
  const id = await world.sendNow('a');
  await world.run(4 * HOUR);
  world.provider.behave = () => obliging;
  await world.run(5 * MINUTE);
  const { history } = world.message(id);
  expect([history.length, history.at(-1)?.state]).toEqual([101, 'sent']);
});

test('a part that becomes unknown while the other is taken off the list stays on it', async () => {
  const world = await worldWith(2, { config: { unknownLimitMs: HOUR } });
  world.provider.behave = (_, { part }) => ({ ...unsure, latencyMs: part === 0 ? 50 : 9 * SECOND });
  world.provider.lists = (_, { part }) => (part === 0 ? [{ providerId: 'P0' }] : []);
  const id = await world.sendNow('a', { parts: [file('https://files.test/a'), { kind: 'text', text: 'x' }] });
  await world.run(SECOND);
  await ask(world, (ports) => pause(ports, 'a', 'a test', world.config));
  await world.run(52 * SECOND);
  await ask(world, (ports) => resume(ports, 'a', world.config));
  // The watchdog comes while the text is being sent, and its last write only when that has ended.
  const leavesTheList = at(
    (write) =>
      write.kind === 'update' && write.changes.some(({ kind, path }) => kind === 'remove' && path === 'gsi3pk'),
    'before',
  );
  once(world, leavesTheList, { stallMs: 8 * SECOND });
  await world.run(2 * HOUR);
  expect(world.message(id).parts.map((part) => part.state)).toEqual(['sent', 'expired']);
});

test('an echo of a message whose outcome is being written settles no other', async () => {
  const world = await worldWith(2);
  world.provider.behave = () => unsure;
  const first = await world.sendNow('a');
  await world.run(5 * SECOND);
  world.provider.behave = () => ({ ...obliging, latencyMs: 2 * SECOND });
  const second = await world.sendNow('a');
  await world.run(1.95 * SECOND);
  const looksForItsName = ({ call, moment, detail }: { call: string; moment: string; detail?: unknown }) =>
    call === 'get' && moment === 'after' && JSON.stringify(detail).includes('3EB02');
  once(world, looksForItsName, { stallMs: SECOND });
  await world.until(world.echo(hello(world, '3EB02')));
  await world.run(5 * SECOND);
  expect([stateOf(world, first), stateOf(world, second)]).toEqual(['unknown', 'sent']);
  expect(world.invariants.violations).toEqual([]);
});

test('a file whose turn comes late in a tick gets the time of the next one', async () => {
  const world = await worldWith(2);
  let first = '';
  once(world, atCall('fetch', 'before'), { stallMs: 11 * SECOND }, () => {
    world.begin(world.spawn('cancel', 'main', (ports) => cancel(ports, 'main', first, world.config)));
  });
  world.fetch = (url) => {
    // The second file's host needs more than what the first has left of the first tick.
    if (url.endsWith('second') && world.queue.sent === 1) return { kind: 'unavailable', reason: 'no answer in time' };
    return { kind: 'ok', name: 'a', mimeType: 'text/plain', bytes: new Uint8Array(1) };
  };
  first = await world.sendNow('a', { parts: [file('https://files.test/first')] });
  const second = await world.sendNow('a', { parts: [file('https://files.test/second')] });
  await world.run(30 * SECOND);
  expect([stateOf(world, first), stateOf(world, second)]).toEqual(['cancelled', 'sent']);
});

test('a place in the queue that was left behind is reported and does not keep ticks going round', async () => {
  const world = await worldWith(2);
  const id = await world.sendNow('a');
  await world.run(5 * SECOND);
  const { seq } = world.message(id);
  const left = { pk: 'ACC#a', sk: `Q#${String(seq).padStart(12, '0')}#0`, kind: 'left', send: id, part: 0 };
  await world.store.write(put(left));
  const before = world.queue.sent;
  await world.sendNow('a');
  await world.run(5 * MINUTE);
  expect(world.counted.get('QueueInconsistent')).toBeGreaterThan(0);
  expect(world.queue.sent - before).toBeLessThan(8);
});

test('a monthly quota that is lowered and raised again grants nothing twice', async () => {
  const world = await worldWith(0);
  for (const credits of [5, 1, 5, 1, 7]) {
    await ask(world, (ports) => setQuota(ports, 'main', { kind: 'monthly', credits }, world.config));
  }
  expect(world.store.peek({ pk: 'WS#main', sk: 'QUOTA#2026-11' })).toMatchObject({ granted: 7, available: 7 });
  expect(world.invariants.violations).toEqual([]);
});

test('probes of a provider that is down do not keep the watchdog from what is unknown', async () => {
  const world = await worldWith(1);
  world.provider.behave = () => unsure;
  const id = await world.sendNow('a');
  for (let i = 0; i < 40; i += 1) {
    await world.addAccount(`held ${i}`, 'main');
    await ask(world, (ports) => hold(ports, `held ${i}`, 'no connection', world.config));
  }
  world.probe = () => ({ kind: 'unknown' });
  world.provider.lists = () => [{ providerId: 'P' }];
  world.scheduler.accident = (_, { call }) => (call === 'probe' ? { stallMs: 10 * SECOND } : undefined);
  await world.run(5 * MINUTE);
  expect(stateOf(world, id)).toBe('sent');
});

test('a reason is kept as far as people read it, however much a provider says', async () => {
  const world = await worldWith(1);
  const id = await world.sendNow('a');
  await world.run(5 * SECOND);
  const key = stateKey({ workspace: 'main', provider: 'fake', scope: 'a' }, '3EB01');
  const words = 'x'.repeat(300_000);
  const told = { state: 'failed', messageId: '3EB01', detail: words } as const;
  const life = { isTheirs: true };
  const item = await noteStatus(world.store, key, told, world.now, life);
  if (!item) throw new Error('the status was not noted');
  await ask(world, (ports) => onStatus(ports, key, readProviderMessage(item), world.config));
  await ask(world, (ports) => hold(ports, 'a', words, world.config));
  expect(stateOf(world, id)).toBe('failed');
  expect(JSON.stringify(world.store.all()).length).toBeLessThan(40_000);
});

test('nobody is told again of an account that is held already, nor of a message that was erased', async () => {
  const world = await worldWith(1);
  const send = world.message(await world.sendNow('a'));
  const toldOf = (writes: readonly { readonly item: Item }[]) =>
    writes.flatMap(({ item: { kind, pk } }) => (pk.startsWith('EVT#') ? [kind] : []));
  const holds = (held: boolean) => holding({ ...world.account('a'), held }, 'a ban', world.now, world.config).writes;
  expect([toldOf(holds(false)), toldOf(holds(true))]).toEqual([['account'], []]);
  const reports = [send, { ...send, erased: true } as const].map((one) => sendReport(one, [0], 'failed', world.now));
  expect(reports.map(toldOf)).toEqual([['send'], []]);
});
