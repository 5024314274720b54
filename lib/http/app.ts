import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import type { HonoOptions } from 'hono/hono-base';
import type { Log } from '#lib/domain/ports.ts';

/** What API Gateway hands over. */
export interface HubEvent extends APIGatewayProxyEventV2 {
  /** The host by which the hub was called, as the caller wrote it. */
  readonly calledAs: string;
  /** As it was called, also where no `Request` can be made of it. */
  readonly method: string;
}

/** How every function that is called by URL answers: one app, one set of headers, one shape of errors. */
export interface HubEnvironment {
  Bindings: { readonly event: HubEvent };
  /** The path as it was declared, for the log, where it says more than the gateway's route. */
  Variables: { route?: string };
}

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

export const HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const responseOf = ({ status, headers, body }: HttpAnswer): Response =>
  Response.json(body, { status, ...(headers && { headers: { ...headers } }) });

export const problemBody = (status: number, message: string, more: object = {}) => ({
  status,
  data: {},
  message,
  ...more,
});

const NOT_FOUND: HttpAnswer = { status: 404, body: problemBody(404, 'There is nothing at this path') };

/** What goes wrong beyond what the routes foresee is a fault of ours; it is logged here, once, and answered with `fault`. */
export function hubApp<Environment extends HubEnvironment>(
  faultOf: (error: Error) => Response,
  log: Log,
  options: Pick<HonoOptions<Environment>, 'getPath'> = {},
): Hono<Environment> {
  const app = new Hono<Environment>(options);
  app.use(async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(HEADERS)) if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  });
  app.notFound(() => responseOf(NOT_FOUND));
  app.onError((error, c) => {
    // The route, never the path: the path of a webhook ends in its secret token.
    log.error('a request failed', error, { method: c.req.method, route: c.get('route') ?? c.env.event.routeKey });
    return faultOf(error);
  });
  return app;
}

/** The path without the slashes that tools add where they join a URL from pieces. */
const withoutExtraSlashes = ({ url }: Request): string =>
  new URL(url).pathname.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');

/** An app whose one route takes a token at the end of its path. */
export function tokenApp(
  path: string,
  answer: (token: string, call: HttpCall) => Promise<HttpAnswer>,
  fault: HttpAnswer,
  log: Log,
): Hono<HubEnvironment> {
  const app = hubApp<HubEnvironment>(() => responseOf(fault), log, { getPath: withoutExtraSlashes });
  // Any browser page may post: one provider's extension does, from the user's own browser. The URL is the credential, and
  // no cookie is ever read, so there is nothing that another origin could ride on.
  const allowHeaders = ['content-type', 'idempotency-key'];
  app.use(cors({ origin: '*', allowMethods: ['POST'], allowHeaders, maxAge: 86_400 }));
  app.post(`${path}/:token`, async (c) => responseOf(await answer(c.req.param('token'), await callOf(c))));
  app.all(`${path}/:token`, (c) => {
    const body = problemBody(405, `This path takes POST, not ${c.env.event.method}`);
    return responseOf({ status: 405, headers: { allow: 'POST' }, body });
  });
  return app;
}

/** Headers come as the gateway has read them: in a `Request`, one that is more than ASCII is another. */
async function callOf(c: Context<HubEnvironment>): Promise<HttpCall> {
  const { headers, requestContext } = c.env.event;
  return { headers, body: new Uint8Array(await c.req.arrayBuffer()), sourceIp: requestContext.http.sourceIp };
}
