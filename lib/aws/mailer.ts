import { type SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import { type CallResult, keptAnswer } from '#lib/domain/reaction/delivery.ts';
import type { Mail, Mailer } from '#lib/reactions/target.ts';
import { AwsError, failureOf } from './clients.ts';

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
