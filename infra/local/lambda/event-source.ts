import { setTimeout as sleep } from 'node:timers/promises';
import type { SQSRecord } from 'aws-lambda';
import * as v from 'valibot';
import { callAws, localAws } from '../engines/local-aws.ts';
import type { LocalQueue } from '../engines/sqs.ts';
import type { FaultReport } from '../gateway/server.ts';
import { type BatchOutcome, outcomeOf } from './batch.ts';
import type { Lambda } from './lambda.ts';

export interface EventSource {
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
