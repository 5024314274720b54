import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Lambda } from '../lambda/lambda.ts';
import { type Answer, gatewayAnswers, toAnswer, write } from './answer.ts';
import { lambdaLimit, readBody } from './body.ts';
import { type GatewayRequest, toEvent } from './event.ts';
import { type Match, matchRoute, type Route } from './routes.ts';

/** Told of everything that went wrong inside a function, since the caller is not. */
export type FaultReport = (functionName: string, error: unknown) => void;

/** The HTTP API of the service: finds the function for a request and lets it answer, within the limits of AWS. */
export function createGateway(routes: () => Promise<readonly Route<Lambda>[]>, report: FaultReport): Server {
  const server = createServer(async (message, response) => {
    const answer = await answerTo(message, routes, report).catch((error: unknown) => {
      // A caller that hangs up in the middle of its request wants no answer.
      if (!message.destroyed || message.complete) report('the gateway', error);
      return gatewayAnswers.fault;
    });
    send(message, response, answer);
  });
  // Longer than any client's idea of an idle connection, so that it is not closed just as a request is sent.
  server.keepAliveTimeout = 65_000;
  return server;
}

function send(message: IncomingMessage, response: ServerResponse, answer: Answer): void {
  if (message.complete) {
    write(response, answer);
    return;
  }
  // Too large: the rest is not read, so the connection cannot be used again.
  response.setHeader('connection', 'close');
  response.on('finish', () => message.destroy());
  write(response, answer);
}

async function answerTo(
  message: IncomingMessage,
  routes: () => Promise<readonly Route<Lambda>[]>,
  report: FaultReport,
): Promise<Answer> {
  const receivedAt = Date.now();
  const [rawPath = '/', query = ''] = splitOnce(message.url ?? '/', '?');
  const path = decodedSegments(rawPath);
  if (!path) return gatewayAnswers.badRequest;
  const match = matchRoute(await routes(), message.method ?? '', path);
  if (!match) {
    message.resume();
    return gatewayAnswers.notFound;
  }
  const body = await readBody(message);
  if (!body) return gatewayAnswers.tooLarge;
  return invoke({ message, path, query, body, receivedAt }, match, report);
}

async function invoke(request: GatewayRequest, match: Match<Lambda>, report: FaultReport): Promise<Answer> {
  const event = toEvent(request, match);
  if ((event.body?.length ?? 0) > lambdaLimit) return gatewayAnswers.tooLarge;
  const { target } = match.route;
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
