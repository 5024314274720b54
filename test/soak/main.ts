/**
 * `npm run soak`: the long runs, in real time. `npm run soak -- receive 30 7` repeats one of them 30 times with the seed
 * 7, which is how a failure is repeated: seeds are printed.
 */
import { receive } from './receive.ts';

/** A run resolves to what went wrong. */
export type Soak = (rounds: number, seed: number) => Promise<readonly string[]>;

const soaks: Readonly<Record<string, Soak>> = { receive };

const [wanted, rounds = '10', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const chosen = Object.entries(soaks).filter(([name]) => wanted === undefined || name === wanted);
if (chosen.length === 0) throw new Error(`there is no soak ${wanted}; there are ${Object.keys(soaks).join(', ')}`);
for (const [name, soak] of chosen) {
  console.log(`${name}: ${rounds} rounds, seed ${seed}`);
  const faults = await soak(Number(rounds), Number(seed));
  for (const fault of faults) console.error(`${name}: ${fault}`);
  console.log(`${name}: ${faults.length === 0 ? 'ok' : `${faults.length} faults`}`);
  if (faults.length > 0) process.exitCode = 1;
}
