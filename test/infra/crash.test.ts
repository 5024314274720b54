import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { crashRun } from '#test/support/crash-run.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hookline-crash-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('has each webhook that it answered once, however it was killed in between', { timeout: 60_000 }, async () => {
  const report = await crashRun({
    data: join(folder, 'data'),
    webhooks: 120,
    concurrency: 16,
    kills: [
      { after: 30, delay: 3, whom: 'group' },
      { after: 80, delay: 11, whom: 'parent' },
    ],
  });
  expect(report).toMatchObject({ answered: 120, lost: [], surplus: [] });
});
