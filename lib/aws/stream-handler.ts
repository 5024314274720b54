import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Context, DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { Log } from '#lib/domain/ports.ts';
import { correlated } from './telemetry.ts';

/** What changed in the table: an item as it was before and as it is now, each absent where there was or is none. */
export interface TableChange {
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
}

/**
 * Hands the records of a batch over one by one, in order. The first that fails is where the stream goes on: all that
 * comes after it comes again.
 */
export function streamHandler(process: (change: TableChange) => Promise<void>, log: Log) {
  return async ({ Records }: DynamoDBStreamEvent, context: Context): Promise<DynamoDBBatchResponse> => {
    for (const record of Records) {
      const sequence = record.dynamodb?.SequenceNumber ?? '';
      const isDone = await correlated({ requestId: context.awsRequestId, sequence }, () =>
        succeeds(process, record, log),
      );
      if (!isDone) return { batchItemFailures: [{ itemIdentifier: sequence }] };
    }
    return { batchItemFailures: [] };
  };
}

async function succeeds(process: (change: TableChange) => Promise<void>, record: DynamoDBRecord, log: Log) {
  try {
    const { OldImage, NewImage } = record.dynamodb ?? {};
    await process({ ...(OldImage && { before: plain(OldImage) }), ...(NewImage && { after: plain(NewImage) }) });
    return true;
  } catch (cause) {
    log.error('a record of the stream could not be dispatched; it will come again', cause);
    return false;
  }
}

/** Lambda's attribute values are those of the SDK, but for their bytes, which come as base64 and which nobody reads here. */
function plain(image: NonNullable<NonNullable<DynamoDBRecord['dynamodb']>['NewImage']>): Record<string, unknown> {
  const readable = Object.entries(image).filter(
    ([, value]) => value.S !== undefined || value.N !== undefined || value.BOOL !== undefined,
  );
  return unmarshall(
    Object.fromEntries(
      readable.map(([name, { S, N, BOOL }]): [string, AttributeValue] => {
        if (S !== undefined) return [name, { S }];
        return [name, N !== undefined ? { N } : { BOOL: BOOL ?? false }];
      }),
    ),
  );
}
