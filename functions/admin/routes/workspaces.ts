import * as v from 'valibot';
import { GrantedCredits, grant } from '#lib/credits/credits.ts';
import { Instant, optional, strictObject, text } from '#lib/domain/schema.ts';
import { RetentionDays } from '#lib/domain/time.ts';
import { deleteWorkspace, Swept } from '#lib/privacy/delete-workspace.ts';
import { applyRetention, Progress } from '#lib/privacy/retention.ts';
import { walkCursor } from '#lib/store/walk.ts';
import { whyNoSender } from '#lib/tenants/accounts.ts';
import { createKey, deleteKey, listKeys, SCOPES, WorkspaceKey } from '#lib/tenants/api-keys.ts';
import { copyRetention } from '#lib/tenants/webhooks.ts';
import {
  AppliedCounts,
  createWorkspace,
  hasWorkspace,
  listWorkspaces,
  MAIN,
  patchWorkspace,
  showWorkspace,
  Workspace,
} from '#lib/tenants/workspaces.ts';
import { EMPTY, invalid, json, missing, NO_WORKSPACE, problem } from '../answers.ts';
import { routesOn } from '../route.ts';
import { Country, changesOf, decoded, flag, Id, listOf, Name, Paging, pageRequest, paging } from '../schemas.ts';

const route = routesOn({ tag: 'Workspaces', access: 'admin' });
const NewWorkspace = strictObject({
  name: Name,
  credits: v.exactOptional(GrantedCredits),
  defaultCountry: optional(Country, 'Numbers without + are read as its own'),
  retentionDays: optional(RetentionDays, 'Left out: what comes in is kept for ever'),
});
const NewKey = v.object({ ...WorkspaceKey.entries, key: text('Shown this once') });

const cursors = walkCursor(Progress);

const Patch = changesOf({
  name: v.exactOptional(Name),
  defaultAccountId: optional(v.nullable(Id), 'Who sends what names no account; `null`: the one connected last'),
  defaultCountry: optional(v.nullable(Country), '`null`: numbers are written with their country code'),
  retentionDays: optional(v.nullable(RetentionDays), '`null`: for ever'),
});

const Walk = strictObject({
  cursor: optional(
    decoded(
      cursors.decode,
      'What the call before told as its `cursor`',
      'is not a cursor of this call: leave it out to begin anew',
    ),
  ),
});

const Applied = v.object({
  applied: v.pipe(AppliedCounts, v.description('Since the first of the calls that a cursor joins')),
  cursor: optional(v.string(), 'There is more to do: call again with it'),
});

const KEPT =
  'Events, messages, chats and sends, until they are as old as the retention, and no longer than this; figures of credits stay';
const Deleted = v.object({
  id: v.string(),
  name: v.string(),
  deletedAt: Instant,
  deleted: Swept,
  kept: v.object({ until: Instant, what: v.string() }),
});

const inTheWay = (accounts: number) =>
  `It still has ${accounts === 1 ? 'an account' : `${accounts} accounts`}: delete ${accounts === 1 ? 'it' : 'them'} first, which cancels what waits there`;

