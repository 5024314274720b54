import { hash } from 'node:crypto';
import type { AwsSettings } from '#lib/aws/clients.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Stands where the network is: takes what the SDK sends, and answers it. */
export type Wire = (operation: string, headers: Readonly<Record<string, string>>, body: string) => Promise<Answer>;

export const ok = (output: object = {}): Answer => ({ status: 200, text: JSON.stringify(output) });

/** As SQS says that it has a message, whose text the client compares. */
export function taken(sendMessage: string): Answer {
  const { MessageBody } = JSON.parse(sendMessage);
  return ok({ MessageId: '1', MD5OfMessageBody: hash('md5', String(MessageBody)) });
}

/** As DynamoDB says no; the other services leave out what stands before the `#`. */
export const refusal = (code: string, status = 400, more: object = {}): Answer => ({
  status,
  text: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${code}`, ...more }),
});

interface Sent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

const decoder = new TextDecoder();

/** Settings of clients that speak to `wire`. */
export function settingsOver(wire: Wire): AwsSettings {
  const handle = async ({ headers, body }: Sent) => {
    const [, operation = ''] = (headers['x-amz-target'] ?? '').split('.');
    const { status, text } = await wire(operation, headers, typeof body === 'string' ? body : decoder.decode(body));
    return { response: { statusCode: status, headers: {}, body: Buffer.from(text) } };
  };
  return {
    region: 'eu-central-1',
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    endpoints: { dynamodb: undefined, ses: undefined, sqs: undefined, ssm: undefined },
    requestHandler: { handle },
  };
}

/** Settings of clients that speak to engines of this machine. */
export function settingsFor(endpoint: string): AwsSettings {
  return {
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    endpoints: { dynamodb: endpoint, ses: endpoint, sqs: endpoint, ssm: endpoint },
    requestHandler: { requestTimeout: 5_000, throwOnRequestTimeout: true },
  };
}
