import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataFolder } from '#infra/local/data-folder.ts';
import { openParameters } from '#infra/local/engines/ssm.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'hookline-folder-'));
});
afterEach(() => rmSync(base, { recursive: true }));

const modeOf = (path: string) => statSync(path).mode & 0o7777;

test('makes a folder that only its owner can look into', () => {
  const path = join(base, 'a', 'b');
  openDataFolder(path).release();
  expect(modeOf(path)).toBe(0o700);
  expect(readdirSync(path)).toEqual(['lock.db']);
});

test.each([0o755, 0o1777, 0o750])('leaves the mode %o of a folder that was there', (mode) => {
  const path = join(base, 'shared');
  mkdirSync(path);
  chmodSync(path, mode);
  openDataFolder(path).release();
  expect(modeOf(path)).toBe(mode);
});

test.each([
  ['a path of the kernel', () => '/proc/x', 'nothing can be written there'],
  ['a folder of the kernel', () => '/proc', 'nothing can be written there'],
  ['a folder of devices', () => '/sys', 'you may not write there|it can only be read'],
  ['a device', () => '/dev/null', 'it is no folder'],
  ['below a device', () => '/dev/null/x', 'a part of this path is no folder'],
  ['a file', () => file(), 'it is no folder'],
  ['below a file', () => join(file(), 'x'), 'a part of this path is no folder'],
  ['a name that is too long', () => join(base, 'x'.repeat(300)), 'its name is too long'],
])('refuses %s in a sentence', (_, path, why) => {
  const sentence = new RegExp(
    `^cannot keep its data in ${path()}: (${why}); set HOOKLINE_DATA to a folder of your own$`,
  );
  expect(() => openDataFolder(path())).toThrow(sentence);
});

test.each(['', 'a secret, cut o', '{"other": 1}'])(
  'says which file in it is damaged, and nothing of what it holds: %s',
  (content) => {
    const path = join(base, 'parameters.json');
    writeFileSync(path, content);
    const sentence = `${path} is damaged: put a copy of it back, or set HOOKLINE_DATA to another folder`;
    expect(() => openParameters(path)).toThrow(new Error(sentence));
  },
);

function file(): string {
  const path = join(base, 'file');
  writeFileSync(path, 'kept');
  return path;
}
