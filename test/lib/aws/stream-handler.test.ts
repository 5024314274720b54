import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import { contextFor } from '#infra/local/lambda.ts';
import { streamHandler, type TableChange } from '#lib/aws/stream-handler.ts';
import type { Log } from '#lib/domain/ports.ts';
import { StoreUnavailable } from '#lib/store/store.ts';

const QUIET: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const context = contextFor({ name: 'events', timeoutMs: 60_000, memoryMb: 128 });
const recordOf = (n: string): DynamoDBRecord => ({
  eventName: 'INSERT',
  dynamodb: { SequenceNumber: n, NewImage: { eventId: { S: n } } },
});
const batch = (...ns: string[]): DynamoDBStreamEvent => ({ Records: ns.map(recordOf) });
const idOf = ({ after }: TableChange) => String(after?.eventId);

/** One record always fails. */
function stream(fault: Error) {
  const done: string[] = [];
  const aside: string[] = [];
  const handler = streamHandler(
    {
      process: async (change) => {
        if (idOf(change) === '2') throw fault;
        done.push(idOf(change));
      },
      setAside: async (change) => void aside.push(idOf(change)),
    },
    QUIET,
  );
  return { done, aside, run: (...ns: string[]) => handler(batch(...ns), context) };
}

test('the stream goes on at the first record that fails', async () => {
  const { run, done } = stream(new TypeError('damaged'));
  expect(await run('1', '2', '3')).toEqual({ batchItemFailures: [{ itemIdentifier: '2' }] });
  expect(done).toEqual(['1']);
});

test('a record that fails three times for a fault of its own is set aside, and holds up nothing any more', async () => {
  const { run, done, aside } = stream(new TypeError('damaged'));
  for (let i = 0; i < 2; i++) await run('2', '3');
  expect([done, aside]).toEqual([[], []]);
  expect(await run('2', '3')).toEqual({ batchItemFailures: [] });
  expect([done, aside]).toEqual([['3'], ['2']]);
});

test('while the table is away nothing is set aside', async () => {
  const { run, aside } = stream(new StoreUnavailable('unreachable'));
  for (let i = 0; i < 10; i++) expect((await run('2')).batchItemFailures).toHaveLength(1);
  expect(aside).toEqual([]);
});
