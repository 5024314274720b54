import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkDatabase, openDataFolder } from '#infra/local/data-folder.ts';
import { startDynamoDb } from '#infra/local/engines/dynamodb.ts';
import { startSqs } from '#infra/local/engines/sqs.ts';
import { openParameters } from '#infra/local/engines/ssm.ts';
import { version } from '#lib/version.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'hookline-folder-'));
});
afterEach(() => rmSync(base, { recursive: true }));

const remedy = 'put a copy of the whole folder back, or set HOOKLINE_DATA to another folder to start anew';
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
  ['a path of the kernel', () => '/proc/x'],
  ['a folder of the kernel', () => '/proc'],
  ['a folder of devices', () => '/sys'],
  ['a device', () => '/dev/null'],
  ['below a device', () => '/dev/null/x'],
  ['a file', () => file()],
  ['below a file', () => join(file(), 'x')],
  ['a name that is too long', () => join(base, 'x'.repeat(300))],
])('refuses %s in a sentence', (_, path) => {
  expect(() => openDataFolder(path())).toThrow(
    new RegExp(`^cannot keep its data in ${path()} \\(E[\\s\\S]+\\): set HOOKLINE_DATA to a folder of your own$`),
  );
});

test.each(['', 'a secret, cut o', '{"other": 1}'])(
  'says which file in it is damaged, and nothing of what it holds: %s',
  (content) => {
    const path = join(base, 'parameters.json');
    writeFileSync(path, content);
    const sentence = `${path} is damaged: ${remedy}`;
    expect(() => openParameters(path)).toThrow(new Error(sentence));
  },
);

test.each([
  ['99.0.0', true],
  [version.replace(/\d+$/, (patch) => `${Number(patch) + 1}`), true],
  [version.replace(/\d+$/, '10'), true],
  [version, false],
  ['0.0.9', false],
  [undefined, false],
])('refuses the folder of a newer release: %s', (last, isRefused) => {
  writeFileSync(join(base, 'hub.json'), JSON.stringify({ url: 'http://127.0.0.1:3000', version: last }));
  const sentence =
    `${base} was used by Hookline ${last} last, and this is ${version}, which may damage what that one wrote: ` +
    `start ${last} or newer, or set HOOKLINE_DATA to another folder`;
  if (isRefused) expect(() => openDataFolder(base)).toThrow(new Error(sentence));
  // What a refused start has locked is free again.
  if (isRefused) rmSync(join(base, 'hub.json'));
  openDataFolder(base).release();
});

function file(): string {
  const path = join(base, 'file');
  writeFileSync(path, 'kept');
  return path;
}

/** With more in it than fits into one page. */
function database(): string {
  const path = join(base, 'dynamodb.db');
  using db = new DatabaseSync(path);
  db.exec('CREATE TABLE items (pk TEXT PRIMARY KEY); BEGIN');
  const add = db.prepare('INSERT INTO items VALUES (?)');
  for (let index = 0; index < 100; index += 1) add.run(`${index}`.padEnd(1000));
  db.exec('COMMIT');
  return path;
}

test('takes a database that is whole, and one that is not there yet', () => {
  expect(() => checkDatabase(database())).not.toThrow();
  expect(() => checkDatabase(join(base, 'none.db'))).not.toThrow();
});

test.each<[string, (path: string) => void, string]>([
  ['cut in the middle', (path) => truncateSync(path, 40_000), 'is damaged (database disk image is malformed)'],
  ['cut at its beginning', (path) => truncateSync(path, 50), 'is damaged (database disk image is malformed)'],
  ['other bytes', (path) => writeFileSync(path, randomBytes(9000)), 'is damaged (file is not a database)'],
  ['broken inside', (path) => writeFileSync(path, brokenInside(path)), 'is damaged (not all of it can be read)'],
  ['a folder', asFolder, 'cannot be opened (unable to open database file)'],
])('says of a database that it is damaged, and what to do: %s', async (_, damage, what) => {
  const path = database();
  damage(path);
  await expect(startDynamoDb({ folder: base })).rejects.toThrow(new Error(`${path} ${what}: ${remedy}`));
});

function asFolder(path: string): void {
  rmSync(path);
  mkdirSync(path);
}

function brokenInside(path: string): Buffer {
  const bytes = readFileSync(path);
  randomBytes(30_000).copy(bytes, 50_000);
  return bytes;
}

test('says so of queues, too', async () => {
  const path = join(base, 'fauxqs.db');
  writeFileSync(path, randomBytes(9000));
  const sentence = `${path} is damaged (file is not a database): ${remedy}`;
  await expect(startSqs([], base)).rejects.toThrow(new Error(sentence));
});

test.each(['', undefined])('starts no empty hub where there was one: a database of %j', async (content) => {
  writeFileSync(join(base, 'parameters.json'), '[]');
  const path = join(base, 'dynamodb.db');
  if (content !== undefined) writeFileSync(path, content);
  const sentence =
    `${base} holds a hub's keys, and ${path}, its data, is gone or empty: ${remedy}; ` +
    'if HOOKLINE_DYNAMODB_ENDPOINT was set, set it again';
  await expect(startDynamoDb({ folder: base })).rejects.toThrow(new Error(sentence));
});

test('says what a lock is that is none', () => {
  const path = join(base, 'lock.db');
  writeFileSync(path, randomBytes(9000));
  const sentence = `${path} is not the lock that it should be, and holds nothing: delete it`;
  expect(() => openDataFolder(base)).toThrow(new Error(sentence));
});
