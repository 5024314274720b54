import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';

/** One route of an HTTP API, such as `POST /hooks/cooby/{token}` or `$default` for all that is left, and what answers it. */
export interface Route<Target> {
  readonly key: string;
  readonly target: Target;
}

export interface Match<Target> {
  readonly route: Route<Target>;
  readonly pathParameters: Readonly<Record<string, string>>;
}

interface Candidate<Target> extends Match<Target> {
  /** How exactly the route names the request; compared from left to right, the higher wins. */
  readonly rank: string;
}

/**
 * The route that API Gateway would choose: a written segment before a parameter, a parameter before a greedy one,
 * and a named method before ANY. The path is already decoded, segment by segment.
 */
export function matchRoute<Target>(
  routes: readonly Route<Target>[],
  method: string,
  path: readonly string[],
): Match<Target> | undefined {
  return routes
    .flatMap((route) => candidate(route, method, path) ?? [])
    .sort((a, b) => (a.rank < b.rank ? 1 : -1))
    .at(0);
}

function candidate<Target>(
  route: Route<Target>,
  method: string,
  path: readonly string[],
): Candidate<Target> | undefined {
  if (route.key === '$default') return { route, pathParameters: {}, rank: '' };
  const [routeMethod, routePath = ''] = route.key.split(' ');
  if (routeMethod !== method && routeMethod !== 'ANY') return undefined;
  const pathParameters: Record<string, string> = {};
  let rank = '';
  const segments = routePath.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    const given = path[index];
    if (given === undefined) return undefined;
    const [, name, greedy] = /^\{(\w+)(\+?)\}$/.exec(segment) ?? [];
    if (greedy) {
      pathParameters[name ?? ''] = path.slice(index).join('/');
      return { route, pathParameters, rank: `${rank}0${methodRank(routeMethod)}` };
    }
    if (name === undefined && segment !== given) return undefined;
    if (name !== undefined) pathParameters[name] = given;
    rank += name === undefined ? '2' : '1';
  }
  return path.length === segments.length
    ? { route, pathParameters, rank: `${rank}${methodRank(routeMethod)}` }
    : undefined;
}

function methodRank(method: string): string {
  return method === 'ANY' ? '0' : '1';
}

/** Content types that API Gateway hands to a function as text; everything else arrives in base64, forms included. */
const textual = /^(text\/|application\/(json|javascript|xml)\b|application\/[\w.-]+\+(json|xml)\b)/i;

export interface GatewayRequest {
  readonly message: IncomingMessage;
  readonly path: readonly string[];
  readonly query: string;
  readonly body: Buffer;
  readonly receivedAt: number;
}

/** The event, payload format 2.0, with which API Gateway would call the function. */
export function toEvent(request: GatewayRequest, { route, pathParameters }: Match<unknown>): APIGatewayProxyEventV2 {
  const { message, query, body, receivedAt } = request;
  const { cookie, ...headers } = joinedHeaders(message);
  const rawPath = `/${request.path.join('/')}`;
  return {
    version: '2.0',
    routeKey: route.key,
    rawPath,
    rawQueryString: query,
    ...(cookie ? { cookies: cookie.split(/;\s*/) } : {}),
    headers,
    ...(query ? { queryStringParameters: joinedQuery(query) } : {}),
    ...(Object.keys(pathParameters).length > 0 ? { pathParameters: { ...pathParameters } } : {}),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName: headers.host ?? '',
      domainPrefix: 'local',
      http: {
        method: message.method ?? '',
        path: rawPath,
        protocol: `HTTP/${message.httpVersion}`,
        sourceIp: message.socket.remoteAddress ?? '',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey: route.key,
      stage: '$default',
      time: new Date(receivedAt).toUTCString(),
      timeEpoch: receivedAt,
    },
    ...bodyOf(body, headers['content-type']),
  };
}

function joinedHeaders({ headersDistinct, socket }: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, values = []] of Object.entries(headersDistinct)) headers[name] = values.join(',');
  const address = socket.remoteAddress ?? '';
  headers['x-forwarded-for'] = headers['x-forwarded-for'] ? `${headers['x-forwarded-for']}, ${address}` : address;
  headers['x-forwarded-proto'] = 'http';
  headers['x-forwarded-port'] = String(socket.localPort);
  return headers;
}

/** Several values of one name are joined by commas, as in a header. */
function joinedQuery(query: string): Record<string, string> {
  const parameters = new URLSearchParams(query);
  return Object.fromEntries([...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name).join(',')]));
}

function bodyOf(body: Buffer, contentType = ''): Pick<APIGatewayProxyEventV2, 'body' | 'isBase64Encoded'> {
  if (body.length === 0) return { isBase64Encoded: false };
  if (textual.test(contentType)) {
    const text = body.toString('utf8');
    // Bytes that are no valid text would be altered by a decoder, so they go as base64, too.
    if (Buffer.from(text, 'utf8').equals(body)) return { body: text, isBase64Encoded: false };
  }
  return { body: body.toString('base64'), isBase64Encoded: true };
}
