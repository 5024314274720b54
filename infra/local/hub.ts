import { dirname, join, resolve } from 'node:path';
import { buildFunctions } from '#infra/build/bundle.ts';
import { adminKeyIn } from './admin-key.ts';
import { openDataFolder } from './data-folder.ts';
import { type Engines, startEngines } from './engines/engines.ts';
import { applyEnvironment, environmentOf } from './environment.ts';
import type { Route } from './gateway/routes.ts';
import { createGateway, type FaultReport } from './gateway/server.ts';
import type { Lambda } from './lambda/lambda.ts';
import { drain, listen } from './listen.ts';
import { loadFunctions, startSources } from './run-functions.ts';
import { readService } from './service/service.ts';
import { readSettings } from './settings.ts';

export interface Hub {
  readonly url: string;
  readonly adminKey: string;
  /** Absent when the hub keeps nothing. */
  readonly dataFolder?: string;
  /** Settles only when an engine ends by itself: the hub is of no use any more. */
  readonly died: Promise<string>;
  /** Answers what was asked, then stops everything. */
  stop(): Promise<void>;
}

export interface HubOptions {
  /** The environment as `npm start` takes it. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Its folder holds `functions/` and `dist/`. */
  readonly serverlessFile?: string;
  readonly report?: FaultReport;
  /** Lets a test stand between the functions and an engine: given the engine's address, it returns the one to use. */
  readonly between?: (engine: 'dynamoDb' | 'sqs' | 'ssm', endpoint: string) => Promise<string>;
}

let running = false;

/** Starts a whole hub in this process. One at a time: the functions read their settings from the process's environment. */
export async function startHub(options: HubOptions = {}): Promise<Hub> {
  if (running) throw new Error('a hub is running in this process already');
  running = true;
  const started = new AsyncDisposableStack();
  started.defer(() => {
    running = false;
  });
  try {
    return await start(options, started);
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

async function start(options: HubOptions, started: AsyncDisposableStack): Promise<Hub> {
  const settings = readSettings(options.environment ?? {});
  const serverlessFile = resolve(options.serverlessFile ?? 'serverless.yml');
  const report = options.report ?? reportToStandardError;
  const service = readService(serverlessFile);
  const data = openDataFolder(settings.HOOKLINE_DATA);
  started.defer(data.release);

  // Listening comes first, so that a port in use is noticed at once; requests wait until the functions are there.
  const ready = Promise.withResolvers<readonly Route<Lambda>[]>();
  ready.promise.catch(() => undefined); // a failed start is thrown below, to the one who asked for it
  const gateway = createGateway(() => ready.promise, report);
  const url = await listen(gateway, settings.PORT);
  started.defer(() => drain(gateway));
  started.defer(() => ready.reject(new Error('the hub stopped before it was ready')));

  const root = dirname(serverlessFile);
  const folders = { functions: join(root, 'functions'), dist: join(root, 'dist') };
  await buildFunctions(folders);
  const engines = await startEngines(service, settings, data.path, started);
  const environment = environmentOf(service, settings, {
    ...(await addresses(engines, options)),
    queues: engines.sqs.queues,
    publicUrl: settings.HOOKLINE_PUBLIC_URL ?? url,
  });
  const secrets = environment.HOOKLINE_SECRETS_PREFIX ?? '';
  const adminKey = adminKeyIn(engines.parameters, secrets, settings.HOOKLINE_ADMIN_KEY);
  applyEnvironment(environment);

  const functions = await loadFunctions(service, root);
  started.defer(startSources(functions, engines.sqs, settings, report));
  started.defer(() => drain(gateway));
  ready.resolve(functions.flatMap((loaded) => loaded.routes));
  return {
    url,
    adminKey,
    ...(data.path === undefined ? {} : { dataFolder: data.path }),
    died: engines.dynamoDb.died,
    stop: () => started.disposeAsync(),
  };
}

/** Where the functions find the engines. */
async function addresses({ dynamoDb, sqs, ssm }: Engines, { between }: HubOptions) {
  const via = between ?? (async (_engine, endpoint) => endpoint);
  return {
    dynamoDb: await via('dynamoDb', dynamoDb.endpoint),
    sqs: await via('sqs', sqs.endpoint),
    ssm: await via('ssm', ssm.endpoint),
  };
}

function reportToStandardError(functionName: string, error: unknown): void {
  console.error(`hookline: function ${functionName} failed:`, error);
}
