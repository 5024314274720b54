import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('scripts run on the Node version that is deployed', () => {
  expect(process.version).toMatch(/^v24\./);
});

test('the lock file names no registry', () => {
  expect(read('package-lock.json')).not.toContain('"resolved"');
});

test('the lock file knows every platform package, or npm ci would refuse it', () => {
  const { packages } = JSON.parse(read('package-lock.json'));
  const missing = Object.values<{ optionalDependencies?: Record<string, string> }>(packages)
    .flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}))
    .filter((name) => !(`node_modules/${name}` in packages));
  expect(missing).toEqual([]);
});

test('each script installs what is missing first, even for an npm that runs no scripts but the one asked for', () => {
  const { scripts } = JSON.parse(read('package.json'));
  for (const script of Object.values(scripts)) expect(script).toMatch(/^node infra\/install\.js && /);
});
