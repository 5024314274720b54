import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const biome = join(root, 'node_modules', '.bin', 'biome');
const imports = (from: string) => `import { it } from '${from}';\n\nexport const used = it;\n`;

/** One file per case; each breaks one rule, or none. */
const cases: { path: string; source: string; breaks?: string }[] = [
  { path: 'lib/domain/imports-inbox.ts', source: imports('../inbox/it.ts'), breaks: 'noRestrictedImports' },
  { path: 'lib/domain/imports-inbox-by-alias.ts', source: imports('#lib/inbox/it.ts'), breaks: 'noRestrictedImports' },
  { path: 'lib/domain/imports-files.ts', source: imports('node:fs'), breaks: 'noRestrictedImports' },
  { path: 'lib/domain/imports-aws.ts', source: imports('@aws-sdk/client-sqs'), breaks: 'noRestrictedImports' },
  { path: 'lib/domain/imports-http.ts', source: imports('hono'), breaks: 'noRestrictedImports' },
  { path: 'lib/domain/hashes.ts', source: imports('node:crypto') },
  { path: 'lib/domain/imports-domain.ts', source: imports('./hashes.ts') },
  { path: 'lib/domain/clock.ts', source: 'export const now = () => Date.now();\n', breaks: 'plugin' },
  { path: 'lib/domain/date.ts', source: 'export const now = () => new Date();\n', breaks: 'plugin' },
  { path: 'lib/domain/given-date.ts', source: 'export const iso = (at: number) => new Date(at).toISOString();\n' },
  { path: 'lib/domain/chance.ts', source: 'export const chance = () => Math.random();\n', breaks: 'plugin' },
  { path: 'lib/inbox/environment.ts', source: 'export const name = process.env.NAME;\n', breaks: 'plugin' },
  {
    path: 'lib/inbox/timer.ts',
    source: 'export const later = (act: () => void) => setTimeout(act, 1);\n',
    breaks: 'plugin',
  },
  { path: 'lib/inbox/imports-aws.ts', source: imports('../aws/it.ts'), breaks: 'noRestrictedImports' },
  { path: 'lib/inbox/imports-network.ts', source: imports('node:http'), breaks: 'noRestrictedImports' },
  { path: 'lib/inbox/imports-domain.ts', source: imports('../domain/hashes.ts') },
  { path: 'lib/domain/imports-http.ts', source: imports('#lib/http/it.ts'), breaks: 'noRestrictedImports' },
  { path: 'lib/inbox/imports-http.ts', source: imports('#lib/http/it.ts'), breaks: 'noRestrictedImports' },
  { path: 'lib/http/imports-aws.ts', source: imports('#lib/aws/it.ts'), breaks: 'noRestrictedImports' },
  { path: 'lib/http/imports-inbox.ts', source: imports('#lib/inbox/it.ts') },
  { path: 'lib/sender/imports-net.ts', source: imports('#lib/net/it.ts'), breaks: 'noRestrictedImports' },
  { path: 'lib/store/imports-sender.ts', source: imports('#lib/sender/it.ts'), breaks: 'noRestrictedImports' },
  { path: 'lib/store/imports-domain.ts', source: imports('#lib/domain/hashes.ts') },
  { path: 'lib/sender/imports-credits.ts', source: imports('#lib/credits/it.ts') },
  { path: 'lib/aws/imports-http.ts', source: imports('#lib/http/it.ts') },
  { path: 'lib/aws/imports-inbox.ts', source: imports('../inbox/it.ts') },
  { path: 'lib/aws/imports-function.ts', source: imports('#functions/a/it.ts'), breaks: 'noRestrictedImports' },
  { path: 'lib/aws/imports-test.ts', source: imports('#test/support/it.ts'), breaks: 'noRestrictedImports' },
  { path: 'functions/a/handler.ts', source: imports('#lib/aws/it.ts') },
  { path: 'functions/a/imports-aws.ts', source: imports('#lib/aws/it.ts'), breaks: 'noRestrictedImports' },
  { path: 'functions/a/imports-sibling.ts', source: imports('../b/it.ts'), breaks: 'noRestrictedImports' },
  { path: 'functions/a/imports-alias.ts', source: imports('#functions/b/it.ts'), breaks: 'noRestrictedImports' },
  { path: 'functions/a/parts/imports-own.ts', source: imports('../it.ts') },
  { path: 'functions/a/parts/imports-sibling.ts', source: imports('../../b/it.ts'), breaks: 'noRestrictedImports' },
  { path: 'functions/a/parts/imports-alias.ts', source: imports('#functions/b/it.ts'), breaks: 'noRestrictedImports' },
  {
    path: 'functions/a/parts/imports-aws.ts',
    source: imports('#lib/aws/it.ts'),
    breaks: 'noRestrictedImports',
  },
  {
    path: 'functions/a/calls-sibling.ts',
    source: "export const it = () => import('../b/it.ts');\n",
    breaks: 'noRestrictedImports',
  },
  { path: 'functions/b/handler.ts', source: imports('#functions/a/it.ts'), breaks: 'noRestrictedImports' },
  { path: 'functions/registry.ts', source: imports('./a/it.ts') },
  { path: 'functions/b/imports-providers.ts', source: imports('../providers.ts') },
  { path: 'functions/b/imports-outbound.ts', source: imports('../outbound.ts') },
  { path: 'functions/b/imports-host.ts', source: imports('#infra/local/it.ts'), breaks: 'noRestrictedImports' },
  { path: 'lib/inbox/any.ts', source: 'export const it: any = 1;\n', breaks: 'noExplicitAny' },
  { path: 'lib/inbox/cast.ts', source: 'export const it = 1 as number;\n', breaks: 'noUnsafeTypeAssertion' },
  { path: 'lib/inbox/const.ts', source: 'export const it = { one: 1 } as const;\n' },
  {
    path: 'lib/inbox/assert.ts',
    source: 'export const it = (a: string[]) => a[0]!.length;\n',
    breaks: 'noNonNullAssertion',
  },
  {
    path: 'lib/inbox/default.ts',
    source: 'const it = 1;\n\nexport { it as default };\n',
    breaks: 'noDefaultExport',
  },
];

