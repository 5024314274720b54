import { createHash, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';
import { ADMIN_KEY } from '#lib/app/secrets.ts';
import { workspaceOfKey } from '#lib/app/workspaces/keys.ts';
import { hasWorkspace, MAIN } from '#lib/app/workspaces/workspace.ts';
import { NOT_FOUND, type ProblemReply, problem } from './answers.ts';
import type { AdminPorts } from './ports.ts';
import { Id } from './schemas.ts';

export interface Caller {
  readonly kind: 'caller';
  readonly isAdmin: boolean;
  readonly workspace: string;
}

export interface Credentials {
  readonly authorization: string | undefined;
  /** The header `X-Workspace`. */
  readonly workspace: string | undefined;
}

const UNAUTHORIZED = problem(401, 'Send a valid key: Authorization: Bearer <key>', {
  headers: { 'www-authenticate': 'Bearer' },
});

/** Who calls, and which workspace is meant; a workspace that the key does not open is as good as none. */
export async function authenticate(ports: AdminPorts, given: Credentials): Promise<Caller | ProblemReply> {
  const key = /^Bearer +(\S+)$/i.exec(given.authorization ?? '')?.[1];
  if (key === undefined) return UNAUTHORIZED;
  const adminKey = await ports.secrets.get(ADMIN_KEY);
  if (adminKey !== undefined && isSame(key, adminKey)) return admin(ports, given.workspace ?? MAIN);
  const workspace = await workspaceOfKey(ports.store, key);
  if (workspace === undefined) return UNAUTHORIZED;
  if (given.workspace !== undefined && given.workspace !== workspace) return NOT_FOUND;
  return { kind: 'caller', isAdmin: false, workspace };
}

async function admin({ store }: AdminPorts, workspace: string): Promise<Caller | ProblemReply> {
  return v.is(Id, workspace) && (await hasWorkspace(store, workspace))
    ? { kind: 'caller', isAdmin: true, workspace }
    : NOT_FOUND;
}

/** Hashes are of one length: the time that comparing takes tells nothing of the key. */
function isSame(presented: string, expected: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(presented), hash(expected));
}
