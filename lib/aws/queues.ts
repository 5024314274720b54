import { gunzipSync, gzipSync } from 'node:zlib';
import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as v from 'valibot';
import { sha256 } from '#lib/domain/ids.ts';
import type { Clock, Log } from '#lib/domain/ports.ts';
import { checked } from '#lib/domain/schema.ts';
import { type Envelope, type FallbackQueue, QueueUnavailable } from '#lib/inbox/records.ts';
import { addresseeOf, type Task, TaskBody, type Tasks } from '#lib/reactions/delivery.ts';
import type { SelfPost, Tick, Ticks } from '#lib/sender/provider.ts';
import { ATTEMPT_MS, fail } from './clients.ts';
import { correlated } from './telemetry.ts';

/** Base64 characters of a chunk; the whole message then stays under 256 KiB. */
const CHUNK_CHARACTERS = 200 * 1024;
/** More than the largest body that is taken in can ever need, compressed or not. */
const MOST_CHUNKS = 8;

const Chunk = v.object({
  parcel: v.string(),
  index: v.number(),
  count: v.number(),
  webhook: v.union([
    v.object({ ownAccount: v.string() }),
    v.object({
      tokenHash: v.string(),
      secretHash: v.exactOptional(v.string()),
      otherHashes: v.exactOptional(v.pipe(v.array(v.string()), v.readonly())),
    }),
    v.object({
      webhookId: v.string(),
      workspace: v.string(),
      accountId: v.exactOptional(v.string()),
      retentionDays: v.exactOptional(v.number()),
    }),
  ]),
  provider: v.string(),
  contentType: v.string(),
  receivedAt: v.number(),
  bodyHash: v.string(),
  eventId: v.exactOptional(v.string()),
  data: v.string(),
});
/** One message of the fallback queue: an envelope, or a numbered piece of one. */
export type Chunk = v.InferOutput<typeof Chunk>;

export function fallbackQueue(sqs: SQSClient, queueUrl: string): FallbackQueue {
  return {
    send: async (envelope) => {
      const chunks = chunksOf(envelope);
      if (chunks.length > MOST_CHUNKS) return false;
      try {
        await Promise.all(
          chunks.map((chunk) => {
            const command = new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(chunk) });
            // The use case knows how long the provider waits, and repeats it until then.
            return sqs.send(command, { abortSignal: AbortSignal.timeout(ATTEMPT_MS) }).catch(fail);
          }),
        );
        return true;
      } catch (cause) {
        throw new QueueUnavailable('the fallback queue did not take a parcel', { cause });
      }
    },
  };
}

export function chunksOf({ raw, ...envelope }: Envelope): Chunk[] {
  const data = gzipSync(raw).toString('base64');
  const id = sha256(`${JSON.stringify(envelope.webhook)}${envelope.receivedAt}${sha256(raw)}`).slice(0, 32);
  const count = Math.max(1, Math.ceil(data.length / CHUNK_CHARACTERS));
  return Array.from({ length: count }, (_, index) => ({
    parcel: id,
    index,
    count,
    ...envelope,
    data: data.slice(index * CHUNK_CHARACTERS, (index + 1) * CHUNK_CHARACTERS),
  }));
}

/** Throws on what is no chunk: the message then goes to the dead-letter queue, where an operator sees it. */
export function chunkOf(messageBody: string): Chunk {
  return checked(v.pipe(v.string(), v.parseJson(), Chunk), messageBody, () => 'a message of the queue is no parcel');
}

/** The envelope of which `chunk` is a piece, from the data of all pieces, in order. */
export function envelopeOf(chunk: Chunk, data: string): Envelope {
  const { webhook, provider, contentType, receivedAt, bodyHash } = chunk;
  return { webhook, provider, contentType, receivedAt, bodyHash, raw: gunzipSync(Buffer.from(data, 'base64')) };
}

const TickBody = v.object({
  account: v.string(),
  gen: v.number(),
  at: v.number(),
  exchanges: v.exactOptional(v.number()),
  answer: v.exactOptional(
    v.object({ send: v.string(), part: v.number(), intentAt: v.number(), providerId: v.string() }),
  ),
});

/**
 * The tasks of the sender on SQS. They hold ids, numbers and times, and nothing of what a message says. The client attempts
 * each a few times: a tick that is lost costs its account a minute, until the watchdog looks; one too many costs nothing.
 */
export function sqsTicks(sqs: SQSClient, queueUrl: string): Ticks {
  return {
    send: async (tick, delaySeconds) => {
      const MessageBody = JSON.stringify(tick);
      const command = new SendMessageCommand({ QueueUrl: queueUrl, MessageBody, DelaySeconds: delaySeconds });
      await sqs.send(command).catch(fail);
    },
  };
}

/** What SQS takes in one request. Tasks hold ids alone: ten of them are some kilobytes, of 256 that it takes. */
const MOST_AT_ONCE = 10;
/** A hundred events for fifty endpoints are 500 requests: one after another they would take most of a run's time. */
const REQUESTS_AT_ONCE = 8;

