import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

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

/** Named exactly: a check that changes by itself is none. */
const PACKAGES = ['cfn-lint==1.58.0', 'moto[server]==5.2.5'];

/** Kept between runs; other versions get a folder of their own. */
const FOLDER = join('node_modules/.cache/verify-deploy', PACKAGES.join('+').replaceAll(/[^\w.+]+/g, '-'));

interface PythonTools {
  readonly python: string;
  readonly cfnLint: string;
}

/** The linter and the emulator; or why they cannot be had here. */
export async function pythonTools(): Promise<PythonTools | { readonly missing: string }> {
  const bin = join(FOLDER, 'bin');
  const tools = { python: join(bin, 'python'), cfnLint: join(bin, 'cfn-lint') };
  if (existsSync(join(bin, 'moto_server')) && existsSync(tools.cfnLint)) return tools;
  const made = await run('python3', ['-m', 'venv', FOLDER]);
  if (made.code !== 0) return { missing: `Python 3 with venv is not here: ${lastLine(made.text)}` };
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1', '--timeout', '15'];
  const got = await run(tools.python, [...pip, ...PACKAGES]);
  return got.code === 0 ? tools : { missing: `${PACKAGES.join(' and ')} cannot be installed: ${lastLine(got.text)}` };
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** The packager writes down dependencies that follow from references as well. That does no harm, and is not ours to mend. */
const NOT_OURS = ['W3005'];

export async function lint(template: string): Promise<Result> {
  const tools = await pythonTools();
  if ('missing' in tools) return { skipped: tools.missing };
  const args = ['--format', 'parseable', '--ignore-checks', ...NOT_OURS, '--', template];
  const { code, text } = await run(tools.cfnLint, args);
  const faults = text.split('\n').filter((line) => line.trim() !== '');
  return { faults: code === 0 ? [] : faults };
}

/** What a check came to: the faults that it found, one sentence each, or why it could not look. */
export type Result = { readonly faults: readonly string[]; readonly said?: string } | { readonly skipped: string };

/** Says what came of each check, as it comes, and whether all is well. A check that could not look is said, not hidden. */
export class Report {
  #failed = 0;
  #skipped = 0;

  async check(name: string, look: () => Promise<Result> | Result): Promise<void> {
    const result = await look();
    if ('skipped' in result) {
      this.#skipped += 1;
      console.log(`skipped  ${name}: ${result.skipped}`);
      return;
    }
    if (result.faults.length > 0) this.#failed += 1;
    console.log(`${result.faults.length > 0 ? 'FAILED ' : 'ok     '}  ${name}`);
    if (result.said) console.log(indented(result.said));
    for (const fault of result.faults) console.log(indented(fault));
  }

  /** True when every check that could look found nothing. */
  conclude(): boolean {
    const skipped = this.#skipped > 0 ? `, ${this.#skipped} could not be made here` : '';
    console.log(this.#failed > 0 ? `${this.#failed} checks failed${skipped}` : `nothing is wrong${skipped}`);
    return this.#failed === 0;
  }
}

const indented = (text: string): string => text.trimEnd().replaceAll(/^/gm, '           ');
