import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { parse, type ScalarTag } from 'yaml';

/** A value in the environment: text, or CloudFormation's reference to a resource. */
const Reference = v.union([
  v.object({ Ref: v.string() }),
  v.object({ 'Fn::GetAtt': v.tuple([v.string(), v.literal('Arn')]) }),
]);
export type Reference = v.InferOutput<typeof Reference>;

const Environment = v.record(v.string(), v.union([v.string(), v.pipe(v.number(), v.transform(String)), Reference]));

/** What the host reads of a function's `stream` event. The rest concerns AWS alone. */
export const StreamEvent = v.object({
  batchSize: v.optional(v.number(), 100),
  maximumRetryAttempts: v.optional(v.number(), 5),
  functionResponseType: v.optional(v.literal('ReportBatchItemFailures')),
  filterPatterns: v.optional(v.array(v.unknown()), []),
  tumblingWindowInSeconds: v.optional(v.number()),
});
export type StreamEvent = v.InferOutput<typeof StreamEvent>;

const Event = v.union([
  v.strictObject({ httpApi: v.string() }),
  v.strictObject({
    sqs: v.strictObject({
      arn: Reference,
      batchSize: v.optional(v.number(), 10),
      maximumBatchingWindow: v.optional(v.number()),
      maximumConcurrency: v.optional(v.number(), 5),
      functionResponseType: v.optional(v.literal('ReportBatchItemFailures')),
      enabled: v.optional(v.boolean()),
    }),
  }),
  v.strictObject({ schedule: v.union([v.string(), v.looseObject({ rate: v.string() })]) }),
  v.strictObject({ stream: StreamEvent }),
]);

const FunctionFile = v.looseObject({
  handler: v.string(),
  timeout: v.optional(v.number(), 6),
  memorySize: v.optional(v.number(), 1024),
  environment: v.optional(Environment, {}),
  events: v.optional(v.array(Event), []),
});
type FunctionFile = v.InferOutput<typeof FunctionFile>;

export interface ServiceFunction extends FunctionFile {
  readonly name: string;
}

const QueueProperties = v.looseObject({
  QueueName: v.string(),
  VisibilityTimeout: v.optional(v.number()),
  MessageRetentionPeriod: v.optional(v.number()),
  DelaySeconds: v.optional(v.number()),
  RedrivePolicy: v.optional(v.object({ deadLetterTargetArn: Reference, maxReceiveCount: v.number() })),
});
type QueueProperties = v.InferOutput<typeof QueueProperties>;

export interface ServiceQueue extends QueueProperties {
  /** Its name in the template, by which functions refer to it. */
  readonly id: string;
}

export const TableProperties = v.looseObject({
  TableName: v.string(),
  StreamSpecification: v.optional(v.looseObject({ StreamViewType: v.string() })),
});
export type TableProperties = v.InferOutput<typeof TableProperties>;

/** What the host reads of `serverless.yml`. The rest concerns AWS alone. */
const ServerlessFile = v.looseObject({
  service: v.string(),
  provider: v.looseObject({ environment: v.optional(Environment, {}) }),
  functions: v.record(v.string(), FunctionFile),
  resources: v.array(
    v.looseObject({
      Resources: v.optional(v.record(v.string(), v.looseObject({ Type: v.string(), Properties: v.unknown() })), {}),
    }),
  ),
});

/** Where the `${…}` of the serverless framework get their values from. */
interface VariableSources {
  /** The parsed content of a file named by `${file(…)}`, relative to `serverless.yml`, or what it has under a name. */
  readonly file: (path: string, name?: string) => unknown;
  /** The value at a path of `serverless.yml`, for `${self:…}`. */
  readonly self: (path: string) => unknown;
  readonly stage: string;
  /** What `--param` sets for a deployment. */
  readonly params: Readonly<Record<string, unknown>>;
}

const variable = /\$\{([^${}]+)\}/g;

/** Replaces the framework's variables throughout a document; CloudFormation's own, such as `${AWS::Region}`, stay. */
export function resolveVariables(node: unknown, sources: VariableSources): unknown {
  if (typeof node === 'string') return resolveText(node, sources);
  if (Array.isArray(node)) return node.map((item) => resolveVariables(item, sources));
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, resolveVariables(value, sources)]));
}

