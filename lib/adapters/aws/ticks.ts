import { ChangeMessageVisibilityCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import type { Tick, Ticks } from '#lib/app/sending/ports.ts';
import { checked } from '#lib/domain/issue.ts';
import { fail } from './clients.ts';

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
 * The errands of the sender on SQS. They hold ids, numbers and times, and nothing of what a message says. The client attempts
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

/** Hides a tick for so many seconds more, so that it comes back when there may be something to do, and not before. */
export async function hideTick(
  sqs: SQSClient,
  queueUrl: string,
  receiptHandle: string,
  seconds: number,
): Promise<void> {
  const input = { QueueUrl: queueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout: seconds };
  await sqs.send(new ChangeMessageVisibilityCommand(input)).catch(fail);
}

/** Throws on what is no tick: the message then goes to the dead-letter queue, where an operator sees it. */
export function tickOf(messageBody: string): Tick {
  return checked(v.pipe(v.string(), v.parseJson(), TickBody), messageBody, () => 'a message of the queue is no tick');
}
