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
import { hubFile } from '#infra/demo/hub.ts';
import { version } from '#lib/version.ts';

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
  makeUsable(path);
  const lock = locked(path);
  try {
    refuseNewer(path);
  } catch (cause) {
    lock.close();
    throw cause;
  }
  return { path, release: () => lock.close() };
}

const HubFile = v.pipe(v.string(), v.parseJson(), v.object({ version: v.string() }));

/**
 * An older release would pass over what a newer one keeps beside its items, and so damage them unseen. The file is written
 * anew by each start, so nobody has to mend a damaged one.
 */
function refuseNewer(path: string): void {
  const file = hubFile(path);
  const isThere = statSync(file, { throwIfNoEntry: false })?.isFile();
  const last = v.safeParse(HubFile, isThere && readFileSync(file, 'utf8'));
  if (!last.success || version.localeCompare(last.output.version, 'en', { numeric: true }) >= 0) return;
  const { version: newer } = last.output;
  throw new Error(
    `${path} was used by Hookline ${newer} last, and this is ${version}, which may damage what that one wrote: ` +
      `start ${newer} or newer, or set HOOKLINE_DATA to another folder`,
  );
}

/** Makes the folder where there is none, and writes a little into it: that alone shows whether it can be used. */
function makeUsable(path: string): void {
  try {
    makeFolder(path);
    const trial = join(path, 'trial');
    writeDurably(trial, '');
    rmSync(trial);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`cannot keep its data in ${path} (${why}): set HOOKLINE_DATA to a folder of your own`, { cause });
  }
}

/**
 * It holds messages and keys: nobody else on the machine is to read them. A folder of somebody else's making keeps its
 * mode. By `recursive`, Node never comes back from a path of which the system says that it is not there, as /proc/x.
 */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (!existsSync(dirname(path))) makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

function locked(path: string): DatabaseSync {
  const file = join(path, 'lock.db');
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(file, { timeout: timeoutMs });
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock?.close();
    const sentence =
      sqliteCode(cause) === BUSY
        ? `another hub is using ${path}; stop it, or set HOOKLINE_DATA to another folder`
        : `${file} is not the lock that it should be, and holds nothing: delete it`;
    throw new Error(sentence, { cause });
  }
}

/** What SQLite says by number. */
const [BUSY, CORRUPT, NO_DATABASE] = [5, 11, 26];
const SqliteError = v.object({ errcode: v.number() });

const sqliteCode = (cause: unknown): number | undefined =>
  v.is(SqliteError, cause) ? cause.errcode & 0xff : undefined;

/** What the hub has kept in a file; undefined where there is none. Of a damaged one nothing is repeated: it may hold secrets. */
export function readKept<Schema extends v.GenericSchema>(
  path: string,
  schema: Schema,
): v.InferOutput<Schema> | undefined {
  if (!existsSync(path)) return undefined;
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), textOf(path));
  if (parsed.success) return parsed.output;
  throw new Error(`${path} is damaged: ${REMEDY}`);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Error(`${path} cannot be read: ${REMEDY}`, { cause });
  }
}

/** Files fit together only as they were at one moment. */
const REMEDY = 'put a copy of the whole folder back, or set HOOKLINE_DATA to another folder to start anew';

/** A larger database is looked at no further than its beginning: the rest takes a second for each GB. */
const READ_WHOLE = 256 * 1024 * 1024;

/** A database that is damaged is said to be so before anything is written to it. */
export function checkDatabase(path: string): void {
  try {
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size === undefined) return;
    using db = new DatabaseSync(path, { timeout: timeoutMs });
    const whole = size <= READ_WHOLE ? db.prepare('PRAGMA quick_check(1)').get() : undefined;
    if (!whole) db.prepare('SELECT * FROM sqlite_master').all();
    else if (whole.quick_check !== 'ok') throw new Error('not all of it can be read');
  } catch (cause) {
    const code = sqliteCode(cause);
    const isDamaged = code === undefined || code === CORRUPT || code === NO_DATABASE;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${path} ${isDamaged ? 'is damaged' : 'cannot be opened'} (${why}): ${REMEDY}`, { cause });
  }
}

/** A folder that holds the keys of a hub held its data, too: without them that is no hub that starts for the first time. */
export function checkPresent(path: string): void {
  if (!existsSync(join(dirname(path), PARAMETERS)) || statSync(path, { throwIfNoEntry: false })?.size) return;
  const folder = dirname(path);
  const elsewhere = 'if HOOKLINE_DYNAMODB_ENDPOINT was set, set it again';
  throw new Error(`${folder} holds a hub's keys, and ${path}, its data, is gone or empty: ${REMEDY}; ${elsewhere}`);
}

/** In a hub's folder, its keys and the credentials of accounts; written once the table is there. */
export const PARAMETERS = 'parameters.json';

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
