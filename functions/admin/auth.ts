import { createHash, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';
import { workspaceOfKey } from '#lib/tenants/api-keys.ts';
import { ADMIN_KEY } from '#lib/tenants/secrets.ts';
import { hasWorkspace, MAIN } from '#lib/tenants/workspaces.ts';
import { type ProblemReply, problem } from './answers.ts';
import type { AdminPorts } from './route.ts';
import { Id } from './schemas.ts';

export interface Caller {
  readonly isAdmin: boolean;
  readonly workspace: string;
}

export interface Credentials {
  readonly authorization: string | undefined;
  /** The header `X-Workspace`. */
  readonly workspace: string | undefined;
}

const unauthorized = (message: string) => problem(401, message, { 'www-authenticate': 'Bearer' });
const NO_KEY = unauthorized('A key is missing: send the header Authorization: Bearer <key>');
const NO_BEARER = unauthorized('The Authorization header must read: Bearer <key>');
const WRONG_KEY = unauthorized('This key is not valid here: check it for slips, or ask for a new one');
/** One sentence for all that a key does not open, whether it exists or not. */
const NO_WORKSPACE = problem(404, 'X-Workspace names no workspace that this key opens; it may be left out');

/** Who calls, and which workspace is meant; a workspace that the key does not open is as good as none. */
export async function authenticate(ports: AdminPorts, given: Credentials): Promise<Caller | ProblemReply> {
  if (given.authorization === undefined) return NO_KEY;
  const key = /^Bearer +(\S+)$/i.exec(given.authorization)?.[1];
  if (key === undefined) return NO_BEARER;
  const adminKey = await ports.secrets.get(ADMIN_KEY);
  if (adminKey !== undefined && isSame(key, adminKey)) return admin(ports, given.workspace ?? MAIN);
  const workspace = await workspaceOfKey(ports.store, key);
  if (workspace === undefined) {
    ports.metrics.count('RefusedKeys');
    return WRONG_KEY;
  }
  if (given.workspace !== undefined && given.workspace !== workspace) return NO_WORKSPACE;
  return { isAdmin: false, workspace };
}

async function admin({ store }: AdminPorts, workspace: string): Promise<Caller | ProblemReply> {
  return v.is(Id, workspace) && (await hasWorkspace(store, workspace)) ? { isAdmin: true, workspace } : NO_WORKSPACE;
}

/** Hashes are of one length: the time that comparing takes tells nothing of the key. */
function isSame(presented: string, expected: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(presented), hash(expected));
}