/** Deliveries to endpoints. One group for each endpoint: of a slow one's backlog the others do not suffer (fair queues). */
export function sqsTasks(sqs: SQSClient, queueUrl: string): Tasks {
  return {
    send: async (task, delaySeconds = 0) => {
      const MessageBody = JSON.stringify(task);
      const command = new SendMessageCommand({
        ...{ QueueUrl: queueUrl, MessageBody, DelaySeconds: delaySeconds },
        MessageGroupId: addresseeOf(task),
      });
      await sqs.send(command).catch(fail);
    },
    sendAll: async (tasks) => {
      const requests = partsOf(tasks, MOST_AT_ONCE);
      for (const some of partsOf(requests, REQUESTS_AT_ONCE))
        await Promise.all(some.map((request) => sendBatch(sqs, queueUrl, request)));
    },
  };
}

async function sendBatch(sqs: SQSClient, queueUrl: string, tasks: readonly Task[]): Promise<void> {
  const Entries = tasks.map((task, i) => ({
    Id: String(i),
    MessageBody: JSON.stringify(task),
    MessageGroupId: addresseeOf(task),
  }));
  const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries })).catch(fail);
  if (Failed[0]) throw new Error(`the queue did not take ${Failed.length} tasks: ${Failed[0].Code}`);
}

const partsOf = <One>(all: readonly One[], size: number): readonly (readonly One[])[] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));

/** What nobody can process, by its ids, where an operator finds it. */
export function deadLetters(sqs: SQSClient, queueUrl: string): (ids: object) => Promise<void> {
  return async (ids) => {
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(ids) })).catch(fail);
  };
}

/** Throws on what is no task: the message then goes to the dead-letter queue, where an operator sees it. */
export function taskIn(messageBody: string): Task {
  return checked(TaskBody, messageBody, () => 'a message of the queue is no task');
}

/** Hides a message for so many seconds more, so that it comes back when there may be something to do, and not before. */
export async function hide(sqs: SQSClient, queueUrl: string, receiptHandle: string, seconds: number): Promise<void> {
  const input = { QueueUrl: queueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout: seconds };
  await sqs.send(new ChangeMessageVisibilityCommand(input)).catch(fail);
}

/** Throws on what is no tick: the message then goes to the dead-letter queue, where an operator sees it. */
export function tickOf(messageBody: string): Tick {
  return checked(v.pipe(v.string(), v.parseJson(), TickBody), messageBody, () => 'a message of the queue is no tick');
}

const LONGEST_DELAY_S = 900;

/** The queue that takes deliveries the table did not: what comes out of it goes the way of every webhook. */
export function selfPost(sqs: SQSClient, queueUrl: string, clock: Pick<Clock, 'now'>): SelfPost {
  return {
    post: async ({ id, provider }, body, delaySeconds) => {
      const raw = Buffer.from(JSON.stringify(body), 'utf8');
      const envelope = {
        webhook: { ownAccount: id },
        provider,
        contentType: 'application/json',
        raw,
        bodyHash: sha256(raw),
        receivedAt: clock.now() + delaySeconds * 1000,
      };
      const [chunk, ...others] = chunksOf(envelope);
      if (!chunk || others.length > 0) return false;
      const DelaySeconds = Math.min(LONGEST_DELAY_S, Math.max(0, Math.ceil(delaySeconds)));
      try {
        const MessageBody = JSON.stringify(chunk);
        const command = new SendMessageCommand({ QueueUrl: queueUrl, MessageBody, DelaySeconds });
        await sqs.send(command, { abortSignal: AbortSignal.timeout(ATTEMPT_MS) });
        return true;
      } catch {
        return false;
      }
    },
  };
}

/** A record is not begun with less than this left: a function that is cut off leaves its work undone and unsaid. */
const ENOUGH_MS = 3000;

/** What `process` resolves to where nothing went wrong and the record is to come again all the same. */
export const AGAIN = Symbol('again');

/**
 * Hands records over one by one, in order; what failed, or could not be begun in time, goes back to the queue.
 * `process` throws to have its record delivered again.
 */
export function queueHandler(process: (record: SQSRecord, context: Context) => Promise<unknown>, log: Log) {
  return async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const failed: string[] = [];
    for (const record of event.Records) {
      const hasTime = context.getRemainingTimeInMillis() >= ENOUGH_MS;
      const ids = { requestId: context.awsRequestId, queueMessage: record.messageId };
      const isDone = hasTime && (await correlated(ids, () => succeeds(() => process(record, context), log)));
      if (!isDone) failed.push(record.messageId);
    }
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

async function succeeds(work: () => Promise<unknown>, log: Log): Promise<boolean> {
  try {
    return (await work()) !== AGAIN;
  } catch (cause) {
    log.error('a message of the queue could not be processed; it will come again', cause);
    return false;
  }
}
