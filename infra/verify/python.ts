import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';

/** Named exactly: a check that changes by itself is none. */
const PACKAGES = ['cfn-lint==1.58.0', 'moto[server]==5.2.5'];

/** Kept between runs; other versions get a folder of their own. */
const FOLDER = join('node_modules/.cache/verify-deploy', PACKAGES.join('+').replaceAll(/[^\w.+]+/g, '-'));

export interface PythonTools {
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
