import { appendFileSync } from 'node:fs';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';

/** Notes what it receives in a file; a body that starts with `refuse` is given back. */
export async function handler({ Records }: SQSEvent): Promise<SQSBatchResponse> {
  for (const { body, attributes } of Records) {
    appendFileSync(process.env.FIXTURE_NOTES ?? '', `${body} ${attributes.ApproximateReceiveCount}\n`);
  }
  const refused = Records.filter(({ body }) => body.startsWith('refuse'));
  return { batchItemFailures: refused.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}
