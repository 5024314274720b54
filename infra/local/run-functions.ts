import { join } from 'node:path';
import type { SqsEngine } from './engines/sqs.ts';
import { queueOf } from './environment.ts';
import type { Route } from './gateway/routes.ts';
import type { FaultReport } from './gateway/server.ts';
import { startEventSource } from './lambda/event-source.ts';
import { type Lambda, loadLambda } from './lambda/lambda.ts';
import { periodOf, startSchedule } from './lambda/schedule.ts';
import type { ServiceFunction } from './service/schema.ts';
import type { Service } from './service/service.ts';
import type { Settings } from './settings.ts';

export interface LoadedFunction {
  readonly definition: ServiceFunction;
  readonly lambda: Lambda;
  readonly routes: readonly Route<Lambda>[];
}

/** Imports every function, so that the first request to each is as fast as the next. */
export function loadFunctions(service: Service, root: string): Promise<LoadedFunction[]> {
  return Promise.all(
    service.functions.map(async (definition) => {
      const [, file = '', exportName = ''] = /^(.+)\.(\w+)$/.exec(definition.handler) ?? [];
      const lambda = await loadLambda(join(root, `${file}.mjs`), exportName, {
        name: `${service.name}-local-${definition.name}`,
        timeoutMs: definition.timeout * 1000,
        memoryMb: definition.memorySize,
      });
      const routes = definition.events.flatMap((event) =>
        'httpApi' in event ? [{ key: event.httpApi, target: lambda }] : [],
      );
      return { definition, lambda, routes };
    }),
  );
}

/** Starts whatever calls functions besides HTTP, and returns what ends all of it. */
export function startSources(
  functions: readonly LoadedFunction[],
  sqs: SqsEngine,
  settings: Settings,
  report: FaultReport,
): () => Promise<void> {
  const stops = functions.flatMap(({ definition, lambda }) =>
    definition.events.flatMap((event) => {
      if ('sqs' in event) {
        const { arn, batchSize, maximumConcurrency, functionResponseType } = event.sqs;
        const queue = queueOf(arn, sqs.queues);
        const reportsFailures = functionResponseType !== undefined;
        const { endpoint } = sqs;
        return [startEventSource({ queue, endpoint, lambda, batchSize, maximumConcurrency, reportsFailures, report })];
      }
      if ('schedule' in event) {
        const expression = typeof event.schedule === 'string' ? event.schedule : event.schedule.rate;
        const period = settings.HOOKLINE_WATCHDOG_MS ? Number(settings.HOOKLINE_WATCHDOG_MS) : periodOf(expression);
        return [startSchedule(lambda, period, report)];
      }
      return [];
    }),
  );
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
}
