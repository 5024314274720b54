import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { at, templateIn } from '#test/support/packaged-template.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const providers = globSync('functions/*/provider.ts', { cwd: root });
const copies = mkdtempSync(join(tmpdir(), 'hookline-package-'));

beforeAll(async () => {
  const asked = ['--param=ingestConcurrency=20', '--param=senderConcurrency=50'];
  await Promise.all([packageCopy('first'), packageCopy('second'), packageCopy('asked', asked)]);
}, 60_000);

afterAll(() => rmSync(copies, { recursive: true }));

/** Packages a copy with bundles of a line, so that only the packaging is looked at. */
async function packageCopy(name: string, more: readonly string[] = []): Promise<void> {
  const copy = join(copies, name);
  for (const part of ['serverless.yml', 'infra', 'functions', 'package.json']) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const file of globSync('functions/*/function.yml', { cwd: copy })) {
    const dist = join(copy, 'dist', file.split('/')[1] ?? '');
    mkdirSync(dist, { recursive: true });
    writeFileSync(join(dist, 'index.mjs'), "export { handler } from './part.mjs';");
    writeFileSync(join(dist, 'part.mjs'), 'export const handler = 1;');
    writeFileSync(join(dist, 'build.json'), '{}');
  }
  const osls = join(root, 'node_modules', '.bin', 'osls');
  const child = spawn(osls, ['package', ...more], { cwd: copy, env: { PATH: process.env.PATH ?? '' } });
  let said = '';
  const listen = (text: string) => {
    said += text;
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', listen);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(said);
}

const zipsOf = (name: string) =>
  globSync(join(copies, name, '.serverless', '*.zip'))
    .sort()
    .map((path) => ({ name: basename(path), bytes: readFileSync(path) }));

test('packages the same bytes again', () => {
  expect(zipsOf('first').length).toBeGreaterThan(6);
  expect(zipsOf('second')).toEqual(zipsOf('first'));
});

test('puts nothing but the files of the bundle into a zip', () => {
  for (const { name, bytes } of zipsOf('first')) {
    const folder = `dist/${name.replace('.zip', '')}`;
    expect(entriesOf(bytes)).toEqual([`${folder}/index.mjs`, `${folder}/part.mjs`]);
  }
});

test.each([
  { name: 'first', title: 'reserves nothing', reserved: [], sender: 5 },
  { name: 'asked', title: 'reserves for the webhooks of each provider what is asked for', reserved: [20], sender: 50 },
])('$title, and bounds the sender', ({ name, reserved, sender }) => {
  const resources = Object.entries(templateIn(join(copies, name, '.serverless')).Resources);
  const found = (path: string) => resources.flatMap(([, { Properties }]) => at(Properties, ...path.split('.')) ?? []);
  expect([...new Set(found('ReservedConcurrentExecutions'))]).toEqual(reserved);
  expect(found('ReservedConcurrentExecutions').length).toBe(reserved.length * providers.length);
  expect(found('ScalingConfig.MaximumConcurrency')).toContain(sender);
});

/** The names in a zip's central directory, whose records start with a signature of their own. */
function entriesOf(zip: Buffer): string[] {
  const names: string[] = [];
  const signature = Buffer.from('PK\x01\x02', 'latin1');
  for (let at = zip.indexOf(signature); at >= 0; at = zip.indexOf(signature, at + 1)) {
    names.push(zip.toString('utf8', at + 46, at + 46 + zip.readUInt16LE(at + 28)));
  }
  return names;
}
