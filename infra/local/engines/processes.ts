import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process told apart from a later one with the same number, by the moment at which it was started. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
}

/** `undefined` when there is no such process, or nobody to ask. */
export function identify(pid: number): ProcessIdentity | undefined {
  const started = existsSync('/proc/self/stat') ? startFromProc(pid) : startFromPs(pid);
  return started ? { pid, started } : undefined;
}

/** Stops a process if it is still the one that was meant, and waits until it is gone. */
export async function killIfSame({ pid, started }: ProcessIdentity): Promise<boolean> {
  if (identify(pid)?.started !== started) return false;
  process.kill(pid, 'SIGKILL');
  for (let tries = 0; tries < 200 && identify(pid)?.started === started; tries += 1) await sleep(10);
  return true;
}

function startFromProc(pid: number): string | undefined {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return undefined;
  // The name in parentheses may contain anything; the fields after it start with the state, number 3 of 22.
  const [state, ...fields] = readFileSync(path, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return state === 'Z' ? undefined : fields[18];
}

function startFromPs(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined; // ps fails when there is no such process
  }
}
