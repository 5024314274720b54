import { randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { buildFunctions } from '#infra/build/bundle.ts';
import { openDataFolder } from './data-folder.ts';
import { type Engines, startEngines } from './engines/engines.ts';
import { localAws } from './engines/local-aws.ts';
import type { LocalQueue } from './engines/sqs.ts';
import type { Parameters } from './engines/ssm.ts';
import type { Route } from './http/event.ts';
import { type Answered, createGateway, type FaultReport } from './http/gateway.ts';
import { drain, listen } from './http/server.ts';
import { type Lambda, loadLambda } from './lambda.ts';
import { type Reference, readService, type Service, type ServiceFunction } from './service.ts';
import { readSettings, type Settings, settingsForFunctions } from './settings.ts';
import { startStream } from './stream.ts';
import { periodOf, startEventSource, startSchedule } from './triggers.ts';

/** The environment of the functions: what the template gives them, and where the engines are. */
function environmentOf(
  service: Service,
  settings: Settings,
  { sqs }: Engines,
  endpoints: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    ...templateEnvironment(service, sqs.queues),
    ...settingsForFunctions(settings),
    AWS_REGION: localAws.region,
    AWS_ACCESS_KEY_ID: localAws.accessKeyId,
    AWS_SECRET_ACCESS_KEY: localAws.secretAccessKey,
    ...endpoints,
    // Nothing leaves this machine, so that any will do.
    HOOKLINE_MAIL_FROM: 'hookline@hub.example',
    // A newcomer is to send at once; a deployed hub starts with none.
    HOOKLINE_START_CREDITS: '1000',
  };
}

/** All functions share one process here, so a variable can have only one value. */
function templateEnvironment(service: Service, queues: ReadonlyMap<string, LocalQueue>): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const { name, environment: own } of service.functions) {
    for (const [variable, written] of Object.entries(own)) {
      const value = typeof written === 'string' ? written : lookUp(written, service, queues);
      if (environment[variable] !== undefined && environment[variable] !== value) {
        throw new Error(`serverless.yml: ${variable} has another value for ${name} than for the functions before it`);
      }
      environment[variable] = value;
    }
  }
  return environment;
}

function lookUp(reference: Reference, service: Service, queues: ReadonlyMap<string, LocalQueue>): string {
  if ('Ref' in reference && reference.Ref === service.tableId) return service.table.TableName;
  const queue = queueOf(reference, queues);
  return 'Ref' in reference ? queue.url : queue.arn;
}

function queueOf(reference: Reference, queues: ReadonlyMap<string, LocalQueue>): LocalQueue {
  const id = 'Ref' in reference ? reference.Ref : reference['Fn::GetAtt'][0];
  const queue = queues.get(id);
  if (!queue) throw new Error(`serverless.yml refers to ${id}, of which there is nothing on this machine`);
  return queue;
}

/** Sets the environment of this process; a user's own AWS account is out of reach of the functions from here on. */
function applyEnvironment(environment: Readonly<Record<string, string>>): void {
  for (const name of ['AWS_PROFILE', 'AWS_SESSION_TOKEN', 'AWS_ENDPOINT_URL']) delete process.env[name];
  Object.assign(process.env, environment);
}

interface LoadedFunction {
  readonly definition: ServiceFunction;
  readonly lambda: Lambda;
  readonly routes: readonly Route<Lambda>[];
}

/** Imports every function, so that the first request to each is as fast as the next. */
function loadFunctions(service: Service, root: string): Promise<LoadedFunction[]> {
  return Promise.all(
    service.functions.map(async (definition) => {
      const [, file = '', exportName = ''] = /^(.+)\.(\w+)$/.exec(definition.handler) ?? [];
      const lambda = await loadLambda(join(root, `${file}.mjs`), exportName, {
        name: `${service.name}-local-${definition.name}`,
        timeoutMs: definition.timeout * 1000,
        memoryMb: definition.memorySize,
      });
      const routes = definition.events.flatMap((event) =>
        'httpApi' in event ? [{ key: event.httpApi === '*' ? '$default' : event.httpApi, target: lambda }] : [],
      );
      return { definition, lambda, routes };
    }),
  );
}

