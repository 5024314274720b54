import type { Hono, Context as HonoContext } from 'hono';
import { type HubEnvironment, hubApp } from '#lib/http/app.ts';
import { retrying } from '#lib/store/retry.ts';
import { StoreUnavailable } from '#lib/store/store.ts';
import { problem, type Reply, responseOf } from './answers.ts';
import { authenticate, type Caller, type Credentials, refusalOf, refusalOfPage, sessionIn } from './auth.ts';
import { type Page, pageFile } from './files.ts';
import { openApi } from './openapi.ts';
import { type AdminPorts, isTagged, type Route } from './route.ts';
import { namesOf, routesOf } from './routes.ts';

const PAGES: readonly Page[] = ['docs', 'console'];

type RequestContext = HonoContext<HubEnvironment>;

/** What the table does not take is tried again for this long; API Gateway waits 30 s. */
const RETRY_MS = 5_000;
const LARGEST_BODY = 256 * 1024;

const NO_PATH = problem(404, 'There is nothing at this path; /docs lists what there is');
/** API Gateway looks for a path as it stands: one that begins with two slashes is no webhook's. */
const DOUBLED = problem(404, 'There is nothing at this path: write each of its slashes once');
const TOO_LARGE = problem(413, `The body is larger than ${LARGEST_BODY / 1024} KiB`);
const FAULT = problem(500, 'Something went wrong on our side');
const UNAVAILABLE = problem(503, 'The table does not answer; please try again', { 'retry-after': '1' });

/**
 * The admin API: what `routes.ts` declares, the document of it, a page to read and try it, and the console; the files of
 * both are in `pages`. `publicUrl`: where the hub is reached, if not under the gateway's own name.
 */
export function adminApp(ports: AdminPorts, pages: string, publicUrl?: string): Hono<HubEnvironment> {
  const app = hubApp<HubEnvironment>(faultOf, ports.log);
  const baseUrlOf = (c: RequestContext) => (publicUrl ?? `https://${c.env.event.calledAs}`).replace(/\/+$/, '');
  const credentialsOf = (c: RequestContext) => presented(c, baseUrlOf(c));
  const routes = routesOf(ports.providers);
  for (const route of routes) {
    app.on(route.method, pattern(route.path), async (c) => {
      const known = isTagged(route) ? (c.req.header('if-none-match') ?? '') : undefined;
      return responseOf(await reply(c, ports, route, credentialsOf(c)), known);
    });
  }
  for (const [path, methods] of methodsByPath(routes)) {
    app.all(pattern(path), async (c) => {
      const answer = wrongMethod(c, methods);
      return responseOf(await refusal(c, ports, answer, credentialsOf(c)));
    });
  }
  // Making it takes longer than a whole cold start, and is nothing that a request of the API needs.
  let document: object | undefined;
  app.get('/openapi.json', (c) => {
    document ??= openApi(routes, namesOf(ports.providers), ports.version);
    return c.json({ ...document, servers: [{ url: baseUrlOf(c) }] });
  });
  // Relative: the hub may stand below a path of somebody's own domain.
  app.get('/', (c) => c.redirect('./console'));
  const fileOf = async (c: RequestContext, page: Page, name = '') =>
    (await pageFile(pages, page, name, c.req.header('accept-encoding'))) ?? responseOf(NO_PATH);
  for (const page of PAGES) {
    app.get(`/${page}/`, (c) => c.redirect(`../${page}`));
    app.get(`/${page}`, (c) => fileOf(c, page));
    app.get(`/${page}/:name`, (c) => fileOf(c, page, c.req.param('name')));
  }
  for (const path of ['/openapi.json', '/', ...PAGES.flatMap((page) => [`/${page}`, `/${page}/`, `/${page}/:name`])]) {
    app.all(path, (c) => responseOf(wrongMethod(c, ['GET'])));
  }
  // Other functions take the POST: no token is looked up here, so none is told.
  for (const path of ['/send/:token', ...namesOf(ports.providers).map((name) => `/hooks/${name}/:token`)]) {
    for (const one of [path, `${path}/`]) app.all(one, (c) => responseOf(wrongMethod(c, ['POST'])));
  }
  app.notFound(async (c) => {
    const answer = c.req.path.includes('//') ? DOUBLED : NO_PATH;
    return responseOf(await refusal(c, ports, answer, credentialsOf(c)));
  });
  return app;
}

const faultOf = (error: Error): Response => responseOf(error instanceof StoreUnavailable ? UNAVAILABLE : FAULT);

async function reply(c: RequestContext, base: AdminPorts, route: Route, given: Credentials): Promise<Reply> {
  c.set('route', route.path);
  const { clock, random } = base;
  const ports = { ...base, store: retrying(base.store, clock, random, clock.monotonic() + RETRY_MS) };
  const caller = route.access === 'public' ? (refusalOfPage(given) ?? NOBODY) : await authenticate(ports, given);
  if ('status' in caller) return caller;
  const forbidden = refusalOf(route, caller);
  if (forbidden) return forbidden;
  const body = new Uint8Array(await c.req.arrayBuffer());
  if (body.length > LARGEST_BODY) return TOO_LARGE;
  const { workspace } = caller;
  const { baseUrl, session } = given;
  const { sourceIp } = c.env.event.requestContext.http;
  const idempotencyKey = c.env.event.headers['idempotency-key'];
  const origins = [baseUrl, `https://${c.env.event.calledAs}`];
  const context = { ports, workspace, baseUrl, origins, caller, session, sourceIp, idempotencyKey };
  return route.respond({ params: c.req.param(), query: c.req.query(), body }, context);
}

const NOBODY: Caller = { isAdmin: false, workspace: '', scope: 'all', keyHash: '' };

/** Below `/api`, only who has a key learns what is there. */
async function refusal(c: RequestContext, ports: AdminPorts, answer: Reply, given: Credentials): Promise<Reply> {
  if (!c.req.path.startsWith('/api/')) return answer;
  const caller = await authenticate(ports, given);
  return 'status' in caller ? caller : answer;
}

function presented(c: RequestContext, baseUrl: string): Credentials {
  const { headers, cookies } = c.env.event;
  return { method: c.req.method, headers, session: sessionIn(cookies, baseUrl), baseUrl };
}

/** Hono answers HEAD as GET, without the body. */
function wrongMethod(c: RequestContext, methods: readonly string[]): Reply {
  const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : method)).join(', ');
  return problem(405, `This path takes ${methods.join(' or ')}, not ${c.env.event.method}`, { allow });
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
