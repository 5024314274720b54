import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTable, type DynamoDbEngine, startDynamoDb } from '#infra/local/engines/dynamodb.ts';
import { readService } from '#infra/local/service.ts';
import type { HubApi } from '#test/support/hub-api.ts';
import { startHubProcess } from '#test/support/hub-process.ts';

export const serverlessFile = fileURLToPath(new URL('../../serverless.yml', import.meta.url));
const adminKey = 'the-admin-key-of-the-benchmarks';

/** A hub in its own process as `npm start` runs it, and the engine below it, within reach of the benchmark, too. */
export interface Stack extends AsyncDisposable {
  readonly hub: HubApi;
  readonly engine: Engine;
}

export interface Engine {
  readonly endpoint: string;
  readonly table: string;
}

/** On a folder, as a hub keeps its data: in memory the engine would be faster than any that counts. */
export async function startStack(): Promise<Stack> {
  const started = new AsyncDisposableStack();
  try {
    const { endpoint, table } = await startEngine(started);
    const hub = await startHubProcess(serverlessFile, {
      HOOKLINE_DATA: temporaryFolder(started),
      HOOKLINE_ADMIN_KEY: adminKey,
      HOOKLINE_DYNAMODB_ENDPOINT: endpoint,
    });
    started.defer(async () => {
      await hub.end('SIGTERM');
    });
    return {
      hub: { url: hub.url, adminKey },
      engine: { endpoint, table },
      [Symbol.asyncDispose]: () => started.disposeAsync(),
    };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

/** An engine with the template's table and nothing in it. */
export async function startEngine(started: AsyncDisposableStack): Promise<Engine> {
  const folder = join(temporaryFolder(started), 'engine');
  mkdirSync(folder);
  const engine: DynamoDbEngine = await startDynamoDb({ folder });
  started.defer(() => engine.stop());
  const { table } = readService(serverlessFile);
  await createTable(engine.endpoint, table);
  return { endpoint: engine.endpoint, table: table.TableName };
}

export function temporaryFolder(started: AsyncDisposableStack): string {
  const folder = mkdtempSync(join(tmpdir(), 'hookline-bench-'));
  started.defer(() => rmSync(folder, { recursive: true }));
  return folder;
}
