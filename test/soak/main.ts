/**
 * `npm run soak`: the long runs, in real time. `npm run soak -- receive 30 7` repeats one of them 30 times with the seed
 * 7, which is how a failure is repeated: seeds are printed.
 */
import { loadavg } from 'node:os';
import { properties, reactions } from './properties.ts';
import { receive } from './receive.ts';
import { send } from './send.ts';
import { sendKill } from './send-kill.ts';

/** A run resolves to what went wrong. */
export type Soak = (rounds: number, seed: number) => Promise<readonly string[]>;

/** How often each is run unless told otherwise. */
const soaks: Readonly<Record<string, { readonly run: Soak; readonly rounds: number }>> = {
  properties: { run: properties, rounds: 1 },
  reactions: { run: reactions, rounds: 1 },
  receive: { run: receive, rounds: 10 },
  send: { run: send, rounds: 1 },
  'send-kill': { run: sendKill, rounds: 1 },
};

const [wanted, wantedRounds, seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const chosen = Object.entries(soaks).filter(([name]) => wanted === undefined || name === wanted);
if (chosen.length === 0) throw new Error(`there is no soak ${wanted}; there are ${Object.keys(soaks).join(', ')}`);
// A run of no rounds would be ok without having tried anything.
const isCount = (written: string, least: number) => Number.isSafeInteger(Number(written)) && Number(written) >= least;
if ((wantedRounds !== undefined && !isCount(wantedRounds, 1)) || !isCount(seed, 0))
  throw new Error(
    'npm run soak -- [name [rounds [seed]]]: rounds and seed are whole numbers, and one soak is named at a time',
  );
for (const [name, { run, rounds: usual }] of chosen) {
  const rounds = Number(wantedRounds ?? usual);
  const busy = (loadavg()[0] ?? 0).toFixed(1);
  console.log(`${name}: ${rounds} rounds, load average before: ${busy}, seed ${seed}`);
  const faults = await run(rounds, Number(seed));
  for (const fault of faults) console.error(`${name}: ${fault}`);
  console.log(`${name}: ${faults.length === 0 ? 'ok' : `${faults.length} faults`}`);
  if (faults.length > 0) process.exitCode = 1;
}
