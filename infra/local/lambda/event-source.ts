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

/** Lambda asks so many times at once. One after the other, twenty ticks that come together would wait for each other. */
const pollersOfLambda = 5;

/** SQS waits at most this many seconds for a message to come. */
const longPollSeconds = 20;

/** Feeds a function from a queue as Lambda does, and returns what ends it once the batches under way are done. */
export function startEventSource(source: EventSource): () => Promise<void> {
  const stop = new AbortController();
  const batches = new Set<Promise<void>>();
  const pollers = Math.min(pollersOfLambda, source.maximumConcurrency);
  // Each of them may bring one more batch.
  const atMost = source.maximumConcurrency - pollers;
  const polling = Promise.all(Array.from({ length: pollers }, () => poll(source, batches, atMost, stop.signal)));
  return async () => {
    stop.abort();
    await polling;
    await Promise.all(batches);
  };
}

async function poll(
  source: EventSource,
  batches: Set<Promise<void>>,
  atMost: number,
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    try {
      while (batches.size > atMost) await Promise.race(batches);
      const messages = await receive(source, stop);
      if (messages.length === 0) continue;
      const batch = handOver(source, messages)
        .catch((error: unknown) => source.report(source.lambda.name, error))
        .finally(() => batches.delete(batch));
      batches.add(batch);
    } catch (error) {
      if (stop.aborted) return;
      source.report(source.lambda.name, error);
      await sleep(1000);
    }
  }
}

async function receive({ endpoint, queue, batchSize }: EventSource, stop: AbortSignal): Promise<Message[]> {
  const input = {
    QueueUrl: queue.url,
    MaxNumberOfMessages: Math.min(10, batchSize),
    WaitTimeSeconds: longPollSeconds,
    MessageSystemAttributeNames: ['All'],
  };
  const { status, output } = await callAws(endpoint, 'AmazonSQS.ReceiveMessage', input, stop);
  if (status !== 200) throw new Error(`ReceiveMessage: ${JSON.stringify(output)}`);
  return v.parse(Received, output).Messages;
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
