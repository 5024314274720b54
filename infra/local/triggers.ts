import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SQSRecord } from 'aws-lambda';
import * as v from 'valibot';
import { callAws, localAws } from './engines/local-aws.ts';
import type { LocalQueue } from './engines/sqs.ts';
import type { FaultReport } from './http/gateway.ts';
import type { Invocation, Lambda } from './lambda.ts';

interface BatchOutcome {
  readonly failed: ReadonlySet<string>;
  /** What to report when the function did not say which messages failed. */
  readonly fault?: unknown;
}

const BatchResponse = v.nullish(
  v.looseObject({ batchItemFailures: v.nullish(v.array(v.object({ itemIdentifier: v.string() }))) }),
);

/** Which messages of a batch stay on the queue: Lambda's rules, in which an answer that makes no sense fails them all. */
export function outcomeOf(invocation: Invocation, ids: readonly string[], reportsFailures: boolean): BatchOutcome {
  const all = (fault: unknown): BatchOutcome => ({ failed: new Set(ids), fault });
  if (invocation.kind === 'timeout') return all(new Error('ran into its timeout'));
  if (invocation.kind === 'failed') return all(invocation.error);
  if (!reportsFailures) return { failed: new Set() };
  const response = v.safeParse(BatchResponse, invocation.result);
  if (!response.success) return all(new Error('answered a batch with something else than batchItemFailures'));
  const failed = (response.output?.batchItemFailures ?? []).map((failure) => failure.itemIdentifier);
  const unknown = failed.find((id) => !ids.includes(id));
  if (unknown !== undefined)
    return all(new Error(`reported a failure of ${unknown || 'nothing'}, which it was not given`));
  return { failed: new Set(failed) };
}

interface EventSource {
  readonly queue: LocalQueue;
  readonly endpoint: string;
  readonly lambda: Lambda;
  readonly batchSize: number;
  readonly maximumConcurrency: number;
  readonly reportsFailures: boolean;
  readonly report: FaultReport;
}

const Received = v.object({
  Messages: v.optional(
    v.array(
      v.object({
        MessageId: v.string(),
        ReceiptHandle: v.string(),
        Body: v.string(),
        MD5OfBody: v.string(),
        Attributes: v.record(v.string(), v.string()),
      }),
    ),
    [],
  ),
});
type Message = v.InferOutput<typeof Received>['Messages'][number];

/** SQS waits at most this many seconds for a message to come. */
const longPollSeconds = 20;

/** Feeds a function from a queue as Lambda does, and returns what ends it once the batches under way are done. */
export function startEventSource(source: EventSource): () => Promise<void> {
  const stop = new AbortController();
  const batches = new Set<Promise<void>>();
  const polling = poll(source, batches, stop.signal);
  return async () => {
    stop.abort();
    await polling;
    await Promise.all(batches);
  };
}

async function poll(source: EventSource, batches: Set<Promise<void>>, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    try {
      const room = source.maximumConcurrency - batches.size;
      const messages = await receive(source, room * source.batchSize, stop);
      for (const some of inBatches(messages, source.batchSize)) {
        const batch = handOver(source, some)
          .catch((error: unknown) => source.report(source.lambda.name, error))
          .finally(() => batches.delete(batch));
        batches.add(batch);
      }
      if (batches.size >= source.maximumConcurrency) await Promise.race(batches);
    } catch (error) {
      if (stop.aborted) return;
      source.report(source.lambda.name, error);
      await sleep(1000);
    }
  }
}

/** As many at once as there is room for: twenty ticks that come together are not to wait for each other's receive. */
async function receive({ endpoint, queue }: EventSource, atMost: number, stop: AbortSignal): Promise<Message[]> {
  const input = {
    QueueUrl: queue.url,
    MaxNumberOfMessages: Math.min(10, atMost),
    WaitTimeSeconds: longPollSeconds,
    MessageSystemAttributeNames: ['All'],
  };
  const { status, output } = await callAws(endpoint, 'AmazonSQS.ReceiveMessage', input, stop);
  if (status !== 200) throw new Error(`ReceiveMessage: ${JSON.stringify(output)}`);
  return v.parse(Received, output).Messages;
}

function inBatches(messages: readonly Message[], size: number): Message[][] {
  const count = Math.ceil(messages.length / size);
  return Array.from({ length: count }, (_, number) => messages.slice(number * size, (number + 1) * size));
}

/** What was not done comes back when its visibility time-out has passed, and counts as received once more. */
async function handOver(source: EventSource, messages: readonly Message[]): Promise<void> {
  const { lambda, queue, endpoint, reportsFailures, report } = source;
  const invocation = await lambda.invoke({ Records: messages.map((message) => toRecord(message, queue)) });
  const outcome: BatchOutcome = outcomeOf(
    invocation,
    messages.map((message) => message.MessageId),
    reportsFailures,
  );
  if (outcome.fault !== undefined) report(lambda.name, outcome.fault);
  const done = messages.filter((message) => !outcome.failed.has(message.MessageId));
  if (done.length === 0) return;
  const Entries = done.map((message, index) => ({ Id: String(index), ReceiptHandle: message.ReceiptHandle }));
  const { status, output } = await callAws(endpoint, 'AmazonSQS.DeleteMessageBatch', { QueueUrl: queue.url, Entries });
  if (status !== 200) throw new Error(`DeleteMessageBatch: ${JSON.stringify(output)}`);
}

function toRecord(message: Message, queue: LocalQueue): SQSRecord {
  const { SenderId = '', SentTimestamp = '', ApproximateReceiveCount = '' } = message.Attributes;
  const { ApproximateFirstReceiveTimestamp = '' } = message.Attributes;
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: { SenderId, SentTimestamp, ApproximateReceiveCount, ApproximateFirstReceiveTimestamp },
    messageAttributes: {},
    md5OfBody: message.MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: queue.arn,
    awsRegion: localAws.region,
  };
}

const units: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** The period of `rate(1 minute)`, in milliseconds. */
export function periodOf(expression: string): number {
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const length = units[unit];
  if (!length) throw new Error(`serverless.yml: the schedule ${expression} is not of the form rate(1 minute)`);
  return Number(count) * length;
}

/** A hub that was just started has most to look after, and a newcomer watches it: the first call does not wait for a period. */
const FIRST_CALL_MS = 1000;

/** Calls a function again and again, never twice at once, and returns what ends it after the call under way. */
export function startSchedule(lambda: Lambda, periodMs: number, report: FaultReport): () => Promise<void> {
  let running: Promise<void> | undefined;
  const call = () => {
    running ??= run(lambda, report).finally(() => {
      running = undefined;
    });
  };
  const first = setTimeout(call, Math.min(FIRST_CALL_MS, periodMs));
  const timer = setInterval(call, periodMs);
  return async () => {
    clearTimeout(first);
    clearInterval(timer);
    await running;
  };
}

async function run(lambda: Lambda, report: FaultReport): Promise<void> {
  const invocation = await lambda.invoke({
    id: randomUUID(),
    source: 'aws.events',
    'detail-type': 'Scheduled Event',
    account: localAws.accountId,
    region: localAws.region,
    time: new Date().toISOString(),
    resources: [],
    detail: {},
  });
  if (invocation.kind === 'timeout') report(lambda.name, new Error('ran into its timeout'));
  if (invocation.kind === 'failed') report(lambda.name, invocation.error);
}
