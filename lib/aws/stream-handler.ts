import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Context, DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { Log } from '#lib/domain/ports.ts';
import { StoreUnavailable } from '#lib/store/store.ts';
import { correlated } from './telemetry.ts';

/** What changed in the table: an item as it was before and as it is now, each absent where there was or is none. */
export interface TableChange {
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
}

export interface StreamWork {
  readonly process: (change: TableChange) => Promise<void>;
  /** Keeps where an operator sees it what cannot be processed. */
  readonly setAside: (change: TableChange) => Promise<void>;
}

/** One record that cannot be handled is not to hold up all that comes after it. */
const MOST_FAILURES = 3;

/**
 * Hands the records of a batch over one by one, in order. The first that fails is where the stream goes on: all that
 * comes after it comes again. One that fails for a fault of its own is set aside; where the table is away, all wait.
 */
export function streamHandler(work: StreamWork, log: Log) {
  const failing: Failing = { sequence: '', times: 0 };
  return async ({ Records }: DynamoDBStreamEvent, context: Context): Promise<DynamoDBBatchResponse> => {
    for (const record of Records) {
      const sequence = record.dynamodb?.SequenceNumber ?? '';
      const isDone = await correlated({ requestId: context.awsRequestId, sequence }, () =>
        succeeds(work, record, log, failing),
      );
      if (!isDone) return { batchItemFailures: [{ itemIdentifier: sequence }] };
    }
    return { batchItemFailures: [] };
  };
}

/** The record at which this instance stands. */
interface Failing {
  sequence: string;
  times: number;
}

async function succeeds({ process, setAside }: StreamWork, record: DynamoDBRecord, log: Log, failing: Failing) {
  const { OldImage, NewImage, SequenceNumber = '' } = record.dynamodb ?? {};
  const change = { ...(OldImage && { before: plain(OldImage) }), ...(NewImage && { after: plain(NewImage) }) };
  try {
    await process(change);
    return true;
  } catch (cause) {
    if (cause instanceof StoreUnavailable) failing.times = 0;
    else failing.times = failing.sequence === SequenceNumber ? failing.times + 1 : 1;
    failing.sequence = SequenceNumber;
    if (failing.times < MOST_FAILURES) {
      log.error('a record of the stream could not be dispatched; it will come again', cause);
      return false;
    }
    log.error('a record of the stream cannot be dispatched; it is set aside', cause);
    return setAside(change).then(
      () => true,
      (refused: unknown) => {
        log.error('a record of the stream could not be set aside', refused);
        return false;
      },
    );
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
