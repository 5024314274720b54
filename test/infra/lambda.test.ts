import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadLambda } from '#infra/local/lambda/lambda.ts';

test('a function can still load its parts after a build has replaced them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hookline-lambda-'));
  writeFileSync(join(folder, 'index.mjs'), "export const handler = async () => (await import('./part.mjs')).word;");
  writeFileSync(join(folder, 'part.mjs'), "export const word = 'there';");
  const settings = { name: 'parted', timeoutMs: 1000, memoryMb: 512 };
  const lambda = await loadLambda(join(folder, 'index.mjs'), 'handler', settings);
  rmSync(folder, { recursive: true });
  expect(await lambda.invoke({})).toEqual({ kind: 'answered', result: 'there' });
});
