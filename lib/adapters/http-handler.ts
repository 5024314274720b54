import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Log } from '#lib/app/ports.ts';
import { correlated } from './correlation.ts';

/** A request to a webhook URL. Header names are in lower case. */
export interface HttpCall {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  readonly sourceIp: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object;
}

/**
 * Any browser page may post: one provider's extension does, from the user's own browser. The URL is the credential, and
 * no cookie is ever read, so there is nothing that another origin could ride on.
 */
const HEADERS = {
  'access-control-allow-origin': '*',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
const PREFLIGHT = {
  statusCode: 204,
  headers: {
    ...HEADERS,
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'content-type, idempotency-key',
    'access-control-max-age': '86400',
  },
};

/** What goes wrong beyond what `answer` foresees is a fault of ours; it is logged here, once, and answered with `fault`. */
export function httpHandler(
  answer: (token: string, call: HttpCall) => Promise<HttpAnswer>,
  fault: HttpAnswer,
  log: Log,
) {
  return async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    if (event.requestContext.http.method === 'OPTIONS') return PREFLIGHT;
    // The same id stands in the access log.
    return correlated({ requestId: event.requestContext.requestId }, async () => {
      try {
        return toResult(await answer(event.pathParameters?.token ?? '', callOf(event)));
      } catch (cause) {
        // The route, never the path: the path of a webhook ends in its secret token.
        log.error('a request failed', cause, { route: event.routeKey });
        return toResult(fault);
      }
    });
  };
}

function callOf({ headers, body = '', isBase64Encoded, requestContext }: APIGatewayProxyEventV2): HttpCall {
  return {
    headers,
    body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
    sourceIp: requestContext.http.sourceIp,
  };
}

function toResult({ status, headers, body }: HttpAnswer): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode: status,
    headers: { ...HEADERS, ...headers, 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(body),
  };
}
