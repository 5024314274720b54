import { audit } from '#lib/credits/audit.ts';
import { setQuota } from '#lib/credits/credits.ts';
import { add, remove, update } from '#lib/store/store.ts';
import { deleteAccount } from '#lib/tenants/accounts.ts';
import { obliging } from '#test/support/simulation/fake-provider.ts';
import {
  at,
  isDeletion,
  isMarkedCounted,
  isOpening,
  isRaised,
  isRefund,
  once,
} from '#test/support/simulation/landmarks.ts';
import { hello } from '#test/support/simulation/world.ts';
import { type Scenario, Trial } from './scenarios.ts';

/** What can go wrong with credits beside a single message: quotas, what is counted as spent, accounts that go. */

const SECOND = 1_000;
const MONTH = { pk: 'WS#main', sk: 'QUOTA#2026-11' };
const unsure = { ...obliging, outcome: { kind: 'unknown', reason: 'reset' } } as const;

const choose = (world: Trial, credits: number) =>
  world.spawn('quota', 'main', (ports) => setQuota(ports, 'main', { kind: 'monthly', credits }, world.config));

function expectGranted(world: Trial, credits: number): void {
  const granted = Number(world.store.peek(MONTH)?.granted);
  world.expect(granted === credits, `${granted} credits granted, not ${credits}`);
}

/** Two operators raise the quota at the same time. */
export const quotaRaisedTwice: Scenario = async (options) => {
  const world = await Trial.begin(options);
  await world.until(choose(world, 2));
  once(world, at(isRaised, 'before'), { stallMs: SECOND }, () => world.begin(choose(world, 5)));
  await world.until(choose(world, 5));
  expectGranted(world, 5);
  return world.verdict();
};

/** The month's first message opens it, while an operator does. */
export const monthOpenedTwice: Scenario = async (options) => {
  const world = await Trial.begin(options);
  once(world, at(isOpening, 'before'), { stallMs: SECOND }, () => world.begin(choose(world, 5)));
  await world.until(choose(world, 2));
  await world.run(2 * SECOND);
  expectGranted(world, 5);
  return world.verdict();
};

/** The echo of its last message comes while the account is being deleted. */
export const spentWhileDeleted: Scenario = async (options) => {
  const world = await Trial.begin(options);
  world.provider.behave = () => unsure;
  const id = await world.sendNow('a');
  await world.run(10 * SECOND);
  once(world, at(isDeletion, 'before'), { stallMs: SECOND }, () => settle(world));
  await world.until(world.spawn('delete', 'main', (ports) => deleteAccount(ports, 'a', world.config)));
  await world.run(SECOND);
  world.expect(world.stateOf(id) === 'sent/spent', `it is ${world.stateOf(id)}`);
  return world.verdict();
};

/** The echo comes when the account is gone. */
export const spentAfterDeletion: Scenario = async (options) => {
  const world = await Trial.begin(options);
  world.provider.behave = () => unsure;
  const id = await world.sendNow('a');
  await world.run(10 * SECOND);
  await world.until(world.spawn('delete', 'main', (ports) => deleteAccount(ports, 'a', world.config)));
  settle(world);
  await world.run(SECOND);
  world.expect(world.stateOf(id) === 'sent/spent', `it is ${world.stateOf(id)}`);
  return world.verdict();
};

function settle(world: Trial): void {
  world.begin(world.echo(hello(world, '3EB01')));
}

/** A message that an older version has sent fails while an audit counts it. */
export const failedWhileCounted: Scenario = async (options) => {
  const world = await uncounted(options);
  once(world, at(isRefund, 'before'), { stallMs: SECOND }, () => world.begin(counting(world)));
  const [taken] = world.provider.taken;
  if (taken) world.status(taken, 'failed');
  await world.run(3 * SECOND);
  return complaintsOf(world);
};

/** It fails just before an audit counts it. */
export const failedBeforeCounted: Scenario = async (options) => {
  const world = await uncounted(options);
  const [taken] = world.provider.taken;
  once(world, at(isMarkedCounted, 'before'), { stallMs: SECOND }, () => taken && world.status(taken, 'failed'));
  await world.until(counting(world));
  await world.run(SECOND);
  world.expect(world.store.peek({ pk: 'WS#main', sk: 'QUOTA#lifetime' })?.spent === undefined, 'it was counted');
  return complaintsOf(world);
};

/** Two audits count what an older version has spent. */
export const countedTwice: Scenario = async (options) => {
  const world = await uncounted(options);
  once(world, at(isMarkedCounted, 'before'), { stallMs: SECOND }, () => world.begin(counting(world)));
  await world.until(counting(world));
  await world.run(SECOND);
  return complaintsOf(world);
};

const counting = (world: Trial) => world.spawn('audit', 'main', (ports) => audit(ports, 'main'));

async function uncounted(options: Parameters<Scenario>[0]): Promise<Trial> {
  const world = await Trial.begin(options);
  const id = await world.sendNow('a');
  await world.run(10 * SECOND);
  await world.store.write(update({ pk: `MSG#${id}`, sk: 'META' }, [remove(['parts', 0, 'counted'])]));
  await world.store.write(update({ pk: 'ACC#a', sk: 'META' }, [add('spent_lifetime', -1)]));
  return world;
}

/** Until an older version's are counted, the figures differ: what counts is the end. */
function complaintsOf(world: Trial): string[] {
  world.invariants.violations.length = 0;
  world.invariants.books();
  return world.verdict();
}
