import { hash } from 'node:crypto';
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { SESv2Client } from '@aws-sdk/client-sesv2';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { getSchemaSerdePlugin } from '@smithy/core/schema';
import { isRecord } from '#lib/domain/json.ts';
import type { Environment } from './environment.ts';

/** What the clients of one process have in common; without credentials they use those of the environment. */
export interface AwsSettings extends Pick<DynamoDBClientConfig, 'requestHandler' | 'credentials'> {
  readonly region: string;
  /** In place of the addresses that the SDK knows for the region: an emulator, or a VPC endpoint. */
  readonly endpoints: Readonly<Record<'dynamodb' | 'ses' | 'sqs' | 'ssm', string | undefined>>;
}

/** A provider may wait only five seconds for its answer: a request that hangs must leave time for another. */
export const ATTEMPT_MS = 1200;
/** Attempts of a call to SQS or SSM, the first included. */
const ATTEMPTS = 3;
/** A mail may carry megabytes; and one that was given up while it was under way goes out twice. */
const MAIL_MS = 10_000;

export function awsSettings(environment: Environment): AwsSettings {
  const agent = { keepAlive: true, maxSockets: 64 };
  const timeouts = { requestTimeout: ATTEMPT_MS, socketTimeout: ATTEMPT_MS, throwOnRequestTimeout: true };
  return {
    region: environment.AWS_REGION,
    endpoints: {
      dynamodb: environment.AWS_ENDPOINT_URL_DYNAMODB,
      ses: environment.AWS_ENDPOINT_URL_SESV2,
      sqs: environment.AWS_ENDPOINT_URL_SQS,
      ssm: environment.AWS_ENDPOINT_URL_SSM,
    },
    requestHandler: { ...timeouts, httpAgent: agent, httpsAgent: agent },
  };
}

/** Steps of each request that cost processor time and do nothing here: a log without a reader, and the SDK's name. */
const UNUSED = ['loggerMiddleware', 'getUserAgentMiddleware'];

/**
 * Each request of a webhook goes through this one: as it comes, the SDK's client takes 2.5 times as long. Attempts each
 * request once: `lib/store/retry.ts` repeats it, since the use case knows until when.
 */
export function dynamoDbClient({ endpoints, ...settings }: AwsSettings): DynamoDBClient {
  const client = new DynamoDBClient({
    ...settings,
    ...at(endpoints.dynamodb),
    retryStrategy: { retry: (next, args) => next(args) },
    sha256: Sha256,
    // All steps are known by the first request: they are put in order once for each operation.
    cacheMiddleware: true,
  });
  for (const name of UNUSED) client.middlewareStack.remove(name);
  const { signer } = client.config;
  let made: ReturnType<typeof signer> | undefined;
  // Made anew for each request, though a table has one region and one way to sign.
  client.config.signer = () => {
    made ??= signer();
    return made;
  };
  // Each request copies the settings three times. V8 is slow to copy what was put together piece by piece; a copy is not.
  Object.assign(client, { config: { ...client.config } });
  client.middlewareStack.use(getSchemaSerdePlugin(client.config));
  return client;
}

export function sqsClient({ endpoints, ...settings }: AwsSettings): SQSClient {
  return new SQSClient({ ...settings, ...at(endpoints.sqs), maxAttempts: ATTEMPTS, sha256: Sha256 });
}

export function ssmClient({ endpoints, ...settings }: AwsSettings): SSMClient {
  return new SSMClient({ ...settings, ...at(endpoints.ssm), maxAttempts: ATTEMPTS });
}

/** Attempts each mail once: the schedule of deliveries repeats it. */
export function sesClient({ endpoints, requestHandler, ...settings }: AwsSettings): SESv2Client {
  const slower = { ...requestHandler, requestTimeout: MAIL_MS, socketTimeout: MAIL_MS };
  return new SESv2Client({ ...settings, requestHandler: slower, ...at(endpoints.ses), maxAttempts: 1 });
}

const at = (endpoint: string | undefined) => (endpoint === undefined ? {} : { endpoint });

/** The service said no. `code` is the service's own, as `ConditionalCheckFailedException`. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, requestId?: string) {
    super(`the service refused the request: ${code}${requestId === undefined ? '' : `, request ${requestId}`}`);
    this.code = code;
    this.status = status;
  }
}

/** The request did not get through, or its answer did not: whether it took effect is not known. */
export class AwsUnreachable extends Error {
  override readonly name = 'AwsUnreachable';
}

/**
 * What a command failed with, in a form that may be logged: the SDK's own error has with it the items that a refusal
 * met, and its message quotes the request.
 */
export function failureOf(error: unknown): AwsError | AwsUnreachable {
  if (isRecord(error) && error instanceof Error && (error.$fault === 'client' || error.$fault === 'server')) {
    const { httpStatusCode: status = 0, requestId } = isRecord(error.$metadata) ? error.$metadata : {};
    return new AwsError(error.name, Number(status), typeof requestId === 'string' ? requestId : undefined);
  }
  return new AwsUnreachable('the service did not answer', { cause: error });
}

/** For `send(…).catch(fail)`. */
export function fail(error: unknown): never {
  throw failureOf(error);
}

const BLOCK = 64;

/** What the SDK hashes, and hashes with. */
type Data = string | ArrayBuffer | ArrayBufferView;

/**
 * SHA-256, or HMAC with a key, as the SDK's clients sign with it. Each is one or two calls of Node's `hash`: an object of
 * Node's for each, as the SDK makes it, takes longer than all the rest of the signing.
 */
export class Sha256 {
  readonly #key: Uint8Array | undefined;
  #given: Uint8Array[] = [];

  constructor(secret?: Data) {
    this.#key = secret === undefined ? undefined : keyOf(bytesOf(secret));
    this.reset();
  }

  update(data: Data): void {
    this.#given.push(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    const inner = sha256(this.#given);
    return this.#key ? sha256([padded(this.#key, 0x5c), inner]) : inner;
  }

  reset(): void {
    this.#given = this.#key ? [padded(this.#key, 0x36)] : [];
  }
}

const sha256 = (parts: readonly Uint8Array[]): Uint8Array => hash('sha256', Buffer.concat(parts), 'buffer');

/** RFC 2104: a key longer than a block is its hash, a shorter one is filled up with zeros. */
const keyOf = (secret: Uint8Array): Uint8Array => (secret.length > BLOCK ? sha256([secret]) : secret);

function padded(key: Uint8Array, pad: number): Uint8Array {
  const block = new Uint8Array(BLOCK).fill(pad);
  for (const [index, byte] of key.entries()) block[index] = byte ^ pad;
  return block;
}

function bytesOf(data: Data): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
