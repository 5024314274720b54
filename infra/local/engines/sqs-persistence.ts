import type { BuildAppOptions } from 'fauxqs';

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

/**
 * Queues whose messages are written to a file before they are acknowledged. fauxqs offers this only together with a server that
 * listens on every address of the machine; webhook bodies wait in these queues, so it is put together here instead.
 */
export async function openQueueStores(folder: string): Promise<Stores & { close(): void }> {
  const { SqsStore, SnsStore, S3Store, PersistenceManager } = await loadInternals();
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
