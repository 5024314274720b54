import * as v from 'valibot';

/** A value in the environment: text, or CloudFormation's reference to a resource. */
const Reference = v.union([
  v.object({ Ref: v.string() }),
  v.object({ 'Fn::GetAtt': v.tuple([v.string(), v.literal('Arn')]) }),
]);
export type Reference = v.InferOutput<typeof Reference>;

const Environment = v.record(v.string(), v.union([v.string(), Reference]));

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
  // The table's stream is read on AWS alone.
  v.strictObject({ stream: v.unknown() }),
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

export const QueueProperties = v.looseObject({
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

export const TableProperties = v.looseObject({ TableName: v.string() });
export type TableProperties = v.InferOutput<typeof TableProperties>;

/** What the host reads of `serverless.yml`. The rest concerns AWS alone. */
export const ServerlessFile = v.looseObject({
  service: v.string(),
  provider: v.looseObject({ environment: v.optional(Environment, {}) }),
  functions: v.record(v.string(), FunctionFile),
  resources: v.array(
    v.looseObject({
      Resources: v.optional(v.record(v.string(), v.looseObject({ Type: v.string(), Properties: v.unknown() })), {}),
    }),
  ),
});
