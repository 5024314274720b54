import { existsSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { callAws } from './engines/local-aws.ts';
import type { FaultReport } from './http/gateway.ts';
import type { Invocation, Lambda } from './lambda.ts';
import type { StreamEvent } from './service.ts';
import { outcomeOf } from './triggers.ts';

export interface StreamSource {
  readonly endpoint: string;
  readonly table: string;
  readonly lambda: Lambda;
  readonly event: StreamEvent;
  readonly report: FaultReport;
  /** Where to note how far the stream was read; without one it is read from its beginning at each start. */
  readonly checkpointFile?: string;
  /** The engine's own file, where it is one that can be opened. */
  readonly databaseFile?: string;
}

const StreamRecord = v.looseObject({
  eventName: v.string(),
  dynamodb: v.looseObject({ SequenceNumber: v.string() }),
});
type StreamRecord = v.InferOutput<typeof StreamRecord>;

const Streams = v.object({ Streams: v.array(v.object({ StreamArn: v.string() })) });
const Description = v.object({
  StreamDescription: v.object({ Shards: v.array(v.object({ ShardId: v.string() })) }),
});
const Iterator = v.object({ ShardIterator: v.string() });
const Page = v.object({ Records: v.array(StreamRecord), NextShardIterator: v.nullish(v.string()) });
const Checkpoint = v.object({ shard: v.string(), sequence: v.string() });
type Checkpoint = v.InferOutput<typeof Checkpoint>;

const POLL_MS = 200;
const RETRY_MS = 1000;
const TRIM_MS = 1000;
const READ_AT_ONCE = 1000;

/** Feeds a function from the table's stream as Lambda does, and returns what ends it after the batch under way. */
export function startStream(source: StreamSource): () => Promise<void> {
  const stop = new AbortController();
  const running = follow(source, stop.signal);
  return async () => {
    stop.abort();
    await running;
  };
}

async function follow(source: StreamSource, stop: AbortSignal): Promise<void> {
  const trim = trimmer(source);
  while (!stop.aborted) {
    try {
      await read(source, trim, stop);
    } catch (error) {
      if (stop.aborted) break;
      source.report(source.lambda.name, error);
      await pause(RETRY_MS, stop);
    }
  }
  trim.close();
}

/** From the checkpoint on, until the stream ends or a call of the engine fails. */
async function read(source: StreamSource, trim: Trimmer, stop: AbortSignal): Promise<void> {
  const place = await findStream(source);
  let iterator: string | undefined = await iteratorOf(source, place);
  while (!stop.aborted && iterator !== undefined) {
    const input = { ShardIterator: iterator, Limit: READ_AT_ONCE };
    const page: v.InferOutput<typeof Page> = await call(source, 'GetRecords', Page, input);
    if (!(await handOver(source, page.Records, place.shard, stop))) return;
    const last = page.Records.at(-1)?.dynamodb.SequenceNumber;
    if (last !== undefined) {
      await note(source, { shard: place.shard, sequence: last });
      trim.upTo(last);
    }
    iterator = page.NextShardIterator ?? undefined;
    if (page.Records.length < READ_AT_ONCE) await pause(POLL_MS, stop);
  }
}

/** The engines of this machine have one shard, and never another. */
async function findStream(source: StreamSource): Promise<{ readonly arn: string; readonly shard: string }> {
  const { Streams: found } = await call(source, 'ListStreams', Streams, { TableName: source.table });
  const arn = found.at(-1)?.StreamArn;
  if (arn === undefined) throw new Error(`the table ${source.table} has no stream`);
  const { StreamDescription } = await call(source, 'DescribeStream', Description, { StreamArn: arn });
  const shard = StreamDescription.Shards.at(-1)?.ShardId;
  if (shard === undefined) throw new Error(`the stream of ${source.table} has no shard yet`);
  return { arn, shard };
}

async function iteratorOf(source: StreamSource, { arn, shard }: { readonly arn: string; readonly shard: string }) {
  const checkpoint = checkpointOf(source);
  const from = (way: object) => call(source, 'GetShardIterator', Iterator, { StreamArn: arn, ShardId: shard, ...way });
  const horizon = () => from({ ShardIteratorType: 'TRIM_HORIZON' });
  // Another shard: the table was made anew, and so was its stream.
  if (checkpoint?.shard !== shard) return (await horizon()).ShardIterator;
  // The newest record is never taken away: where the last one that was read is gone, the table is an earlier one, whose
  // numbers begin again below. What is there is read.
  const at = await from({ ShardIteratorType: 'AT_SEQUENCE_NUMBER', SequenceNumber: checkpoint.sequence }).catch(
    horizon,
  );
  const input = { ...at, Limit: 1 };
  const { Records, NextShardIterator } = await call(source, 'GetRecords', Page, input);
  const isThere = Records[0]?.dynamodb.SequenceNumber === checkpoint.sequence;
  return (isThere && NextShardIterator) || (await horizon()).ShardIterator;
}

async function call<Schema extends v.GenericSchema>(
  { endpoint }: StreamSource,
  action: string,
  schema: Schema,
  input: object,
): Promise<v.InferOutput<Schema>> {
  const { status, output } = await callAws(endpoint, `DynamoDBStreams_20120810.${action}`, input);
  if (status !== 200) throw new Error(`${action}: ${JSON.stringify(output).slice(0, 500)}`);
  return v.parse(schema, output);
}

/**
 * Hands over what the filter lets through, in order. What failed comes again, with all that came after it, until it has
 * failed as often as the template allows; then it is reported and left behind. False where the hub stops meanwhile.
 */
async function handOver(source: StreamSource, records: readonly StreamRecord[], shard: string, stop: AbortSignal) {
  const { batchSize, maximumRetryAttempts, filterPatterns } = source.event;
  let wanted = records.filter((record) => isWanted(record, filterPatterns));
  let size = batchSize;
  let failures = 0;
  while (wanted.length > 0) {
    if (stop.aborted) return false;
    const batch = wanted.slice(0, size);
    const taken = await takenOf(source, batch, shard);
    const last = batch[taken - 1]?.dynamodb.SequenceNumber;
    if (last !== undefined) {
      wanted = wanted.slice(taken);
      [size, failures] = [batchSize, 0];
      // After the last one comes what the filter drops, up to the end of the page: that is noted then.
      if (wanted.length > 0) await note(source, { shard, sequence: last });
      continue;
    }
    // A batch that fails as a whole is cut in two, so that one bad record does not keep the others.
    if (batch.length > 1) size = Math.ceil(batch.length / 2);
    else failures += 1;
    if (failures > maximumRetryAttempts) {
      source.report(source.lambda.name, new Error(`gave up record ${batch[0]?.dynamodb.SequenceNumber} of the stream`));
      wanted = wanted.slice(1);
      failures = 0;
    }
    await pause(failures * RETRY_MS, stop);
  }
  return true;
}

/** How many records of the batch were taken, from its beginning on. */
async function takenOf({ lambda, event, report }: StreamSource, batch: readonly StreamRecord[], shardId: string) {
  const ids = batch.map((record) => record.dynamodb.SequenceNumber);
  const isWindowed = event.tumblingWindowInSeconds !== undefined;
  const invocation = stated(
    await lambda.invoke({ Records: batch, ...(isWindowed && { shardId, state: {} }) }),
    isWindowed,
  );
  const { failed, fault } = outcomeOf(invocation, ids, event.functionResponseType !== undefined);
  if (fault !== undefined) report(lambda.name, fault);
  const at = ids.findIndex((id) => failed.has(id));
  return at === -1 ? ids.length : at;
}

/** In a tumbling window, an answer without a state is a failure to Lambda. */
function stated(invocation: Invocation, isWindowed: boolean): Invocation {
  if (!isWindowed || invocation.kind !== 'answered' || v.is(Stated, invocation.result)) return invocation;
  return { kind: 'failed', error: new Error('answered a batch of a window without a state') };
}

const Stated = v.looseObject({ state: v.looseObject({}) });

/** Lambda's filters, as far as the template uses them: any of the patterns, all of its keys, any of a key's values. */
export function isWanted(record: unknown, patterns: readonly unknown[]): boolean {
  return patterns.length === 0 || patterns.some((pattern) => fits(record, pattern));
}

const Prefix = v.strictObject({ prefix: v.string() });
const Exists = v.strictObject({ exists: v.boolean() });

function fits(value: unknown, pattern: unknown): boolean {
  if (Array.isArray(pattern)) return pattern.some((one) => fitsValue(value, one));
  if (typeof pattern !== 'object' || pattern === null) throw new Error('a filter of the stream is no pattern');
  return Object.entries(pattern).every(([key, inner]) => fits(at(value, key), inner));
}

function fitsValue(value: unknown, pattern: unknown): boolean {
  if (typeof pattern !== 'object' || pattern === null) return value === pattern;
  if (v.is(Prefix, pattern)) return typeof value === 'string' && value.startsWith(pattern.prefix);
  if (v.is(Exists, pattern)) return (value !== undefined) === pattern.exists;
  throw new Error(`the filter ${JSON.stringify(pattern)} of the stream means nothing to this host`);
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function checkpointOf({ checkpointFile }: StreamSource): Checkpoint | undefined {
  if (checkpointFile === undefined || !existsSync(checkpointFile)) return undefined;
  // A damaged one is as good as lost.
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Checkpoint), readFileSync(checkpointFile, 'utf8'));
  return parsed.success ? parsed.output : undefined;
}

