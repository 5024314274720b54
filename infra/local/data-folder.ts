import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

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
  // It holds messages and keys: nobody else on the machine is to read them.
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  const lock = new DatabaseSync(join(path, 'lock.db'), { timeout: timeoutMs });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    throw new Error(`another hub is using ${path}; stop it, or set HOOKLINE_DATA to another folder`, { cause });
  }
  return { path, release: () => lock.close() };
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
