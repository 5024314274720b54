import { defineConfig } from 'vitest/config';
import { TallyReporter } from '../support/tally-reporter.ts';

/** The console in a real browser, on a whole hub of its own. */
export default defineConfig({
  test: {
    include: ['test/browser/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    reporters: ['default', new TallyReporter(() => [])],
  },
});
