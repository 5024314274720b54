import { awsClient, DYNAMODB } from '#lib/adapters/aws/client.ts';
import { dynamoStore } from '#lib/adapters/aws/dynamo-store.ts';
import type { Store } from '#lib/app/store.ts';
import { freshTable } from './engine.ts';

/** The adapter that production has, on an empty table of the run's emulator. */
export async function emulatedStore(): Promise<Store> {
  const { endpoint, table } = await freshTable();
  const keys = { accessKeyId: 'test', secretAccessKey: 'test' };
  return dynamoStore(awsClient(DYNAMODB, { endpoint, region: 'eu-central-1', timeoutMs: 5_000, ...keys }), table);
}
