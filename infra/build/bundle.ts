import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import type { BuildOptions } from 'esbuild';
import { buildPages, copyPages, PAGES, type Pages, PLAIN_PAGES } from './console.ts';
import { cut, http, instead, uncalled } from './plugins.ts';

/** Where sources are read and bundles written. Tests build their own small functions elsewhere. */
export interface BuildFolders {
  readonly functions: string;
  readonly dist: string;
}

/** The names of the functions, sorted: each is a folder with a `handler.ts`. */
export function functionNames({ functions }: BuildFolders): string[] {
  return globSync(join(functions, '*', 'handler.ts'))
    .map((path) => basename(dirname(path)))
    .sort();
}

/** What a bundle was made of, kept beside it so that the next build can tell whether it is stale. */
export interface BuildRecord {
  readonly bytes: number;
  /** Of its pages, where it has some. */
  readonly pages?: Pick<Pages, 'script' | 'wire'>;
  /** Every source, and its stamp at the time of the build. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** A change in these alters every bundle, though esbuild does not list them. */
const toolchain = ['package-lock.json', 'infra/build/bundle.ts', 'infra/build/console.ts', 'infra/build/plugins.ts'];

function makeRecord(bytes: number, sources: readonly string[], pages: Pages | undefined): BuildRecord {
  const inputs = [...sources, ...(pages?.inputs ?? []), ...toolchain]
    .sort()
    .map((path) => [path, stampOf(path)] as const);
  const { script, wire } = pages ?? {};
  return {
    bytes,
    ...(script !== undefined && wire !== undefined && { pages: { script, wire } }),
    inputs: Object.fromEntries(inputs),
  };
}

export function readRecord(dist: string, name: string): BuildRecord | undefined {
  const path = recordPath(dist, name);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** Written after the bundle, so that an interrupted build counts as none. */
function writeRecord(dist: string, name: string, record: BuildRecord): void {
  writeFileSync(recordPath(dist, name), `${JSON.stringify(record, null, 2)}\n`);
}

function isFresh(dist: string, name: string): boolean {
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

const options = {
  bundle: true,
  format: 'esm',
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
  const built = await bundle({
    ...options,
    plugins: [uncalled, http, instead, cut],
    entryPoints: { index: entry },
    outdir: unfinished,
  });
  const pagesEntry = join(functions, name, PAGES);
  const pages = existsSync(pagesEntry) ? await buildPages(pagesEntry, join(unfinished, 'console')) : undefined;
  const plain = join(functions, name, PLAIN_PAGES);
  const copied = existsSync(plain) ? copyPages(plain, join(unfinished, PLAIN_PAGES)) : [];
  moveInto(folder, unfinished);
  writeRecord(dist, name, makeRecord(built.bytes, [...built.inputs, ...copied], pages));
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
  // Files alone, without what plugins made up.
  return { bytes, inputs: Object.keys(metafile.inputs).filter((path) => existsSync(path)) };
}

/** A hub that is running may be reading the old file: the new one takes its place at once. */
function moveInto(folder: string, unfinished: string): void {
  mkdirSync(folder, { recursive: true });
  const files = filesIn(unfinished);
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    renameSync(join(unfinished, file), join(folder, file));
  }
  rmSync(unfinished, { recursive: true });
  for (const file of filesIn(folder)) if (!files.includes(file)) rmSync(join(folder, file));
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => statSync(join(folder, file)).isFile());
