import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '#infra/local/http/server.ts';
import { type Environment, pythonTools, type Result, run, type Said } from './commands.ts';

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

interface Emulator {
  readonly endpoint: string;
  /** The kinds of resources that it took without making anything. */
  ignored(): readonly string[];
  stop(): Promise<void>;
}

/** An AWS on this machine, empty and without any key; or why there can be none. */
async function startEmulator(): Promise<Emulator | { readonly missing: string }> {
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

const STAGE = 'dev';
const REGION = 'eu-central-1';

/** A whole life of a stack on an emulated AWS: deployed, set up, deployed again without a change, removed. */
export async function deployOnEmulator(): Promise<Result> {
  const emulator = await startEmulator();
  if ('missing' in emulator) return { skipped: emulator.missing };
  const environment = {
    AWS_ENDPOINT_URL: emulator.endpoint,
    AWS_ACCESS_KEY_ID: 'nobody',
    AWS_SECRET_ACCESS_KEY: 'nothing',
    AWS_REGION: REGION,
  };
  try {
    const faults = await live(environment);
    const said = `not made by the emulator, so not tried: ${emulator.ignored().join(', ')}`;
    return { faults, said };
  } finally {
    await emulator.stop();
  }
}

async function live(environment: Environment): Promise<string[]> {
  const osls = (command: string) =>
    run('node_modules/.bin/osls', [command, '--stage', STAGE, '--region', REGION, '--verbose'], environment);
  const setup = (...more: string[]) =>
    run(process.execPath, ['infra/setup/main.ts', '--stage', STAGE, '--region', REGION, ...more], environment);
  const deployed = await osls('deploy');
  return [
    ...unless(deployed, /Service deployed/, 'the stack is not created'),
    ...unless(deployed, /NextStep: npm run setup -- --stage dev/, 'the outputs are not printed'),
    ...unless(await setup(), /admin key was made/, 'the admin key is not made'),
    ...unless(await setup(), /admin key is there/, 'the admin key is made twice'),
    ...unless(await osls('deploy'), /No changes to deploy/, 'a second deploy changes something'),
    ...unless(await osls('remove'), /successfully removed/, 'the stack is not removed'),
    ...unless(await setup(), /Nothing is deployed as hookline-dev/, 'something is set up where nothing is deployed'),
  ];
}

function unless({ text }: Said, expected: RegExp, fault: string): string[] {
  return expected.test(text) ? [] : [`${fault}:\n${text.slice(-2000)}`];
}
