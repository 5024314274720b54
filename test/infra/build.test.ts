import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type CountryCode, getCountries, parsePhoneNumberFromString } from 'libphonenumber-js/core';
import examples from 'libphonenumber-js/examples.mobile.json' with { type: 'json' };
import tables from 'libphonenumber-js/metadata.min.json' with { type: 'json' };
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { bundleFaults } from '#infra/build/budgets.ts';
import { buildFunctions } from '#infra/build/bundle.ts';
import { defaultProvider } from '#infra/build/lambda-credentials.ts';
import { ERRORS, withoutFormats, withoutOtherShapes } from '#infra/build/plugins.ts';

let root: string;
let folders: { functions: string; dist: string };

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hookline-build-'));
  folders = { functions: join(root, 'functions'), dist: join(root, 'dist') };
});

afterEach(() => rmSync(root, { recursive: true }));

function source(path: string, text: string): string {
  const file = join(folders.functions, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
  return file;
}

test('builds a module with the handler that Lambda calls', async () => {
  source('one/handler.ts', "export const handler = (): string => 'called';");
  expect(await buildFunctions(folders)).toEqual(['one']);
  const { handler } = await import(pathToFileURL(join(folders.dist, 'one/index.mjs')).href);
  expect(handler()).toBe('called');
});

test('builds again only what changed', async () => {
  source('one/handler.ts', 'export const handler = 1;');
  const changed = source('two/handler.ts', 'export const handler = 2;');
  expect(await buildFunctions(folders)).toEqual(['one', 'two']);
  expect(await buildFunctions(folders)).toEqual([]);
  utimesSync(changed, new Date(1), new Date(1));
  expect(await buildFunctions(folders)).toEqual(['two']);
});

test('loads node:http without its WebSocket, however it is imported', async () => {
  source(
    'one/handler.ts',
    `import http, { Agent } from 'http';
import * as all from 'node:http';
class Mine extends all.Agent {}
export const handler = () => [http.Agent === Agent, all.Agent === Agent, new Mine() instanceof Agent];`,
  );
  await buildFunctions(folders);
  const bundle = join(folders.dist, 'one/index.mjs');
  expect(readFileSync(bundle, 'utf8')).not.toMatch(/from ?["'](?:node:)?http["']/);
  const { handler } = await import(pathToFileURL(bundle).href);
  expect(handler()).toEqual([true, true, true]);
});

test('refuses a library that loads a part of itself by a call', async () => {
  source('one/handler.ts', "import { part } from 'parted';\nexport const handler = () => part();");
  source('one/node_modules/parted/index.js', "export const part = () => import('./part.js');");
  await expect(buildFunctions(folders)).rejects.toThrow('./part.js');
});

test('builds the same bytes from the same source', async () => {
  source('one/handler.ts', "import { createHash } from 'node:crypto';\nexport const handler = createHash;");
  await buildFunctions(folders);
  const first = readFileSync(join(folders.dist, 'one/index.mjs'));
  rmSync(folders.dist, { recursive: true });
  await buildFunctions(folders);
  expect(readFileSync(join(folders.dist, 'one/index.mjs'))).toEqual(first);
});

test('leaves the old bundle alone when a source is broken', async () => {
  const file = source('one/handler.ts', 'export const handler = 1;');
  await buildFunctions(folders);
  writeFileSync(file, "import './nowhere.ts';");
  await expect(buildFunctions(folders)).rejects.toThrow('nowhere');
  expect(statSync(join(folders.dist, 'one/index.mjs')).size).toBeGreaterThan(0);
  await expect(buildFunctions(folders)).rejects.toThrow('nowhere');
});

test('names a bundle over its budget', async () => {
  source('big/handler.ts', `export const handler = '${'x'.repeat(2048)}';`);
  source('small/handler.ts', 'export const handler = 1;');
  await buildFunctions(folders);
  expect(bundleFaults(folders, () => 2)).toEqual(['big weighs 3 KiB, more than its 2']);
});

test('names the part of another function that a bundle contains, unless it has a list of providers', async () => {
  source('one/handler.ts', "import { word } from '../two/word.ts';\nexport const handler = word;");
  source('two/word.ts', "export const word = 'two';");
  source('all/handler.ts', "export { handler } from '../registry.ts';");
  source('registry.ts', "export { word as handler } from './two/word.ts';");
  source('sends/handler.ts', "export { handler } from '../outbound.ts';");
  source('outbound.ts', "export { word as handler } from './two/word.ts';");
  await buildFunctions(folders);
  expect(bundleFaults(folders, () => 1)).toEqual(['one contains two/word.ts']);
});

test('keeps the class of each error of AWS that somebody tells apart', () => {
  const clients = globSync('node_modules/@aws-sdk/client-{dynamodb,sesv2,sqs,ssm}');
  const users = [
    ...globSync('lib/**/*.ts'),
    ...globSync('node_modules/@aws-lambda-powertools/parameters/lib/esm/{base,ssm}/*.js'),
  ];
  const source = users.map((path) => readFileSync(path, 'utf8')).join('\n');
  const errors = clients.flatMap((client) =>
    Array.from(
      readFileSync(join(client, 'dist-es/models/errors.js'), 'utf8').matchAll(/^export class (\w+)/gm),
      ([, name = '']) => name,
    ),
  );
  expect(errors.length).toBeGreaterThan(100);
  expect(errors.filter((name) => new RegExp(`instanceof ${name}\\b`).test(source)).sort()).toEqual(ERRORS);
});

test('reads the keys of the role once, and those with an end again before it', async () => {
  const give = (key: string, end?: Date) => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', key);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    vi.stubEnv('AWS_CREDENTIAL_EXPIRATION', end?.toISOString());
  };
  try {
    give('first', new Date(Date.now() + 60_000));
    const provider = defaultProvider();
    expect((await provider?.())?.accessKeyId).toBe('first');
    give('second');
    expect((await provider?.())?.accessKeyId).toBe('second');
    give('third');
    expect((await provider?.())?.accessKeyId).toBe('second');
  } finally {
    vi.unstubAllEnvs();
  }
});

test.each(['dynamodb', 'sesv2', 'sqs', 'ssm'])('knows what the schemas of %s look like', (name) => {
  const source = readFileSync(`node_modules/@aws-sdk/client-${name}/dist-es/schemas/schemas_0.js`, 'utf8');
  const rest = withoutOtherShapes(source);
  expect(rest).not.toMatch(/\[_\w+\]:/);
  const kept = Array.from(rest.matchAll(/registerError\(\w+\$, (\w+)\)/g), ([, error]) => error);
  expect(kept[0]).toMatch(/^\w+ServiceException$/);
  expect(ERRORS).toEqual(expect.arrayContaining(kept.slice(1)));
});

test('reads numbers by its tables without formats as by the whole', () => {
  const rest = withoutFormats(tables);
  expect(JSON.stringify(rest).length).toBeLessThan(JSON.stringify(tables).length / 2);
  const read = (number: string, country: CountryCode | undefined, by: typeof tables) => {
    const phone = parsePhoneNumberFromString(number, { ...(country && { defaultCountry: country }) }, by);
    return [phone?.number, phone?.country, phone?.isValid()];
  };
  for (const country of getCountries(tables)) {
    const example = examples[country];
    for (const number of [example, `0${example}`, `8${example}`, `1${example}`, example.slice(1), `${example}1`]) {
      expect(read(number, country, rest)).toEqual(read(number, country, tables));
      expect(read(`+${number}`, undefined, rest)).toEqual(read(`+${number}`, undefined, tables));
    }
  }
});
