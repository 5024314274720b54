import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kill, type KillReport, killRun } from '#test/support/sending/kill-run.ts';
import { Seeded } from '#test/support/simulation/seeded.ts';

const accounts = 20;
const each = 10;

/** Shorter than in earnest, so that what a crash leaves behind is taken up within seconds instead of minutes. */
const times = {
  HOOKLINE_CALL_MS: '2000',
  HOOKLINE_LEASE_MS: '4000',
  HOOKLINE_GRACE_MS: '2000',
  HOOKLINE_WATCHDOG_MS: '1000',
};

/** 200 messages on 20 accounts at once, and the hub killed three times at random moments of it. */
export async function sendKill(rounds: number, seed: number): Promise<readonly string[]> {
  const random = new Seeded(seed);
  const faults: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const kills = killsOf(random);
    const { faults: found, ...counted } = await roundOf(kills, random.below(1_000_000));
    console.log(`round ${round}: ${JSON.stringify(kills)} ${JSON.stringify(counted)}`);
    faults.push(...found.map((fault) => `round ${round}: ${fault}`));
  }
  return faults;
}

/** The first while messages come in, the others while they go out. */
function killsOf(random: Seeded): readonly Kill[] {
  const kill = (from: number, whom: Kill['whom']) => ({
    after: from + random.below(40),
    delay: random.below(1_000),
    whom,
  });
  return [kill(1, 'parent'), kill(60, 'group'), kill(120, random.pick(['parent', 'group']))];
}

async function roundOf(kills: readonly Kill[], seed: number): Promise<KillReport> {
  const folder = mkdtempSync(join(tmpdir(), 'hookline-soak-'));
  const pacing = { minMs: 1_600, maxMs: 2_400 };
  try {
    return await killRun({ data: join(folder, 'data'), times, accounts, each, pacing, kills, seed, timeout: 120_000 });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