/** Starts whatever calls functions besides HTTP, and returns what ends all of it. */
function startSources(
  functions: readonly LoadedFunction[],
  { sqs, dynamoDb }: Engines,
  { table, folder }: { readonly table: string; readonly folder: string | undefined },
  settings: Settings,
  report: FaultReport,
): () => Promise<void> {
  const stops = functions.flatMap(({ definition, lambda }) =>
    definition.events.flatMap((event) => {
      if ('sqs' in event) {
        const { arn, batchSize, maximumConcurrency, functionResponseType } = event.sqs;
        const queue = queueOf(arn, sqs.queues);
        const reportsFailures = functionResponseType !== undefined;
        const { endpoint } = sqs;
        return [startEventSource({ queue, endpoint, lambda, batchSize, maximumConcurrency, reportsFailures, report })];
      }
      if ('schedule' in event) {
        const expression = typeof event.schedule === 'string' ? event.schedule : event.schedule.rate;
        const period = settings.HOOKLINE_WATCHDOG_MS ? Number(settings.HOOKLINE_WATCHDOG_MS) : periodOf(expression);
        return [startSchedule(lambda, period, report)];
      }
      if ('stream' in event) {
        const { endpoint, databaseFile } = dynamoDb;
        const kept = { ...(folder && { checkpointFile: join(folder, `${definition.name}-stream.json`) }) };
        const engine = { endpoint, ...(databaseFile && { databaseFile }) };
        return [startStream({ table, lambda, event: event.stream, report, ...engine, ...kept })];
      }
      return [];
    }),
  );
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
}

export interface Hub {
  readonly url: string;
  /** The address that it hands out, without a slash at the end. */
  readonly publicUrl: string;
  readonly adminKey: string;
  /** Absent when the hub keeps nothing. */
  readonly dataFolder?: string;
  /** The folder in which the mails of rules end. */
  readonly outbox: string;
  /** Settles only when an engine ends by itself: the hub is of no use any more. */
  readonly died: Promise<string>;
  /** Answers what was asked, then stops everything. */
  stop(): Promise<void>;
}

interface HubOptions {
  /** The environment as `npm start` takes it. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Its folder holds `functions/` and `dist/`. */
  readonly serverlessFile?: string;
  readonly report?: FaultReport;
  readonly answered?: (answer: Answered) => void;
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
  const gateway = createGateway(() => ready.promise, { report, answered: options.answered });
  const url = await listen(gateway, settings.PORT);
  const publicUrl = (settings.HOOKLINE_PUBLIC_URL ?? url).replace(/\/+$/, '');
  started.defer(() => drain(gateway));
  started.defer(() => ready.reject(new Error('the hub stopped before it was ready')));

  const root = dirname(serverlessFile);
  const folders = { functions: join(root, 'functions'), dist: join(root, 'dist') };
  await buildFunctions(folders);
  const engines = await startEngines(service, settings, data.path, started);
  const endpoints = { ...(await endpointsOf(engines, options)), HOOKLINE_PUBLIC_URL: publicUrl };
  const environment = environmentOf(service, settings, engines, endpoints);
  const secrets = environment.HOOKLINE_SECRETS_PREFIX ?? '';
  const adminKey = adminKeyIn(engines.parameters, secrets, settings.HOOKLINE_ADMIN_KEY);
  applyEnvironment(environment);

  const functions = await loadFunctions(service, root);
  const kept = { table: service.table.TableName, folder: data.path };
  started.defer(startSources(functions, engines, kept, settings, report));
  started.defer(() => drain(gateway));
  ready.resolve(functions.flatMap((loaded) => loaded.routes));
  return {
    url,
    publicUrl,
    adminKey,
    ...(data.path === undefined ? {} : { dataFolder: data.path }),
    outbox: engines.ses.outbox,
    died: engines.dynamoDb.died,
    stop: () => started.disposeAsync(),
  };
}

/** Where the functions find the engines. */
async function endpointsOf({ dynamoDb, sqs, ssm, ses }: Engines, { between }: HubOptions) {
  const via = between ?? (async (_engine, endpoint) => endpoint);
  return {
    AWS_ENDPOINT_URL_DYNAMODB: await via('dynamoDb', dynamoDb.endpoint),
    AWS_ENDPOINT_URL_SQS: await via('sqs', sqs.endpoint),
    AWS_ENDPOINT_URL_SSM: await via('ssm', ssm.endpoint),
    AWS_ENDPOINT_URL_SESV2: ses.endpoint,
  };
}

function reportToStandardError(functionName: string, error: unknown): void {
  console.error(`hookline: function ${functionName} failed:`, error);
}

/** Puts the operator's key where the functions look for it: the one that is given, else the one made on first start. */
function adminKeyIn(parameters: Parameters, prefix: string, given?: string): string {
  const name = `${prefix}/admin-key`;
  const known = parameters.has(name) ? parameters.get(name).Value : undefined;
  const key = given ?? known ?? randomBytes(24).toString('base64url');
  if (key !== known) parameters.put({ Name: name, Value: key, Type: 'SecureString', Overwrite: true });
  return key;
}
