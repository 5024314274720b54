import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** What a bundle was made of, kept beside it so that the next build can tell whether it is stale. */
export interface BuildRecord {
  readonly bytes: number;
  /** Every source, and its stamp at the time of the build. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** A change in these alters every bundle, though esbuild does not list them. */
const toolchain = ['package-lock.json', 'infra/build/bundle.ts', 'infra/build/plugins.ts'];

export function makeRecord(bytes: number, sources: readonly string[]): BuildRecord {
  const inputs = [...sources, ...toolchain].sort().map((path) => [path, stampOf(path)] as const);
  return { bytes, inputs: Object.fromEntries(inputs) };
}

export function readRecord(dist: string, name: string): BuildRecord | undefined {
  const path = recordPath(dist, name);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** Written after the bundle, so that an interrupted build counts as none. */
export function writeRecord(dist: string, name: string, record: BuildRecord): void {
  writeFileSync(recordPath(dist, name), `${JSON.stringify(record, null, 2)}\n`);
}

export function isFresh(dist: string, name: string): boolean {
  const record = readRecord(dist, name);
  if (!record || !existsSync(join(dist, name, 'index.mjs'))) return false;
  return Object.entries(record.inputs).every(([path, stamp]) => stampOf(path) === stamp);
}

function recordPath(dist: string, name: string): string {
  return join(dist, name, 'build.json');
}

function stampOf(path: string): string {
  const stat = statSync(resolve(path), { throwIfNoEntry: false });
  return stat ? `${stat.mtimeMs} ${stat.size}` : 'missing';
}
