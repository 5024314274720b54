import { localAws } from './engines/local-aws.ts';
import type { LocalQueue } from './engines/sqs.ts';
import type { Reference } from './service/schema.ts';
import type { Service } from './service/service.ts';
import { type Settings, settingsForFunctions } from './settings.ts';

/** What became of the template's resources on this machine. */
export interface LocalResources {
  readonly dynamoDb: string;
  readonly sqs: string;
  readonly ssm: string;
  readonly queues: ReadonlyMap<string, LocalQueue>;
  readonly publicUrl: string;
}

/** The environment of the functions: what the template gives them, and the addresses of the engines. */
export function environmentOf(service: Service, settings: Settings, local: LocalResources): Record<string, string> {
  return {
    ...templateEnvironment(service, local.queues),
    ...settingsForFunctions(settings),
    AWS_REGION: localAws.region,
    AWS_ACCESS_KEY_ID: localAws.accessKeyId,
    AWS_SECRET_ACCESS_KEY: localAws.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: local.dynamoDb,
    AWS_ENDPOINT_URL_SQS: local.sqs,
    AWS_ENDPOINT_URL_SSM: local.ssm,
    HOOKLINE_PUBLIC_URL: local.publicUrl,
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

export function queueOf(reference: Reference, queues: ReadonlyMap<string, LocalQueue>): LocalQueue {
  const id = 'Ref' in reference ? reference.Ref : reference['Fn::GetAtt'][0];
  const queue = queues.get(id);
  if (!queue) throw new Error(`serverless.yml refers to ${id}, of which there is nothing on this machine`);
  return queue;
}

/** Sets the environment of this process; a user's own AWS account is out of reach of the functions from here on. */
export function applyEnvironment(environment: Readonly<Record<string, string>>): void {
  for (const name of ['AWS_PROFILE', 'AWS_SESSION_TOKEN', 'AWS_ENDPOINT_URL']) delete process.env[name];
  Object.assign(process.env, environment);
}
