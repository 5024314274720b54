import { join } from 'node:path';
import { PARAMETERS } from '../data-folder.ts';
import type { Service } from '../service.ts';
import type { Settings } from '../settings.ts';
import { createTable, type DynamoDbEngine, startDynamoDb } from './dynamodb.ts';
import type { OwnEngine } from './local-aws.ts';
import { type SesEngine, startSes } from './ses.ts';
import { type SqsEngine, startSqs } from './sqs.ts';
import { openParameters, type Parameters, startSsm } from './ssm.ts';

/** What stands in for AWS on this machine. */
export interface Engines {
  readonly dynamoDb: DynamoDbEngine;
  readonly sqs: SqsEngine;
  readonly ssm: OwnEngine;
  readonly ses: SesEngine;
  readonly parameters: Parameters;
}

/** Starts all engines, with the template's table and queues; each is stopped with what was started. */
export async function startEngines(
  service: Service,
  settings: Settings,
  folder: string | undefined,
  started: AsyncDisposableStack,
): Promise<Engines> {
  const parameters = openParameters(folder && join(folder, PARAMETERS));
  const stoppable = async <Engine extends { stop(): Promise<void> }>(starting: Promise<Engine>): Promise<Engine> => {
    const engine = await starting;
    started.defer(() => engine.stop());
    return engine;
  };
  // All settle before any failure is passed on, so that none is left running.
  const starting = [
    stoppable(startDynamoDb({ endpoint: settings.HOOKLINE_DYNAMODB_ENDPOINT, folder })),
    stoppable(startSqs(service.queues, folder && join(folder, 'queues'))),
    stoppable(startSsm(parameters)),
    stoppable(startSes(folder && join(folder, 'outbox'))),
  ] as const;
  await Promise.allSettled(starting);
  const [dynamoDb, sqs, ssm, ses] = await Promise.all(starting);
  await createTable(dynamoDb.endpoint, service.table);
  return { dynamoDb, sqs, ssm, ses, parameters };
}
