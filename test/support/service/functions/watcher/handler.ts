import { appendFileSync } from 'node:fs';
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';

/**
 * Notes what it reads of the table's stream in a file. It fails as a whole where a record is named `throws`, and from the
 * first on that is named `refused`.
 */
export async function handler({ Records }: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  const read = Records.map(({ eventName, dynamodb }) => ({
    sequence: dynamodb?.SequenceNumber ?? '',
    name: dynamodb?.Keys?.pk?.S?.replace('SEEN#', '') ?? '',
    eventName,
  }));
  if (read.some(({ name }) => name === 'throws')) throw new Error('this record cannot be read');
  const at = read.findIndex(({ name }) => name === 'refused');
  const taken = at === -1 ? read : read.slice(0, at);
  for (const { name, eventName } of taken) appendFileSync(process.env.FIXTURE_SEEN ?? '', `${eventName} ${name}\n`);
  return { batchItemFailures: read.slice(taken.length).map(({ sequence }) => ({ itemIdentifier: sequence })) };
}
