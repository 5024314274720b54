import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { identify } from '#infra/local/engines/processes.ts';
import { fixtureService } from '#test/support/fixture-service.ts';
import { type HubProcess, hubMain, startHubProcess } from '#test/support/hub-process.ts';

// Each test starts processes, which takes its time on a machine that is busy with others.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let folder: string;
let data: string;
let notes: string;
let hubs: HubProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hookline-host-'));
  data = join(folder, 'data');
  notes = join(folder, 'notes');
  hubs = [];
});

afterEach(async () => {
  await Promise.all(hubs.map((hub) => hub.end('SIGTERM')));
  rmSync(folder, { recursive: true });
});

async function start(environment: Record<string, string> = {}): Promise<HubProcess> {
  const hub = await startHubProcess(fixtureService, { HOOKLINE_DATA: data, FIXTURE_NOTES: notes, ...environment });
  hubs.push(hub);
  return hub;
}

async function aws(hub: HubProcess, target: string, input: unknown): Promise<{ status: number; output: unknown }> {
  const headers = { 'x-aws': target, 'content-type': 'application/json' };
  const response = await fetch(`${hub.url}/api/x`, { method: 'POST', headers, body: JSON.stringify(input) });
  return JSON.parse(await response.text());
}

const put = (hub: HubProcess, pk: string) =>
  aws(hub, 'DynamoDB_20120810.PutItem', { TableName: '$HOOKLINE_TABLE', Item: { pk: { S: pk }, sk: { S: 'META' } } });
const get = (hub: HubProcess, pk: string) =>
  aws(hub, 'DynamoDB_20120810.GetItem', { TableName: '$HOOKLINE_TABLE', Key: { pk: { S: pk }, sk: { S: 'META' } } });
const enginePid = (): number => JSON.parse(readFileSync(join(data, 'dynamodb.pid.json'), 'utf8')).pid;
const noted = () => (existsSync(notes) ? readFileSync(notes, 'utf8').replaceAll('tick aws.events\n', '') : '');
const ticks = () => (existsSync(notes) ? readFileSync(notes, 'utf8').match(/^tick aws.events$/gm)?.length : 0) ?? 0;

async function until(holds: () => boolean): Promise<void> {
  for (const giveUpAt = Date.now() + 15_000; !holds(); await sleep(20)) {
    if (Date.now() > giveUpAt) throw new Error('it did not come to that within 15 s');
  }
}

test.each(['parent', 'group'] as const)('keeps what was stored when its %s is killed', async (whom) => {
  const first = await start();
  await put(first, 'kept');
  const engine = enginePid();
  await first.end('SIGKILL', whom);
  const second = await start();
  expect(await get(second, 'kept')).toMatchObject({ output: { Item: { pk: { S: 'kept' } } } });
  expect(identify(engine)).toBeUndefined();
});

test('keeps queued messages when it is killed, and hands out at once what had been received', async () => {
  const first = await start();
  const send = (MessageBody: string, DelaySeconds: number) =>
    aws(first, 'AmazonSQS.SendMessage', { QueueUrl: '$HOOKLINE_FALLBACK_QUEUE_URL', MessageBody, DelaySeconds });
  await send('refused', 0);
  await until(() => noted() === 'refused 1\n');
  await send('acknowledged', 1);
  await first.end('SIGKILL', 'group');
  expect(noted()).toBe('refused 1\n');
  await start();
  await until(() => noted() === 'refused 1\nrefused 2\nacknowledged 1\n');
});

test.each(['SIGTERM', 'SIGINT'] as const)('answers, then stops everything that it started, on %s', async (signal) => {
  const hub = await start();
  const engine = enginePid();
  const slow = fetch(`${hub.url}/api/x`, { headers: { 'x-wait': '300' } });
  await sleep(100);
  expect(await hub.end(signal)).toBe(0);
  expect((await slow).status).toBe(200);
  expect(identify(engine)).toBeUndefined();
});

