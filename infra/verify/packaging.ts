import { createHash } from 'node:crypto';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { functionNames } from '#infra/build/bundle.ts';
import { run } from './commands.ts';

const OSLS = 'node_modules/.bin/osls';

/**
 * Packages a stage into a folder, as `npm run package` does; `parameters` as `mailFrom=hub@example.com`. Throws with what
 * the packager said.
 */
export async function packageStage(stage: string, folder: string, ...parameters: readonly string[]): Promise<void> {
  const params = parameters.map((parameter) => `--param=${parameter}`);
  const { code, text } = await run(OSLS, ['package', '--stage', stage, '--package', folder, ...params]);
  if (code !== 0) throw new Error(`packaging failed:\n${text}`);
}

export const packagedTemplate = (folder: string): string => join(folder, 'cloudformation-template-update-stack.json');

/** The files with one ending that are not the same bytes in two folders. */
export function differences(one: string, other: string, ending: string): string[] {
  const [first, second] = [digests(one, ending), digests(other, ending)];
  if (first.size === 0) return [`there is no *${ending} in ${one}`];
  const names = [...new Set([...first.keys(), ...second.keys()])].sort();
  return names
    .filter((name) => first.get(name) !== second.get(name))
    .map((name) => `${name} differs from one time to the next`);
}

function digests(folder: string, ending: string): Map<string, string> {
  const files = globSync(`**/*${ending}`, { cwd: folder });
  const digest = (file: string) =>
    createHash('sha256')
      .update(readFileSync(join(folder, file)))
      .digest('hex');
  return new Map(files.map((file) => [file, digest(file)]));
}

/** Where the bundles and the zips of a packaging are. */
interface Packaged {
  readonly functions: string;
  readonly dist: string;
  readonly zips: string;
}

/** What a zip holds that its bundle does not, the other way round, or with other bytes. */
export function zipFaults({ functions, dist, zips }: Packaged): string[] {
  return functionNames({ functions, dist }).flatMap((name) => {
    const held = entriesOf(readFileSync(join(zips, `${name}.zip`)));
    const built = bundleOf(dist, name);
    const files = [...new Set([...held.keys(), ...built.keys()])].sort();
    return files
      .filter((file) => held.get(file) !== built.get(file))
      .map((file) => `${name}.zip: ${file} ${fault(held.get(file), built.get(file))}`);
  });
}

function fault(held: number | undefined, built: number | undefined): string {
  if (held === undefined) return 'is missing: package it in the function.yml';
  return built === undefined ? 'is no part of the bundle: leave it out' : 'is not what was built: build again';
}

/** The files that a function is to be deployed with, by the names that they get, with their checksums. */
function bundleOf(dist: string, name: string): Map<string, number> {
  const all = readdirSync(join(dist, name), { recursive: true, encoding: 'utf8' });
  const files = all.filter((file) => /\.(?:[cm]js|br|gz)$/.test(file));
  return new Map(files.map((file) => [`dist/${name}/${file}`, crc32(readFileSync(join(dist, name, file)))]));
}

/** The names and checksums in a zip's central directory, to which the end of the zip leads. */
function entriesOf(zip: Buffer): Map<string, number> {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const entries = new Map<string, number>();
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [name, extra, comment] = [28, 30, 32].map((field) => zip.readUInt16LE(at + field));
    entries.set(zip.toString('utf8', at + 46, at + 46 + (name ?? 0)), zip.readUInt32LE(at + 16));
    at += 46 + (name ?? 0) + (extra ?? 0) + (comment ?? 0);
  }
  return entries;
}
