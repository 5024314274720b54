import * as v from 'valibot';
import { sha256 } from '#lib/domain/ids.ts';
import { Instant, optional, strictObject, text } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { closeSession, mayTry, openSession, SCOPES, useLink, wasRight } from '#lib/tenants/api-keys.ts';
import { EMPTY, json, problem } from '../answers.ts';
import { type Caller, callerOfKey, sessionCookie, WRONG_KEY } from '../auth.ts';
import { type Context, nowSeconds, routesOn } from '../route.ts';
import { Id } from '../schemas.ts';

export const ShownSession = v.object({
  workspace: text('The one that is worked in where a call names none'),
  admin: v.pipe(v.boolean(), v.description('Whether all workspaces are open to it')),
  scope: v.pipe(v.picklist(SCOPES), v.description('What its key may do')),
  expiresAt: optional(Instant, 'When the session ends; left out with a key'),
});

const SignIn = strictObject({
  key: v.pipe(
    v.string(),
    v.regex(/^\S{1,500}$/, 'must be a key, without blanks'),
    v.description('A key, or the token of a link, which begins with `once_`'),
  ),
  workspace: optional(Id, 'With the admin key: the workspace to work in, `main` if left out'),
});

const LINK = 'once_';
const SLOW_DOWN = problem(429, 'Too many wrong keys from this address; please wait a minute', { 'retry-after': '60' });

const NO_WORKSPACE = problem(404, '`workspace` names none that this key opens: give its id, as ws_…, or leave it out');

const shown = ({ workspace, isAdmin, scope, until }: Caller) => ({
  workspace,
  admin: isAdmin,
  scope,
  ...(until !== undefined && { expiresAt: toIso(until * 1000) }),
});

/** Whose the key is, or the link, which works once. */
async function signingIn({ ports }: Context, key: string, workspace: string | undefined) {
  if (!key.startsWith(LINK)) return callerOfKey(ports, sha256(key), workspace);
  const link = await useLink(ports, key.slice(LINK.length));
  return link ? callerOfKey(ports, link.keyHash, workspace, link.workspace) : WRONG_KEY;
}

const route = routesOn({ tag: 'Session', access: 'workspace', scopes: SCOPES });

export const sessionRoutes = [
  route('POST /api/session', {
    summary: 'Sign in: sets a cookie that stands for the key',
    description:
      'For browsers; programs send the key itself. The session lasts 12 hours, and ends at once when the key is deleted. ' +
      'With the cookie, whatever changes something must come from a page of the hub and be JSON.',
    access: 'public',
    body: SignIn,
    example: { key: 'hk_…' },
    answers: { 201: { description: 'Signed in', schema: ShownSession } },
    run: async ({ body: { key, workspace } }, context) => {
      const { ports, baseUrl, session: old, sourceIp } = context;
      if (!(await mayTry(ports, sourceIp))) return SLOW_DOWN;
      const caller = await signingIn(context, key, workspace);
      if ('status' in caller && caller.status === 401) return caller;
      await wasRight(ports, sourceIp);
      if ('status' in caller) return caller.status === 404 ? NO_WORKSPACE : caller;
      // What the browser brought along is never taken over: somebody else may have put it there.
      if (old !== undefined) await closeSession(ports.store, old);
      const { token, expiresAt } = await openSession(ports, 'session', caller);
      const headers = sessionCookie(baseUrl, token, expiresAt - nowSeconds(ports));
      return { ...json(201, shown({ ...caller, until: expiresAt })), headers };
    },
  }),
  route('GET /api/session', {
    summary: 'Who is signed in, and until when',
    description: 'The same for a key: which workspace it opens.',
    answers: { 200: { description: 'The session', schema: ShownSession } },
    run: async (_input, { caller }) => json(200, shown(caller)),
  }),
  route('DELETE /api/session', {
    summary: 'Sign out',
    description: 'The cookie opens nothing from then on. A key goes on working.',
    answers: { 204: { description: 'Signed out' } },
    run: async (_input, { ports, baseUrl, session }) => {
      if (session !== undefined) await closeSession(ports.store, session);
      return { ...EMPTY, headers: sessionCookie(baseUrl, '', 0) };
    },
  }),
  route('POST /api/session/links', {
    summary: 'Make a token that signs in once, within 10 minutes',
    description:
      'It stands for the key that made it. The console takes it behind the `#` of its own address, which no server and no log sees.',
    answers: {
      201: {
        description: 'The token',
        schema: v.object({
          token: text('Shown this once, to be given as `key`'),
          url: text('The console'),
          expiresAt: Instant,
        }),
      },
    },
    run: async (_input, { ports, caller, baseUrl }) => {
      const link = await openSession(ports, 'link', caller);
      const token = `${LINK}${link.token}`;
      return json(201, { token, url: `${baseUrl}/console#${token}`, expiresAt: toIso(link.expiresAt * 1000) });
    },
  }),
];