test('stops when npm is killed, so that the next start finds its port and data free', async () => {
  const npm = spawn(process.execPath, ['--input-type=module', '--eval', asNpm], {
    cwd: dirname(fixtureService),
    env: { PATH: process.env.PATH, PORT: '0', HOOKLINE_DATA: data, FIXTURE_NOTES: notes, npm_lifecycle_event: 'start' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(npm.stdout, 'data');
  npm.kill('SIGKILL');
  await start();
});

/** Starts a hub as npm does: as a child that gets no signal when its parent is killed. */
const asNpm = `
  import { spawn } from 'node:child_process';
  spawn(process.execPath, [${JSON.stringify(hubMain)}], { stdio: 'inherit' });
`;

test('says so and ends when its engine ends', async () => {
  const hub = await start();
  process.kill(enginePid(), 'SIGKILL');
  expect(await hub.end('SIGCONT')).toBe(1);
  expect(hub.stderr()).toContain('DynamoDB ended with SIGKILL');
});

test('runs beside another hub, but not on its data or its port', async () => {
  const first = await start();
  await start({ HOOKLINE_DATA: join(folder, 'other') });
  await expect(start()).rejects.toThrow(`another hub is using ${data}`);
  const port = new URL(first.url).port;
  await expect(start({ HOOKLINE_DATA: ':memory:', PORT: port })).rejects.toThrow(`port ${port} is in use`);
});

test('names every setting that is wrong', async () => {
  const wrong = start({ PORT: 'http', HOOKLINE_LEASE_MS: '-1', HOOKLINE_ADMIN_KEY: 'two words' });
  await expect(wrong).rejects.toThrow(/PORT must be.*HOOKLINE_ADMIN_KEY must be.*HOOKLINE_LEASE_MS must be/s);
});

test('keeps keys where only their owner can read them', async () => {
  const hub = await start();
  const key = /^hookline ready at \S+\n\nadmin key +(\S+)$/m;
  await until(() => key.test(hub.stdout()));
  expect(statSync(data).mode & 0o777).toBe(0o700);
  expect(statSync(join(data, 'parameters.json')).mode & 0o777).toBe(0o600);
  await hub.end('SIGTERM');
  const again = await start();
  await until(() => key.test(again.stdout()));
  expect(key.exec(again.stdout())?.[1]).toBe(key.exec(hub.stdout())?.[1]);
});

test('keeps what it stores from others in a folder that was there, and leaves the folder as it was', async () => {
  mkdirSync(data);
  chmodSync(data, 0o755);
  const hub = await start();
  await put(hub, 'kept');
  expect(statSync(data).mode & 0o777).toBe(0o755);
  const modes = readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    // The note of the stream is renamed while the hub runs.
    .flatMap(({ parentPath, name }) => statSync(join(parentPath, name), { throwIfNoEntry: false })?.mode ?? []);
  expect(modes.length).toBeGreaterThan(2);
  for (const mode of modes) expect(mode & 0o077).toBe(0);
});

test('hands out the address by which others reach it', async () => {
  const hub = await start({ HOOKLINE_PUBLIC_URL: 'https://hub.example/below/', HOOKLINE_ADMIN_KEY: 'fifteen-letters' });
  expect(hub.url).toMatch(/^http:\/\/127\.0\.0\.1:/);
  await until(() => hub.stdout().includes('reference  https://hub.example/below/docs\n'));
  expect(hub.stdout()).toContain(`mails      of rules, kept and not sent: ${join(data, 'outbox')}\n`);
  expect(hub.stdout()).toContain('admin key  fifteen-letters\n           (too short for a hub that others reach: ');
  await expect(start({ HOOKLINE_PUBLIC_URL: 'https://hub.example/?a=1' })).rejects.toThrow(
    /HOOKLINE_PUBLIC_URL must be/,
  );
});

test('answers its first request within 100 ms of the ready line', { retry: 2 }, async () => {
  const hub = await start({ HOOKLINE_DATA: ':memory:' });
  const readyAt = performance.now();
  await fetch(`${hub.url}/api/x`);
  expect(performance.now() - readyAt).toBeLessThan(100);
});

test('calls what is scheduled, at the period that is set', async () => {
  await start({ HOOKLINE_DATA: ':memory:', HOOKLINE_WATCHDOG_MS: '50' });
  await until(() => ticks() > 2);
});

test('calls what is scheduled soon after its start, whatever the period', async () => {
  const startedAt = performance.now();
  await start({ HOOKLINE_DATA: ':memory:', HOOKLINE_WATCHDOG_MS: '3600000' });
  await until(() => ticks() === 1);
  expect(performance.now() - startedAt).toBeGreaterThan(1000);
});
