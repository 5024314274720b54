import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as v from 'valibot';
import { HEADERS, problemBody } from '#lib/http/app.ts';
import type { Lambda } from '../lambda.ts';
import { type GatewayRequest, type Match, matchRoute, type Route, toEvent } from './event.ts';

/** API Gateway takes at most this much, in bytes. */
const gatewayLimit = 10 * 1024 * 1024;
/** What Lambda takes as one event, in bytes: the body, in base64 if it travels so, and the rest of the request. */
const lambdaLimit = 6 * 1024 * 1024;

/** The whole body, or `undefined` when it is larger than the gateway takes. */
async function readBody(message: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(message.headers['content-length'] ?? 0) > gatewayLimit) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  // Whoever leaves the loop goes on with the connection.
  for await (const chunk of message.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > gatewayLimit) return undefined;
  }
  return Buffer.concat(chunks, size);
}

/** What a function may answer to API Gateway, payload format 2.0. */
const Structured = v.looseObject({
  statusCode: v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)),
  headers: v.optional(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])), {}),
  cookies: v.optional(v.array(v.string()), []),
  body: v.optional(v.string(), ''),
  isBase64Encoded: v.optional(v.boolean(), false),
});

/** Lambda hands back at most this much, in bytes. */
const largestAnswer = 6 * 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
}

/**
 * What API Gateway would answer by itself: its statuses, in the shape that the errors of the hub have everywhere. On AWS
 * the words are API Gateway's own, which nobody can change.
 */
const gatewayAnswers = {
  badRequest: ownAnswer(400, 'The request cannot be read: it is no HTTP, or its path is not encoded as it must be'),
  noHost: ownAnswer(400, 'The request has no Host header'),
  notFound: ownAnswer(404, 'There is nothing at this path'),
  noTunnel: ownAnswer(405, 'This is no proxy: it takes no CONNECT', { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE' }),
  slow: ownAnswer(408, 'The request did not arrive in time'),
  tooLarge: ownAnswer(413, 'The body is larger than 6 MB as Lambda takes it, in base64 where it is no text'),
  noExpectation: ownAnswer(417, 'The header Expect can only be 100-continue'),
  headersTooLarge: ownAnswer(431, 'The address and the headers are larger than 16 KiB'),
  fault: ownAnswer(500, 'Something went wrong on our side'),
  unavailable: ownAnswer(503, 'This took too long; please try again'),
};

/** A function's result as an HTTP answer: without a status code the whole result is the JSON body. */
function toAnswer(result: unknown): Answer {
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) return jsonAnswer(200, result);
  const parsed = v.safeParse(Structured, result);
  if (!parsed.success) return gatewayAnswers.fault;
  const { statusCode, headers, cookies, body, isBase64Encoded } = parsed.output;
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > largestAnswer) return gatewayAnswers.fault;
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)] as const);
  return {
    status: statusCode,
    headers: {
      ...(body ? { 'content-type': 'text/plain; charset=utf-8' } : {}),
      ...Object.fromEntries(named),
      ...(cookies.length > 0 ? { 'set-cookie': cookies } : {}),
    },
    body: bytes,
  };
}

/** `ending` is given what ends the answer once its body is written. */
function write(response: ServerResponse, { status, headers, body }: Answer, ending?: (end: () => void) => void): void {
  // To HEAD a function answers no body, and how long that of GET is nobody has counted.
  const hasBody = status !== 204 && status !== 304 && response.req.method !== 'HEAD';
  response.writeHead(status, { ...headers, ...(hasBody ? { 'content-length': body.length } : {}) });
  if (ending === undefined) return void response.end(hasBody ? body : undefined);
  if (hasBody) response.write(body);
  ending(() => response.end());
}

function ownAnswer(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Answer {
  const answer = jsonAnswer(status, problemBody(status, message));
  return { ...answer, headers: { ...HEADERS, ...answer.headers, ...headers } };
}

function jsonAnswer(status: number, value: unknown): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(value) ?? ''),
  };
}

/** Told of everything that went wrong inside a function, since the caller is not. */
export type FaultReport = (functionName: string, error: unknown) => void;

/** An answer that a function gave. */
export interface Answered {
  readonly routeKey: string;
  /** When the request came, in milliseconds since the epoch. */
  readonly at: number;
  readonly status: number;
  readonly body: Buffer;
  readonly milliseconds: number;
}

/** Whom the gateway tells, beside its callers. */
interface Told {
  readonly report: FaultReport;
  readonly answered?: ((answer: Answered) => void) | undefined;
}

