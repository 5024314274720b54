import * as v from 'valibot';
import { newId } from '#lib/domain/ids.ts';
import type { Clock } from '#lib/domain/ports.ts';
import { Instant, known, optional, tally } from '#lib/domain/schema.ts';
import { RetentionDays, SHORTEST_DAYS, toIso } from '#lib/domain/time.ts';
import { itemReader } from '#lib/store/items.ts';
import { directoryKey, directoryRange, type Entry, WORKSPACES, workspaceKey } from '#lib/store/keys.ts';
import {
  type ListPage,
  newestPage,
  type PageRequest,
  pageOf,
  pagesOf,
  queryAll,
  type Slice,
} from '#lib/store/query.ts';
import { AGAIN, retryOnConflict, type StorePorts } from '#lib/store/retry.ts';
import {
  absent,
  add,
  all,
  type Check,
  check,
  exists,
  type Item,
  type Put,
  patching,
  put,
  remove,
  type Store,
  set,
  setIfAbsent,
  setOrRemove,
  unchanged,
  update,
} from '#lib/store/store.ts';

/** What applying the retention changed. */
export const AppliedCounts = v.object({
  events: tally('Given another end, or none'),
  attempts: tally('Given an earlier end, or deleted with the event that an endpoint or a rule was told of'),
  sends: tally('Emptied of recipient, text, file and errors'),
  chats: tally('Deleted: nothing has happened in them for so long'),
  ledgerEntries: tally("Refunds whose reason, a provider's words, was emptied; the figures stay"),
});
export type AppliedCounts = v.InferOutput<typeof AppliedCounts>;

export const Workspace = v.object({
  id: v.string(),
  name: v.string(),
  createdAt: v.exactOptional(v.pipe(Instant, v.description('Left out for `main`, which was always there'))),
  defaultAccountId: optional(v.string(), 'Who sends what names no account; left out: the one connected last'),
  defaultCountry: optional(v.string(), 'Of numbers without + in messages to send, where their webhook says no other'),
  retentionDays: optional(
    RetentionDays,
    'Days after which what came in or was sent goes; left out: it is kept for ever',
  ),
  retentionPending: optional(
    v.literal(true),
    'The retention was changed, and what was stored before does not follow it yet: it does after the next night, or see `…/retention/apply`',
  ),
  deletedAt: optional(Instant, 'Only in the list of those that were deleted'),
  retentionApplied: optional(
    v.object({ at: Instant, ...AppliedCounts.entries }),
    'When everything was last gone through for the retention, by night or by `…/retention/apply`, and what that changed',
  ),
});
export type Workspace = v.InferOutput<typeof Workspace>;

/** What its item holds. */
const Stored = v.object({
  ...Workspace.entries,
  /** How often the retention was changed: whoever applies one can tell whether it is still the same. */
  retentionChanges: v.optional(v.number(), 0),
  /** Of one that was deleted: also everything that opens it, or acts in it. */
  isSwept: v.exactOptional(v.boolean()),
  retentionMark: v.exactOptional(
    v.object({
      /** Of which retention: as often had it been changed. */
      changes: v.number(),
      begunAt: v.number(),
      openSince: v.exactOptional(v.number()),
    }),
  ),
});

/**
 * What a walk that came to its end leaves behind: everything stored before it began (milliseconds) is as the retention
 * wants it, but for sends that were not settled, of which the oldest was accepted at `openSince`.
 */
export type RetentionMark = NonNullable<v.InferOutput<typeof Stored>['retentionMark']>;

/** There from the start and without an item, so that who needs one workspace never meets the idea. */
export const MAIN = 'main';
const mainWorkspace: v.InferOutput<typeof Stored> = { id: MAIN, name: MAIN, retentionChanges: 0 };

interface NewWorkspace {
  readonly name: string;
  readonly defaultCountry?: string;
  readonly retentionDays?: number;
}

export async function createWorkspace({ store, clock, random }: StorePorts, wanted: NewWorkspace): Promise<Workspace> {
  const now = clock.now();
  const { name, defaultCountry, retentionDays } = wanted;
  const workspace = {
    id: newId('ws', now, random.bytes(10)),
    name,
    createdAt: toIso(now),
    ...known({ defaultCountry, retentionDays }),
  };
  await store.write(put({ ...workspaceKey(workspace.id), ...workspace }));
  return workspace;
}

export async function findWorkspace(store: Store, id: string) {
  const found = await storedWorkspace(store, id);
  return found?.deletedAt === undefined ? found : undefined;
}