/** Nobody waits for the disk: where the machine loses it, the stream is read again from before. */
async function note({ checkpointFile }: StreamSource, checkpoint: Checkpoint): Promise<void> {
  if (checkpointFile === undefined) return;
  const unfinished = `${checkpointFile}.new`;
  await writeFile(unfinished, JSON.stringify(checkpoint), { mode: 0o600 });
  await rename(unfinished, checkpointFile);
}

async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stop }).catch(() => undefined); // stopped, which the caller looks at
}

interface Trimmer {
  /** What comes before this record was read, and is kept by nobody else. */
  upTo(sequence: string): void;
  close(): void;
}

/**
 * dynoxide keeps the records of a stream for ever: those that were read are taken away in its own file, beside it. The
 * newest one stays: without any, the numbers would begin at 1 again.
 */
function trimmer({ databaseFile, table }: StreamSource): Trimmer {
  if (databaseFile === undefined) return { upTo: () => undefined, close: () => undefined };
  const db = new DatabaseSync(databaseFile, { timeout: 2000 });
  // Everything in this process would wait for the disk, and the engine too. What comes back is taken away again.
  db.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0');
  const remove = db.prepare(
    'DELETE FROM _stream_records WHERE table_name = ? AND CAST(sequence_number AS INTEGER) < CAST(? AS INTEGER)',
  );
  let trimmedAt = 0;
  return {
    upTo: (sequence) => {
      if (Date.now() - trimmedAt < TRIM_MS) return;
      remove.run(table, sequence);
      trimmedAt = Date.now();
    },
    close: () => db.close(),
  };
}
