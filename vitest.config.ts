import { defineConfig } from 'vitest/config';
import { TallyReporter } from './test/support/tally-reporter.ts';
import { textFiles } from './test/support/text-files.ts';
import { unusedGrants } from './test/support/unused-grants.ts';

export default defineConfig({
  plugins: [textFiles()],
  test: {
    globalSetup: ['./test/support/engine-setup.ts'],
    // Bundles are run as they are, which is also much faster.
    server: { deps: { external: [/\/dist\/[\w-]+\/[\w-]+\.mjs/] } },
    include: ['test/**/*.test.ts'],
    reporters: ['default', new TallyReporter(unusedGrants)],
  },
});
