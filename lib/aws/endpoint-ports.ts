import type { Reach } from '#lib/domain/base-url.ts';
import { providerHttp } from '#lib/net/provider-call.ts';
import type { Environment } from './environment.ts';
import { sqsTasks } from './queues.ts';
import { type Runtime, reachOf, required } from './runtime.ts';

/** What endpoints may lead to: on one's own machine also to that machine, where a newcomer's first receiver is. */
const endpointReachOf = (environment: Environment): Reach => ({
  ...reachOf(environment),
  ownMachine: environment.HOOKLINE_LOCAL === '1',
});

/** What a call of an endpoint needs, and a task for one. */
export function endpointPorts({ environment, sqs, clock }: Runtime) {
  const endpointReach = endpointReachOf(environment);
  return {
    endpointReach,
    http: providerHttp({ reach: endpointReach, clock }),
    tasks: sqsTasks(sqs, required(environment, 'HOOKLINE_DELIVERIES_QUEUE_URL')),
  };
}
