import { defineConfig } from 'vitest/config';
import { TallyReporter } from './test/support/tally-reporter.ts';
import { unusedGrants } from './test/support/unused-grants.ts';

/**
 * These change what belongs to the whole process (its environment, its globals, the bundles that it has loaded), so each
 * file of them has a process of its own. All others share what they import, which halves the time of a run.
 */
const ALONE = [
  'test/infra/**/*.test.ts',
  'test/lib/aws/**/*.test.ts',
  'test/functions/**/{*on-hub,end-to-end}.test.ts',
  'test/functions/admin/console/**/*.test.{ts,tsx}',
];
// A real browser is started by `npm run test:browser`.
const BROWSER = 'test/browser/**';

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: {
    globalSetup: ['./test/support/engine-setup.ts'],
    setupFiles: ['./test/support/role-use-setup.ts'],
    // Bundles are run as they are, which is also much faster.
    server: { deps: { external: [/\/dist\/[\w-]+\/[\w-]+\.mjs/] } },
    // Of itself, vitest leaves one core to itself, which of two is half.
    maxWorkers: '100%',
    // Of a test that hangs. None needs as long, but on a machine that is busy with other things.
    testTimeout: 20_000,
    projects: [
      { extends: true, test: { name: 'alone', include: ALONE, exclude: [BROWSER] } },
      {
        extends: true,
        test: {
          name: 'together',
          isolate: false,
          include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
          exclude: [BROWSER, ...ALONE],
        },
      },
    ],
    reporters: ['default', new TallyReporter(unusedGrants)],
  },
});
