import type { ServerResponse } from 'node:http';
import * as v from 'valibot';

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

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
}

/** API Gateway's own answers, word for word. */
export const gatewayAnswers = {
  badRequest: ownAnswer(400, 'Bad Request'),
  notFound: ownAnswer(404, 'Not Found'),
  tooLarge: ownAnswer(413, 'Request Entity Too Large'),
  fault: ownAnswer(500, 'Internal Server Error'),
  unavailable: ownAnswer(503, 'Service Unavailable'),
};

/** A function's result as an HTTP answer: without a status code the whole result is the JSON body. */
export function toAnswer(result: unknown): Answer {
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

export function write(response: ServerResponse, { status, headers, body }: Answer): void {
  const hasBody = status !== 204 && status !== 304;
  response.writeHead(status, { ...headers, ...(hasBody ? { 'content-length': body.length } : {}) });
  response.end(hasBody ? body : undefined);
}

function ownAnswer(status: number, message: string): Answer {
  return jsonAnswer(status, { message });
}

function jsonAnswer(status: number, value: unknown): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(value) ?? ''),
  };
}
