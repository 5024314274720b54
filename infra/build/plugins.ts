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

/** What stands in the place of packages of which nothing, or little, is used. */
const INSTEAD: Readonly<Record<string, string>> = {
  // qs notes things of objects, by a package that does without WeakMap where it must: 30 KiB with all that it brings.
  'side-channel': 'module.exports = () => new WeakMap();',
  // The client of DynamoDB makes one, and no command of it looks for its endpoint there: 8 KiB with a list of its own.
  '@aws-sdk/endpoint-cache': 'export class EndpointCache {}',
};

export const instead: Plugin = {
  name: 'instead',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /./ }, ({ path }) =>
      Object.hasOwn(INSTEAD, path) ? { path, namespace: 'instead' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'instead' }, ({ path }) => ({ contents: INSTEAD[path] ?? '' }));
  },
};

/** What a library would load by a call is left outside, since nothing that we use of it does so. */
export const uncalled: Plugin = {
  name: 'uncalled',
  setup: ({ onResolve }) => {
    onResolve({ filter: /./ }, ({ kind, importer }) =>
      kind === 'dynamic-import' && importer.includes('node_modules') ? { external: true } : undefined,
    );
  },
};
