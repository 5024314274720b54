import { setTimeout as sleep } from 'node:timers/promises';
import { atLeast, atMost, type Figure, isReached } from '#test/bench/figure.ts';
import { percentile } from '#test/bench/statistics.ts';
import { table } from '#test/bench/table.ts';
import { startFreshHub } from '#test/support/fresh-hub.ts';
import { allSends, audit, type HubApi } from '#test/support/hub-api.ts';
import { type Call, GreenApiProcess } from '#test/support/providers/green-api-process.ts';
import { connectFleet, type Fleet, postAll } from '#test/support/sending/fleet.ts';
import { GateWatch } from '#test/support/sending/gate-watch.ts';
import { type AccountPace, mean, paceOf, spread } from '#test/support/sending/pace.ts';

const accounts = 20;
const each = 10;
/** Milliseconds, with room for the clocks. */
const longestGap = 2_500;
/** Milliseconds that a message of a full queue may take at the very most. */
const patiencePerMessage = 6_000;

/** 200 messages on 20 accounts at once, and before that ten on one of them alone: order, distance, independence. */
export async function send(rounds: number, seed: number): Promise<readonly string[]> {
  const faults: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const figures = await roundOf(seed + round);
    console.log(`\nround ${round + 1}\n\n${table(figures)}\n`);
    const missed = figures.filter((figure) => isReached(figure) === false);
    faults.push(...missed.map(({ name, value, unit }) => `round ${round + 1}: ${name} is ${value} ${unit}`));
  }
  return faults;
}

async function roundOf(seed: number): Promise<readonly Figure[]> {
  await using server = await GreenApiProcess.start(seed);
  await using hub = await startFreshHub({ HOOKLINE_ALLOW_PRIVATE_HOSTS: '1' });
  const fleet = await connectFleet(hub.api, server, accounts);
  const [alone] = await paces(hub.api, server, { ...fleet, accounts: fleet.accounts.slice(0, 1) }, 'alone');
  // The account that was alone still has its last gap to keep: until then it is not idle.
  await sleep(longestGap);
  const together = await paces(hub.api, server, fleet, 'together');
  if (!alone) throw new Error('nothing was sent by the account that was alone');
  const { ok } = await audit(hub.api);
  const states: string[] = [];
  for await (const { state } of allSends(hub.api)) states.push(state);
  return [
    ...figuresOf(alone, together),
    count('messages that are not sent', states.filter((state) => state !== 'sent').length),
    count('messages missing or twice', Math.abs((await server.calls()).length - (accounts + 1) * each)),
    count('credits that do not add up', ok ? 0 : 1),
  ];
}

async function paces(api: HubApi, server: GreenApiProcess, fleet: Fleet, label: string): Promise<AccountPace[]> {
  const watch = new GateWatch(api);
  const accepted = await postAll({ api: async () => api }, fleet, each, label);
  const calls = await callsOf(server, label, accepted.length);
  const gatesOf = await watch.end();
  return fleet.accounts.map((account) => paceOf(account, accepted, calls, gatesOf(account.id)));
}

async function callsOf(server: GreenApiProcess, label: string, wanted: number): Promise<readonly Call[]> {
  for (const giveUpAt = performance.now() + each * patiencePerMessage; performance.now() < giveUpAt; await sleep(500)) {
    const calls = (await server.calls()).filter(({ text }) => text.startsWith(label));
    if (calls.filter(({ endedAt }) => endedAt !== undefined).length >= wanted) return calls;
  }
  throw new Error(`not all of ${wanted} messages were sent`);
}

function figuresOf(alone: AccountPace, together: readonly AccountPace[]): Figure[] {
  const gaps = [alone, ...together].flatMap((pace) => pace.gaps);
  const slowest = together.reduce((worst, pace) => (stretch(pace) > stretch(worst) ? pace : worst));
  const delays = [alone, ...together].flatMap((pace) => pace.delays);
  const firsts = together.map(({ firstAfter }) => firstAfter);
  return [
    { ...millis('shortest gap', Math.min(...gaps)), aim: atLeast('value', 1500) },
    { ...millis('mean gap', mean(gaps)), floor: 2000, aim: atMost('ratio', 1.05) },
    { ...millis('mean gap, as the least', mean(gaps)), floor: 2000, aim: atLeast('ratio', 0.95) },
    { ...millis('spread of the gaps', spread(gaps)), aim: atLeast('value', 100) },
    ...[5, 50, 95, 100].map((percent) => millis(`gap, ${percent} % are at most`, percentile(gaps, percent))),
    ...[50, 95, 100].map((percent) => millis(`later than drawn, ${percent} % at most by`, percentile(delays, percent))),
    { ...millis('an account alone, beside its gaps and calls', alone.took), ...within(alone) },
    { ...millis('the slowest of 20 at once, beside its own', slowest.took), ...within(slowest) },
    { ...millis('first call after acceptance, alone', alone.firstAfter), aim: atMost('value', 1000) },
    { ...millis('first call after acceptance, slowest of 20', Math.max(...firsts)), aim: atMost('value', 1000) },
    count(
      'messages out of order',
      [alone, ...together].reduce((total, pace) => total + pace.outOfOrder, 0),
    ),
  ];
}

const stretch = ({ took, ideal }: AccountPace) => took / ideal;
const within = ({ ideal }: AccountPace) => ({ floor: ideal, aim: atMost('ratio', 1.03) });
const millis = (name: string, value: number): Figure => ({ name, value, unit: 'ms' });
const count = (name: string, value: number): Figure => ({ name, value, unit: '', aim: atMost('value', 0) });
