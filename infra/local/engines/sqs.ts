import { join } from 'node:path';
import { type BuildAppOptions, buildApp } from 'fauxqs';
import { checkDatabase } from '../data-folder.ts';
import type { ServiceQueue } from '../service.ts';
import { callAws, localAws } from './local-aws.ts';

type Stores = NonNullable<BuildAppOptions['stores']>;

/** The parts of fauxqs that are not exported: pinned to one exact version, and each start uses all of them. */
interface Internals {
  SqsStore: new () => Stores['sqsStore'];
  SnsStore: new () => Stores['snsStore'];
  S3Store: new () => Stores['s3Store'];
  PersistenceManager: new (folder: string) => Persistence;
}
interface Persistence {
  readonly db: { prepare(sql: string): { run(...values: unknown[]): unknown } };
  loadSqsAndSns(queues: Stores['sqsStore'], topics: Stores['snsStore']): void;
  updateMessageReady(messageId: string): void;
  close(): void;
}

/** What SQS takes. */
const LONGEST_DELAY_MS = 900_000;

/**
 * Queues whose messages are written to a file before they are acknowledged. fauxqs offers this only together with a server that
 * listens on every address of the machine; webhook bodies wait in these queues, so it is put together here instead.
 */
async function openQueueStores(folder: string): Promise<Stores & { close(): void }> {
  const { SqsStore, SnsStore, S3Store, PersistenceManager } = await loadInternals();
  checkDatabase(join(folder, 'fauxqs.db'));
  const persistence = new PersistenceManager(folder);
  // The system has what was written, so it outlives any end of this process; to wait for the disk three times for each
  // tick would stop everything else here, since these calls block.
  persistence.db.prepare('PRAGMA synchronous = NORMAL').run();
  // As published it also clears the receive count, which the table forbids: a message given back would be an error.
  persistence.updateMessageReady = (messageId) => {
    persistence.db
      .prepare('UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = ?')
      .run(messageId);
  };
  // Whoever had received a message ended with the hub: nobody is to wait for its visibility time-out.
  persistence.db.prepare('UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL').run();
  // No delay is longer: the clock was set back, and nobody is to wait until it is there again.
  persistence.db
    .prepare('UPDATE sqs_messages SET delay_until = NULL WHERE delay_until > ?')
    .run(Date.now() + LONGEST_DELAY_MS);
  const stores = { sqsStore: new SqsStore(), snsStore: new SnsStore(), s3Store: new S3Store() };
  persistence.loadSqsAndSns(stores.sqsStore, stores.snsStore);
  Object.assign(stores.sqsStore, { persistence });
  for (const queue of stores.sqsStore.allQueues()) Object.assign(queue, { persistence });
  return { ...stores, close: () => persistence.close() };
}

async function loadInternals(): Promise<Internals> {
  const entry = import.meta.resolve('fauxqs');
  const files = ['sqs/sqsStore.js', 'sns/snsStore.js', 's3/s3Store.js', 'persistence.js'];
  const modules = await Promise.all(files.map((file) => import(new URL(file, entry).href)));
  return Object.assign({}, ...modules);
}

export interface SqsEngine {
  readonly endpoint: string;
  /** By the queue's name in the template. */
  readonly queues: ReadonlyMap<string, LocalQueue>;
  stop(): Promise<void>;
}

export interface LocalQueue {
  readonly url: string;
  readonly arn: string;
}

/** Runs the queues of the template in this process; with a folder, what they hold outlives even `kill -9`. */
export async function startSqs(definitions: readonly ServiceQueue[], folder?: string): Promise<SqsEngine> {
  const stores = folder ? await openQueueStores(folder) : undefined;
  const app = buildApp({
    logger: false,
    defaultRegion: localAws.region,
    ...(stores ? { stores } : {}),
  });
  if (stores) app.addHook('preClose', async () => stores.close());
  // fauxqs by itself would listen on every address of the machine.
  const endpoint = await app.listen({ port: 0, host: '127.0.0.1' });
  const queues = new Map(definitions.map((definition) => [definition.id, locate(endpoint, definition.QueueName)]));
  const deadFirst = [...definitions].sort((a, b) => Number(!!a.RedrivePolicy) - Number(!!b.RedrivePolicy));
  for (const definition of deadFirst) await createQueue(endpoint, definition, queues);
  return { endpoint, queues, stop: () => app.close() };
}

function locate(endpoint: string, name: string): LocalQueue {
  return {
    url: `${endpoint}/${localAws.accountId}/${name}`,
    arn: `arn:aws:sqs:${localAws.region}:${localAws.accountId}:${name}`,
  };
}

async function createQueue(
  endpoint: string,
  definition: ServiceQueue,
  queues: ReadonlyMap<string, LocalQueue>,
): Promise<void> {
  const attributes = attributesOf(definition, queues);
  const call = (action: string, input: unknown) => callAws(endpoint, `AmazonSQS.${action}`, input);
  // A queue that was kept from an earlier start takes on what the template says now.
  const url = queues.get(definition.id)?.url;
  const kept = await call('SetQueueAttributes', { QueueUrl: url, Attributes: attributes });
  if (kept.status === 200) return;
  const made = await call('CreateQueue', { QueueName: definition.QueueName, Attributes: attributes });
  if (made.status !== 200) throw new Error(`queue ${definition.QueueName}: ${JSON.stringify(made.output)}`);
}

function attributesOf(definition: ServiceQueue, queues: ReadonlyMap<string, LocalQueue>): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const name of ['VisibilityTimeout', 'MessageRetentionPeriod', 'DelaySeconds'] as const) {
    if (definition[name] !== undefined) attributes[name] = String(definition[name]);
  }
  if (!definition.RedrivePolicy) return attributes;
  const { deadLetterTargetArn: reference, maxReceiveCount } = definition.RedrivePolicy;
  const id = 'Ref' in reference ? reference.Ref : reference['Fn::GetAtt'][0];
  const deadLetterTargetArn = queues.get(id)?.arn;
  if (!deadLetterTargetArn) throw new Error(`queue ${definition.QueueName} redrives to ${id}, which is no queue`);
  return { ...attributes, RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount }) };
}