/** Also one that was deleted. */
async function storedWorkspace(store: Store, id: string) {
  const item = await store.get(workspaceKey(id), { consistent: true });
  if (item) return readWorkspace(item);
  return id === MAIN ? mainWorkspace : undefined;
}

/** What was received and sent in one that was deleted stays for a while, to be read and erased. */
export async function stateOfWorkspace(store: Store, id: string): Promise<'open' | 'deleted' | undefined> {
  if (id === MAIN) return 'open';
  const found = await storedWorkspace(store, id);
  return found && (found.deletedAt === undefined ? 'open' : 'deleted');
}

/** For the transaction of whatever comes into being in a workspace that may just be deleted. */
export const isOpen = (id: string): Check => check(workspaceKey(id), absent('deletedAt'));

export async function showWorkspace(store: Store, id: string): Promise<Workspace | undefined> {
  const found = await findWorkspace(store, id);
  return found && shownWorkspace(found);
}

/**
 * From here on nothing comes into being in it, and what it keeps ends as soon as a workspace can have it end. Undefined
 * where there is none, or all is done already.
 */
export async function closeWorkspace(store: Store, clock: Clock, id: string): Promise<Workspace | undefined> {
  return retryOnConflict(`the workspace ${id}`, async () => {
    const found = id === MAIN ? undefined : await storedWorkspace(store, id);
    if (!found || found.isSwept) return undefined;
    // Broken off before its end: it is gone on with.
    if (found.deletedAt !== undefined) return shownWorkspace(found);
    const { retentionDays = Number.POSITIVE_INFINITY, retentionChanges } = found;
    const changes = [
      ...[set('deletedAt', toIso(clock.now())), set('retentionDays', Math.min(retentionDays, SHORTEST_DAYS))],
      ...[set('retentionPending', true), add('retentionChanges', 1), remove('defaultAccountId')],
    ];
    const condition = all(
      exists(),
      unchanged({ deletedAt: undefined, retentionChanges: retentionChanges || undefined }),
    );
    const { done, item } = await store.write(update(workspaceKey(id), changes, condition), { returns: 'new' });
    return done && item ? shownWorkspace(readWorkspace(item)) : AGAIN;
  });
}

/** It had got something in the moment before it was closed. */
export async function reopenWorkspace(store: Store, id: string, retentionDays: number | undefined): Promise<void> {
  const changes = [remove('deletedAt'), setOrRemove('retentionDays', retentionDays), add('retentionChanges', 1)];
  await store.write(update(workspaceKey(id), changes, exists('deletedAt')));
}

export async function sweptWorkspace(store: Store, id: string): Promise<void> {
  await store.write(update(workspaceKey(id), [set('isSwept', true)], exists('deletedAt')));
}

export async function hasWorkspace(store: Store, id: string): Promise<boolean> {
  return id === MAIN || (await findWorkspace(store, id)) !== undefined;
}

interface WorkspacePatch {
  readonly name?: string;
  /** `null`: the account connected last. */
  readonly defaultAccountId?: string | null;
  /** \`null\`: none. */
  readonly defaultCountry?: string | null;
  /** `null`: for ever. */
  readonly retentionDays?: number | null;
}

/** Undefined where there is no such workspace. What is stored follows a new retention only once it is applied. */
export async function patchWorkspace(store: Store, id: string, patch: WorkspacePatch): Promise<Workspace | undefined> {
  const { name, defaultAccountId, defaultCountry, retentionDays } = patch;
  const changes = [
    setIfAbsent('id', id),
    name === undefined ? setIfAbsent('name', id) : set('name', name),
    ...patching({ defaultAccountId, defaultCountry }),
  ];
  // Said again as it is, as with a new name, it is no change: what is stored need not be gone through for it.
  if (retentionDays !== undefined && (retentionDays ?? undefined) !== (await findWorkspace(store, id))?.retentionDays)
    changes.push(...patching({ retentionDays }), set('retentionPending', true), add('retentionChanges', 1));
  const condition = id === MAIN ? undefined : all(exists(), absent('deletedAt'));
  const written = await store.write(update(workspaceKey(id), changes, condition), { returns: 'new' });
  return written.done && written.item ? shownWorkspace(readWorkspace(written.item)) : undefined;
}