const copy = mkdtempSync(join(tmpdir(), 'hookline-layers-'));
let reported: Map<string, Set<string>>;

beforeAll(() => {
  for (const name of ['biome.json', 'package.json', '.gitignore', 'infra/lint']) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  execFileSync('git', ['init', '--quiet'], { cwd: copy });
  for (const { path, source } of cases) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    writeFileSync(join(copy, path), source);
  }
  reported = lint();
});

afterAll(() => rmSync(copy, { recursive: true }));

/** The rules broken, by file. */
function lint(): Map<string, Set<string>> {
  const args = ['lint', '--max-diagnostics=none', '--reporter=github', 'lib', 'functions'];
  const { stdout } = spawnSync(biome, args, { cwd: copy, encoding: 'utf8' });
  const found = new Map<string, Set<string>>();
  for (const [, rule = '', file = ''] of stdout.matchAll(/^::error title=(?:lint\/\w+\/)?(\w+),file=([^,]+)/gm)) {
    const path = cases.find((one) => file.endsWith(one.path))?.path ?? file;
    found.set(path, (found.get(path) ?? new Set()).add(rule));
  }
  return found;
}

test.each(cases.filter((one) => one.breaks))('lint refuses $path ($breaks)', ({ path, breaks }) => {
  expect([...(reported.get(path) ?? [])]).toContain(breaks);
});

test.each(cases.filter((one) => !one.breaks))('lint accepts $path', ({ path }) => {
  expect([...(reported.get(path) ?? [])].filter((rule) => /noRestrictedImports|plugin|noUnsafe/.test(rule))).toEqual(
    [],
  );
});
