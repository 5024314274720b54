import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';

/** Where a hub keeps its data; `path` is absent for a hub that keeps nothing. */
export interface DataFolder {
  readonly path?: string;
  release(): void;
}

/** A hub that is just stopping gets this long to let go. */
const timeoutMs = 2000;

/** Opens the folder for this hub alone. The lock is the operating system's, so it ends with the process, however killed. */
export function openDataFolder(setting: string): DataFolder {
  if (setting === ':memory:') return { release: () => undefined };
  const path = resolve(setting);
  usable(path);
  const lock = new DatabaseSync(join(path, 'lock.db'), { timeout: timeoutMs });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    throw new Error(`another hub is using ${path}; stop it, or set HOOKLINE_DATA to another folder`, { cause });
  }
  return { path, release: () => lock.close() };
}

/** Makes the folder where there is none, and writes a little into it: that alone shows whether it can be used. */
function usable(path: string): void {
  try {
    // It holds messages and keys: nobody else on the machine is to read them. A folder of somebody else's making stays as
    // it is, and may be one that others use, as /tmp.
    makeFolder(path);
    const trial = join(path, 'trial');
    writeDurably(trial, ' '.repeat(4096));
    rmSync(trial);
  } catch (cause) {
    const why = REASONS.get(codeOf(cause)) ?? 'nothing can be written there';
    throw new Error(`cannot keep its data in ${path}: ${why}; set HOOKLINE_DATA to a folder of your own`, { cause });
  }
}

/** By `recursive`, Node never comes back from a path of which the system says that it is not there, as /proc/x. */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (!existsSync(dirname(path))) makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

const REASONS = new Map([
  ['EACCES', 'you may not write there'],
  ['EPERM', 'you may not write there'],
  ['EROFS', 'it can only be read'],
  ['EEXIST', 'it is no folder'],
  ['ENOTDIR', 'a part of this path is no folder'],
  ['ENAMETOOLONG', 'its name is too long'],
  ['ENOSPC', 'there is no space left'],
  ['EDQUOT', 'there is no space left for you'],
]);

const codeOf = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';

/** What the hub has kept in a file; undefined where there is none. Of a damaged one nothing is repeated: it may hold secrets. */
export function readKept<Schema extends v.GenericSchema>(
  path: string,
  schema: Schema,
): v.InferOutput<Schema> | undefined {
  if (!existsSync(path)) return undefined;
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), readFileSync(path, 'utf8'));
  if (parsed.success) return parsed.output;
  throw new Error(`${path} is damaged: put a copy of it back, or set HOOKLINE_DATA to another folder`);
}

/** Replaces a file so that a crash leaves either the old or the new content, readable by its owner alone. */
export function writeDurably(path: string, content: string): void {
  const unfinished = `${path}.new`;
  rmSync(unfinished, { force: true });
  const file = openSync(unfinished, 'wx', 0o600);
  writeSync(file, content);
  fsyncSync(file);
  closeSync(file);
  renameSync(unfinished, path);
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}
