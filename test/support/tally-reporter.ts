import type { Reporter, TestModule } from 'vitest/node';

/** Looks at a whole run, and says what is wrong with it. */
type Check = (modules: readonly TestModule[]) => readonly string[];

/** Ends a run with the one line that scripts read: `N passed, N failed`. What a check finds counts as failed. */
export class TallyReporter implements Reporter {
  readonly #checks: readonly Check[];

  constructor(...checks: readonly Check[]) {
    this.#checks = checks;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) count[test.result().state] += 1;
      // A file that cannot be loaded has no tests to fail.
      if (module.state() === 'failed' && !tests.some((test) => test.result().state === 'failed')) count.failed += 1;
    }
    const found = this.#checks.flatMap((check) => check(modules));
    if (found.length > 0) process.exitCode = 1;
    count.failed += found.length;
    process.on('exit', () => {
      for (const line of found) process.stdout.write(`${line}\n`);
      process.stdout.write(`${count.passed} passed, ${count.failed} failed\n`);
    });
  }
}
