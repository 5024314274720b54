import { expect, test } from 'vitest';
import { outcomeOf } from '#infra/local/triggers.ts';

const ids = ['a', 'b'];
const failures = (...failed: string[]) => ({ batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) });

test.each([
  { name: 'none when it answers nothing', result: undefined, failed: [] },
  { name: 'none when it answers null', result: null, failed: [] },
  { name: 'none when its list is empty', result: failures(), failed: [] },
  { name: 'none when its list is null', result: { batchItemFailures: null }, failed: [] },
  { name: 'those that it lists', result: failures('b'), failed: ['b'] },
  { name: 'all when it lists one without a name', result: failures(''), failed: ids },
  { name: 'all when it lists one that it was not given', result: failures('c'), failed: ids },
  { name: 'all when it answers something else', result: { batchItemFailures: 'b' }, failed: ids },
  { name: 'all when it answers text', result: 'done', failed: ids },
])('of the messages of a function that reports failures, it keeps $name', ({ result, failed }) => {
  expect([...outcomeOf({ kind: 'answered', result }, ids, true).failed]).toEqual(failed);
});

test('keeps all messages of a function that throws or takes too long', () => {
  expect([...outcomeOf({ kind: 'failed', error: new Error('no') }, ids, true).failed]).toEqual(ids);
  expect([...outcomeOf({ kind: 'timeout' }, ids, false).failed]).toEqual(ids);
});

test('keeps none of the messages of a function that answers without reporting failures', () => {
  expect([...outcomeOf({ kind: 'answered', result: failures('a') }, ids, false).failed]).toEqual([]);
});