function resolveText(text: string, sources: VariableSources): unknown {
  const whole = /^\$\{([^${}]+)\}$/.exec(text)?.[1];
  if (whole !== undefined && isOurs(whole)) return resolveVariables(firstValue(whole, sources), sources);
  return text.replaceAll(variable, (original, expression: string) =>
    isOurs(expression) ? String(resolveVariables(firstValue(expression, sources), sources)) : original,
  );
}

/** The framework's variables name a source; CloudFormation's name a resource or a pseudo parameter. */
function isOurs(expression: string): boolean {
  return /^(file\(|self:|sls:|opt:|env:|param:)/.test(expression);
}

/** The first of the alternatives that has a value: `${opt:region, 'eu-central-1'}`. */
function firstValue(expression: string, sources: VariableSources): unknown {
  for (const alternative of expression.split(',')) {
    const value = valueOfOne(alternative.trim(), sources);
    if (value !== undefined) return value;
  }
  throw new Error(`serverless.yml: nothing gives \${${expression}} a value`);
}

function valueOfOne(alternative: string, sources: VariableSources): unknown {
  const [, literal] = /^'(.*)'$/.exec(alternative) ?? [];
  if (literal !== undefined) return literal;
  if (alternative === 'null') return null;
  if (/^\d+$/.test(alternative)) return Number(alternative);
  const [, path, address] = /^file\((.+)\)(?::(\w+))?$/.exec(alternative) ?? [];
  if (path !== undefined) return sources.file(path, address);
  if (alternative === 'sls:stage' || alternative === 'opt:stage') return sources.stage;
  if (alternative.startsWith('self:')) return sources.self(alternative.slice('self:'.length));
  if (alternative.startsWith('param:')) return sources.params[alternative.slice('param:'.length)];
  return undefined; // the environment and options of a deployment mean nothing on one machine
}

/** The short forms of CloudFormation's functions, as their long forms: `!Ref Table` is `{ Ref: 'Table' }`. */
const cloudFormationTags: ScalarTag[] = [
  { tag: '!Ref', resolve: (name) => ({ Ref: name }) },
  { tag: '!Sub', resolve: (text) => ({ 'Fn::Sub': text }) },
  { tag: '!GetAtt', resolve: (path) => ({ 'Fn::GetAtt': path.split('.') }) },
];

/** One's own machine has no limit that the sender would have to share with the webhooks. */
const params = { senderConcurrency: 50, deliverConcurrency: 20 };

const load = createRequire(import.meta.url);

/** `serverless.yml` with every file that it includes, so that what runs here is what is deployed. */
function readServerlessFile(path: string, stage: string): unknown {
  const folder = dirname(path);
  const read = (file: string): unknown =>
    file.endsWith('.cjs') ? load(file) : parse(readFileSync(file, 'utf8'), { customTags: cloudFormationTags });
  const document = read(path);
  return resolveVariables(document, {
    stage,
    params,
    file: (included, name) => at(read(join(folder, included)), name === undefined ? [] : [name]),
    self: (keys) => at(document, keys.split('.')),
  });
}

function at(node: unknown, keys: readonly string[]): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return node;
  if (typeof node !== 'object' || node === null) return undefined;
  return at(Object.entries(node).find(([name]) => name === key)?.[1], rest);
}

/** Everything that `serverless.yml` says which the host needs to run the same functions on one machine. */
export interface Service {
  readonly name: string;
  readonly functions: readonly ServiceFunction[];
  readonly queues: readonly ServiceQueue[];
  readonly table: TableProperties;
  /** The table's name in the template. */
  readonly tableId: string;
}

const stage = 'local';

export function readService(path: string): Service {
  const file = v.parse(ServerlessFile, readServerlessFile(path, stage));
  const resources = Object.assign({}, ...file.resources.map((part) => part.Resources));
  const ofType = (type: string) =>
    Object.entries<{ Type: string; Properties: unknown }>(resources).filter(([, resource]) => resource.Type === type);

  const tables = ofType('AWS::DynamoDB::Table');
  const [table] = tables;
  if (!table || tables.length > 1) throw new Error(`serverless.yml defines ${tables.length} tables, not one`);
  return {
    name: file.service,
    functions: Object.entries(file.functions).map(([name, raw]) => ({
      ...raw,
      name,
      environment: { ...file.provider.environment, ...raw.environment },
    })),
    queues: ofType('AWS::SQS::Queue').map(([id, { Properties }]) => ({ id, ...v.parse(QueueProperties, Properties) })),
    table: v.parse(TableProperties, table[1].Properties),
    tableId: table[0],
  };
}