export const workspaceRoutes = [
  route('POST /api/workspaces', {
    summary: 'Create a workspace',
    description:
      'A workspace keeps its accounts, webhooks, events and credits apart from all others. Make a key for it next.',
    body: NewWorkspace,
    example: { name: 'My shop', credits: 100 },
    answers: { 201: { description: 'The workspace', schema: Workspace } },
    run: async ({ body: { credits, ...wanted } }, { ports }) => {
      const workspace = await createWorkspace(ports, wanted);
      const reason = 'the workspace begins';
      if (credits !== undefined) await grant(ports, workspace.id, { credits, reason }, ports.config);
      return json(201, workspace);
    },
  }),
  route('GET /api/workspaces', {
    summary: 'List workspaces, newest first; `main` was always there',
    description: 'All of this hub: a key of a workspace sees its own alone.',
    query: strictObject({
      ...paging('workspaces'),
      deleted: flag('`true`: those alone that were deleted'),
    }),
    answers: { 200: { description: 'A page', schema: listOf(Workspace) } },
    run: async ({ query }, { ports }) => {
      const which = query.deleted ? 'deleted' : 'open';
      return json(200, await listWorkspaces(ports.store, pageRequest(query), which));
    },
  }),
  route('GET /api/workspaces/{id}', {
    summary: 'Show a workspace',
    description: 'A key of a workspace sees its own alone, whose id `GET /api/session` tells.',
    access: 'workspace',
    answers: { 200: { description: 'The workspace', schema: Workspace } },
    run: async ({ params: { id } }, { ports, workspace, caller }) => {
      const shown = caller.isAdmin || id === workspace ? await showWorkspace(ports.store, id) : undefined;
      return shown ? json(200, shown) : NO_WORKSPACE;
    },
  }),
  route('DELETE /api/workspaces/{id}', {
    summary: 'Delete a workspace that has no account any more',
    description:
      'At once its keys open nothing, its URLs answer 404, and its endpoints and rules are gone. What it received and sent ends as with a retention of 30 days, and until then is read, and persons erased, with the admin key and `X-Workspace`; figures of credits stay. It comes back by nothing. A call that failed may be repeated.',
    conflict: 'It still has accounts, or it is `main`',
    answers: { 200: { description: 'What was deleted, and when the rest ends', schema: Deleted } },
    run: async ({ params: { id } }, { ports }) => {
      if (id === MAIN) return problem(409, '`main` is always there: it cannot be deleted');
      const deleted = await deleteWorkspace(ports, id);
      if (!deleted) return NO_WORKSPACE;
      if (deleted.kind === 'has accounts') return problem(409, inTheWay(deleted.accounts));
      const { workspace, swept, endsAt } = deleted;
      return json(200, {
        id,
        name: workspace.name,
        deletedAt: workspace.deletedAt,
        deleted: swept,
        kept: { until: endsAt, what: KEPT },
      });
    },
  }),
  route('POST /api/workspaces/{id}/keys', {
    summary: 'Create a key that opens this workspace and no other',
    description:
      'The hub keeps the hash of the key: no later answer holds the key itself. A key for a dashboard needs no more than `read`, one for an automation no more than `send`.',
    body: strictObject({
      name: optional(Name, 'Who or what it is for'),
      scope: v.exactOptional(v.pipe(v.picklist(SCOPES), v.description('What it may do; `all` if left out'))),
    }),
    example: { name: 'Back office' },
    answers: { 201: { description: 'The key', schema: NewKey } },
    run: async ({ params, body }, { ports }) => {
      const made = (await hasWorkspace(ports.store, params.id)) && (await createKey(ports, params.id, body));
      return made ? json(201, made) : NO_WORKSPACE;
    },
  }),
  route('GET /api/workspaces/{id}/keys', {
    summary: 'List the keys of a workspace, newest first, without the keys themselves',
    description: '`prefix` says how a key begins, which is enough to tell them apart.',
    query: Paging('keys'),
    answers: { 200: { description: 'A page', schema: listOf(WorkspaceKey) } },
    run: async ({ params, query }, { ports }) =>
      (await hasWorkspace(ports.store, params.id))
        ? json(200, await listKeys(ports.store, params.id, pageRequest(query)))
        : NO_WORKSPACE,
  }),
  route('DELETE /api/workspaces/{id}/keys/{keyId}', {
    summary: 'Delete a key; it opens nothing from then on',
    description: 'The other keys of the workspace go on working.',
    answers: { 204: { description: 'Deleted' } },
    run: async ({ params }, { ports }) =>
      (await deleteKey(ports.store, ports.random, params.id, params.keyId)) ? EMPTY : missing('key'),
  }),
  route('PATCH /api/workspaces/{id}', {
    summary:
      'Rename a workspace, change its default account or country, or how long it keeps what comes in from now on',
    description:
      'What is left out stays as it is. What is stored already follows another retention once that is applied: in the next night, or at once by `…/retention/apply`.',
    body: Patch,
    example: { name: 'My shop' },
    answers: { 200: { description: 'The workspace', schema: Workspace } },
    run: async ({ params, body }, { ports }) => {
      const { defaultAccountId: id } = body;
      const why =
        typeof id === 'string'
          ? await whyNoSender(ports.store, ports.providers, { workspace: params.id, id })
          : undefined;
      if (why !== undefined) return invalid([{ path: 'defaultAccountId', message: why }]);
      const workspace = await patchWorkspace(ports.store, params.id, body);
      if (!workspace) return NO_WORKSPACE;
      await copyRetention(ports, params.id);
      return json(200, workspace);
    },
  }),
  route('POST /api/workspaces/{id}/retention/apply', {
    summary: 'Apply the retention to what is stored already; call until no cursor comes',
    description:
      'It applies itself each night; this does the same at once, and to everything. One call does what fits into its time. The next one, with the `cursor` that it answered, goes on from there.',
    body: Walk,
    example: {},
    answers: { 200: { description: 'What was changed', schema: Applied } },
    run: async ({ params, body: { cursor } }, { ports }) => {
      if (!(await hasWorkspace(ports.store, params.id))) return NO_WORKSPACE;
      const { applied, next } = await applyRetention(ports, params.id, cursor);
      return json(200, { applied, ...(next && { cursor: cursors.encode(next) }) });
    },
  }),
];
