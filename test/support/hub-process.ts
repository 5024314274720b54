import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const hubMain = fileURLToPath(new URL('../../infra/local/main.ts', import.meta.url));

/** A hub in a process group of its own, as `npm start` runs it, so that it can be killed like one. */
export interface HubProcess {
  readonly url: string;
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Ends it by this signal, alone or with everything it started, and resolves to its exit code. */
  end(signal: NodeJS.Signals, whom?: 'parent' | 'group'): Promise<number | null>;
}

/** Starts a hub and waits for its ready line; one that does not come to it throws what it complained of. */
export async function startHubProcess(
  serverlessFile: string,
  environment: Readonly<Record<string, string>>,
): Promise<HubProcess> {
  const child = spawn(process.execPath, [hubMain], {
    cwd: dirname(serverlessFile),
    env: { PATH: process.env.PATH ?? '', PORT: '0', ...environment },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ended = once(child, 'close');
  const ready = new Promise<string | undefined>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      const [, url] = /^hookline ready at (\S+)\n/.exec(stdout) ?? [];
      if (url) resolve(url);
    });
    child.once('close', () => resolve(undefined));
  });
  const url = await ready;
  if (!url) throw new Error(stderr);
  return {
    url,
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    end: async (signal, whom = 'parent') => {
      const running = child.exitCode === null && child.signalCode === null;
      if (running && child.pid !== undefined) process.kill(whom === 'group' ? -child.pid : child.pid, signal);
      await ended;
      return child.exitCode;
    },
  };
}
