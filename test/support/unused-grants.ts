import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TestModule } from 'vitest/node';
import { functionsByGrants, tableLinesOf } from './grants.ts';

const root = new URL('../../', import.meta.url);
/** Where functions do their work under their roles. */
const SUITES = ['test/functions/', 'test/lib/', 'test/infra/roles/'];

/** What a role grants and no test has made use of: a key to something that its function has no business with. */
export function unusedGrants(modules: readonly TestModule[]): readonly string[] {
  if (!isWhole(modules)) return [];
  const used = modules.map((module) => module.meta().usedGrants ?? {});
  return [...functionsByGrants().values()].flatMap((names) => {
    const needed = new Set(names.flatMap((name) => used.flatMap((lines) => lines[name] ?? [])));
    const [first = ''] = names;
    return tableLinesOf(first)
      .filter((line) => !needed.has(line))
      .map((line) => `infra/grants.ts grants ${names.join(', ')} ${line}, and no test needs it`);
  });
}

/** Of a part of the suites, or of one that failed, nothing can be said. */
function isWhole(modules: readonly TestModule[]): boolean {
  const done = new Set(modules.filter(isDone).map(({ moduleId }) => moduleId));
  return SUITES.flatMap(testsIn).every((file) => done.has(file));
}

function isDone(module: TestModule): boolean {
  return module.state() === 'passed' && [...module.children.allTests('skipped')].length === 0;
}

function testsIn(folder: string): string[] {
  const files = readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.test.ts')).map((file) => fileURLToPath(new URL(folder + file, root)));
}
