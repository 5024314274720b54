import { sesClient } from '#lib/aws/clients.ts';
import { deliverHandler } from '#lib/aws/deliver-handler.ts';
import { endpointPorts, secretsOf, sesMailer } from '#lib/aws/outgoing.ts';
import { runtime } from '#lib/aws/runtime.ts';
import { patternMatcher } from '#lib/reactions/untrusted.ts';

const all = runtime();

export const handler = deliverHandler({
  ...all,
  ...endpointPorts(all),
  mailer: sesMailer(sesClient(all.aws)),
  mailFrom: all.environment.HOOKLINE_MAIL_FROM,
  secrets: secretsOf(all),
  matches: patternMatcher(),
});
