import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Clock } from '#lib/app/ports.ts';
import type { SelfPost } from '#lib/app/sending/outbound.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { ATTEMPT_MS } from './clients.ts';
import { chunksOf } from './fallback-queue.ts';

const LONGEST_DELAY_S = 900;

/** The queue that takes deliveries the table did not: what comes out of it goes the way of every webhook. */
export function selfPost(sqs: SQSClient, queueUrl: string, clock: Pick<Clock, 'now'>): SelfPost {
  return {
    post: async ({ id, provider }, body, delaySeconds) => {
      const raw = Buffer.from(JSON.stringify(body), 'utf8');
      const parcel = {
        webhook: { ownAccount: id },
        provider,
        contentType: 'application/json',
        raw,
        bodyHash: sha256(raw),
        receivedAt: clock.now() + delaySeconds * 1000,
      };
      const [chunk, ...others] = chunksOf(parcel);
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
