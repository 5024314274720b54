import { mkdirSync, renameSync, rmSync } from 'node:fs';
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

const options: BuildOptions = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  minify: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'silent',
  plugins: [http],
  // Some libraries are CommonJS and ask for Node's own modules through `require`.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
};

/** Bundles every function whose sources changed since the last time, and names those it built. */
export async function buildFunctions(folders: BuildFolders): Promise<string[]> {
  const stale = functionNames(folders).filter((name) => !isFresh(folders.dist, name));
  await Promise.all(stale.map((name) => buildFunction(name, folders)));
  return stale;
}

async function buildFunction(name: string, { functions, dist }: BuildFolders): Promise<void> {
  // Loaded only now: a start with nothing to build does without it.
  const { build } = await import('esbuild');
  const target = join(dist, name, 'index.mjs');
  const unfinished = join(dist, name, `index.${process.pid}.mjs`);
  mkdirSync(join(dist, name), { recursive: true });
  rmSync(join(dist, name, 'build.json'), { force: true });
  const { metafile } = await build({
    ...options,
    entryPoints: [join(functions, name, 'handler.ts')],
    outfile: unfinished,
  });
  // A hub that is running may be reading the old file.
  renameSync(unfinished, target);
  const [output] = Object.values(metafile?.outputs ?? {});
  writeRecord(dist, name, makeRecord(output?.bytes ?? 0, Object.keys(metafile?.inputs ?? {})));
}
