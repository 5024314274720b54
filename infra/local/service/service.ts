import * as v from 'valibot';
import { readServerlessFile } from './read.ts';
import { QueueProperties, ServerlessFile, type ServiceFunction, type ServiceQueue, TableProperties } from './schema.ts';

/** Everything that `serverless.yml` says which the host needs to run the same functions on one machine. */
export interface Service {
  readonly name: string;
  readonly functions: readonly ServiceFunction[];
  readonly queues: readonly ServiceQueue[];
  readonly table: TableProperties;
  /** The table's name in the template. */
  readonly tableId: string;
}

const stage = 'local';

export function readService(path: string): Service {
  const file = v.parse(ServerlessFile, readServerlessFile(path, stage));
  const resources = Object.assign({}, ...file.resources.map((part) => part.Resources));
  const ofType = (type: string) =>
    Object.entries<{ Type: string; Properties: unknown }>(resources).filter(([, resource]) => resource.Type === type);

  const tables = ofType('AWS::DynamoDB::Table');
  const [table] = tables;
  if (!table || tables.length > 1) throw new Error(`serverless.yml defines ${tables.length} tables, not one`);
  return {
    name: file.service,
    functions: Object.entries(file.functions).map(([name, raw]) => ({
      ...raw,
      name,
      environment: { ...file.provider.environment, ...raw.environment },
    })),
    queues: ofType('AWS::SQS::Queue').map(([id, { Properties }]) => ({ id, ...v.parse(QueueProperties, Properties) })),
    table: v.parse(TableProperties, table[1].Properties),
    tableId: table[0],
  };
}
