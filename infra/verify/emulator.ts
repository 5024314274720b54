import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from '../local/listen.ts';
import { pythonTools } from './python.ts';

/**
 * The emulator refuses what its own copy of the linter merely warns of, such as the packager's double dependencies. The
 * template has passed the linter before, so here that is switched off.
 */
const PROGRAM = `
import moto.cloudformation.models as models
models.validate_template_cfn_lint = lambda template: []
from moto.server import main
main()
`;

export interface Emulator {
  readonly endpoint: string;
  /** The kinds of resources that it took without making anything. */
  ignored(): readonly string[];
  stop(): Promise<void>;
}

/** An AWS on this machine, empty and without any key; or why there can be none. */
export async function startEmulator(): Promise<Emulator | { readonly missing: string }> {
  const tools = await pythonTools();
  if ('missing' in tools) return tools;
  const port = await freePort();
  const child = spawn(tools.python, ['-c', PROGRAM, '-H', '127.0.0.1', '-p', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  const endpoint = `http://127.0.0.1:${port}`;
  await answered(endpoint, child, () => said);
  return {
    endpoint,
    ignored: () => [
      ...new Set([...said.matchAll(/No Moto CloudFormation support for (\S+)/g)].map(([, of = '']) => of)),
    ],
    stop: () => end(child),
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const url = new URL(await listen(server, 0));
  server.close();
  await once(server, 'close');
  return Number(url.port);
}

async function answered(endpoint: string, child: ChildProcess, said: () => string): Promise<void> {
  for (let tries = 0; tries < 300 && child.exitCode === null; tries += 1) {
    const response = await fetch(`${endpoint}/moto-api/`).catch(() => undefined);
    if (response?.ok) return;
    await sleep(100);
  }
  await end(child);
  throw new Error(`the emulator does not start:\n${said()}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill();
  await once(child, 'close');
}
