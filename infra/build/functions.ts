import { globSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

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
