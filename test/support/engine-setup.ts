import type { TestProject } from 'vitest/node';
import { startDynamoDb } from '#infra/local/engines/dynamodb.ts';

declare module 'vitest' {
  interface ProvidedContext {
    dynamoDbEndpoint: string;
  }
}

/** One DynamoDB for a whole test run. Whoever needs it takes a table of its own: see `engine.ts`. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const engine = await startDynamoDb({});
  project.provide('dynamoDbEndpoint', engine.endpoint);
  return () => engine.stop();
}
