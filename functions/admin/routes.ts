import type { Provider } from '#lib/app/provider.ts';
import type { Route } from './route.ts';
import { accountRoutes } from './routes/accounts.ts';
import { chatRoutes } from './routes/chats.ts';
import { contactRoutes } from './routes/contacts.ts';
import { creditRoutes } from './routes/credits.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { messageRoutes } from './routes/messages.ts';
import { sendRoutes } from './routes/sends.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { workspaceRoutes } from './routes/workspaces.ts';

/** Every route, in the order of the document. Where two fit a path, the first is taken. */
export function routesOf(providers: readonly Provider[]): readonly Route[] {
  const names = namesOf(providers);
  return [
    ...workspaceRoutes,
    ...accountRoutes(providers.map(({ account }) => account)),
    ...webhookRoutes(providers),
    ...eventRoutes(names),
    ...messageRoutes(names),
    ...chatRoutes,
    ...contactRoutes,
    ...sendRoutes,
    ...creditRoutes,
    ...healthRoutes,
  ];
}

export const namesOf = (providers: readonly Provider[]): string[] => providers.map(({ account }) => account.name);
