import { defineConfig } from 'vitest/config';
import { TallyReporter } from './test/support/tally-reporter.ts';
import { textFiles } from './test/support/text-files.ts';
import { unusedGrants } from './test/support/unused-grants.ts';

export default defineConfig({
  plugins: [textFiles()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: {
    // All processors: by itself vitest leaves one free, which on two is the half.
    maxWorkers: '100%',
    globalSetup: ['./test/support/engine-setup.ts'],
    // Bundles are run as they are, which is also much faster.
    server: { deps: { external: [/\/dist\/[\w-]+\/[\w-]+\.mjs/] } },
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
    // A real browser is started by `npm run test:browser`.
    exclude: ['test/browser/**'],
    reporters: ['default', new TallyReporter(unusedGrants)],
  },
});
