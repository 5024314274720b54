import { ssmSecrets } from '#lib/adapters/aws/ssm-secrets.ts';
import { runtime } from '#lib/adapters/runtime.ts';
import { version } from '#lib/adapters/version.ts';
import { adminApp } from './app.ts';
import { gateway } from './gateway.ts';
import { providers } from './registry.ts';

const { environment, ssm, ...ports } = runtime();
const { HOOKLINE_SECRETS_PREFIX: prefix, HOOKLINE_PUBLIC_URL: publicUrl } = environment;
if (prefix === undefined) throw new Error('HOOKLINE_SECRETS_PREFIX is missing');

const secrets = ssmSecrets(ssm, prefix, ports.clock);

export const handler = gateway(adminApp({ ...ports, secrets, providers, version }), publicUrl);
