import * as v from 'valibot';
import { newId } from '#lib/domain/ids.ts';
import { Instant } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { type ListPage, type PageRequest, pageOf } from '../lists/page.ts';
import type { Clock, Random } from '../ports.ts';
import { type Item, type Key, put, type Store } from '../store.ts';

export const Workspace = v.object({
  id: v.string(),
  name: v.string(),
  createdAt: v.exactOptional(v.pipe(Instant, v.description('Left out for `main`, which was always there'))),
});
export type Workspace = v.InferOutput<typeof Workspace>;

/** There from the start and without an item, so that who needs one workspace never meets the idea. */
export const MAIN = 'main';
const mainWorkspace: Workspace = { id: MAIN, name: MAIN };

const PARTITION = 'WORKSPACES';

function workspaceKey(id: string): Key {
  return { pk: PARTITION, sk: id };
}

interface Ports {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

export async function createWorkspace({ store, clock, random }: Ports, name: string): Promise<Workspace> {
  const now = clock.now();
  const workspace = { id: newId('ws', now, random.bytes(10)), name, createdAt: toIso(now) };
  await store.write(put({ ...workspaceKey(workspace.id), ...workspace }));
  return workspace;
}

export async function hasWorkspace(store: Store, id: string): Promise<boolean> {
  return id === MAIN || (await store.get(workspaceKey(id), { consistent: true })) !== undefined;
}

/** Newest first; `main` is the oldest. */
export async function listWorkspaces(store: Store, { limit, from }: PageRequest): Promise<ListPage<Workspace>> {
  const before = from === undefined ? {} : { before: from };
  const query = { pk: PARTITION, limit: limit + 1, descending: true, consistent: true, from: 'ws_', ...before };
  const { items } = await store.query(query);
  // A page that cannot show `main` as well leaves it to the next one.
  const found = [...items.map(workspaceOf), mainWorkspace];
  const shown = found.slice(0, limit);
  return pageOf(shown, found.length > limit ? shown.at(-1)?.id : undefined);
}

function workspaceOf(item: Item): Workspace {
  return v.parse(Workspace, item);
}
