import { afterEach, expect } from 'vitest';
import { takeRefusals, usedGrants } from './role-use.ts';

declare module 'vitest' {
  interface TaskMeta {
    usedGrants?: Readonly<Record<string, readonly string[]>>;
  }
}

// Run before each file, also where several share a process. Each leaves what was used for the count at the end of the run.
afterEach(({ task }) => {
  task.file.meta.usedGrants = usedGrants();
});

// A use case may take a refusal for a fault of the table, and go on.
afterEach(() => expect(takeRefusals()).toEqual([]));
