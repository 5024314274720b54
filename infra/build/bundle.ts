import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import type { BuildOptions, Plugin } from 'esbuild';
import { type BuildFolders, functionNames } from './functions.ts';
import { isFresh, makeRecord, writeRecord } from './record.ts';

/** An import takes every export, and node:http makes its WebSocket when that is asked for: 30 ms of a cold start. */
const http: Plugin = {
  name: 'http',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^(?:node:)?http$/ }, () => ({ path: 'http', namespace: 'builtin' }));
    onLoad({ filter: /^http$/, namespace: 'builtin' }, () => ({
      contents: "module.exports = process.getBuiltinModule('node:http');",
    }));
  },
};

/**
 * What a library would load by a call is left outside, since nothing that we use of it does so; or else each would be a
 * file, and what it shares with the bundle another, which every cold start would have to open.
 */
const uncalled: Plugin = {
  name: 'uncalled',
  setup: ({ onResolve }) => {
    onResolve({ filter: /./ }, ({ kind, importer }) =>
      kind === 'dynamic-import' && importer.includes('node_modules') ? { external: true } : undefined,
    );
  },
};

const options = {
  bundle: true,
  format: 'esm',
  // What is imported by a call is a file of its own, and loaded when the call is made.
  splitting: true,
  outExtension: { '.js': '.mjs' },
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  minify: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'silent',
  plugins: [uncalled, http],
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
  const built = await bundle({ index: join(functions, name, 'handler.ts') }, unfinished);
  const beside = built.inputs.includes(TELEMETRY) ? await bundle({ powertools: POWERTOOLS }, unfinished) : NOTHING;
  moveInto(folder, unfinished);
  writeRecord(dist, name, makeRecord(built.bytes + beside.bytes, [...built.inputs, ...beside.inputs]));
}

/** The one loads the other by itself, when it needs it. */
const TELEMETRY = 'lib/adapters/telemetry.ts';
const POWERTOOLS = 'lib/adapters/powertools.ts';
const NOTHING = { bytes: 0, inputs: [] };

async function bundle(entryPoints: Record<string, string>, outdir: string) {
  // Loaded only now: a start with nothing to build does without it.
  const { build } = await import('esbuild');
  const { metafile } = await build({ ...options, entryPoints, outdir });
  const outputs = Object.values(metafile.outputs);
  const missing = outputs.flatMap(({ imports }) => imports).find(({ external, path }) => external && !isBuiltin(path));
  if (missing) throw new Error(`${missing.path} is loaded by a call in a library: it would be missing once deployed`);
  return { bytes: outputs.reduce((sum, { bytes }) => sum + bytes, 0), inputs: Object.keys(metafile.inputs) };
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
