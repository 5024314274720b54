import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Metafile } from 'esbuild';

/** Where the pages of a function begin, if it has any. */
export const PAGES = 'console/main.tsx';
/** Pages that no tool has to build. */
export const PLAIN_PAGES = 'docs';

export interface Pages {
  /** Of what the first page runs, as the browser has it, in bytes; other pages are fetched when they are opened. */
  readonly script: number;
  /** Of the first page with all that it loads, as it travels. */
  readonly wire: number;
  readonly inputs: readonly string[];
}

/**
 * Bundles a function's pages into `console/` beside it: files with their hash in their name, each compressed once, here.
 */
export async function buildPages(entry: string, outdir: string): Promise<Pages> {
  const { build } = await import('esbuild');
  const { outputFiles, metafile } = await build({
    entryPoints: { console: entry },
    outdir,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    splitting: true,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  mkdirSync(outdir, { recursive: true });
  const files = outputFiles.map(({ path, contents }) => ({ name: basename(path), contents }));
  const first = firstOf(metafile.outputs);
  const page = { name: 'index.html', contents: Buffer.from(pageOf(first)) };
  let script = 0;
  let wire = 0;
  for (const { name, contents } of [page, ...files]) {
    const zipped = writeCompressed(join(outdir, name), contents);
    if (name === page.name || first.includes(name)) wire += zipped;
    if (first.includes(name) && name.endsWith('.js')) script += contents.length;
  }
  return { script, wire, inputs: Object.keys(metafile.inputs) };
}

/** The files of a folder that are served as they are. Answers which they were. */
export function copyPages(folder: string, outdir: string): string[] {
  mkdirSync(outdir, { recursive: true });
  const files = globSync(join(folder, '*.*'));
  for (const file of files) writeCompressed(join(outdir, basename(file)), readFileSync(file));
  return files;
}

/** Twice: browsers take gzip everywhere and brotli over https. Answers the bytes that it has as gzip. */
function writeCompressed(path: string, contents: Uint8Array): number {
  const zipped = gzipSync(contents, { level: 9 });
  writeFileSync(`${path}.gz`, zipped);
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: contents.length };
  writeFileSync(`${path}.br`, brotliCompressSync(contents, { params }));
  return zipped.length;
}

/** The script that a page begins with, then what that imports at once, and the style. */
function firstOf(outputs: Metafile['outputs']): string[] {
  const [entry = ''] = Object.keys(outputs).filter((path) => outputs[path]?.entryPoint?.endsWith(PAGES));
  const found = new Set([entry]);
  for (const path of found) {
    for (const { kind, path: imported } of outputs[path]?.imports ?? []) {
      if (kind === 'import-statement') found.add(imported);
    }
  }
  const style = outputs[entry]?.cssBundle;
  return [...found, ...(style === undefined ? [] : [style])].map((path) => basename(path));
}

function pageOf(names: readonly string[]): string {
  const [script, ...rest] = names.filter((name) => name.endsWith('.js'));
  const style = names.find((name) => name.endsWith('.css'));
  const links = [
    `<link rel="stylesheet" href="console/${style}">`,
    ...rest.map((name) => `<link rel="modulepreload" href="console/${name}">`),
  ];
  // Relative: the hub may stand below a path of somebody's own domain.
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Hookline</title>
    <link rel="icon" type="image/svg+xml" href="docs/favicon.svg">
    ${links.join('\n    ')}
    <script type="module" src="console/${script}"></script>
  </head>
  <body>
    <noscript>The console needs JavaScript. The API is described in <a href="openapi.json">openapi.json</a>.</noscript>
  </body>
</html>
`;
}
