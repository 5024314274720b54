import type { IncomingMessage } from 'node:http';
import { SignatureV4 } from '@smithy/signature-v4';
import { isRecord } from '#lib/domain/json.ts';
import { SignerHash } from './signer-hash.ts';

/** A service that speaks AWS JSON: one POST per call, the operation in a header. */
export interface AwsService {
  /** As in endpoints and signatures: `dynamodb`. */
  readonly name: string;
  /** What stands before the operation's name in `X-Amz-Target`. */
  readonly target: string;
  readonly version: '1.0' | '1.1';
}
export const DYNAMODB: AwsService = { name: 'dynamodb', target: 'DynamoDB_20120810', version: '1.0' };
export const SQS: AwsService = { name: 'sqs', target: 'AmazonSQS', version: '1.0' };
export const SSM: AwsService = { name: 'ssm', target: 'AmazonSSM', version: '1.1' };

export interface AwsSettings {
  readonly region: string;
  /** Overrides the service's own endpoint: an emulator, or a VPC endpoint. */
  readonly endpoint?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** For the whole call, milliseconds. */
  readonly timeoutMs: number;
}

/** Carries a signed request to the service and its answer back; a rejection means that nobody knows what happened. */
export type Transport = (operation: string, headers: Record<string, string>, body: string) => Promise<Answer>;

/** The service said no. `code` is the service's own, as `ConditionalCheckFailedException`. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly code: string;
  readonly status: number;
  /** Private, so that no log prints it: a refusal brings along the items that it met. */
  readonly #body: Readonly<Record<string, unknown>>;

  constructor(operation: string, status: number, body: Readonly<Record<string, unknown>>) {
    const code = typeof body.__type === 'string' ? (body.__type.split('#').pop() ?? '') : `Http${status}`;
    super(`${operation} was refused: ${code}`);
    this.code = code;
    this.status = status;
    this.#body = body;
  }

  get body(): Readonly<Record<string, unknown>> {
    return this.#body;
  }
}

/** The call did not get through, or its answer did not: whether it took effect is not known. */
export class AwsUnreachable extends Error {
  override readonly name = 'AwsUnreachable';
}

export type AwsClient = (operation: string, input: object) => Promise<Readonly<Record<string, unknown>>>;

/**
 * A client of one service, without retries. The SDK's own spends four to five times the processor time per request
 * (docs/decisions/0002-aws-client.md has the figures); signing is left to the SDK's signer.
 */
export function awsClient(service: AwsService, settings: AwsSettings, send?: Transport): AwsClient {
  const endpoint = new URL(settings.endpoint ?? `https://${service.name}.${settings.region}.amazonaws.com`);
  const carry = send ?? httpTransport(endpoint, settings.timeoutMs);
  const signer = new SignatureV4({
    service: service.name,
    region: settings.region,
    credentials: {
      accessKeyId: settings.accessKeyId,
      secretAccessKey: settings.secretAccessKey,
      ...(settings.sessionToken === undefined ? {} : { sessionToken: settings.sessionToken }),
    },
    sha256: SignerHash,
    applyChecksum: false,
  });
  return async (operation, input) => {
    const body = JSON.stringify(input);
    const signed = await signer.sign({
      method: 'POST',
      protocol: endpoint.protocol,
      hostname: endpoint.hostname,
      path: '/',
      query: {},
      headers: {
        host: endpoint.host,
        'content-type': `application/x-amz-json-${service.version}`,
        'x-amz-target': `${service.target}.${operation}`,
      },
      body,
    });
    const answer = await carry(operation, signed.headers, body);
    const parsed = parsedAnswer(operation, answer);
    if (answer.status !== 200) throw new AwsError(operation, answer.status, parsed);
    return parsed;
  };
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One connection is kept and used again: a TLS handshake costs more than the call. */
function httpTransport(endpoint: URL, timeoutMs: number): Transport {
  // An import of `node:http` would load its WebSocket, too, and with it more than the rest of a cold start.
  const { Agent, request } = process.getBuiltinModule(endpoint.protocol === 'https:' ? 'node:https' : 'node:http');
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  return (operation, headers, body) =>
    new Promise<Answer>((resolve, reject) => {
      const fail = (cause: unknown) => reject(new AwsUnreachable(`${operation} got no answer`, { cause }));
      const outgoing = request(
        endpoint,
        { method: 'POST', agent, headers: { ...headers, 'content-length': Buffer.byteLength(body) } },
        (response) => collect(response).then(resolve, fail),
      );
      const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      outgoing.on('error', fail);
      outgoing.on('close', () => clearTimeout(timer));
      outgoing.end(body);
    });
}

function collect(response: IncomingMessage): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('aborted', () => reject(new Error('the answer broke off')));
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
    );
  });
}

function parsedAnswer(operation: string, answer: Answer): Readonly<Record<string, unknown>> {
  try {
    const body: unknown = answer.text === '' ? {} : JSON.parse(answer.text);
    if (isRecord(body)) return body;
  } catch (cause) {
    if (answer.status === 200) throw new AwsUnreachable(`${operation} got a broken answer`, { cause });
  }
  return {};
}
