import type { Context, DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { Log } from '#lib/domain/ports.ts';
import { type Item, StoreUnavailable } from '#lib/store/store.ts';
import { unmarshalItem } from './dynamo-store.ts';
import { correlated, isDone } from './telemetry.ts';

/** What changed in the table: an item as it was before and as it is now, each absent where there was or is none. */
export interface TableChange {
  readonly before?: Item;
  readonly after?: Item;
  /** Higher than those of earlier changes of its shard. */
  readonly sequence: string;
  /** When it was written, in milliseconds: the same however often it comes. */
  readonly at?: number;
}

export interface StreamWork {
  /** For each batch: what processes its records, and then what they came to. */
  readonly begin: () => {
    readonly dispatch: (change: TableChange) => Promise<void>;
    readonly end: () => Promise<void>;
  };
  /** Keeps where an operator sees it what cannot be processed. */
  readonly setAside: (change: TableChange) => Promise<void>;
  /** Once a batch, with what of it was processed, in order. A batch may come again, whole or in part. */
  readonly record: (shard: string, changes: readonly TableChange[]) => Promise<void>;
}

/** With a tumbling window Lambda says which shard a batch is from, and wants a state back, which is not needed here. */
interface ShardBatch extends DynamoDBStreamEvent {
  readonly shardId?: string;
}
type ShardResponse = DynamoDBBatchResponse & { readonly state: Readonly<Record<string, never>> };

/** One record that cannot be handled is not to hold up all that comes after it. */
const MOST_FAILURES = 3;

/**
 * What one record may take at most, with a table that is slow and rules that use all the time they have. A function that
 * runs out of time has done its batch in vain, so that it would run out of it again.
 */
const LEFT_FOR_ONE_MS = 15_000;

/**
 * Hands the records of a batch over one by one, in order. The first that fails, or for which no time is left, is where the
 * stream goes on: all from there on comes again. One that fails for a fault of its own is set aside; where the table is
 * away, all wait.
 */
export function streamHandler(work: StreamWork, log: Log) {
  const failing: Failing = { sequence: '', times: 0 };
  return async ({ Records, shardId = '' }: ShardBatch, context: Context): Promise<ShardResponse> => {
    const done: TableChange[] = [];
    const goOnAt = (sequence: string) => ({ state: {}, batchItemFailures: [{ itemIdentifier: sequence }] });
    const changes = Records.map(changeOf);
    const batch = work.begin();
    for (const change of changes) {
      if (done.length > 0 && context.getRemainingTimeInMillis() < LEFT_FOR_ONE_MS) break;
      const { sequence } = change;
      const isOver = await correlated({ requestId: context.awsRequestId, sequence }, () =>
        succeeds(batch.dispatch, work, change, log, failing),
      );
      if (!isOver) break;
      done.push(change);
    }
    const [first] = changes;
    const isKept =
      (await isDone(log, 'what a batch of the stream came to could not be handed on; it will come again', batch.end)) &&
      (done.length === 0 || (await isRecorded(work, shardId, done, log)));
    if (first && !isKept) return goOnAt(first.sequence);
    const left = changes[done.length];
    return left ? goOnAt(left.sequence) : { state: {}, batchItemFailures: [] };
  };
}

function changeOf({ dynamodb = {} }: DynamoDBRecord): TableChange {
  const { OldImage, NewImage, SequenceNumber = '', ApproximateCreationDateTime: seconds } = dynamodb;
  return {
    sequence: SequenceNumber,
    ...(seconds !== undefined && { at: seconds * 1000 }),
    ...(OldImage && { before: itemOf(OldImage) }),
    ...(NewImage && { after: itemOf(NewImage) }),
  };
}

/** False where the table is away: all of it comes again. For a fault of ours nothing is held up. */
async function isRecorded({ record }: StreamWork, shard: string, done: readonly TableChange[], log: Log) {
  try {
    await record(shard, done);
    return true;
  } catch (cause) {
    log.error('what a batch of the stream tells could not be counted', cause);
    return !(cause instanceof StoreUnavailable);
  }
}

/** The record at which this instance stands. */
interface Failing {
  sequence: string;
  times: number;
}

async function succeeds(
  process: (change: TableChange) => Promise<void>,
  { setAside }: StreamWork,
  change: TableChange,
  log: Log,
  failing: Failing,
) {
  try {
    await process(change);
    return true;
  } catch (cause) {
    if (cause instanceof StoreUnavailable) failing.times = 0;
    else failing.times = failing.sequence === change.sequence ? failing.times + 1 : 1;
    failing.sequence = change.sequence;
    if (failing.times < MOST_FAILURES) {
      log.error('a record of the stream could not be dispatched; it will come again', cause);
      return false;
    }
    log.error('a record of the stream cannot be dispatched; it is set aside', cause);
    return isDone(log, 'a record of the stream could not be set aside', () => setAside(change));
  }
}

type Image = NonNullable<NonNullable<DynamoDBRecord['dynamodb']>['NewImage']>;

/** Lambda's attribute values are those of the SDK, but for their bytes, which come as base64. */
const itemOf = (image: Image): Item =>
  unmarshalItem(
    JSON.parse(JSON.stringify(image), (name, value: unknown) =>
      name === 'B' && typeof value === 'string' ? Buffer.from(value, 'base64') : value,
    ),
  );
