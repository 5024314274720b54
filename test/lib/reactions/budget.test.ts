import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { usedCpu } from '#lib/aws/runtime.ts';
import type { Matches } from '#lib/domain/reaction/condition.ts';
import { feedFill } from '#lib/inbox/feed.ts';
import { patternFault, patternMatcher, sharedBudgets } from '#lib/reactions/untrusted.ts';
import { fillKey } from '#lib/store/keys.ts';
import { put } from '#lib/store/store.ts';
import { itemsOf, message } from '#test/functions/admin/admin-bench.ts';
import { ReactionBench } from '#test/support/reactions.ts';

/* Conditions that take long. A pattern takes as many milliseconds of the processor as it says. */

const slow = (...milliseconds: number[]) => ({ any: milliseconds.map((ms) => ({ field: 'text', matches: `${ms}` })) });

let bench: ReactionBench;
let hook: string;
let n: number;
function asksBy(matches: Matches): void {
  const { clock } = bench.admin.ports;
  const budget = sharedBudgets({ clock, matches, cpu: () => bench.cpu });
  bench.dispatching = { ...bench.dispatching, budget };
}
beforeEach(async () => {
  bench = new ReactionBench();
  n = 0;
  hook = (await bench.admin.webhook()).url;
  const matches = (pattern: string) => {
    bench.cpu += Number(pattern);
    return false;
  };
  asksBy(matches);
  bench.delivering = { ...bench.delivering, matches };
  Object.assign(bench.admin.ports, { matches, cpu: () => bench.cpu });
});
/** Time that goes by between two events gives the workspace its own back. */
const receive = async (later = 10_000) => {
  n += 1;
  bench.now += later;
  const { body } = await bench.admin.post(hook, message(n, { at: new Date(bench.now).toISOString() }));
  await bench.settle();
  return String(body.id);
};
const calling = (when: object | undefined, more: object = {}) => ({
  ...{ name: 'Calls', on: ['message.received'], do: [{ action: 'call', url: 'https://crm.example/' }], ...more },
  ...(when && { when }),
});
const rule = async (when?: object, more: object = {}) =>
  String((await bench.admin.done('POST', '/api/rules', { body: calling(when, more) })).id);
const runs = async (id: string) => itemsOf(await bench.admin.done('GET', `/api/rules/${id}/runs`));
const shown = (id: string) => bench.admin.done('GET', `/api/rules/${id}`);

describe('a rule whose condition takes too long', () => {
  it('does nothing and its run says so, and those after it go on', async () => {
    const [first, second] = [await rule(slow(60, 60, 60), { stop: true }), await rule()];
    const event = await receive();
    expect(await runs(first)).toEqual([
      {
        event,
        at: expect.any(String),
        result: 'failed',
        why: expect.stringContaining('more than 100 ms'),
        actions: [],
      },
    ]);
    expect(await runs(second)).toMatchObject([{ result: 'done' }]);
  });

  it('is switched off after ten times', async () => {
    const id = await rule(slow(60, 60, 60));
    for (let i = 0; i < 10; i++) await receive();
    expect(await shown(id)).toMatchObject({ enabled: false, disabledBecause: expect.stringContaining('10 times') });
    const spent = bench.cpu;
    await receive();
    expect(bench.cpu).toBe(spent);
  });

  it('says so in a trial', async () => {
    await receive();
    const body = { rule: calling(slow(60, 60, 60)), last: 1 };
    expect(await bench.admin.done('POST', '/api/rules/try', { body })).toMatchObject({
      items: [{ matched: false, why: expect.stringContaining('more than 100 ms'), actions: [] }],
    });
  });
});

it('a trial ends in time, however many events it is asked for', async () => {
  for (let i = 0; i < 50; i++) await receive();
  const body = { rule: calling(slow(45)), last: 50 };
  const items = itemsOf(await bench.admin.done('POST', '/api/rules/try', { body }));
  expect(items).toHaveLength(50);
  expect(items[0]).toMatchObject({ matched: false, trace: [{ holds: false }] });
  expect(items[49]).toMatchObject({ matched: false, trace: [], why: expect.stringContaining('fewer') });
  expect(bench.cpu).toBeLessThan(2100);
});

