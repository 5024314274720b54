import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HubApi } from './hub-api.ts';
import { startHubProcess } from './hub-process.ts';

const serverlessFile = fileURLToPath(new URL('../../serverless.yml', import.meta.url));
const adminKey = 'the-admin-key-of-a-fresh-hub';

/** A hub as `npm start` starts it, with data of its own that go when it goes. */
export async function startFreshHub(
  environment: Readonly<Record<string, string>>,
): Promise<AsyncDisposable & { readonly api: HubApi }> {
  const folder = mkdtempSync(join(tmpdir(), 'hookline-fresh-'));
  const hub = await startHubProcess(serverlessFile, {
    ...environment,
    HOOKLINE_DATA: join(folder, 'data'),
    HOOKLINE_ADMIN_KEY: adminKey,
  });
  return {
    api: { url: hub.url, adminKey },
    [Symbol.asyncDispose]: async () => {
      await hub.end('SIGTERM');
      rmSync(folder, { recursive: true });
    },
  };
}
