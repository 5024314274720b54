import * as v from 'valibot';
import { newId, sha256 } from '#lib/domain/ids.ts';
import type { Clock, Random } from '#lib/domain/ports.ts';
import { Instant, optional, text } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { itemReader, readEach } from '#lib/store/items.ts';
import { apiKeyKey, directoryKey, sessionKey, triesKey } from '#lib/store/keys.ts';
import { getAll, type ListPage, type PageRequest, pageOf } from '#lib/store/query.ts';
import type { StorePorts } from '#lib/store/retry.ts';
import {
  absent,
  add,
  any,
  compare,
  del,
  exists,
  isLive,
  newTransaction,
  put,
  type Store,
  set,
  update,
} from '#lib/store/store.ts';
import { isOpen, listDirectory } from './workspaces.ts';

/** What a key may do in its workspace: everything, only look, or only what concerns sends. */
export const SCOPES = ['all', 'read', 'send'] as const;
export type Scope = (typeof SCOPES)[number];

/** A key that opens one workspace. The key itself is stored nowhere, only its hash. */
export const WorkspaceKey = v.object({
  id: v.string(),
  workspace: v.string(),
  name: optional(v.string(), 'Who or what it is for'),
  // Keys of an earlier release say nothing, and may do everything.
  scope: v.pipe(
    v.optional(v.picklist(SCOPES), 'all'),
    v.description('`all`: everything in the workspace. `read`: look, and change nothing. `send`: the sends alone'),
  ),
  prefix: text('How the key begins, to tell it from others'),
  createdAt: Instant,
});
export type WorkspaceKey = v.InferOutput<typeof WorkspaceKey>;

const SHOWN_CHARACTERS = 9;

/** `key` is shown this once. Undefined where the workspace was deleted just now. */
export async function createKey(
  ports: StorePorts,
  workspace: string,
  { name, scope = 'all' }: { readonly name?: string | undefined; readonly scope?: Scope | undefined } = {},
): Promise<(WorkspaceKey & { readonly key: string }) | undefined> {
  const { store, clock, random } = ports;
  const now = clock.now();
  const key = `hk_${Buffer.from(random.bytes(32)).toString('base64url')}`;
  const hash = sha256(key);
  const made: WorkspaceKey = {
    id: newId('key', now, random.bytes(10)),
    workspace,
    ...(name !== undefined && { name }),
    scope,
    prefix: key.slice(0, SHOWN_CHARACTERS),
    createdAt: toIso(now),
  };
  const writes = [
    put({ ...apiKeyKey(hash), ...made }, absent()),
    put({ ...directoryKey(workspace, 'KEY', made.id), hash }, absent()),
    isOpen(workspace),
  ];
  const transacted = await store.transact(writes, newTransaction(random));
  if (!transacted.done && transacted.refused[2]) return undefined;
  if (!transacted.done) throw new Error('a key that was just made up is taken');
  return { ...made, key };
}

export async function listKeys(store: Store, workspace: string, page: PageRequest): Promise<ListPage<WorkspaceKey>> {
  const { entries, position } = await listDirectory(store, workspace, 'KEY', page);
  const keys = entries.map((entry) => apiKeyKey(String(entry.hash)));
  const { items, damaged } = readEach(await getAll(store, keys, { consistent: true }), workspaceKeyOf);
  return pageOf('keys', items, position, damaged);
}

/** False where the workspace has no such key. It opens nothing from this moment on. */
export async function deleteKey(store: Store, random: Random, workspace: string, id: string): Promise<boolean> {
  const entry = await store.get(directoryKey(workspace, 'KEY', id), { consistent: true });
  if (!entry) return false;
  await store.transact([del(apiKeyKey(String(entry.hash))), del(entry)], newTransaction(random));
  return true;
}

/** The key that has this hash. Found by hash, so that no time is spent on comparing. */
export async function findKey(store: Store, hash: string): Promise<WorkspaceKey | undefined> {
  const item = await store.get(apiKeyKey(hash), { consistent: true });
  return item && workspaceKeyOf(item);
}

const workspaceKeyOf = itemReader(WorkspaceKey);

/**
 * A browser that was signed in with a key. Only the hash of its token is kept, with the hash of the key: whoever asks
 * looks the key up each time, so that a session ends with its key, in the same moment.
 */
const Session = v.object({
  keyHash: v.string(),
  workspace: v.string(),
  /** A link signs in once, and opens nothing by itself. */
  use: v.picklist(['session', 'link']),
  /** Seconds since the epoch. */
  expiresAt: v.number(),
});
export type Session = v.InferOutput<typeof Session>;

const SECONDS = { session: 12 * 3600, link: 600 };
/** Of one address in a minute; the keys have 256 bits, so this is for the log and the bill. */
const WRONG_KEYS = 5;

const readSession = itemReader(Session);
const secondsOf = (clock: Clock) => Math.floor(clock.now() / 1000);

/** `token` is told this once. */
export async function openSession(
  { store, clock, random }: StorePorts,
  use: Session['use'],
  owner: Pick<Session, 'keyHash' | 'workspace'>,
): Promise<Session & { readonly token: string }> {
  const token = Buffer.from(random.bytes(32)).toString('base64url');
  const session = { ...owner, use, expiresAt: secondsOf(clock) + SECONDS[use] };
  const { done } = await store.write(put({ ...sessionKey(token), ...session }, absent()));
  if (!done) throw new Error('a token that was just made up is taken');
  return { ...session, token };
}

type Ports = Pick<StorePorts, 'store' | 'clock'>;

/** The session of a token, while it lasts. */
export async function findSession({ store, clock }: Ports, token: string, use: Session['use'] = 'session') {
  const item = await store.get(sessionKey(token), { consistent: true });
  const session = item && isLive(item, secondsOf(clock)) ? readSession(item) : undefined;
  return session?.use === use ? session : undefined;
}

/** Whose a link is, which opens nothing from now on: of two that follow it at once, one gets in. */
export async function useLink(ports: Ports, token: string) {
  const link = await findSession(ports, token, 'link');
  return link && (await ports.store.write(del(sessionKey(token), exists()))).done ? link : undefined;
}

export async function closeSession(store: Store, token: string): Promise<void> {
  await store.write(del(sessionKey(token)));
}

/** A try counts before it is judged, so that many at once are no way around the bound; who was right takes it back. */
export async function mayTry({ store, clock }: Ports, address: string): Promise<boolean> {
  const changes = [add('tries', 1), set('expiresAt', secondsOf(clock) + 120)];
  const room = any(absent(), compare('tries', '<', WRONG_KEYS));
  return (await store.write(update(triesKey(address, clock.now()), changes, room))).done;
}

export async function wasRight({ store, clock }: Ports, address: string): Promise<void> {
  await store.write(update(triesKey(address, clock.now()), [add('tries', -1)], exists()));
}
