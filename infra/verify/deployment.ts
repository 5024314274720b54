import { type Environment, run, type Said } from './command.ts';
import { startEmulator } from './emulator.ts';
import type { Result } from './report.ts';

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