it('a trial is not cut short by what others do while it waits for the table', async () => {
  for (let i = 0; i < 5; i++) await receive();
  const { store } = bench.admin.ports;
  const get: typeof store.get = (...given) => {
    bench.cpu += 1000;
    return store.get(...given);
  };
  Object.assign(bench.admin.ports, { store: { ...store, get } });
  const rule = { ...calling(slow(1)), when: { not: slow(1) }, do: [{ action: 'reply', text: 'a' }] };
  const items = itemsOf(await bench.admin.done('POST', '/api/rules/try', { body: { rule, last: 5 } }));
  expect(items.map(({ matched }) => matched)).toEqual(Array.from({ length: 5 }, () => true));
});

it('a trial ends in time where texts take long', async () => {
  for (let i = 0; i < 5; i++) await receive();
  const cpu = () => {
    bench.cpu += 300;
    return bench.cpu;
  };
  Object.assign(bench.admin.ports, { cpu });
  for (const action of [
    { action: 'send', to: { phone: '+15550300' }, text: 'a' },
    { action: 'call', url: 'https://crm.example/', text: 'a' },
  ]) {
    const body = { rule: { ...calling(undefined), do: Array.from({ length: 5 }, () => action) }, last: 5 };
    const items = itemsOf(await bench.admin.done('POST', '/api/rules/try', { body }));
    expect(items[0]).toMatchObject({ matched: true });
    expect(items[4]).toMatchObject({ matched: false, why: expect.stringContaining('fewer') });
  }
});

test('one workspace has three seconds at once, and its rules are asked again when time has gone by', async () => {
  for (let i = 0; i < 25; i++) await rule(slow(45), { order: i });
  const free = await rule(undefined, { order: 300 });
  const sends = { do: [{ action: 'send', to: { phone: '+15550300' }, text: 'a' }] };
  const answering = await rule(undefined, { order: 400, ...sends });
  await bench.endpoint({ where: slow(45) });
  const { key } = await bench.admin.workspaceWithKey();
  const call = { key, body: calling({ field: 'kind', is: 'message' }) };
  const other = String((await bench.admin.done('POST', '/api/rules', call)).id);
  const theirs = (await bench.admin.webhook({}, { key })).url;
  const at = new Date(bench.now).toISOString();
  for (let i = 0; i < 6; i++) await bench.admin.post(hook, message(i, { at }));
  await bench.admin.post(theirs, message(99, { at }));
  await bench.settle();
  expect(bench.cpu).toBeLessThan(3100);
  // Rules without a condition go on, but for what has to be rendered; that is no failure of theirs.
  expect(await runs(free)).toHaveLength(6);
  expect((await runs(answering))[0]).toMatchObject({
    result: 'guarded',
    actions: [{ why: expect.stringContaining('all the time') }],
  });
  expect(bench.admin.logged.filter((line) => line.includes('were not asked'))).toHaveLength(4);
  // Endpoints are told rather than not.
  expect(bench.told.filter(({ url }) => url === 'https://crm.example/in')).toHaveLength(3);
  expect(itemsOf(await bench.admin.done('GET', `/api/rules/${other}/runs`, { key }))).toMatchObject([
    { result: 'done' },
  ]);
  const spent = bench.cpu;
  n = 100;
  await receive(2000);
  expect(bench.cpu - spent).toBeGreaterThan(400);
  expect(bench.cpu - spent).toBeLessThan(600);
});

test('what other threads take is not counted', async () => {
  const [began, all] = [usedCpu(), process.cpuUsage()];
  await promisify(pbkdf2)('a', 'b', 100_000, 64, 'sha512');
  const { user } = process.cpuUsage(all);
  expect(usedCpu() - began).toBeLessThan(user / 2000);
});

