import { type OpenAccounts, openAccounts } from '#lib/app/sending/open-accounts.ts';
import type { OutboundProvider } from '#lib/app/sending/outbound.ts';
import { ssmClient } from './aws/clients.ts';
import { selfPost } from './aws/self-post.ts';
import { ssmSecrets } from './aws/ssm-secrets.ts';
import { providerHttp } from './http/provider-call.ts';
import { type Runtime, reachOf, required } from './runtime.ts';

/** The accounts of these providers, with their credentials: for who sends, asks after an account, or looks for a message. */
export function outboundAccounts(providers: readonly OutboundProvider[], runtime: Runtime): OpenAccounts {
  const { environment, aws, sqs, store, random, clock, log } = runtime;
  return openAccounts(providers, {
    secrets: ssmSecrets(ssmClient(aws), required(environment, 'HOOKLINE_SECRETS_PREFIX')),
    http: providerHttp({ reach: reachOf(environment), clock }),
    selfPost: selfPost(sqs, required(environment, 'HOOKLINE_FALLBACK_QUEUE_URL'), clock),
    store,
    random,
    clock,
    log,
  });
}
