import { defineConfig } from 'vitest/config';
import { TallyReporter } from './test/support/tally-reporter.ts';

export default defineConfig({
  test: {
    globalSetup: ['./test/support/engine-setup.ts'],
    include: ['test/**/*.test.ts'],
    reporters: ['default', new TallyReporter()],
  },
});
