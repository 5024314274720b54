import { expect, test } from 'vitest';
import { AwsError } from '#lib/adapters/aws/client.ts';
import { dynamoStore } from '#lib/adapters/aws/dynamo-store.ts';
import { StoreUnavailable } from '#lib/app/store.ts';

const answering = (status: number, code: string) =>
  dynamoStore(async (operation) => {
    throw new AwsError(operation, status, { __type: `com.amazonaws.dynamodb.v20120810#${code}` });
  }, 'table');

test.each([
  [400, 'ResourceNotFoundException', 'refused'],
  [400, 'AccessDeniedException', 'refused'],
  [400, 'UnrecognizedClientException', 'refused'],
  [400, 'ExpiredTokenException', 'refused'],
  [400, 'KMSAccessDeniedException', 'refused'],
  [400, 'AnExceptionOfTomorrow', 'refused'],
  [400, 'ThrottlingException', 'throttled'],
  [400, 'ProvisionedThroughputExceededException', 'throttled'],
  [400, 'TransactionConflictException', 'conflict'],
  [500, 'InternalServerError', 'unreachable'],
  [503, 'ServiceUnavailable', 'unreachable'],
] as const)('%i %s means that the table did not take the request: %s', async (status, code, reason) => {
  const item = { pk: 'A', sk: 'META' };
  const error = await answering(status, code)
    .write({ kind: 'put', item })
    .catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(StoreUnavailable);
  expect(error).toMatchObject({ reason, cause: { code } });
});

test('a request that is wrong by itself is a fault of ours', async () => {
  const wrong = answering(400, 'ValidationException').get({ pk: '', sk: '' });
  await expect(wrong).rejects.toBeInstanceOf(AwsError);
});
