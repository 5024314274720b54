import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { AwsError, dynamoDbClient } from '#lib/aws/clients.ts';
import { dynamoStore } from '#lib/aws/dynamo-store.ts';
import { put, StoreUnavailable } from '#lib/store/store.ts';
import { ok, refusal, settingsOver, type Wire } from '#test/support/aws-wire.ts';

const storeOver = (wire: Wire) => dynamoStore(dynamoDbClient(settingsOver(wire)), 'table');
const item = { pk: 'A', sk: 'META' };
const failure = (doing: Promise<unknown>) => doing.catch((cause: unknown) => cause);

test.each([
  [400, 'ResourceNotFoundException', 'refused'],
  [400, 'AccessDeniedException', 'refused'],
  [400, 'UnrecognizedClientException', 'refused'],
  [400, 'ExpiredTokenException', 'refused'],
  [400, 'KMSAccessDeniedException', 'refused'],
  [400, 'AnExceptionOfTomorrow', 'refused'],
  [400, 'ThrottlingException', 'throttled'],
  [400, 'ProvisionedThroughputExceededException', 'throttled'],
  [400, 'RequestLimitExceeded', 'throttled'],
  [400, 'TransactionConflictException', 'conflict'],
  [400, 'TransactionInProgressException', 'conflict'],
  [500, 'InternalServerError', 'unreachable'],
  [503, 'ServiceUnavailable', 'unreachable'],
] as const)('%i %s means that the table did not take the request: %s', async (status, code, reason) => {
  let attempts = 0;
  const store = storeOver(async () => {
    attempts++;
    return refusal(code, status);
  });
  const error = await failure(store.write(put(item)));
  expect(error).toBeInstanceOf(StoreUnavailable);
  expect(error).toMatchObject({ reason, cause: { code, status } });
  // Whether there is time for another is not the client's to say.
  expect(attempts).toBe(1);
});

test.each([
  ['a connection that breaks', () => Promise.reject(Object.assign(new Error('read'), { code: 'ECONNRESET' }))],
  ['an answer that breaks off', () => Promise.resolve({ status: 200, text: '{"Item' })],
  ['a gateway that speaks for the table', () => Promise.resolve({ status: 502, text: '<html>' })],
] as const)('after %s nobody knows what the table did', async (_, wire) => {
  const error = await failure(storeOver(wire).write(put(item)));
  expect(error).toBeInstanceOf(StoreUnavailable);
  expect(error).toMatchObject({ reason: 'unreachable' });
});

test('a request that is wrong by itself is a fault of ours', async () => {
  const wrong = storeOver(async () => refusal('ValidationException')).get({ pk: '', sk: '' });
  await expect(wrong).rejects.toBeInstanceOf(AwsError);
});

test('what cannot be written at all is a fault of ours, and nothing is sent', async () => {
  const store = storeOver(() => Promise.reject(new Error('sent')));
  const wrong = failure(store.write(put({ ...item, size: Number.NaN })));
  expect(await wrong).not.toBeInstanceOf(StoreUnavailable);
});

test('a number keeps what a number can hold, however large somebody made it', async () => {
  let stored: unknown;
  const store = storeOver(async (operation, _, body) => {
    if (operation === 'PutItem') stored = JSON.parse(body);
    return ok(operation === 'GetItem' ? (stored ?? {}) : {});
  });
  const large = { ...item, sizes: [2 ** 60, 1.5, -1e30] };
  await store.write(put(large));
  expect(await store.get(item)).toEqual(large);
});

test.each([
  [
    'TransactionCanceledException',
    { CancellationReasons: [{ Code: 'TransactionConflict', Item: { text: { S: 'private' } } }] },
  ],
  [
    'TransactionCanceledException',
    { CancellationReasons: [{ Code: 'ThrottlingError', Item: { text: { S: 'private' } } }] },
  ],
  ['TransactionCanceledException', { CancellationReasons: [{ Code: 'ValidationError', Message: 'private' }] }],
  ['ValidationException', { message: 'private' }],
  ['AccessDeniedException', { Message: 'private' }],
])('a %s keeps what it quotes out of every log', async (code, more) => {
  const error = await failure(storeOver(async () => refusal(code, 400, more)).transact([put(item)], 'token'));
  expect(error).toBeInstanceOf(Error);
  expect(`${JSON.stringify(error)}${inspect(error, { depth: null, showHidden: true })}`).not.toContain('private');
});