/** The HTTP API of the service: finds the function for a request and lets it answer, within the limits of AWS. */
export function createGateway(routes: () => Promise<readonly Route<Lambda>[]>, told: Told): Server {
  // Without a Host header Node itself would answer, in no shape of ours.
  const server = createServer({ requireHostHeader: false }, async (message, response) => {
    const answer = await answerTo(message, routes, told).catch((error: unknown) => {
      // A caller that hangs up in the middle of its request wants no answer.
      if (!message.destroyed || message.complete) told.report('the gateway', error);
      return gatewayAnswers.fault;
    });
    send(message, response, answer);
  });
  // Longer than any client's idea of an idle connection, so that it is not closed just as a request is sent.
  server.keepAliveTimeout = 65_000;
  server.on('checkExpectation', (message, response) => send(message, response, gatewayAnswers.noExpectation));
  server.on('connect', (_message, socket) => endWith(socket, gatewayAnswers.noTunnel));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Who hung up reads no answer.
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else endWith(socket, UNREADABLE.get(error.code ?? '') ?? gatewayAnswers.badRequest);
  });
  return server;
}

/** Why Node's parser gave up, where it is not the request line or a header. */
const UNREADABLE = new Map([
  ['HPE_HEADER_OVERFLOW', gatewayAnswers.headersTooLarge],
  ['ERR_HTTP_REQUEST_TIMEOUT', gatewayAnswers.slow],
]);

/** An answer on a connection of which there is no request that could be answered, and its end. */
function endWith(socket: Duplex, { status, headers, body }: Answer): void {
  const all = { ...headers, 'content-length': body.length, connection: 'close' };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
}

function send(message: IncomingMessage, response: ServerResponse, answer: Answer): void {
  if (message.complete) {
    write(response, answer);
    return;
  }
  // Too large: the connection cannot be used again. Who still writes to one that is closed reads no answer, so that for a
  // while the rest is thrown away before the end is said.
  response.setHeader('connection', 'close');
  write(response, answer, (end) => {
    const late = setTimeout(end, LINGER_MS);
    message.once('close', () => clearTimeout(late));
    message.once('end', end).resume();
  });
}

const LINGER_MS = 2000;

async function answerTo(
  message: IncomingMessage,
  routes: () => Promise<readonly Route<Lambda>[]>,
  { report, answered }: Told,
): Promise<Answer> {
  const receivedAt = Date.now();
  if (message.httpVersion === '1.1' && !message.headers.host) return gatewayAnswers.noHost;
  // A client that believes to speak to a proxy writes the whole address.
  const target = (message.url ?? '/').replace(/^https?:\/\/[^/?]*/i, '');
  const [rawPath = '/', query = ''] = splitOnce(target.startsWith('/') ? target : `/${target}`, '?');
  const path = decodedSegments(rawPath);
  if (!path) return gatewayAnswers.badRequest;
  const known = await routes();
  const method = message.method ?? '';
  // A slash too many leads to the same function, which sees the path as it was called.
  const matches = [path, path.filter(Boolean)].flatMap((one) => matchRoute(known, method, one) ?? []);
  const match = matches.find(({ route }) => route.key !== '$default') ?? matches.at(0);
  if (!match) {
    message.resume();
    return gatewayAnswers.notFound;
  }
  const body = await readBody(message);
  if (!body) return gatewayAnswers.tooLarge;
  const answer = await invoke({ message, path, query, body, receivedAt }, match, report);
  const milliseconds = Date.now() - receivedAt;
  answered?.({ routeKey: match.route.key, at: receivedAt, status: answer.status, body: answer.body, milliseconds });
  return answer;
}

async function invoke(request: GatewayRequest, match: Match<Lambda>, report: FaultReport): Promise<Answer> {
  const event = toEvent(request, match);
  if ((event.body?.length ?? 0) > lambdaLimit) return gatewayAnswers.tooLarge;
  const answer = await answerOf(match.route.target, event, report);
  // As API Gateway does: by it the lines of this request are found in the log.
  return { ...answer, headers: { ...answer.headers, 'apigw-requestid': event.requestContext.requestId } };
}

async function answerOf(target: Lambda, event: APIGatewayProxyEventV2, report: FaultReport): Promise<Answer> {
  const invocation = await target.invoke(event);
  switch (invocation.kind) {
    case 'answered':
      return toAnswer(invocation.result);
    case 'timeout':
      report(target.name, new Error('ran into its timeout'));
      return gatewayAnswers.unavailable;
    case 'failed':
      report(target.name, invocation.error);
      return gatewayAnswers.fault;
  }
}

/** API Gateway hands paths over decoded, segment by segment. */
function decodedSegments(path: string): string[] | undefined {
  try {
    return path.split('/').slice(1).map(decodeURIComponent);
  } catch {
    return undefined; // a lone % is no character
  }
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
