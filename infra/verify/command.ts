import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Said {
  readonly code: number | null;
  /** Both streams, as they came. */
  readonly text: string;
}

/** Runs a command to its end, with nothing of this process's environment but what is named here. */
export async function run(command: string, args: readonly string[], environment: Environment = {}): Promise<Said> {
  const child = spawn(command, args, { env: plain(environment), stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  // A command that cannot be started says so in an event; without a listener that would end this process.
  child.once('error', (cause) => {
    text += String(cause);
  });
  const [code] = await once(child, 'close');
  return { code, text };
}

export type Environment = Readonly<Record<string, string>>;

/** No key of whoever runs this gets near what is only to be tried out. */
function plain(environment: Environment): NodeJS.ProcessEnv {
  const { PATH = '', HOME = '', TMPDIR, PIP_INDEX_URL, PIP_CONFIG_FILE } = process.env;
  return { PATH, HOME, ...defined({ TMPDIR, PIP_INDEX_URL, PIP_CONFIG_FILE }), ...environment };
}

const defined = (given: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
