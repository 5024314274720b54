import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** The simulation of sending, with its faults and its operator: each round is 100,000 random operations. */
export const properties = simulation('test/lib/sender/properties.test.ts', { HOOKLINE_TEST_OPERATIONS: '100000' });

/** The simulation of endpoints and rules: each round is 10,000 notices. */
export const reactions = simulation('test/lib/reactions/simulation.test.ts', { HOOKLINE_TEST_NOTICES: '10000' });

function simulation(file: string, size: Readonly<Record<string, string>>) {
  return async (rounds: number, seed: number): Promise<readonly string[]> => {
    const faults: string[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const roundsSeed = String(seed + round - 1);
      const env = { ...process.env, ...size, HOOKLINE_TEST_SEED: roundsSeed };
      const run = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', file], { env, stdio: 'inherit' });
      const [code] = await once(run, 'exit');
      if (code !== 0) faults.push(`round ${round}: a promise was broken, seed ${roundsSeed}`);
    }
    return faults;
  };
}
