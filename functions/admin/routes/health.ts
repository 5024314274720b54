import * as v from 'valibot';
import { json } from '../answers.ts';
import { route, takesNothing } from '../route.ts';

export const healthRoutes = [
  route({
    ...takesNothing,
    method: 'get',
    path: '/health',
    tag: 'Hub',
    summary: 'Whether the hub answers, and its version',
    access: 'public',
    // Whoever watches the hub may add what they like to the URL, to get around a cache.
    query: v.object({}),
    answers: { 200: { description: 'It does', schema: v.object({ status: v.literal('ok'), version: v.string() }) } },
    run: async (_input, { ports }) => json(200, { status: 'ok', version: ports.version }),
  }),
];