/** False where the retention was changed since the walk began. */
export async function retentionApplied(
  store: Store,
  id: string,
  mark: RetentionMark,
  applied: NonNullable<Workspace['retentionApplied']>,
): Promise<boolean> {
  const asRead = unchanged({ retentionChanges: mark.changes || undefined });
  const changes = [
    ...[setIfAbsent('id', id), setIfAbsent('name', id)],
    ...[remove('retentionPending'), set('retentionMark', { ...mark }), set('retentionApplied', { ...applied })],
  ];
  const { done, item } = await store.write(
    update(workspaceKey(id), changes, id === MAIN ? asRead : all(exists(), asRead)),
  );
  return done || !item;
}

/** Newest first; `main` is the oldest. */
export async function listWorkspaces(
  store: Store,
  { limit, from }: PageRequest,
  which: 'open' | 'deleted' = 'open',
): Promise<ListPage<Workspace>> {
  const before = from === undefined ? {} : { before: from };
  const filter = which === 'open' ? absent('deletedAt') : exists('deletedAt');
  const query = {
    pk: WORKSPACES,
    limit: limit + 1,
    descending: true,
    consistent: true,
    from: 'ws_',
    filter,
    ...before,
  };
  const items: Item[] = [];
  for await (const page of pagesOf(store, query)) {
    items.push(...page);
    if (items.length > limit) break;
  }
  // A page that cannot show `main` as well leaves it to the next one.
  const main = which === 'open' ? [(await findWorkspace(store, MAIN)) ?? mainWorkspace] : [];
  const found = [...items.map(readWorkspace), ...main].map(shownWorkspace);
  const shown = found.slice(0, limit);
  return pageOf('workspaces', shown, found.length > limit ? shown.at(-1)?.id : undefined);
}

/** The ids of all there are, in their order. */
export async function allWorkspaces(store: Store): Promise<readonly string[]> {
  const items = await queryAll(store, { pk: WORKSPACES, limit: 1000, consistent: true });
  return [...new Set([MAIN, ...items.map(({ sk }) => sk)])].sort();
}

/** Those whose retention was not gone through since then, in order: none of what is kept for ever, once that is so. */
export async function unappliedSince(store: Store, at: string): Promise<readonly string[]> {
  const items = await queryAll(store, { pk: WORKSPACES, limit: 1000, consistent: true });
  return items
    .map(readWorkspace)
    .filter(({ retentionDays, retentionPending }) => retentionDays !== undefined || retentionPending)
    .filter(({ retentionApplied }) => retentionApplied === undefined || retentionApplied.at < at)
    .map(({ id }) => id)
    .sort();
}

const readWorkspace = itemReader(Stored);

const shownWorkspace = ({
  retentionChanges: _,
  retentionMark: _mark,
  isSwept: _swept,
  ...workspace
}: v.InferOutput<typeof Stored>): Workspace => workspace;

interface Retention {
  /** Absent: for ever. */
  readonly retentionDays?: number;
  /** How often it was changed. */
  readonly changes: number;
  /** Of the last walk that came to its end. */
  readonly mark?: RetentionMark;
  readonly isDeleted: boolean;
  /** Whoever writes a copy writes it together with this check: no copy is ever older than the workspace. */
  readonly unchanged: Check;
}

/** A delivery finds the retention on its webhook, so that it needs one look-up. */
export async function retentionOf(store: Store, workspace: string): Promise<Retention> {
  const found = await storedWorkspace(store, workspace);
  const { retentionDays, retentionChanges: changes = 0, retentionMark: mark } = found ?? {};
  const asRead = check(workspaceKey(workspace), unchanged({ deletedAt: undefined, retentionDays }));
  return { changes, unchanged: asRead, isDeleted: found?.deletedAt !== undefined, ...known({ retentionDays, mark }) };
}

/** Ids begin with the time of their making (`newId`), so the newest comes first. */
export function listDirectory(store: Store, workspace: string, entry: Entry, page: PageRequest): Promise<Slice> {
  return newestPage(store, directoryRange(workspace, entry), page);
}

/** Every entry of a kind, for the few changes that concern them all. */
export function wholeDirectory(store: Store, workspace: string, entry: Entry): Promise<readonly Item[]> {
  return queryAll(store, { ...directoryRange(workspace, entry), limit: 1000, consistent: true });
}

/**
 * Notes, where something is deleted, that what was written down of its calls is kept for a while and may name people:
 * whoever erases a person must find it. `now` in milliseconds.
 */
export const former = (workspace: string, id: string, now: number, keptSeconds: number): Put =>
  put({ ...directoryKey(workspace, 'FORMER', id), expiresAt: Math.floor(now / 1000) + keptSeconds });
