/**
 * Proves of a deployment what can be proved without AWS: packages, and checks what came of it. The functions are
 * bundled before this is run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { buildFunctions } from '#infra/build/bundle.ts';
import { lint, Report } from './commands.ts';
import { deployOnEmulator } from './deployment.ts';
import { differences, packagedTemplate, packageStage, zipFaults } from './packaging.ts';

const folder = mkdtempSync(join(tmpdir(), 'hookline-verify-'));
const prod = join(folder, 'prod');
const again = join(folder, 'again');
const dev = join(folder, 'dev');
const report = new Report();

try {
  const builds = ['one', 'other'].map((name) => join(folder, name));
  for (const dist of builds) await buildFunctions({ functions: 'functions', dist });
  await report.check('two builds from nothing are the same bytes, and those of dist/', () => ({
    faults: builds.flatMap((dist) => differences(dist, 'dist', '.[cm]js')),
  }));
  await packageStage('prod', prod);
  await packageStage('prod', again);
  await packageStage('dev', dev);
  await report.check('two packagings are the same bytes', () => ({ faults: differences(prod, again, '.zip') }));
  await report.check('each zip holds its bundle and nothing else', () => ({
    faults: zipFaults({ functions: 'functions', dist: 'dist', zips: prod }),
  }));
  for (const stage of [prod, dev]) {
    await report.check(`${basename(stage)}: cfn-lint`, () => lint(packagedTemplate(stage)));
  }
  await report.check('a deployment on an emulated AWS (moto)', deployOnEmulator);
  if (!report.conclude()) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
