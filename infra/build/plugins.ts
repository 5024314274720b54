import { readFile } from 'node:fs/promises';
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
  // The client of DynamoDB makes one, and no command of it looks for its endpoint there: 8 KiB with a list of its own.
  '@aws-sdk/endpoint-cache': 'export class EndpointCache {}',
  // What examines files says so, in colours, to whoever looks for its faults: 10 KiB.
  debug: 'module.exports = () => () => undefined;',
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

/** The errors of AWS that the code, or a library, tells apart by their class. Any other is known by its name. */
export const ERRORS = ['ConditionalCheckFailedException', 'ParameterNotFound', 'TransactionCanceledException'];

/**
 * Of what a client of the SDK knows of its service: no shape that no command of ours has, which esbuild leaves out by
 * itself once the keys of objects are no longer computed, and no class of an error, but of those that are told apart.
 */
export function withoutOtherShapes(source: string): string {
  const texts = new Map(Array.from(source.matchAll(/^const (\w+) = (".*");$/gm), ([, name, text]) => [name, text]));
  return source
    .replace(/\[(\w+)\]: /g, (key, name) => (texts.has(name) ? `${texts.get(name)}: ` : key))
    .replace(/^\w+\.registerError\(\w+\$, (\w+)\);$/gm, (line, name) =>
      ERRORS.includes(name) || name.endsWith('ServiceException') ? line : '',
    );
}

interface Plans {
  readonly countries: Readonly<Record<string, unknown[]>>;
  readonly nonGeographic: Readonly<Record<string, unknown[]>>;
}

/** Where the tables of a numbering plan have how its numbers are written for people to read. */
const FORMATS = 4;

/** The tables of libphonenumber without what only writes numbers: 50 KiB of 80. */
export function withoutFormats<Table extends Plans>(plans: Table): Table {
  const cut = ([code, plan]: [string, unknown[]]) => [code, plan.map((part, at) => (at === FORMATS ? 0 : part))];
  const cutAll = (table: Plans['countries']) => Object.fromEntries(Object.entries(table).map(cut));
  return { ...plans, countries: cutAll(plans.countries), nonGeographic: cutAll(plans.nonGeographic) };
}

/** What is left of files of which a part is used. */
const CUT: readonly (readonly [RegExp, (source: string) => string])[] = [
  [/@aws-sdk\/client-[\w-]+\/dist-es\/schemas\/\w+\.js$/, withoutOtherShapes],
  [
    /libphonenumber-js\/metadata\.min\.json\.js$/,
    (source) => `export default ${JSON.stringify(withoutFormats(JSON.parse(source.slice(source.indexOf('{')))))}`,
  ],
  [/\/package\.json$/, (source) => JSON.stringify({ version: JSON.parse(source).version })],
];

export const cut: Plugin = {
  name: 'cut',
  setup: ({ onLoad }) => {
    for (const [filter, rest] of CUT) {
      onLoad({ filter }, async ({ path }) => ({
        contents: rest(await readFile(path, 'utf8')),
        loader: path.endsWith('.json') ? 'json' : 'js',
      }));
    }
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
