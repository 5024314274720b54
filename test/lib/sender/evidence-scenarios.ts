import { obliging } from '#test/support/simulation/fake-provider.ts';
import { hello, noFaults } from '#test/support/simulation/world.ts';
import { type Scenario, Trial } from './scenarios.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const lost = { ...obliging, outcome: { kind: 'unknown', reason: 'http 502' }, takes: false } as const;
const unanswered = { ...lost, takes: true } as const;

/** From now on all that may be stale is. */
function stale(world: Trial): void {
  world.faults = { ...noFaults, stale: 1 };
}

/** A later message of the same words is being sent when its echo comes. */
export const echoOfWhatIsUnderWay: Scenario = async (options) => {
  const world = await Trial.begin(options);
  stale(world);
  world.provider.behave = () => lost;
  const older = await world.sendNow('a');
  await world.run(5 * SECOND);
  world.provider.behave = () => ({ ...obliging, latencyMs: 4 * SECOND, echoes: [0] });
  const later = await world.sendNow('a');
  await world.run(10 * MINUTE);
  world.expect(world.stateOf(older) === 'unknown/reserved', `the older one is ${world.stateOf(older)}`);
  world.expect(world.stateOf(later) === 'sent/spent', `the later one is ${world.stateOf(later)}`);
  return world.verdict();
};

/** The same, as the provider lists it: the watchdog looks while the later one is being sent. */
export const listingOfWhatIsUnderWay: Scenario = async (options) => {
  const world = await Trial.begin({ ...options, watchdog: false });
  world.provider.lists = (account, attempted) => world.provider.journal(account, attempted);
  world.provider.behave = () => lost;
  const older = await world.sendNow('a');
  await world.run(2 * MINUTE);
  world.provider.behave = () => ({ ...obliging, latencyMs: 8 * SECOND });
  await world.sendNow('a');
  await world.run(6 * SECOND);
  await world.until(world.watch());
  await world.run(MINUTE);
  world.expect(world.stateOf(older) === 'unknown/reserved', `it is ${world.stateOf(older)}`);
  return world.verdict();
};

/** Only the later one has gone out, and nobody knows of either. */
export const echoThatFitsTwo: Scenario = async (options) => {
  const world = await Trial.begin(options);
  world.provider.behave = () => lost;
  const older = await world.sendNow('a');
  await world.run(5 * SECOND);
  world.provider.behave = () => ({ ...unanswered, echoes: [5 * SECOND] });
  const later = await world.sendNow('a');
  await world.run(HOUR);
  const states = [older, later].map((id) => world.stateOf(id));
  world.expect(
    states.every((state) => state === 'unknown/reserved'),
    `they are ${states.join(' and ')}`,
  );
  return world.verdict();
};

/** The echo comes before the answer does, and the answer never comes. */
export const echoBeforeNoAnswer: Scenario = async (options) => {
  const world = await Trial.begin(options);
  world.provider.behave = () => ({ ...unanswered, latencyMs: 4 * SECOND, echoes: [0] });
  const id = await world.sendNow('a');
  await world.run(10 * MINUTE);
  world.expect(world.stateOf(id) === 'sent/spent', `it is ${world.stateOf(id)}`);
  return world.verdict();
};

/** Of an earlier message of the same words, which has its id by the time that the later one is looked at. */
export const echoOfWhatIsKnown: Scenario = async (options) => {
  const world = await Trial.begin(options);
  world.provider.behave = () => ({ ...obliging, latencyMs: 4 * SECOND, echoes: [0] });
  const first = await world.sendNow('a');
  await world.run(5 * SECOND);
  world.provider.behave = () => lost;
  const second = await world.sendNow('a');
  await world.run(10 * MINUTE);
  world.expect(world.stateOf(first) === 'sent/spent', `the first is ${world.stateOf(first)}`);
  world.expect(world.stateOf(second) === 'unknown/reserved', `the second is ${world.stateOf(second)}`);
  return world.verdict();
};

/** It went out after all, when its credit was back already; the next one of the same words did not. */
export const echoOfWhatHasExpired: Scenario = async (options) => {
  const world = await Trial.begin({ ...options, config: { unknownLimitMs: 20 * MINUTE } });
  world.provider.behave = () => unanswered;
  await world.sendNow('a');
  await world.run(22 * MINUTE);
  world.provider.behave = () => lost;
  const second = await world.sendNow('a');
  await world.run(5 * SECOND);
  // From a provider that tells no times: then it is when it came.
  await world.until(world.echo(hello(world, '3EB01')));
  await world.run(10 * MINUTE);
  world.expect(world.stateOf(second) === 'unknown/reserved', `the second is ${world.stateOf(second)}`);
  return world.verdict();
};

/** One of the same words has expired, its credit is back; the next one has gone out. */
export const echoOfTheNext: Scenario = async (options) => {
  const world = await Trial.begin({ ...options, config: { unknownLimitMs: 20 * MINUTE } });
  world.provider.behave = () => lost;
  const first = await world.sendNow('a');
  await world.run(22 * MINUTE);
  stale(world);
  world.provider.behave = () => unanswered;
  await world.sendNow('a');
  await world.run(5 * SECOND);
  // By a clock that is behind.
  await world.until(world.echo({ ...hello(world, '3EB02'), at: world.now - 5 * MINUTE }));
  world.expect(world.stateOf(first) === 'expired/refunded', `the first is ${world.stateOf(first)}`);
  return world.verdict();
};

/** A mark of yesterday that the table has not deleted yet. */
export const echoThatHasRunOut: Scenario = async (options) => {
  const world = await Trial.begin(options);
  await world.until(world.echo(hello(world, 'foreign')));
  world.provider.behave = () => lost;
  for (const mark of world.store.all().filter(({ pk }) => pk.startsWith('ECHO#'))) {
    await world.store.write({ kind: 'put', item: { ...mark, expiresAt: Math.floor(world.now / 1000) - 1 } });
  }
  const id = await world.sendNow('a');
  await world.run(10 * MINUTE);
  world.expect(world.stateOf(id) === 'unknown/reserved', `it is ${world.stateOf(id)}`);
  return world.verdict();
};
