import { dirname } from 'node:path';
import type { Plugin } from 'esbuild';

/** An import takes every export, and node:http makes its WebSocket when that is asked for: 30 ms of a cold start. */
export const http: Plugin = {
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
export const uncalled: Plugin = {
  name: 'uncalled',
  setup: ({ onResolve }) => {
    onResolve({ filter: /./ }, ({ kind, importer }) =>
      kind === 'dynamic-import' && importer.includes('node_modules') ? { external: true } : undefined,
    );
  },
};

const CALLED = '?called';

/**
 * What is loaded by a call imports all that the entry does, which is there by then. Without that, each such part would
 * share another selection with the rest, and each selection would be one more file that every cold start has to open.
 */
export const shared = (entry: string): Plugin => ({
  name: 'shared',
  setup: ({ resolve: find, onResolve, onLoad }) => {
    const imported = new Set<string>();
    onResolve({ filter: /./ }, async ({ kind, path, importer, resolveDir }) => {
      if (kind === 'import-statement' && importer === entry) imported.add(path);
      if (kind !== 'dynamic-import') return undefined;
      return { ...(await find(path, { kind: 'import-statement', resolveDir })), suffix: CALLED };
    });
    onLoad({ filter: /./ }, ({ path, suffix }) => {
      if (suffix !== CALLED) return undefined;
      const imports = [...imported].map((each) => `import ${JSON.stringify(each)};`);
      return {
        contents: [...imports, `export * from ${JSON.stringify(path)};`].join('\n'),
        resolveDir: dirname(entry),
      };
    });
  },
});
