import type { Secrets } from '#lib/domain/ports.ts';
import { providerHttp } from '#lib/net/provider-call.ts';
import { openAccounts, type TestableAccounts } from '#lib/sender/open-accounts.ts';
import type { OutboundProvider } from '#lib/sender/provider.ts';
import { ssmClient } from './clients.ts';
import { selfPost } from './queues.ts';
import { type Runtime, reachOf, required, tasksOf } from './runtime.ts';
import { ssmSecrets } from './secrets.ts';

// What the functions need that call somebody outside; those that only store carry none of it.

export const secretsOf = ({ environment, aws }: Runtime): Secrets =>
  ssmSecrets(ssmClient(aws), required(environment, 'HOOKLINE_SECRETS_PREFIX'));

/** What a call of an endpoint needs, and a task for one. */
export function endpointPorts(all: Runtime) {
  // On one's own machine also to that machine, where a newcomer's first receiver is.
  const endpointReach = { ...reachOf(all.environment), ownMachine: all.environment.HOOKLINE_LOCAL === '1' };
  return { endpointReach, http: providerHttp({ reach: endpointReach, clock: all.clock }), tasks: tasksOf(all) };
}

/** The accounts of these providers, with their credentials: for who sends, asks after an account, or looks for a message. */
export function outboundAccounts(providers: readonly OutboundProvider[], runtime: Runtime): TestableAccounts {
  const { environment, sqs, clock } = runtime;
  return openAccounts(providers, {
    ...runtime,
    secrets: secretsOf(runtime),
    http: providerHttp({ reach: reachOf(environment), clock }),
    selfPost: selfPost(sqs, required(environment, 'HOOKLINE_FALLBACK_QUEUE_URL'), clock),
  });
}
