import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { budgets } from '#infra/build/budgets.ts';
import { buildFunctions } from '#infra/build/bundle.ts';
import { functionNames } from '#infra/build/functions.ts';
import { readRecord } from '#infra/build/record.ts';
import { atMost, type Figure } from './figure.ts';
import { nothingButLibraries } from './libraries.ts';
import { median } from './statistics.ts';

const rounds = 9;
const folders = { functions: 'functions', dist: 'dist' };

/** What a cold start loads: each bundle beside one of nothing but its libraries, and beside an empty one. */
export async function bundles(): Promise<readonly Figure[]> {
  await buildFunctions(folders);
  mkdirSync(folders.dist, { recursive: true });
  // Inside the project, since libraries are found from where they are asked for.
  const folder = mkdtempSync(join(folders.dist, 'bench-'));
  try {
    const floors = { functions: join(folder, 'functions'), dist: join(folder, 'dist') };
    const names = functionNames(folders);
    writeHandler(floors.functions, 'empty', 'export const handler = () => undefined;\n');
    for (const name of names) writeHandler(floors.functions, name, await nothingButLibraries(sourcesOf(name)));
    await buildFunctions(floors);
    return measure(names, floors.dist);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function writeHandler(functions: string, name: string, source: string): void {
  mkdirSync(join(functions, name), { recursive: true });
  writeFileSync(join(functions, name, 'handler.ts'), source);
}

function sourcesOf(name: string): string[] {
  const inputs = Object.keys(readRecord(folders.dist, name)?.inputs ?? {});
  return inputs.filter((path) => /^(functions|lib)\//.test(path));
}

function measure(names: readonly string[], floors: string): Figure[] {
  const bundle = (dist: string, name: string) => resolve(dist, name, 'index.mjs');
  const files = names.flatMap((name) => [bundle(folders.dist, name), bundle(floors, name)]);
  const times = new Map<string, number[]>([...files, bundle(floors, 'empty')].map((file) => [file, []]));
  // A bundle and its floor right after one another, so that what else this machine does meets both alike.
  for (let round = 0; round < rounds; round += 1) {
    for (const [file, taken] of times) taken.push(importTime(file));
  }
  const timeOf = (file: string) => median(times.get(file) ?? []);
  return names.flatMap((name) => {
    const file = bundle(folders.dist, name);
    const size = (path: string) => statSync(path).size / 1024;
    const libraries = bundle(floors, name);
    const importing = { value: timeOf(file), unit: 'ms' };
    return [
      { name: `${name}: bundle`, value: size(file), unit: 'KiB', floor: size(libraries), ...budgetOf(name) },
      {
        name: `${name}: import, beside its libraries`,
        ...importing,
        floor: timeOf(libraries),
        aim: atMost('ratio', 1.3),
      },
      { name: `${name}: import, beside an empty handler`, ...importing, floor: timeOf(bundle(floors, 'empty')) },
    ];
  });
}

function budgetOf(name: string) {
  const budget = budgets[name];
  return budget === undefined ? {} : { aim: atMost('value', budget) };
}

/** Milliseconds in a process of its own, as in a cold start. */
function importTime(file: string): number {
  const url = JSON.stringify(pathToFileURL(file).href);
  const script = `const since = performance.now(); await import(${url}); console.log(performance.now() - since);`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    env: environment,
    encoding: 'utf8',
  });
  return Number(output);
}

/** Bundles look at their environment as they are loaded. */
const environment = {
  HOOKLINE_TABLE: 'bench',
  HOOKLINE_TICKS_QUEUE_URL: 'http://127.0.0.1/ticks',
  HOOKLINE_FALLBACK_QUEUE_URL: 'http://127.0.0.1/fallback',
  HOOKLINE_SECRETS_PREFIX: '/bench',
  HOOKLINE_START_CREDITS: '0',
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: 'secret',
};
