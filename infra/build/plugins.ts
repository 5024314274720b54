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

/** What qs notes of an object, by a package that does without WeakMap where it must: 30 KiB with all that it brings. */
export const sideChannel: Plugin = {
  name: 'side-channel',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^side-channel$/ }, () => ({ path: 'side-channel', namespace: 'weak-map' }));
    onLoad({ filter: /./, namespace: 'weak-map' }, () => ({ contents: 'module.exports = () => new WeakMap();' }));
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
