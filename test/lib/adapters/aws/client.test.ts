import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { AwsError } from '#lib/adapters/aws/client.ts';

test('a refusal keeps the items that it met out of every log', () => {
  const error = new AwsError('PutItem', 400, { __type: 'x#Refused', Item: { text: { S: 'private' } } });
  expect(error).toMatchObject({ code: 'Refused', body: { Item: { text: { S: 'private' } } } });
  expect(Object.keys(error)).not.toContain('body');
  expect(`${JSON.stringify(error)}${inspect(error)}`).not.toContain('private');
});
