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
  dynamodb: {
    SequenceNumber: n,
    NewImage: {
      ...{ pk: { S: `EVT#${n}` }, sk: { S: 'META' }, eventId: { S: n } },
      body: { M: { bytes: { B: Buffer.from('héllo').toString('base64') } } },
    },
  },
});
const batch = (...ns: string[]): DynamoDBStreamEvent => ({ Records: ns.map(recordOf) });
const idOf = ({ after }: TableChange) => String(after?.eventId);

/** One record always fails. */
function stream(fault: Error, faults: { recording?: Error; ending?: Error } = {}) {
  const begun: number[] = [];
  const ended: number[] = [];
  const changed: TableChange[] = [];
  const done: string[] = [];
  const aside: string[] = [];
  const recorded: string[] = [];
  const handler = streamHandler(
    {
      begin: () => {
        begun.push(done.length);
        return {
          dispatch: async (change) => {
            if (idOf(change) === '2') throw fault;
            done.push(idOf(change));
            changed.push(change);
          },
          end: async () => {
            if (faults.ending) throw faults.ending;
            ended.push(done.length);
          },
        };
      },
      setAside: async (change) => void aside.push(idOf(change)),
      record: async (shard, changes) => {
        if (faults.recording) throw faults.recording;
        recorded.push(`${shard}: ${changes.map(idOf).join(' ')}`);
      },
    },
    QUIET,
  );
  return {
    begun,
    ended,
    changed,
    done,
    aside,
    recorded,
    run: (...ns: string[]) => handler({ ...batch(...ns), shardId: 'shard-1' }, context),
    runFor: (left: () => number, ...ns: string[]) =>
      handler({ ...batch(...ns), shardId: 'shard-1' }, { ...context, getRemainingTimeInMillis: left }),
  };
}

test('the stream goes on at the first record that fails', async () => {
  const { run, done } = stream(new TypeError('damaged'));
  expect(await run('1', '2', '3')).toEqual({ state: {}, batchItemFailures: [{ itemIdentifier: '2' }] });
  expect(done).toEqual(['1']);
});

test('what there is no time left for comes again; one record is always tried', async () => {
  const { runFor, done, recorded } = stream(new TypeError('damaged'));
  let left = 60_000;
  const slow = () => {
    left -= 20_000;
    return left;
  };
  expect((await runFor(slow, '1', '3', '4', '5', '6')).batchItemFailures).toEqual([{ itemIdentifier: '5' }]);
  expect((await runFor(() => 0, '5', '6')).batchItemFailures).toEqual([{ itemIdentifier: '6' }]);
  expect([done, recorded]).toEqual([
    ['1', '3', '4', '5'],
    ['shard-1: 1 3 4', 'shard-1: 5'],
  ]);
});

test('bytes of an item come as bytes', async () => {
  const { run, changed } = stream(new TypeError('damaged'));
  await run('1');
  expect(changed.map(({ after }) => after?.body)).toEqual([{ bytes: Buffer.from('héllo') }]);
});

test('each batch begins by itself', async () => {
  const { run, begun } = stream(new TypeError('damaged'));
  await run('1', '3');
  await run('4');
  expect(begun).toEqual([0, 2]);
});

test('a record that fails three times for a fault of its own is set aside, and holds up nothing any more', async () => {
  const { run, done, aside } = stream(new TypeError('damaged'));
  for (let i = 0; i < 2; i++) await run('2', '3');
  expect([done, aside]).toEqual([[], []]);
  expect(await run('2', '3')).toEqual({ state: {}, batchItemFailures: [] });
  expect([done, aside]).toEqual([['3'], ['2']]);
});

test('while the table is away nothing is set aside', async () => {
  const { run, aside } = stream(new StoreUnavailable('unreachable'));
  for (let i = 0; i < 10; i++) expect((await run('2')).batchItemFailures).toHaveLength(1);
  expect(aside).toEqual([]);
});

test('a batch ends with all that was processed of it, and comes again whole where it cannot', async () => {
  const { run, ended } = stream(new TypeError('damaged'));
  await run('1', '2', '3');
  expect(ended).toEqual([1]);
  const stuck = stream(new TypeError('damaged'), { ending: new TypeError('the queue is away') });
  expect(await stuck.run('1', '3')).toEqual({ state: {}, batchItemFailures: [{ itemIdentifier: '1' }] });
  expect([stuck.recorded, stuck.aside]).toEqual([[], []]);
});

test('what of a batch was processed is recorded together, with its shard, and nothing else', async () => {
  const { run, recorded } = stream(new TypeError('damaged'));
  await run('1', '2', '3');
  await run('3', '4', '5');
  await run('2');
  expect(recorded).toEqual(['shard-1: 1', 'shard-1: 3 4 5']);
});

test('a batch that the table does not let us record comes again whole', async () => {
  const { run, done } = stream(new TypeError('damaged'), { recording: new StoreUnavailable('unreachable') });
  expect(await run('1', '3')).toEqual({ state: {}, batchItemFailures: [{ itemIdentifier: '1' }] });
  expect(done).toEqual(['1', '3']);
});

test('what cannot be recorded for a fault of ours holds up nothing', async () => {
  const { run } = stream(new TypeError('damaged'), { recording: new TypeError('ours') });
  expect(await run('1', '3')).toEqual({ state: {}, batchItemFailures: [] });
});

test('the end of a window, which brings no change, is answered with a state, too', async () => {
  expect(await stream(new TypeError('damaged')).run()).toEqual({ state: {}, batchItemFailures: [] });
});
