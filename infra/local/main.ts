import { join } from 'node:path';
import * as v from 'valibot';
import { hubFile } from '#infra/demo/hub.ts';
import { version } from '#lib/version.ts';
import { consoleLink } from './console-link.ts';
import { readKept, writeDurably } from './data-folder.ts';
import type { Answered } from './http/gateway.ts';
import { type Hub, startHub } from './hub.ts';
import { readSettings } from './settings.ts';
import { lineOfAnswer, paint, readable } from './terminal.ts';

/*
 * `npm start`: a whole hub on this machine. Standard output carries the ready line and the guide, nothing else.
 */

/**
 * Calls back once the process that started this one is gone. npm passes SIGTERM on, but cannot pass on SIGKILL: the hub
 * would stay behind on its port and its data, and hinder the next start. Only npm is followed so: a hub that was put
 * in the background by hand is to outlive its shell.
 */
function whenNpmEnds(act: () => void): void {
  if (process.env.npm_lifecycle_event !== 'start') return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    act();
  }, 200);
  timer.unref();
}

/** The newcomer's first event, in the words of the sandbox provider. */
const firstEvent = { event: 'message', id: 'first', from: '+15550100', text: 'Hello, Hookline!' };

const DemoWebhook = v.object({ id: v.string(), path: v.string() });
type DemoWebhook = v.InferOutput<typeof DemoWebhook>;

/** Anybody who finds the address of a hub that others reach can try keys. One that it makes itself has 32 characters. */
const SHORTEST_KEY = 16;
const TOO_SHORT = `           (too short for a hub that others reach: set HOOKLINE_ADMIN_KEY to ${SHORTEST_KEY} characters or more)`;

/** What somebody needs who has just started a hub. */
function access(hub: Hub): string {
  return [
    `admin key  ${hub.adminKey}`,
    ...(hub.publicUrl !== hub.url && hub.adminKey.length < SHORTEST_KEY ? [TOO_SHORT] : []),
    `reference  ${hub.publicUrl}/docs`,
    `data       ${hub.dataFolder ?? 'kept in memory, gone when the hub stops'}`,
    `mails      of rules, kept and not sent: ${hub.outbox}`,
    'logs       on standard error; `npm start 2>hub.log` keeps them apart',
    '',
  ].join('\n');
}

/** The admin key signs in as well. */
function withoutLink(error: unknown): string {
  console.error(`hookline: the link to the console could not be made: ${messageOf(error)}`);
  return '';
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What to do first. The commands work as printed; there are none where no webhook could be made for them. */
async function firstSteps(hub: Hub): Promise<string> {
  const webhook = await demoWebhook(hub).catch((error: unknown) => {
    console.error(`hookline: the webhook for the first steps could not be made: ${messageOf(error)}`);
    return undefined;
  });
  if (!webhook) return '';
  return [
    'Receive a message, then read it back:',
    `  curl ${hub.publicUrl}${webhook.path} -H 'content-type: application/json' -d '${JSON.stringify(firstEvent)}'`,
    `  curl ${hub.publicUrl}/api/messages -H 'authorization: Bearer ${hub.adminKey}'`,
    '',
    '',
  ].join('\n');
}

/** Made on first start and kept, since the URL of a webhook is shown only once. */
async function demoWebhook(hub: Hub): Promise<DemoWebhook> {
  const file = hub.dataFolder && join(hub.dataFolder, 'first-webhook.json');
  const kept = file ? readKept(file, DemoWebhook) : undefined;
  if (kept && (await api(hub, `/api/webhooks/${kept.id}`)).ok) return kept;
  const response = await api(hub, '/api/webhooks', { kind: 'receive', provider: 'sandbox', name: 'First steps' });
  if (!response.ok) throw new Error(`POST /api/webhooks answered ${response.status}`);
  const { id, url } = v.parse(v.object({ id: v.string(), url: v.string() }), await response.json());
  // The address may be another one next time, so only what follows it is kept.
  const webhook = { id, path: url.slice(hub.publicUrl.length) };
  if (file) writeDurably(file, JSON.stringify(webhook));
  return webhook;
}

function api(hub: Hub, path: string, body?: unknown): Promise<Response> {
  return fetch(`${hub.url}${path}`, {
    headers: { authorization: `Bearer ${hub.adminKey}`, 'content-type': 'application/json' },
    ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
  });
}

const print = process.stdout.write.bind(process.stdout);
const printError = process.stderr.write.bind(process.stderr);

/** Files that it makes in a folder which others may look into are not for them: they hold messages and keys. */
process.umask(0o077);

/** Lines for people on a terminal, JSON for programs. */
function isPlain(setting: string | undefined): boolean {
  return setting === undefined ? process.stderr.isTTY === true : setting === 'plain';
}

function showPlainly(): void {
  process.stderr.write = (chunk: string | Uint8Array) => {
    const shown = readable(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString(), paint);
    return shown === '' || printError(shown);
  };
}

process.on('unhandledRejection', (error) => {
  console.error('hookline: a function left a promise behind that failed:', error);
});

let stopping = false;

try {
  const plain = isPlain(readSettings(process.env).HOOKLINE_LOG);
  if (plain) showPlainly();
  // Functions log to standard output, where Lambda collects it. Here it goes beside the host's own complaints.
  process.stdout.write = process.stderr.write.bind(process.stderr);
  const answered = (answer: Answered) => {
    const line = lineOfAnswer(answer, paint);
    if (line !== undefined) printError(`${line}\n`);
  };
  const starting = startHub({ environment: process.env, ...(plain && { answered }) });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(starting));
  whenNpmEnds(() => stop(starting));
  const hub = await starting;
  print(`hookline ready at ${hub.url}\n`);
  // Before anything that can fail: without the key nobody gets any further.
  print(`\n${access(hub)}\n`);
  if (hub.dataFolder)
    writeDurably(hubFile(hub.dataFolder), JSON.stringify({ url: hub.url, adminKey: hub.adminKey, version }));
  hub.died.then((how) => {
    // Ctrl-C reaches the engine, too.
    if (!stopping) fail(`DynamoDB ${how}; nothing works without it`);
  }, fail);
  print(await consoleLink(hub).catch(withoutLink));
  print(await firstSteps(hub));
} catch (error) {
  fail(`could not start: ${messageOf(error)}`);
}

/** npm passes on a signal that the terminal has already sent, so it may come twice. */
function stop(starting: Promise<Hub>): void {
  if (stopping) return;
  stopping = true;
  starting
    .then((hub) => hub.stop())
    .then(
      () => process.exit(0),
      (error) => fail(`did not stop cleanly: ${error}`),
    );
}

function fail(what: string): never {
  console.error(`hookline ${what}`);
  process.exit(1);
}
