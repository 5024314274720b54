import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { createTable } from '#infra/local/engines/dynamodb.ts';
import { readService } from '#infra/local/service.ts';

const serverlessFile = fileURLToPath(new URL('../../serverless.yml', import.meta.url));

export interface TestTable {
  /** What `AWS_ENDPOINT_URL_DYNAMODB` would say. */
  readonly endpoint: string;
  readonly table: string;
}

/** A new, empty table with the keys and indexes of the template. Tests that share one see each other's items. */
export async function freshTable(): Promise<TestTable> {
  const endpoint = inject('dynamoDbEndpoint');
  const table = `test-${randomUUID()}`;
  await createTable(endpoint, { ...readService(serverlessFile).table, TableName: table });
  return { endpoint, table };
}
