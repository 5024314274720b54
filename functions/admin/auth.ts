import { timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';
import { sha256 } from '#lib/domain/ids.ts';
import { ADMIN_KEY } from '#lib/domain/ports.ts';
import { findKey, findSession, SCOPES, type Scope } from '#lib/tenants/api-keys.ts';
import { MAIN, stateOfWorkspace } from '#lib/tenants/workspaces.ts';
import { type ProblemReply, problem } from './answers.ts';
import type { AdminPorts, Route } from './route.ts';
import { Id } from './schemas.ts';

export interface Caller {
  readonly isAdmin: boolean;
  readonly workspace: string;
  /** What the key may do. */
  readonly scope: Scope;
  /** Of the key that was presented, or that the session was opened with. */
  readonly keyHash: string;
  /** The workspace was deleted: what it holds can be read and erased, for a while. */
  readonly isClosed?: boolean;
  /** When the session ends, in seconds since the epoch; with a key there is none. */
  readonly until?: number;
}

type Headers = Readonly<Record<string, string | undefined>>;

/** What of a request tells who calls. */
export interface Credentials {
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Headers;
  /** The token in the cookie. */
  readonly session: string | undefined;
  readonly baseUrl: string;
}

const unauthorized = (message: string) => problem(401, message, { 'www-authenticate': 'Bearer' });
const NO_KEY = unauthorized('A key is missing: send the header Authorization: Bearer <key>');
const NO_BEARER = unauthorized('The Authorization header must read: Bearer <key>');
export const WRONG_KEY = unauthorized('This key is not valid here: check it for slips, or ask for a new one');
const NO_SESSION = unauthorized('This session has ended: sign in again');
const FOREIGN = problem(403, 'A page of another origin may not do this: it must send Sec-Fetch-Site: same-origin');
const NO_JSON = problem(415, 'The request needs the header Content-Type: application/json');
/** One sentence for all that a key does not open, whether it exists or not. */
const NO_WORKSPACE = problem(404, 'X-Workspace names no workspace that this key opens; it may be left out');

/** Who calls, and which workspace is meant; a workspace that the key does not open is as good as none. */
export async function authenticate(ports: AdminPorts, given: Credentials): Promise<Caller | ProblemReply> {
  const { authorization, 'x-workspace': workspace } = given.headers;
  if (authorization === undefined) return given.session === undefined ? NO_KEY : ofSession(ports, given, given.session);
  const key = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (key === undefined) return NO_BEARER;
  return callerOfKey(ports, sha256(key), workspace);
}

async function ofSession(ports: AdminPorts, given: Credentials, token: string): Promise<Caller | ProblemReply> {
  const refused = refusalOfPage(given);
  if (refused) return refused;
  const session = await findSession(ports, token);
  if (!session) return NO_SESSION;
  const caller = await callerOfKey(ports, session.keyHash, given.headers['x-workspace'], session.workspace);
  // The key was deleted, or replaced.
  if ('status' in caller) return caller.status === 401 ? NO_SESSION : caller;
  return { ...caller, until: session.expiresAt };
}

/** `usual`: the workspace of the admin key where none is named. */
export async function callerOfKey(
  ports: AdminPorts,
  keyHash: string,
  named: string | undefined,
  usual: string = MAIN,
): Promise<Caller | ProblemReply> {
  const adminKey = await ports.secrets.get(ADMIN_KEY);
  if (adminKey !== undefined && isSame(keyHash, sha256(adminKey))) return admin(ports, keyHash, named ?? usual);
  const found = await findKey(ports.store, keyHash);
  if (!found) {
    ports.metrics.count('RefusedKeys');
    return WRONG_KEY;
  }
  if (named !== undefined && named !== found.workspace) return NO_WORKSPACE;
  return { isAdmin: false, workspace: found.workspace, scope: found.scope, keyHash };
}

async function admin({ store }: AdminPorts, keyHash: string, workspace: string): Promise<Caller | ProblemReply> {
  const state = v.is(Id, workspace) ? await stateOfWorkspace(store, workspace) : undefined;
  return state ? { isAdmin: true, workspace, scope: 'all', keyHash, isClosed: state === 'deleted' } : NO_WORKSPACE;
}

type Guarded = Pick<Route, 'access' | 'method' | 'scopes' | 'inWorkspace' | 'erases'>;

const FORBIDDEN = problem(403, 'This needs the admin key');

const CLOSED = problem(403, 'This workspace was deleted: what it holds can be read, and persons erased, nothing else');

/** Who may call a route is decided here, for all of them. */
export function refusalOf(route: Guarded, { isAdmin, scope, isClosed }: Caller): ProblemReply | undefined {
  const changes = route.method !== 'get' && (route.access === 'workspace' || route.inWorkspace === true);
  if (isClosed && changes && !route.erases) return CLOSED;
  if (route.access === 'admin' && !isAdmin) return FORBIDDEN;
  const allowed = scopesOf(route);
  if (isAdmin || allowed.includes(scope)) return undefined;
  return problem(403, `This key has the scope ${scope}: here one of scope ${allowed.join(' or ')} is needed`);
}

/** The scopes of a key that opens a route of a workspace. What is added later is open to `all` alone, unless it only reads. */
export const scopesOf = ({ method, scopes = [] }: Guarded): readonly Scope[] =>
  SCOPES.filter((scope) => scope === 'all' || (scope === 'read' && method === 'get') || scopes.includes(scope));

/** Hashes are of one length: the time that comparing takes tells nothing of the key. */
const isSame = (presented: string, expected: string) => timingSafeEqual(Buffer.from(presented), Buffer.from(expected));

/**
 * A browser adds the cookie to whatever any page makes it send, and takes a cookie from any answer. What changes
 * something with it, or signs in, must come from a page of ours, and in a form that another page cannot send unasked.
 */
export function refusalOfPage({ method, headers, session, baseUrl }: Credentials): ProblemReply | undefined {
  if (method === 'GET' || method === 'HEAD') return undefined;
  const { 'sec-fetch-site': site, origin, 'content-type': type = '' } = headers;
  if (site !== undefined ? site !== 'same-origin' : !isOwn(origin, baseUrl, session)) return FOREIGN;
  return /^application\/json\s*(;|$)/i.test(type) ? undefined : NO_JSON;
}

/** Programs send no origin, and no cookie either. */
const isOwn = (origin: string | undefined, baseUrl: string, session: string | undefined) =>
  origin === undefined ? session === undefined : origin === new URL(baseUrl).origin;

/**
 * Browsers keep a cookie with the prefix to this host and to https; over http, some would not keep it at all. Cookies know
 * no port, and with the prefix no path: two hubs on one host would take each other's away, so both stand in the name.
 */
function cookieName(baseUrl: string): string {
  const { protocol, port, pathname } = new URL(baseUrl);
  const place = `-${port}${pathname}`.replace(/\W+/g, '-').replace(/-$/, '');
  return `${protocol === 'http:' ? '' : '__Host-'}hookline${place}`;
}

export function sessionIn(cookies: readonly string[] = [], baseUrl: string): string | undefined {
  const start = `${cookieName(baseUrl)}=`;
  return cookies.find((cookie) => cookie.startsWith(start))?.slice(start.length);
}

export function sessionCookie(baseUrl: string, token: string, seconds: number): Readonly<Record<string, string>> {
  const secure = baseUrl.startsWith('http:') ? '' : '; Secure';
  const rest = `Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
  return { 'set-cookie': `${cookieName(baseUrl)}=${token}; ${rest}` };
}
