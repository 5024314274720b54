import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Plugin } from 'vitest/config';

const PREFIX = '\0text:';

/** Imports of a docs page's files come as text, as esbuild has them by `with { type: 'text' }`. */
export function textFiles(): Plugin {
  return {
    name: 'text-files',
    enforce: 'pre',
    resolveId: (source, importer) =>
      importer && /^\.\/page\//.test(source) ? `${PREFIX}${resolve(dirname(importer), source)}` : undefined,
    load: (id) =>
      id.startsWith(PREFIX)
        ? `export default ${JSON.stringify(readFileSync(id.slice(PREFIX.length), 'utf8'))}`
        : undefined,
  };
}
