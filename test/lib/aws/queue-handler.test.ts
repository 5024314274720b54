import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { expect, test } from 'vitest';
import { contextFor } from '#infra/local/lambda.ts';
import { AGAIN, queueHandler } from '#lib/aws/queues.ts';
import { correlation } from '#lib/aws/telemetry.ts';
import type { Log } from '#lib/domain/ports.ts';

const eventOf = (...ids: string[]): SQSEvent => ({
  Records: ids.map((messageId): SQSRecord => ({ ...RECORD, messageId })),
});
const RECORD: SQSRecord = {
  messageId: '',
  receiptHandle: '',
  body: '',
  attributes: { ApproximateReceiveCount: '1', SentTimestamp: '', SenderId: '', ApproximateFirstReceiveTimestamp: '' },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: '',
  eventSourceARN: '',
  awsRegion: '',
};
const context = (timeoutMs: number) => contextFor({ name: 'consumer', timeoutMs, memoryMb: 128 });

/** The ids on each line that is logged. */
function logged() {
  const lines: object[] = [];
  const note = () => void lines.push(correlation());
  const log: Log = { info: note, warn: note, error: note };
  return { lines, log };
}

test('sends back what failed and what asks for it, and names it on the line that says why', async () => {
  const { lines, log } = logged();
  const handler = queueHandler(async ({ messageId }) => {
    if (messageId === 'broken') throw new TypeError('a fault');
    return messageId === 'later' ? AGAIN : undefined;
  }, log);
  const now = context(30_000);
  expect(await handler(eventOf('done', 'broken', 'later'), now)).toEqual({
    batchItemFailures: [{ itemIdentifier: 'broken' }, { itemIdentifier: 'later' }],
  });
  expect(lines).toEqual([{ requestId: now.awsRequestId, queueMessage: 'broken' }]);
});

test('does not begin what it may not end', async () => {
  const begun: string[] = [];
  const handler = queueHandler(async ({ messageId }) => begun.push(messageId), logged().log);
  expect(await handler(eventOf('one'), context(2_000))).toEqual({ batchItemFailures: [{ itemIdentifier: 'one' }] });
  expect(begun).toEqual([]);
});
