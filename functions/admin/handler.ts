import { ssmClient } from '#lib/aws/clients.ts';
import { endpointPorts } from '#lib/aws/endpoint-ports.ts';
import { lambdaOf } from '#lib/aws/http-entries.ts';
import { allowsPrivateHosts, reachOf, required, runtime, sendingPorts } from '#lib/aws/runtime.ts';
import { ssmSecrets } from '#lib/aws/secrets.ts';
import { providerHttp } from '#lib/net/provider-call.ts';
import { patternMatcher } from '#lib/reactions/patterns.ts';
import { openAccounts } from '#lib/sender/open-accounts.ts';
import { version } from '#lib/version.ts';
import * as outbound from '../outbound.ts';
import { providers } from '../providers.ts';
import { adminApp } from './app.ts';

const all = runtime();
const { environment, aws, clock } = all;
const secrets = ssmSecrets(ssmClient(aws), required(environment, 'HOOKLINE_SECRETS_PREFIX'));
/** For a test of one, which sends nothing. */
const ofProviders = openAccounts(Object.values(outbound), {
  ...all,
  secrets,
  http: providerHttp({ reach: reachOf(environment), clock }),
  selfPost: { post: async () => false },
});
const ports = {
  openAccounts: ofProviders,
  ...sendingPorts(all),
  ...endpointPorts(all),
  reaches: new Map(Object.values(outbound).map((provider) => [provider.name, provider])),
  rules: { allowPrivateHosts: allowsPrivateHosts(environment) },
  matches: patternMatcher(),
  secrets,
  mailFrom: environment.HOOKLINE_MAIL_FROM,
  providers,
  reach: reachOf(environment),
  version,
};

export const handler = lambdaOf(adminApp(ports, import.meta.dirname, environment.HOOKLINE_PUBLIC_URL));
