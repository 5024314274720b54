import * as v from 'valibot';
import type { Tick, Ticks } from '#lib/app/sending/ports.ts';
import { checked } from '#lib/domain/issue.ts';
import { type AwsClient, AwsError, AwsUnreachable } from './client.ts';

const TickBody = v.object({
  account: v.string(),
  gen: v.number(),
  at: v.number(),
  exchanges: v.exactOptional(v.number()),
});

/** A tick that is lost costs its account a minute, until the watchdog looks; one too many costs nothing. */
const TRIES = 3;

/** The errands of the sender on SQS. They hold an id, a number and a time, and nothing of a message. */
export function sqsTicks(sqs: AwsClient, queueUrl: string): Ticks {
  return {
    send: async (tick, delaySeconds) => {
      const input = {
        QueueUrl: queueUrl,
        MessageBody: JSON.stringify(tick),
        DelaySeconds: delaySeconds,
      };
      for (let tries = 1; ; tries++) {
        try {
          await sqs('SendMessage', input);
          return;
        } catch (error) {
          const mayPass = error instanceof AwsUnreachable || (error instanceof AwsError && error.status >= 500);
          if (!mayPass || tries === TRIES) throw error;
        }
      }
    },
  };
}

/** Hides a tick for so many seconds more, so that it comes back when there may be something to do, and not before. */
export async function hideTick(
  sqs: AwsClient,
  queueUrl: string,
  receiptHandle: string,
  seconds: number,
): Promise<void> {
  const input = { QueueUrl: queueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout: seconds };
  await sqs('ChangeMessageVisibility', input);
}

/** Throws on what is no tick: the message then goes to the dead-letter queue, where an operator sees it. */
export function tickOf(messageBody: string): Tick {
  return checked(v.pipe(v.string(), v.parseJson(), TickBody), messageBody, () => 'a message of the queue is no tick');
}
