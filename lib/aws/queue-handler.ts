import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Log } from '#lib/domain/ports.ts';
import { correlated } from './telemetry.ts';

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
