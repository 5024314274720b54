import { sesClient, ssmClient } from '#lib/aws/clients.ts';
import { deliverHandler } from '#lib/aws/deliver-handler.ts';
import { endpointPorts } from '#lib/aws/endpoint-ports.ts';
import { sesMailer } from '#lib/aws/mailer.ts';
import { required, runtime } from '#lib/aws/runtime.ts';
import { ssmSecrets } from '#lib/aws/secrets.ts';
import { patternMatcher } from '#lib/reactions/patterns.ts';

const all = runtime();
const secrets = ssmSecrets(ssmClient(all.aws), required(all.environment, 'HOOKLINE_SECRETS_PREFIX'));

const mailing = { mailer: sesMailer(sesClient(all.aws)), mailFrom: all.environment.HOOKLINE_MAIL_FROM };

export const handler = deliverHandler({
  ...all,
  ...endpointPorts(all),
  ...mailing,
  secrets,
  matches: patternMatcher(),
});
