import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { App } from './app.ts';

/**
 * Joins an app to API Gateway (payload format 2.0) and to nothing else: Hono's own adapter also takes what load
 * balancers and older gateways send, and rewrites header values.
 * `publicUrl`: where the hub is reached, if not under the gateway's own name.
 */
export function gateway(app: App, publicUrl: string | undefined) {
  return async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    const baseUrl = (publicUrl ?? `https://${event.requestContext.domainName}`).replace(/\/+$/, '');
    return resultOf(await app.fetch(requestOf(event), { baseUrl }));
  };
}

function requestOf(event: APIGatewayProxyEventV2): Request {
  const { method } = event.requestContext.http;
  // The gateway hands the path over decoded.
  const path = event.rawPath
    .split('/')
    .map((part) => encodeURIComponent(part.toWellFormed()))
    .join('/');
  const query = event.rawQueryString === '' ? '' : `?${event.rawQueryString}`;
  const takesBody = method !== 'GET' && method !== 'HEAD' && event.body !== undefined;
  return new Request(`https://hub.invalid${path}${query}`, {
    method,
    headers: headersOf(event),
    ...(takesBody && { body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8') }),
  });
}

function headersOf({ headers }: APIGatewayProxyEventV2): Headers {
  // A header is made of bytes; what the gateway decoded goes back to them.
  const bytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
  return new Headers(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, bytes(value)]])),
  );
}

async function resultOf(response: Response): Promise<APIGatewayProxyStructuredResultV2> {
  const bytes = Buffer.from(await response.arrayBuffer());
  const text = bytes.toString('utf8');
  // What a decoder would alter goes as base64.
  const isText = Buffer.from(text, 'utf8').equals(bytes);
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: isText ? text : bytes.toString('base64'),
    isBase64Encoded: !isText,
  };
}
