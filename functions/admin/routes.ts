import * as v from 'valibot';
import type { Provider } from '#lib/tenants/account.ts';
import { json } from './answers.ts';
import { type Route, routesOn } from './route.ts';
import { accountRoutes } from './routes/accounts.ts';
import { activityRoutes } from './routes/activity.ts';
import { chatRoutes } from './routes/chats.ts';
import { contactRoutes } from './routes/contacts.ts';
import { creditRoutes } from './routes/credits.ts';
import { endpointRoutes } from './routes/endpoints.ts';
import { eventRoutes } from './routes/events.ts';
import { messageRoutes } from './routes/messages.ts';
import { ruleRoutes } from './routes/rules.ts';
import { sendRoutes } from './routes/sends.ts';
import { sessionRoutes } from './routes/session.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { workspaceRoutes } from './routes/workspaces.ts';

const health = routesOn({ tag: 'Hub', access: 'public' })('GET /health', {
  summary: 'Whether the hub answers, and its version',
  description: 'For a monitor: it looks at neither the table nor a provider.',
  // Whoever watches the hub may add what they like to the URL, to get around a cache.
  query: v.object({}),
  answers: { 200: { description: 'It does', schema: v.object({ status: v.literal('ok'), version: v.string() }) } },
  run: async (_input, { ports }) => json(200, { status: 'ok', version: ports.version } as const),
});

/** Every route, in the order of the document. Where two fit a path, the first is taken. */
export function routesOf(providers: readonly Provider[]): readonly Route[] {
  const names = namesOf(providers);
  return [
    ...sessionRoutes,
    ...activityRoutes,
    ...workspaceRoutes,
    ...accountRoutes(providers.map(({ account }) => account)),
    ...webhookRoutes(names),
    ...eventRoutes(names),
    ...messageRoutes(names),
    ...chatRoutes,
    ...contactRoutes,
    ...sendRoutes,
    ...creditRoutes,
    ...endpointRoutes,
    ...ruleRoutes,
    health,
  ];
}

export const namesOf = (providers: readonly Provider[]): string[] => providers.map(({ account }) => account.name);
