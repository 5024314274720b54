import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { killRun } from '#test/support/sending/kill-run.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hookline-crash-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('sends each message once or says that it does not know, however it was killed', { timeout: 60_000 }, async () => {
  const report = await killRun({
    data: join(folder, 'data'),
    times: {
      HOOKLINE_CALL_MS: '1000',
      HOOKLINE_LEASE_MS: '1500',
      HOOKLINE_GRACE_MS: '300',
      HOOKLINE_WATCHDOG_MS: '500',
    },
    accounts: 6,
    each: 2,
    pacing: { minMs: 1510, maxMs: 1600 },
    kills: [
      { after: 2, delay: 40, whom: 'parent' },
      { after: 8, delay: 20, whom: 'group' },
    ],
    seed: 1,
    timeout: 20_000,
  });
  expect(report).toMatchObject({ accepted: 12, faults: [] });
});
