import type { Provider } from './ports.ts';
import type { Route } from './route.ts';
import { accountRoutes } from './routes/accounts.ts';
import { attemptRoutes } from './routes/attempts.ts';
import { chatRoutes } from './routes/chats.ts';
import { contactRoutes } from './routes/contacts.ts';
import { creditRoutes } from './routes/credits.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { messageRoutes } from './routes/messages.ts';
import { pauseRoutes } from './routes/pause.ts';
import { replayRoutes } from './routes/replay.ts';
import { retentionRoutes } from './routes/retention.ts';
import { sendRoutes } from './routes/sends.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { workspaceRoutes } from './routes/workspaces.ts';

/** Every route of the API, in the order of the document. Where two fit a path, the first is taken. */
export function routesOf(providers: readonly Provider[]): readonly Route[] {
  const names = providers.map(({ account }) => account.name);
  return [
    ...workspaceRoutes,
    ...retentionRoutes,
    ...accountRoutes(providers.map(({ account }) => account)),
    ...pauseRoutes,
    ...webhookRoutes(providers),
    ...attemptRoutes,
    ...eventRoutes(names),
    ...replayRoutes,
    ...messageRoutes(names),
    ...chatRoutes,
    ...contactRoutes,
    ...sendRoutes,
    ...creditRoutes,
    ...healthRoutes,
  ];
}
