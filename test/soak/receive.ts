import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CrashReport, crashRun, type Kill } from '#test/support/crash-run.ts';
import { Seeded } from '#test/support/simulation/seeded.ts';

const webhooks = 500;

/** 500 webhooks at once, the hub killed twice at random moments: what was answered is there, once. */
export async function receive(rounds: number, seed: number): Promise<readonly string[]> {
  const random = new Seeded(seed);
  const faults: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const kills = killsOf(random);
    const report = await roundOf(kills);
    console.log(`round ${round}: ${JSON.stringify(kills)} ${summary(report)}`);
    faults.push(...faultsOf(report).map((fault) => `round ${round}: ${fault}`));
  }
  return faults;
}

/** One in each half, so that the second strikes data that have survived the first. */
function killsOf(random: Seeded): readonly Kill[] {
  const half = webhooks / 2;
  const kill = (from: number) => ({ after: from + random.below(half - 20), delay: random.below(30) });
  return [
    { ...kill(1), whom: 'group' },
    { ...kill(half), whom: 'parent' },
  ];
}

async function roundOf(kills: readonly Kill[]): Promise<CrashReport> {
  const folder = mkdtempSync(join(tmpdir(), 'hookline-soak-'));
  try {
    return await crashRun({ data: join(folder, 'data'), webhooks, concurrency: 16, kills });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function summary({ answered, brokenOff, restarts }: CrashReport): string {
  const restarted = restarts.map((milliseconds) => Math.round(milliseconds)).join(', ');
  return `answered ${answered}, broken off ${brokenOff}, restarted in ${restarted} ms`;
}

function faultsOf({ answered, lost, surplus }: CrashReport): readonly string[] {
  return [
    ...(answered === webhooks ? [] : [`only ${answered} of ${webhooks} were answered`]),
    ...lost.map((id) => `${id} was answered 200 and is gone`),
    ...surplus.map((id) => `${id} is there once too often`),
  ];
}
