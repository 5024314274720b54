import { lambdaOf } from '#lib/aws/http-entries.ts';
import { endpointPorts, outboundAccounts, secretsOf } from '#lib/aws/outgoing.ts';
import { acceptingPorts, reachOf, runtime } from '#lib/aws/runtime.ts';
import { patternMatcher } from '#lib/reactions/untrusted.ts';
import { version } from '#lib/version.ts';
import * as outbound from '../outbound.ts';
import { providers } from '../providers.ts';
import { adminApp } from './app.ts';

const all = runtime();
const { environment } = all;
const sending = Object.values(outbound);
const ports = {
  ...acceptingPorts(all, sending),
  ...endpointPorts(all),
  openAccounts: outboundAccounts(sending, all),
  matches: patternMatcher(),
  secrets: secretsOf(all),
  mailFrom: environment.HOOKLINE_MAIL_FROM,
  providers,
  reach: reachOf(environment),
  version,
};

export const handler = lambdaOf(adminApp(ports, import.meta.dirname, environment.HOOKLINE_PUBLIC_URL));
