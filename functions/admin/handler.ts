import { ssmClient } from '#lib/adapters/aws/clients.ts';
import { ssmSecrets } from '#lib/adapters/aws/ssm-secrets.ts';
import { lambdaOf } from '#lib/adapters/lambda-app.ts';
import { reachOf, required, runtime, sendingPorts } from '#lib/adapters/runtime.ts';
import { version } from '#lib/adapters/version.ts';
import { providers } from '../providers.ts';
import { adminApp } from './app.ts';

const all = runtime();
const { environment, aws } = all;
const secrets = ssmSecrets(ssmClient(aws), required(environment, 'HOOKLINE_SECRETS_PREFIX'));
const ports = { ...sendingPorts(all), secrets, providers, reach: reachOf(environment), version };

export const handler = lambdaOf(adminApp(ports, environment.HOOKLINE_PUBLIC_URL));
