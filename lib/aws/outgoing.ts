import { SSMProvider } from '@aws-lambda-powertools/parameters/ssm';
import { type SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import { DeleteParameterCommand, ParameterNotFound, PutParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import type { Secrets } from '#lib/domain/ports.ts';
import { type CallResult, keptAnswer } from '#lib/domain/reaction/delivery.ts';
import { providerHttp } from '#lib/net/provider-call.ts';
import type { Mail, Mailer } from '#lib/reactions/target.ts';
import { openAccounts, type TestableAccounts } from '#lib/sender/open-accounts.ts';
import type { OutboundProvider } from '#lib/sender/provider.ts';
import { AwsError, fail, failureOf, ssmClient } from './clients.ts';
import { selfPost } from './queues.ts';
import { type Runtime, reachOf, required, tasksOf } from './runtime.ts';

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

/** Seconds. A key that was changed on another instance works there at once, and here after this long at most. */
const CACHED_FOR = 5 * 60;

/** Secrets as SecureString parameters under `prefix`, such as `/hookline/prod`. */
export function ssmSecrets(ssm: SSMClient, prefix: string): Secrets {
  const provider = new SSMProvider({ awsSdkV3Client: ssm });
  const pathOf = (name: string) => `${prefix}/${name}`;
  return {
    get: async (name, version) => {
      const selected = version === undefined ? name : `${name}:${version}`;
      try {
        // What is not there yet may be written any moment, and is not cached.
        return await provider.get(pathOf(selected), { decrypt: true, maxAge: CACHED_FOR });
      } catch (error) {
        // Powertools wraps the error of the client.
        return unlessMissing(error instanceof Error ? error.cause : error);
      }
    },
    put: async (name, value) => {
      const input = { Name: pathOf(name), Value: value, Type: 'SecureString', Overwrite: true } as const;
      const { Version } = await ssm.send(new PutParameterCommand(input)).catch(fail);
      provider.clearCache();
      if (Version === undefined) throw new Error('the parameter store named no version');
      return Version;
    },
    delete: async (name) => {
      provider.clearCache();
      await ssm.send(new DeleteParameterCommand({ Name: pathOf(name) })).catch(unlessMissing);
    },
  };
}

/** A version that is not there is no missing parameter: it may have been written a moment ago. */
function unlessMissing(error: unknown): undefined {
  return error instanceof ParameterNotFound ? undefined : fail(error);
}

/** SES writes the message itself: it encodes what is no ASCII, and takes no line end in a header. */
export function sesMailer(ses: SESv2Client): Mailer {
  return {
    send: async (mail) => {
      try {
        const { MessageId = '' } = await ses.send(commandOf(mail));
        return { result: { kind: 'answered', status: 200 }, answer: MessageId };
      } catch (error) {
        return { result: resultOf(error), answer: sentenceOf(error) };
      }
    },
  };
}

function commandOf({ from, to, subject, text, id, attachment }: Mail): SendEmailCommand {
  const utf8 = (Data: string) => ({ Data, Charset: 'UTF-8' });
  return new SendEmailCommand({
    FromEmailAddress: from,
    Destination: { ToAddresses: [...to] },
    Content: {
      Simple: {
        Subject: utf8(subject),
        Body: { Text: utf8(text) },
        Headers: [{ Name: 'X-Hookline-Id', Value: id }],
        ...(attachment && {
          Attachments: [
            {
              FileName: attachment.name,
              ContentType: attachment.contentType,
              ContentDisposition: 'ATTACHMENT',
              ContentTransferEncoding: 'BASE64',
              RawContent: attachment.content,
            },
          ],
        }),
      },
    },
  });
}

function resultOf(error: unknown): CallResult {
  const failure = failureOf(error);
  if (failure instanceof AwsError) return { kind: 'answered', status: failure.status };
  const isTimeout = error instanceof Error && error.name === 'TimeoutError';
  return { kind: 'failed', reason: isTimeout ? 'timeout' : 'connection' };
}

/** SES names what it misses, as an address that is not verified: whoever wrote the rule has to know. */
function sentenceOf(error: unknown): string {
  if (!(failureOf(error) instanceof AwsError) || !(error instanceof Error)) return '';
  return keptAnswer(`${error.name}: ${error.message}`);
}
