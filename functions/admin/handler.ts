import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { ssmClient } from '#lib/adapters/aws/clients.ts';
import { ssmSecrets } from '#lib/adapters/aws/ssm-secrets.ts';
import { correlated } from '#lib/adapters/correlation.ts';
import { reachOf, required, runtime, sendingPorts } from '#lib/adapters/runtime.ts';
import { version } from '#lib/adapters/version.ts';
import { adminApp } from './app.ts';
import { gateway } from './gateway.ts';
import { providers } from './registry.ts';

const all = runtime();
const { environment, aws } = all;
const ports = sendingPorts(all);
const secrets = ssmSecrets(ssmClient(aws), required(environment, 'HOOKLINE_SECRETS_PREFIX'));

const answer = gateway(
  adminApp({ ...ports, secrets, providers, reach: reachOf(environment), version }),
  environment.HOOKLINE_PUBLIC_URL,
);

/** The same id stands in the access log. */
export const handler = (event: APIGatewayProxyEventV2) =>
  correlated({ requestId: event.requestContext.requestId }, () => answer(event));
