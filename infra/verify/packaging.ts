import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
