import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Metrics } from '#lib/domain/ports.ts';
import { AT_ONCE, runTask, TURN_MS } from '#lib/reactions/deliver.ts';
import { addresseeOf, type Task } from '#lib/reactions/delivery.ts';
import type { DeliverPorts, Lane } from '#lib/reactions/target.ts';
import { taskIn } from './queues.ts';
import { correlated, isDone } from './telemetry.ts';

const PUT_BACK_S = 2;

interface Place {
  readonly record: SQSRecord;
  readonly task: Task;
}

/**
 * The Lambda that calls endpoints: a batch side by side, of one endpoint two at a time and in order. Where these take
 * long, the rest of it goes to the end of the queue, as new messages: one that is only hidden would be received so often
 * that it is taken for dead.
 */
export function deliverHandler(given: DeliverPorts) {
  return async ({ Records }: SQSEvent, { awsRequestId }: Context): Promise<SQSBatchResponse> => {
    const { metrics, write } = summed(given.metrics);
    const ports = { ...given, metrics };
    const { log } = ports;
    const run = (task: Task, lane: Lane) => runTask(ports, task, lane);
    const startedAt = ports.clock.monotonic();
    const isTurnOver = () => ports.clock.monotonic() - startedAt >= TURN_MS;
    const places = Records.flatMap((record) => read(ports, record) ?? []);
    const done = new Set<string>();
    const work = async (queue: Place[], lane: Lane) => {
      for (let place = queue.shift(); place; place = queue.shift()) {
        const { record, task } = place;
        const isOver = await correlated({ requestId: awsRequestId, queueMessage: record.messageId }, () =>
          isTurnOver()
            ? // Should it not be taken, it comes back with the time-out of the queue.
              isDone(log, 'a delivery could not be put back', () => ports.tasks.send(task, PUT_BACK_S), idsOf(task))
            : isDone(log, 'a delivery could not be done; it will come again', () => run(task, lane), idsOf(task)),
        );
        if (isOver) done.add(record.messageId);
      }
    };
    const queues = [...Map.groupBy(places, ({ task }) => addressOf(task)).values()];
    await Promise.all(
      queues.map(async (queue) => {
        const workers = Math.min(AT_ONCE, queue.length);
        // As none of its tasks is begun later than in its turn, what was read of an endpoint is no older than that.
        const lane = { atOnce: AT_ONCE / workers };
        await Promise.all(Array.from({ length: workers }, () => work(queue, lane)));
      }),
    );
    write();
    const failed = Records.filter(({ messageId }) => !done.has(messageId));
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}

/** What a batch counts, in one line for each: a line for each call would cost more than the call's share of the run. */
function summed(metrics: Metrics): { readonly metrics: Metrics; readonly write: () => void } {
  const sums = new Map<string, { readonly args: Parameters<Metrics['count']>; value: number }>();
  return {
    metrics: {
      count: (name, fields, value = 1) => {
        const key = JSON.stringify([name, fields]);
        const sum = sums.get(key) ?? { args: [name, fields], value: 0 };
        sums.set(key, { ...sum, value: sum.value + value });
      },
    },
    write: () => {
      for (const { args, value } of sums.values()) metrics.count(args[0], args[1], value);
    },
  };
}

/**
 * Each endpoint has its own. All mails share one, whichever rule they are of: with its attachment, one takes thirteen
 * megabytes in memory until it is sent.
 */
const addressOf = (task: Task): string =>
  task.kind === 'action' && task.does === 'email' ? 'mail' : addresseeOf(task);

const idsOf = (task: Task) => ({ addressee: addresseeOf(task) });

function read({ log }: DeliverPorts, record: SQSRecord): Place | undefined {
  try {
    return { record, task: taskIn(record.body) };
  } catch (cause) {
    log.error('a message of the queue could not be read', cause);
    return undefined;
  }
}