test('an endpoint whose condition takes too long is told all the same', async () => {
  await bench.endpoint({ where: slow(60, 60, 60) });
  await bench.endpoint({ url: 'https://other.example/', where: slow(1) });
  const event = await receive();
  expect(bench.told.map(({ url, id: told }) => [url, told])).toEqual([['https://crm.example/in', event]]);
});

test('a step of a replay ends in time, and tells what it had no time to ask of', async () => {
  await bench.store.write(put({ ...fillKey(feedFill.name), workspace: '', done: true }));
  for (let i = 0; i < 200; i++) await receive(0);
  const { id } = await bench.endpoint({ where: slow(45) });
  const body = { since: new Date(bench.now - 60_000).toISOString(), only: 'all' };
  bench.now += 60_000;
  await bench.admin.done('POST', `/api/endpoints/${id}/replay`, { body });
  bench.cpu = 0;
  await bench.wait(60);
  // Two steps, of which the first had more to ask than it had time for. Of those that were asked, none was wanted.
  const asked = bench.cpu / 45;
  expect(asked).toBeLessThan(200);
  expect(new Set(bench.told.map((one) => one.id)).size).toBe(200 - asked);
});

test('a call whose texts take too long is given up, and says so', async () => {
  const cpu = () => {
    bench.cpu += 300;
    return bench.cpu;
  };
  bench.delivering = { ...bench.delivering, cpu };
  const json = ['{{ text }}', '{{ text }}', '{{ text }}', '{{ text }}', '{{ text }}'];
  await rule(undefined, { do: [{ action: 'call', url: 'https://crm.example/', json }] });
  await receive();
  const [row] = bench.store.all().filter(({ sk }) => sk.startsWith('DLV#'));
  expect(row).toMatchObject({ state: 'dead', attempts: [{ failure: 'it takes more than a second to render' }] });
  expect(bench.told).toEqual([]);
});

function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

describe('a pattern', () => {
  it.each(['[ab]{1000}c', '[ab]{0,999}[ab]{0,999}', '((a{0,30}){0,30})b'])('%s is refused', (pattern) => {
    expect(patternFault(pattern)).toContain('takes too long');
  });

  it('that reads each text differently keeps no more of them than others do', () => {
    const matches = patternMatcher();
    // A text on which this pattern comes to a new state with each letter.
    let seed = 1;
    const text = Array.from({ length: 4096 }, () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % 2 === 0 ? 'a' : 'b';
    }).join('');
    const before = process.memoryUsage().arrayBuffers;
    expect(matches('(a|b)*a[ab]{240}[^ab]', text, true)).toBe(false);
    expect(matches('(a|b)*a[ab]{240}$', text, true)).toBe(text.at(-241) === 'a');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  it('that reads every character there is keeps few of them', () => {
    const matches = patternMatcher();
    const before = heapUsed();
    for (let first = 0x100; first < 0xd000; first += 4000) {
      const text = String.fromCharCode(...Array.from({ length: 4000 }, (_, i) => first + i));
      for (let i = 0; i < 10; i++) expect(matches(`(price|cost)${i}`, text, false)).toBe(false);
    }
    expect(heapUsed() - before).toBeLessThan(10_000_000);
    expect(matches('(price|cost)1', 'the price1', false)).toBe(true);
  });

  it.each(['^[A-Z]{2}\\d{6,10}$', '(?:order|bestellung)\\s*#?\\s*(\\d{4,12})', '[^\\s]{1,200}', '^(a+)+$'])(
    '%s is taken, and asks a long text in a moment',
    (pattern) => {
      expect(patternFault(pattern)).toBeUndefined();
      const matches = patternMatcher();
      const began = process.cpuUsage();
      matches(pattern, 'a'.repeat(4096), false);
      const { user } = process.cpuUsage(began);
      expect(user / 1000).toBeLessThan(1000);
    },
  );
});
