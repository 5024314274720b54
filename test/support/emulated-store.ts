import { dynamoDbClient } from '#lib/aws/clients.ts';
import { dynamoStore } from '#lib/aws/dynamo-store.ts';
import type { Store } from '#lib/store/store.ts';
import { settingsFor } from './aws-wire.ts';
import { freshTable } from './engine.ts';

/** The adapter that production has, on an empty table of the run's emulator. */
export async function emulatedStore(): Promise<Store> {
  const { endpoint, table } = await freshTable();
  return dynamoStore(dynamoDbClient(settingsFor(endpoint)), table);
}
