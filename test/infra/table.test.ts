import { expect, inject, test } from 'vitest';
import { createTable } from '#infra/local/engines/dynamodb.ts';

const definition = (TableName: string, attributes: string[]) => ({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: ['pk', 'gsi1pk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'gsi1',
      KeySchema: [{ AttributeName: 'gsi1pk', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: attributes },
    },
  ],
});

test('takes a table from an earlier start as it is', async () => {
  const endpoint = inject('dynamoDbEndpoint');
  await createTable(endpoint, definition('table-kept', ['kind', 'type']));
  await createTable(endpoint, definition('table-kept', ['type', 'kind']));
});

test('refuses a table that an earlier version made with other indexes', async () => {
  const endpoint = inject('dynamoDbEndpoint');
  await createTable(endpoint, definition('table-old', ['kind']));
  const newer = createTable(endpoint, definition('table-old', ['kind', 'state']));
  await expect(newer).rejects.toThrow('indexes gsi1 INCLUDE kind instead of gsi1 INCLUDE kind state');
});

test('says what is wrong with a definition', async () => {
  const broken = createTable(inject('dynamoDbEndpoint'), { TableName: 'table-broken' });
  await expect(broken).rejects.toThrow('the table could not be made');
});
