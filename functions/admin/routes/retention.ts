import * as v from 'valibot';
import { walkCursor } from '#lib/app/lists/walk-cursor.ts';
import { applyRetention } from '#lib/app/retention/apply.ts';
import { AppliedCounts, Progress } from '#lib/app/retention/applying.ts';
import { copyRetention } from '#lib/app/workspaces/retention.ts';
import { hasWorkspace, patchWorkspace, Workspace } from '#lib/app/workspaces/workspace.ts';
import { RetentionDays } from '#lib/domain/retention.ts';
import { optional } from '#lib/domain/schema.ts';
import { invalid, json, NO_WORKSPACE } from '../answers.ts';
import { route, takesNothing } from '../route.ts';
import { changesOf, Name, WithId } from '../schemas.ts';

const shared = { ...takesNothing, tag: 'Workspaces', access: 'admin', params: WithId } as const;
const cursors = walkCursor(Progress);

const Patch = changesOf({
  name: v.exactOptional(Name),
  retentionDays: optional(v.nullable(RetentionDays), '`null`: for ever'),
});

const Applied = v.object({
  applied: v.pipe(AppliedCounts, v.description('Since the first of the calls that a cursor joins')),
  cursor: optional(v.string(), 'There is more to do: call again with it'),
});

export const retentionRoutes = [
  route({
    ...shared,
    method: 'patch',
    path: '/api/workspaces/{id}',
    summary: 'Rename a workspace, or change how long it keeps what comes in from now on',
    body: Patch,
    example: { name: 'My shop' },
    answers: { 200: { description: 'The workspace', schema: Workspace } },
    run: async ({ params, body }, { ports }) => {
      const workspace = await patchWorkspace(ports.store, params.id, body);
      if (!workspace) return NO_WORKSPACE;
      await copyRetention(ports.store, ports.random, params.id);
      return json(200, workspace);
    },
  }),
  route({
    ...shared,
    method: 'post',
    path: '/api/workspaces/{id}/retention/apply',
    summary: 'Apply the retention to what is stored already; call until no cursor comes',
    body: v.strictObject({ cursor: optional(v.string(), 'What the call before told as its `cursor`') }),
    example: {},
    answers: { 200: { description: 'What was changed', schema: Applied } },
    run: async ({ params, body: { cursor } }, { ports }) => {
      if (!(await hasWorkspace(ports.store, params.id))) return NO_WORKSPACE;
      const from = cursor === undefined ? undefined : cursors.decode(cursor);
      if (cursor !== undefined && !from) return invalid([{ path: 'cursor', message: 'is not a cursor of ours' }]);
      const { applied, next } = await applyRetention(ports, params.id, from);
      return json(200, { applied, ...(next && { cursor: cursors.encode(next) }) });
    },
  }),
];
