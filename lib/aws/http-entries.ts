import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Hono } from 'hono';
import { handle, type LambdaContext } from 'hono/aws-lambda';
import { HEADERS, type HubEnvironment, type HubEvent, problemBody, tokenApp } from '#lib/http/app.ts';
import type { ReceivingProvider } from '#lib/inbox/provider.ts';
import { type ReceivingPorts, receiver } from '#lib/inbox/receive.ts';
import { sendApp } from '#lib/outbox/submit.ts';
import { sendReports } from '#lib/sender/reports.ts';
import { acceptingPorts, type Runtime, receivingPorts, sendingPorts } from './runtime.ts';
import { correlated } from './telemetry.ts';

/** What API Gateway is answered. */
interface GatewayResult {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly cookies?: readonly string[];
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** Hono's type of the event asks for fields that API Gateway leaves out. */
interface Answering {
  answer(event: object, context?: LambdaContext): Promise<GatewayResult>;
}

/** Fixed, since Hono makes a URL of it: a host that a caller chose could end the path, or fail to parse and be logged. */
const HOST = 'hub.invalid';

/** Methods that a `Request` refuses to be made of; no path takes them, and each says what it takes instead. */
const NO_REQUEST = /^(CONNECT|TRACE|TRACK)$/i;
const STAND_IN = 'OTHER';

/** The Lambda of an app: API Gateway's event (payload format 2.0) in, its answer out. */
export function lambdaOf<Environment extends HubEnvironment>(app: Hono<Environment>) {
  const hono: Answering = { answer: handle(app) };
  return (event: APIGatewayProxyEventV2, context?: LambdaContext) =>
    // The same id stands in the access log.
    correlated({ requestId: event.requestContext.requestId }, async () => {
      // A URL would resolve them, past the route that the gateway has chosen.
      if (event.rawPath.split('/').some((segment) => /^\.{1,2}$/.test(segment))) return NOWHERE;
      return hono.answer(requestOf(event), context);
    });
}

function refusal(statusCode: number, message: string): GatewayResult {
  const headers = { ...HEADERS, 'content-type': 'application/json' };
  return { statusCode, headers, body: JSON.stringify(problemBody(statusCode, message)), isBase64Encoded: false };
}

const NOWHERE = refusal(404, 'There is nothing at this path');

/** A `Request` refuses a body where there can be none, and what a path holds beside segments would end it. */
function requestOf(event: APIGatewayProxyEventV2): HubEvent {
  const { body = '', rawPath, requestContext, ...rest } = event;
  const { http } = requestContext;
  const takesBody = !/^(GET|HEAD)$/.test(http.method);
  const method = NO_REQUEST.test(http.method) ? STAND_IN : http.method;
  // The gateway hands the path over decoded.
  const segments = rawPath.split('/').map((segment) => encodeURIComponent(segment.toWellFormed()));
  return {
    ...rest,
    rawPath: segments.join('/'),
    body: takesBody ? body : '',
    requestContext: { ...requestContext, domainName: HOST, http: { ...http, method } },
    calledAs: requestContext.domainName,
    method: http.method.toUpperCase(),
  };
}

const NOT_STORED = { status: 503, body: problemBody(503, 'Not stored; please send it again') };

/** A provider waits for its answer meanwhile: what takes longer goes through the fallback queue. */
const REPORT_MS = 1_500;

/** The Lambda of a provider from which we only receive. */
export function webhookHandler(
  provider: ReceivingProvider,
  runtime: Runtime,
  ports: ReceivingPorts = receivingPorts(runtime),
) {
  return lambdaOf(tokenApp(`/hooks/${provider.name}`, receiver(provider, ports), NOT_STORED, runtime.log));
}

/** The Lambda of a provider through which we send as well: what it reports moves our sends on. */
export function reportingWebhookHandler(provider: ReceivingProvider, runtime: Runtime) {
  const { config, ...ports } = sendingPorts(runtime);
  const sends = sendReports(ports, { ...config, requestMs: REPORT_MS });
  return webhookHandler(provider, runtime, { ...receivingPorts(runtime), sends });
}

const FAULT = { status: 500, body: problemBody(500, 'A fault of ours; the message may be queued') };

/** The Lambda that takes messages in. */
export function sendHandler(providers: Parameters<typeof acceptingPorts>[1], runtime: Runtime) {
  return lambdaOf(tokenApp('/send', sendApp(acceptingPorts(runtime, providers)), FAULT, runtime.log));
}
