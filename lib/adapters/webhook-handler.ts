import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { ReceivingProvider } from '#lib/app/receiving/provider.ts';
import { receiver } from '#lib/app/receiving/receive.ts';
import { type Runtime, receivingPorts } from './runtime.ts';

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
    'access-control-allow-headers': 'content-type',
    'access-control-max-age': '86400',
  },
};

/** The Lambda of a provider: API Gateway's event in, its answer out. */
export function webhookHandler(provider: ReceivingProvider, runtime: Runtime) {
  const ports = receivingPorts(runtime);
  const receive = receiver(provider, ports);
  return async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    if (event.requestContext.http.method === 'OPTIONS') return PREFLIGHT;
    try {
      const { status, body } = await receive(event.pathParameters?.token ?? '', {
        headers: event.headers,
        body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
        sourceIp: event.requestContext.http.sourceIp,
      });
      return { statusCode: status, headers: JSON_HEADERS, body: JSON.stringify(body) };
    } catch (cause) {
      ports.log.error('a delivery failed', cause, { provider: provider.name });
      return { statusCode: 503, headers: JSON_HEADERS, body: NOT_STORED };
    }
  };
}

const JSON_HEADERS = { ...HEADERS, 'content-type': 'application/json; charset=utf-8' };
const NOT_STORED = JSON.stringify({ status: 503, data: {}, message: 'Not stored; please send it again' });
