import type { Context as HonoContext } from 'hono';
import { HonoBase as Hono } from 'hono/hono-base';
import { TrieRouter } from 'hono/router/trie-router';
import { retrying } from '#lib/app/retrying-store.ts';
import { StoreUnavailable } from '#lib/app/store.ts';
import { lazily } from '#lib/domain/lazily.ts';
import { type AnyReply, problem, responseOf } from './answers.ts';
import { authenticate, type Caller } from './auth.ts';
import type { AdminPorts } from './ports.ts';
import type { Route } from './route.ts';
import { groupOf, groups, namesOf, otherRoutes, routesOf } from './routes.ts';

interface Environment {
  /** What the gateway knows beside the request. */
  Bindings: { readonly baseUrl: string };
  /** The declared path, for the log: what somebody wrote in its place is not for the log. */
  Variables: { route: string };
}
type RequestContext = HonoContext<Environment>;

/** A fetch API, as Hono's. */
export interface App {
  fetch(request: Request, bindings: Environment['Bindings']): Response | Promise<Response>;
}

/** What the table does not take is tried again for this long; API Gateway waits 30 s. */
const PATIENCE_MS = 5_000;
const LARGEST_BODY = 256 * 1024;

const HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const FORBIDDEN = problem(403, 'This needs the admin key');
const NO_PATH = problem(404, 'There is nothing at this path; /docs lists what there is');
const TOO_LARGE = problem(413, `The body is larger than ${LARGEST_BODY / 1024} KiB`);
const FAULT = problem(500, 'Something went wrong on our side');
const UNAVAILABLE = problem(503, 'The table does not answer; please try again', { headers: { 'retry-after': '1' } });

/** The admin API: what `routes.ts` declares, the document of it, and a page to read and try it. */
export function adminApp(ports: AdminPorts): App {
  const others = otherApp(ports);
  const apps = new Map(
    [...groups].map(([name, load]) => [name, lazily(async () => appOf(ports, await load(ports.providers)))]),
  );
  return {
    fetch: async (request, bindings) => {
      const group = apps.get(groupOf(new URL(request.url).pathname));
      return (group ? await group() : others).fetch(request, bindings);
    },
  };
}

/** What is no group of the API. */
function otherApp(ports: AdminPorts): Hono<Environment> {
  const app = appOf(ports, otherRoutes);
  const names = namesOf(ports.providers);
  // Making it takes longer than the whole cold start, and is nothing that a request of the API needs.
  const document = lazily(async () => {
    const [{ openApi }, routes] = await Promise.all([import('./openapi.ts'), routesOf(ports.providers)]);
    return openApi(routes, names, ports.version);
  });
  app.get('/openapi.json', async (c) => c.json({ ...(await document()), servers: [{ url: c.env.baseUrl }] }));
  // Relative: the hub may stand below a path of somebody's own domain.
  app.get('/', (c) => c.redirect('./docs'));
  app.get('/docs/', (c) => c.redirect('../docs'));
  app.get('/docs', () => docs(''));
  app.get('/docs/:name', (c) => docs(c.req.param('name')));
  // Other functions take the POST: no token is looked up here, so none is told.
  for (const path of ['/send/:token', ...names.map((name) => `/hooks/${name}/:token`)]) {
    app.all(path, (c) => responseOf(wrongMethod(c.req.method, ['POST'])));
  }
  return app;
}

function appOf(ports: AdminPorts, routes: readonly Route[]): Hono<Environment> {
  // Of Hono's routers the one that is ready soonest: the usual one makes a regular expression of all routes first.
  const app = new Hono<Environment>({ router: new TrieRouter() });
  app.use(withHeaders);
  for (const route of routes) {
    app.on(route.method, pattern(route.path), async (c) => responseOf(await reply(c, ports, route)));
  }
  for (const [path, methods] of methodsByPath(routes)) {
    app.all(pattern(path), async (c) => responseOf(await refusal(c, ports, wrongMethod(c.req.method, methods))));
  }
  app.notFound(async (c) => responseOf(await refusal(c, ports, NO_PATH)));
  app.onError((error, c) => {
    ports.log.error('a request failed', error, { method: c.req.method, route: c.get('route') ?? '' });
    return responseOf(error instanceof StoreUnavailable ? UNAVAILABLE : FAULT);
  });
  return app;
}

async function docs(name: string): Promise<Response> {
  const { docsFile } = await import('./docs/files.ts');
  return docsFile(name) ?? responseOf(NO_PATH);
}

async function withHeaders(c: RequestContext, next: () => Promise<void>): Promise<void> {
  await next();
  for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value);
}

async function reply(c: RequestContext, base: AdminPorts, route: Route): Promise<AnyReply> {
  c.set('route', route.path);
  const { clock, random } = base;
  const ports = { ...base, store: retrying(base.store, clock, random, clock.monotonic() + PATIENCE_MS) };
  const caller = route.access === 'public' ? NOBODY : await callerOf(c, ports);
  if (caller.kind === 'problem') return caller;
  if (route.access === 'admin' && !caller.isAdmin) return FORBIDDEN;
  const body = new Uint8Array(await c.req.arrayBuffer());
  if (body.length > LARGEST_BODY) return TOO_LARGE;
  const { workspace } = caller;
  return route.respond(
    { params: c.req.param(), query: c.req.query(), body },
    { ports, workspace, baseUrl: c.env.baseUrl },
  );
}

const NOBODY: Caller = { kind: 'caller', isAdmin: false, workspace: '' };

/** Below `/api`, only who has a key learns what is there. */
async function refusal(c: RequestContext, ports: AdminPorts, answer: AnyReply): Promise<AnyReply> {
  if (!c.req.path.startsWith('/api/')) return answer;
  const caller = await callerOf(c, ports);
  return caller.kind === 'problem' ? caller : answer;
}

function callerOf(c: RequestContext, ports: AdminPorts) {
  return authenticate(ports, {
    authorization: c.req.header('authorization'),
    workspace: c.req.header('x-workspace'),
  });
}

function wrongMethod(given: string, methods: readonly string[]): AnyReply {
  const headers = { allow: methods.join(', ') };
  return problem(405, `This path takes ${methods.join(' or ')}, not ${given}`, { headers });
}

/** `/api/events/{id}` as the router writes it. */
function pattern(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}

function methodsByPath(routes: readonly Route[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { path, method } of routes) found.set(path, [...(found.get(path) ?? []), method.toUpperCase()]);
  return found;
}
