import type { SQSEvent } from 'aws-lambda';
import type { Task, Tasks } from '#lib/reactions/delivery.ts';

/** A queue of deliveries that takes each task by itself, without a task one that takes all and does nothing. */
export const tasksBy = (send: Tasks['send'] = async () => undefined): Tasks => ({
  send,
  sendAll: async (tasks) => {
    for (const task of tasks) await send(task);
  },
});

/** The same as a batch of the queue hands them over. */
export const recordsOf = (tasks: readonly Task[]) =>
  tasks.map((task, i): SQSEvent['Records'][number] => ({
    ...{ messageId: String(i), receiptHandle: '', body: JSON.stringify(task), md5OfBody: '', messageAttributes: {} },
    ...{ eventSource: '', eventSourceARN: '', awsRegion: '' },
    attributes: { ApproximateReceiveCount: '1', SentTimestamp: '', SenderId: '', ApproximateFirstReceiveTimestamp: '' },
  }));
