import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from './command.ts';
import { readTemplate, type Template } from './template.ts';

const OSLS = 'node_modules/.bin/osls';

/** Packages a stage into a folder, as `npm run package` does. Throws with what the packager said. */
export async function packageStage(stage: string, folder: string): Promise<void> {
  const { code, text } = await run(OSLS, ['package', '--stage', stage, '--package', folder]);
  if (code !== 0) throw new Error(`packaging failed:\n${text}`);
}

export const packagedTemplate = (folder: string): string => join(folder, 'cloudformation-template-update-stack.json');

export const templateIn = (folder: string): Template => readTemplate(packagedTemplate(folder));

/** The zips of two packagings that are not the same bytes. */
export function differences(one: string, other: string): string[] {
  const [first, second] = [digests(one), digests(other)];
  if (first.size === 0) return ['there is no zip'];
  const names = [...new Set([...first.keys(), ...second.keys()])];
  return names
    .filter((name) => first.get(name) !== second.get(name))
    .map((name) => `${name} differs from one packaging to the next`);
}

function digests(folder: string): Map<string, string> {
  const zips = globSync(join(folder, '*.zip'));
  return new Map(zips.map((zip) => [basename(zip), createHash('sha256').update(readFileSync(zip)).digest('hex')]));
}
