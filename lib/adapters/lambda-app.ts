import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Hono } from 'hono';
import { handle, type LambdaContext } from 'hono/aws-lambda';
import type { HubEnvironment } from '#lib/http/app.ts';
import { correlated } from './correlation.ts';

/** What API Gateway is answered. */
export interface GatewayResult {
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

/** The Lambda of an app: API Gateway's event (payload format 2.0) in, its answer out. */
export function lambdaOf<Environment extends HubEnvironment>(app: Hono<Environment>) {
  const hono: Answering = { answer: handle(app) };
  return (event: APIGatewayProxyEventV2, context?: LambdaContext) =>
    // The same id stands in the access log.
    correlated({ requestId: event.requestContext.requestId }, () => hono.answer(requestOf(event), context));
}

/** A `Request` refuses a body where there can be none, and what a path holds beside segments would end it. */
function requestOf(event: APIGatewayProxyEventV2): APIGatewayProxyEventV2 {
  const { body = '', rawPath, ...rest } = event;
  const takesBody = !/^(GET|HEAD)$/.test(event.requestContext.http.method);
  // The gateway hands the path over decoded.
  const segments = rawPath.split('/').map((segment) => encodeURIComponent(segment.toWellFormed()));
  return { ...rest, rawPath: segments.join('/'), body: takesBody ? body : '' };
}
