import * as v from 'valibot';
import { Attempt, lastAttempts } from '#lib/app/attempts/attempt.ts';
import { attemptsAsCsv, attemptsAsNdjson } from '#lib/app/attempts/download.ts';
import { findWebhook } from '#lib/app/webhooks/manage.ts';
import { file, json, missing } from '../answers.ts';
import { type Context, route, takesNothing } from '../route.ts';
import { WithId } from '../schemas.ts';

const NO_WEBHOOK = missing('webhook');
const tag = 'Webhooks';
const shared = { ...takesNothing, method: 'get', tag, access: 'workspace', params: WithId } as const;

async function attemptsOf(id: string, { ports, workspace }: Context): Promise<readonly Attempt[] | undefined> {
  const found = await findWebhook(ports.store, workspace, id);
  return found && lastAttempts(ports.store, id, ports.clock.now());
}

function download(id: string, extension: string, mediaType: string) {
  return {
    'content-type': `${mediaType}; charset=utf-8`,
    'content-disposition': `attachment; filename="${id}-attempts.${extension}"`,
  };
}

export const attemptRoutes = [
  route({
    ...shared,
    path: '/api/webhooks/{id}/attempts',
    summary: 'The last 100 activations of a webhook, newest first',
    answers: {
      200: {
        description: 'All of them: there is no next page',
        schema: v.object({ items: v.pipe(v.array(Attempt), v.readonly()) }),
      },
    },
    run: async ({ params }, context) => {
      const attempts = await attemptsOf(params.id, context);
      return attempts ? json(200, { items: attempts }) : NO_WEBHOOK;
    },
  }),
  route({
    ...shared,
    path: '/api/webhooks/{id}/attempts.csv',
    summary: 'The same as CSV, safe to open in a spreadsheet',
    answers: { 200: { description: 'A head row, then one line an activation', mediaType: 'text/csv' } },
    run: async ({ params }, context) => {
      const attempts = await attemptsOf(params.id, context);
      return attempts ? file(attemptsAsCsv(attempts), download(params.id, 'csv', 'text/csv')) : NO_WEBHOOK;
    },
  }),
  route({
    ...shared,
    path: '/api/webhooks/{id}/attempts.ndjson',
    summary: 'The same as one JSON object a line',
    answers: { 200: { description: 'One activation a line', mediaType: 'application/x-ndjson' } },
    run: async ({ params }, context) => {
      const attempts = await attemptsOf(params.id, context);
      if (!attempts) return NO_WEBHOOK;
      return file(attemptsAsNdjson(attempts), download(params.id, 'ndjson', 'application/x-ndjson'));
    },
  }),
];
