import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';

/** A running hub, as the demonstration reaches it: over HTTP, like anybody. */
export interface RunningHub {
  readonly url: string;
  /** Answers the parsed body, if there is one; throws with the hub's own words where it says no. A body is posted. */
  readonly api: (path: string, body?: object, method?: 'PATCH' | 'DELETE') => Promise<unknown>;
  /** The same hub with the admin key, in one of its workspaces. */
  readonly within: (workspace: string) => RunningHub;
}

const Kept = v.object({ url: v.string(), adminKey: v.string() });

/** The file in which a hub that runs says where it is and how it is opened. */
export function hubFile(dataFolder: string): string {
  return join(dataFolder, 'hub.json');
}

/** Finds the hub that runs on this machine's data folder, or the one that `PORT` and `HOOKLINE_ADMIN_KEY` name. */
export async function runningHub(environment: Readonly<Record<string, string | undefined>>): Promise<RunningHub> {
  const file = hubFile(environment.HOOKLINE_DATA || '.hookline');
  const kept = existsSync(file) ? v.parse(Kept, JSON.parse(readFileSync(file, 'utf8'))) : undefined;
  const url = environment.PORT ? `http://127.0.0.1:${environment.PORT}` : (kept?.url ?? 'http://127.0.0.1:3000');
  const adminKey = environment.HOOKLINE_ADMIN_KEY || kept?.adminKey;
  const answers = await fetch(`${url}/health`).then(
    (response) => response.ok,
    () => false,
  );
  if (!answers) throw new Error(`no hub answers at ${url}; start one with \`npm start\` in another terminal`);
  if (adminKey === undefined)
    throw new Error('no admin key; set HOOKLINE_ADMIN_KEY to the one that `npm start` printed');
  return hubAt(url, adminKey);
}

export function hubAt(url: string, adminKey: string, workspace?: string): RunningHub {
  const headers = {
    authorization: `Bearer ${adminKey}`,
    'content-type': 'application/json',
    ...(workspace !== undefined && { 'x-workspace': workspace }),
  };
  return {
    url,
    api: (path, body, method = body ? 'POST' : undefined) =>
      call(`${url}${path}`, { headers, ...(method && { method }), ...(body && { body: JSON.stringify(body) }) }),
    within: (other) => hubAt(url, adminKey, other),
  };
}

async function call(url: string, request: RequestInit): Promise<unknown> {
  const response = await fetch(url, request);
  const text = await response.text();
  if (!response.ok) throw new Error(`${new URL(url).pathname} answered ${response.status}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
