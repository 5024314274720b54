import { setTimeout as sleep } from 'node:timers/promises';
import { startFreshHub } from '#test/support/fresh-hub.ts';
import { type Call, GreenApiProcess } from '#test/support/providers/green-api-process.ts';
import { connectFleet, postAll } from '#test/support/sending/fleet.ts';
import { mean } from '#test/support/sending/pace.ts';
import { atLeast, atMost, type Figure } from './figure.ts';
import { percentile } from './statistics.ts';

const accounts = 20;
const each = 10;
const timeout = 90_000;

/** Gaps between the calls of one account as its provider sees them, beside those that are drawn from 1.6 to 2.4 s. */
export async function spacing(): Promise<readonly Figure[]> {
  await using server = await GreenApiProcess.start();
  await using hub = await startFreshHub({ HOOKLINE_ALLOW_PRIVATE_HOSTS: '1' });
  const fleet = await connectFleet(hub.api, server, accounts);
  await postAll({ api: async () => hub.api }, fleet, each, 'message');
  const calls = await allCalls(server);
  const gaps = fleet.accounts.flatMap(({ instance }) => gapsOf(calls.filter((call) => call.instance === instance)));
  const at = (percent: number) => ({ value: percentile(gaps, percent), unit: 'ms', floor: 1600 + 8 * percent });
  return [
    { name: 'shortest gap', ...at(0), aim: atLeast('value', 1500) },
    { name: 'gap: 5 % are at most', ...at(5) },
    { name: 'gap: half are at most', ...at(50) },
    { name: 'gap: 95 % are at most', ...at(95) },
    { name: 'longest gap', ...at(100) },
    { name: 'mean gap', value: mean(gaps), unit: 'ms', floor: 2000, aim: atMost('ratio', 1.05) },
  ];
}

async function allCalls(server: GreenApiProcess): Promise<readonly Call[]> {
  for (const giveUpAt = performance.now() + timeout; performance.now() < giveUpAt; await sleep(500)) {
    const calls = await server.calls();
    if (calls.length === accounts * each) return calls;
  }
  throw new Error('not all messages were sent');
}

const gapsOf = (calls: readonly Call[]): number[] =>
  calls.slice(1).map((call, index) => call.startedAt - (calls[index]?.endedAt ?? Number.NaN));
