import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { writeDurably } from '../data-folder.ts';
import { type DynamoDbCommand, findDynamoDb } from './dynamodb-command.ts';
import { callAws } from './local-aws.ts';
import { identify, killIfSame } from './processes.ts';

export interface DynamoDbEngine {
  readonly endpoint: string;
  /** Settles only when the engine ends without having been told to. */
  readonly died: Promise<string>;
  stop(): Promise<void>;
}

export interface DynamoDbOptions {
  readonly endpoint?: string | undefined;
  readonly folder?: string | undefined;
}

const ProcessRecord = v.object({ pid: v.number(), started: v.string() });
/** dynoxide needs some 40 ms, DynamoDB Local several seconds. */
const startWithinMs = 20_000;

/** An engine that runs already, or one started here: with a folder it keeps its data there, without in memory. */
export async function startDynamoDb(options: DynamoDbOptions): Promise<DynamoDbEngine> {
  const { endpoint, folder } = options;
  if (endpoint) return useRunning(endpoint);
  if (folder) await stopLeftOver(folder);
  const command = findDynamoDb();
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
  if (!existsSync(path)) return;
  await killIfSame(v.parse(ProcessRecord, JSON.parse(readFileSync(path, 'utf8'))));
  rmSync(path);
}

async function launch(command: DynamoDbCommand, port: number, folder?: string): Promise<DynamoDbEngine> {
  const child = spawn(command.file, command.args(port, folder), { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = endOf(child);
  // However the hub ends, short of a kill.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('close', () => process.off('exit', kill));
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (folder && identity) writeDurably(recordPath(folder), JSON.stringify(identity));
  const endpoint = `http://127.0.0.1:${port}`;
  const failure = await Promise.race([ended, answers(endpoint, startWithinMs)]);
  if (failure !== undefined) {
    child.kill('SIGKILL');
    throw new Error(`DynamoDB (${command.file}) did not start: ${failure}`);
  }
  const { promise: died, resolve: tell } = Promise.withResolvers<string>();
  let stopping = false;
  ended.then((how) => stopping || tell(how), tell);
  return {
    endpoint,
    died,
    stop: async () => {
      stopping = true;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
      await ended;
      clearTimeout(timer);
      if (folder) rmSync(recordPath(folder), { force: true });
    },
  };
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

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || !address) throw new Error('no free port');
  return address.port;
}

function recordPath(folder: string): string {
  return join(folder, 'dynamodb.pid.json');
}
