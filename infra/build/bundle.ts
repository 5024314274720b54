import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, join, resolve } from 'node:path';
import type { BuildOptions, Metafile } from 'esbuild';
import { type BuildFolders, functionNames } from './functions.ts';
import { http, shared, uncalled } from './plugins.ts';
import { isFresh, makeRecord, writeRecord } from './record.ts';

const options = {
  bundle: true,
  format: 'esm',
  // What is imported by a call is a file of its own, and loaded when the call is made.
  splitting: true,
  outExtension: { '.js': '.mjs' },
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  alias: { '@aws-sdk/credential-provider-node': resolve('infra/build/lambda-credentials.ts') },
  minify: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'silent',
  // Some libraries are CommonJS and ask for Node's own modules through `require`.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
} satisfies BuildOptions;

/** Bundles every function whose sources changed since the last time, and names those it built. */
export async function buildFunctions(folders: BuildFolders): Promise<string[]> {
  const stale = functionNames(folders).filter((name) => !isFresh(folders.dist, name));
  await Promise.all(stale.map((name) => buildFunction(name, folders)));
  return stale;
}

async function buildFunction(name: string, { functions, dist }: BuildFolders): Promise<void> {
  const folder = join(dist, name);
  // Of this process alone: another may be building the same.
  const unfinished = join(dist, `.${name}.${process.pid}`);
  rmSync(join(folder, 'build.json'), { force: true });
  const entry = join(functions, name, 'handler.ts');
  const plugins = [uncalled, http, shared(resolve(entry))];
  const built = await bundle({ ...options, plugins, entryPoints: { index: entry }, outdir: unfinished });
  moveInto(folder, unfinished);
  writeRecord(dist, name, makeRecord(built.bytes, built.inputs, built.first));
}

/** The SDK loads it for operations that stream events, of which we call none. */
const EVENT_STREAMS = '@smithy/core/event-streams';

async function bundle(settings: BuildOptions & { readonly metafile: true }) {
  // Loaded only now: a start with nothing to build does without it.
  const { build } = await import('esbuild');
  const { metafile } = await build(settings);
  const outputs = Object.values(metafile.outputs);
  const missing = outputs
    .flatMap(({ imports }) => imports)
    .find(({ external, path }) => external && !isBuiltin(path) && path !== EVENT_STREAMS);
  if (missing) throw new Error(`${missing.path} is loaded by a call in a library: it would be missing once deployed`);
  const bytes = outputs.reduce((sum, each) => sum + each.bytes, 0);
  return { bytes, inputs: sourcesIn([metafile]), first: sourcesIn(loadedFirst(metafile)) };
}

/** The files that are loaded at the start: all but what waits for a call. */
function loadedFirst({ outputs }: Metafile): Metafile['outputs'][string][] {
  const paths = Object.keys(outputs).filter((path) => basename(path) === INDEX);
  // What is added on the way is visited as well.
  const found = new Set(paths);
  for (const path of found) {
    for (const { kind, path: next, external } of outputs[path]?.imports ?? []) {
      if (kind === 'import-statement' && !external) found.add(next);
    }
  }
  return [...found].flatMap((path) => outputs[path] ?? []);
}

/** Files alone, without what plugins made up. */
function sourcesIn(parts: readonly { readonly inputs: object }[]): string[] {
  return [...new Set(parts.flatMap(({ inputs }) => Object.keys(inputs)))].filter((path) => existsSync(path));
}

/** A hub that is running may be reading the old files: the index, which names the others, changes after them. */
function moveInto(folder: string, unfinished: string): void {
  mkdirSync(folder, { recursive: true });
  const files = readdirSync(unfinished).sort((one, other) => Number(one === INDEX) - Number(other === INDEX));
  for (const file of files) renameSync(join(unfinished, file), join(folder, file));
  rmSync(unfinished, { recursive: true });
  for (const file of readdirSync(folder)) if (!files.includes(file)) rmSync(join(folder, file), { recursive: true });
}
const INDEX = 'index.mjs';
