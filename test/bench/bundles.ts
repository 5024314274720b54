import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { budgetOf } from '#infra/build/budgets.ts';
import { type BuildRecord, buildFunctions, functionNames, readRecord } from '#infra/build/bundle.ts';
import { atMost, type Figure } from './figure.ts';
import { nothingButLibraries } from './libraries.ts';
import { median } from './statistics.ts';

const rounds = 41;
const folders = { functions: 'functions', dist: 'dist' };

/**
 * What a cold start loads: each bundle beside one of nothing but the libraries that the function needs, at its start or
 * later, and beside an empty one.
 */
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
    for (const name of names) refuseLack(name, floors.dist);
    return measure(names, floors.dist);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function recordOf(dist: string, name: string): BuildRecord {
  const record = readRecord(dist, name);
  if (!record) throw new Error(`${name} has not been built`);
  return record;
}

function writeHandler(functions: string, name: string, source: string): void {
  mkdirSync(join(functions, name), { recursive: true });
  writeFileSync(join(functions, name, 'handler.ts'), source);
}

function sourcesOf(name: string): string[] {
  return Object.keys(recordOf(folders.dist, name).inputs).filter((path) => /^(functions|lib)\//.test(path));
}

/** A floor that lacks what the bundle has in it would make the bundle look worse than it is. */
function refuseLack(name: string, floors: string): void {
  const present = librariesIn(recordOf(floors, name));
  const missing = [...librariesIn(recordOf(folders.dist, name))].filter((library) => !present.has(library));
  if (missing.length > 0) throw new Error(`the floor of ${name} lacks ${missing.join(', ')}`);
}

function librariesIn({ inputs }: BuildRecord): Set<string> {
  const names = Object.keys(inputs).map((path) => /.*\/?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  return new Set(names.filter((name) => name !== undefined));
}

function measure(names: readonly string[], floors: string): Figure[] {
  const file = (dist: string, name: string) => resolve(dist, name, 'index.mjs');
  const empty = file(floors, 'empty');
  const files = names.flatMap((name) => [file(folders.dist, name), file(floors, name)]);
  const times = importTimes([...files, empty]);
  const size = (dist: string, name: string) => recordOf(dist, name).bytes / 1024;
  return names.flatMap((name) => {
    const beside = (what: string, floor: string) => ({
      name: `${name}: import, beside ${what}`,
      ...compared(times.get(file(folders.dist, name)) ?? [], times.get(floor) ?? []),
    });
    const weight = { value: size(folders.dist, name), unit: 'KiB', floor: size(floors, name) };
    return [
      { name: `${name}: bundle`, ...weight, ...aimOf(name) },
      { ...beside('its libraries', file(floors, name)), aim: atMost('ratio', 1.3) },
      beside('an empty handler', empty),
    ];
  });
}

/** Of each file one time a round, a bundle and its floor right after one another: what else runs meets both alike. */
function importTimes(files: readonly string[]): Map<string, number[]> {
  const times = new Map<string, number[]>(files.map((file) => [file, []]));
  for (let round = 0; round < rounds; round += 1) {
    // There and back, so that neither is always the first.
    for (const file of round % 2 === 0 ? files : files.toReversed()) times.get(file)?.push(importTime(file));
  }
  return times;
}

/**
 * What slows the machine for a while slows neighbours alike, so the median of their ratios varies less than a ratio of
 * medians. By the clock: processor time varies less still, but counts threads beside the one that an import waits for.
 */
function compared(times: readonly number[], floors: readonly number[]) {
  const ratio = median(times.map((time, round) => time / (floors[round] ?? Number.NaN)));
  return { value: median(times), unit: 'ms', floor: median(floors), ratio };
}

const aimOf = (name: string) => ({ aim: atMost('value', budgetOf(name)) });

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
  HOOKLINE_DELIVERIES_QUEUE_URL: 'http://127.0.0.1/deliveries',
  HOOKLINE_EVENTS_DEAD_QUEUE_URL: 'http://127.0.0.1/events-dead',
  HOOKLINE_SECRETS_PREFIX: '/bench',
  HOOKLINE_START_CREDITS: '0',
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: 'secret',
};
