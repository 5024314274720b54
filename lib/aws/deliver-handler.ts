import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { type DeliverPorts, runTask } from '#lib/reactions/deliver.ts';
import { addresseeOf, type Task } from '#lib/reactions/task.ts';
import { hide, taskIn } from './queues.ts';
import { correlated } from './telemetry.ts';

/** Of one endpoint: a slow one is not to hold all ten places of a batch. */
const AT_ONCE = 2;
const PUT_BACK_S = 2;

/**
 * The Lambda that calls endpoints: a batch side by side, at most two calls of one endpoint, the rest put back for a
 * moment.
 */
export function deliverHandler(ports: DeliverPorts, queue: { readonly sqs: SQSClient; readonly queueUrl: string }) {
  return async ({ Records }: SQSEvent, { awsRequestId }: Context): Promise<SQSBatchResponse> => {
    const busy = new Map<string, number>();
    const places = Records.map((record) => {
      const task = read(ports, record);
      const before = task ? (busy.get(addresseeOf(task)) ?? 0) : 0;
      if (task) busy.set(addresseeOf(task), before + 1);
      return { record, task, isPutBack: before >= AT_ONCE };
    });
    const done = await Promise.all(
      places.map(({ record, task, isPutBack }) =>
        correlated({ requestId: awsRequestId, queueMessage: record.messageId }, async () => {
          if (!task) return false;
          if (!isPutBack) return isDone(ports, task);
          await putBack(ports, queue, record);
          return false;
        }),
      ),
    );
    const failed = Records.filter((_, i) => done[i] !== true);
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}

function read({ log }: DeliverPorts, { body }: SQSRecord): Task | undefined {
  try {
    return taskIn(body);
  } catch (cause) {
    log.error('a message of the queue could not be read', cause);
    return undefined;
  }
}

async function isDone(ports: DeliverPorts, task: Task): Promise<boolean> {
  try {
    await runTask(ports, task);
    return true;
  } catch (cause) {
    ports.log.error('a delivery could not be done; it will come again', cause, { addressee: addresseeOf(task) });
    return false;
  }
}

/** Should it not be hidden, it comes back with the time-out of the queue. */
async function putBack(
  { log }: DeliverPorts,
  { sqs, queueUrl }: { sqs: SQSClient; queueUrl: string },
  record: SQSRecord,
) {
  await hide(sqs, queueUrl, record.receiptHandle, PUT_BACK_S).catch((cause: unknown) => {
    log.error('a delivery could not be put back', cause);
  });
}
