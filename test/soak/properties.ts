import { spawn } from 'node:child_process';
import { once } from 'node:events';

const operations = 100_000;

/** The simulation of sending, with its faults and its operator: each round is 100,000 random operations. */
export async function properties(rounds: number, seed: number): Promise<readonly string[]> {
  const faults: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const roundsSeed = String(seed + round - 1);
    const env = { ...process.env, HOOKLINE_TEST_OPERATIONS: String(operations), HOOKLINE_TEST_SEED: roundsSeed };
    const arguments_ = ['node_modules/vitest/vitest.mjs', 'run', 'test/lib/sender/properties.test.ts'];
    const run = spawn(process.execPath, arguments_, { env, stdio: 'inherit' });
    const [code] = await once(run, 'exit');
    if (code !== 0) faults.push(`round ${round}: a promise was broken, seed ${roundsSeed}`);
  }
  return faults;
}
