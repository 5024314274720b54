import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildFunctions } from '#infra/build/bundle.ts';
import { differences, packageStage, zipFaults } from '#infra/verify/packaging.ts';

const folder = mkdtempSync(join(tmpdir(), 'hookline-packaging-'));
const [one, other, zips] = [join(folder, 'one'), join(folder, 'other'), join(folder, 'zips')];

beforeAll(async () => {
  await buildFunctions({ functions: 'functions', dist: 'dist' });
  for (const dist of [one, other]) await buildFunctions({ functions: 'functions', dist });
  await packageStage('dev', zips);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

test('builds every function from nothing into the same bytes', () => {
  expect(differences(one, other, '.[cm]js')).toEqual([]);
});

test('names a bundle that comes out otherwise', () => {
  const changed = join(folder, 'changed');
  cpSync(one, changed, { recursive: true });
  appendFileSync(join(changed, 'send/index.mjs'), '\n');
  rmSync(join(changed, 'sender/index.mjs'));
  expect(differences(one, changed, '.[cm]js')).toEqual([
    'send/index.mjs differs from one time to the next',
    'sender/index.mjs differs from one time to the next',
  ]);
});

test('names a folder in which there is nothing to compare', () => {
  expect(differences(zips, zips, '.[cm]js')).toEqual([expect.stringContaining('there is no *.[cm]js')]);
});

test('packages the files of each bundle, and nothing else', () => {
  expect(zipFaults({ functions: 'functions', dist: one, zips })).toEqual([]);
});

test('names what a zip lacks, what it has too much, and what is not as it was built', () => {
  const changed = join(folder, 'rebuilt');
  cpSync(one, changed, { recursive: true });
  appendFileSync(join(changed, 'send/index.mjs'), '\n');
  rmSync(join(changed, 'sender/index.mjs'));
  writeFileSync(join(changed, 'send/rare.mjs'), '');
  expect(zipFaults({ functions: 'functions', dist: changed, zips })).toEqual([
    'send.zip: dist/send/index.mjs is not what was built: build again',
    'send.zip: dist/send/rare.mjs is missing: package it in the function.yml',
    'sender.zip: dist/sender/index.mjs is no part of the bundle: leave it out',
  ]);
});
