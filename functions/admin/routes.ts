import type { Provider } from './ports.ts';
import type { Route } from './route.ts';
import { healthRoutes } from './routes/health.ts';

type Load = (providers: readonly Provider[]) => Promise<readonly Route[]>;

/** The routes below `/api/`, by what follows it, in the order of the document. A request loads those of its own group. */
export const groups: ReadonlyMap<string, Load> = new Map<string, Load>([
  ['workspaces', async () => (await import('./routes/workspaces.ts')).workspaceRoutes],
  ['accounts', async (all) => (await import('./routes/accounts.ts')).accountRoutes(all.map(({ account }) => account))],
  ['webhooks', async (all) => (await import('./routes/webhooks.ts')).webhookRoutes(all)],
  ['events', async (all) => (await import('./routes/events.ts')).eventRoutes(namesOf(all))],
  ['messages', async (all) => (await import('./routes/messages.ts')).messageRoutes(namesOf(all))],
  ['chats', async () => (await import('./routes/chats.ts')).chatRoutes],
  ['contacts', async () => (await import('./routes/contacts.ts')).contactRoutes],
  ['sends', async () => (await import('./routes/sends.ts')).sendRoutes],
  ['credits', async () => (await import('./routes/credits.ts')).creditRoutes],
]);

/** Those of no group. */
export const otherRoutes: readonly Route[] = healthRoutes;

/** Every route. Where two fit a path, the first is taken. */
export async function routesOf(providers: readonly Provider[]): Promise<readonly Route[]> {
  const loaded = await Promise.all([...groups.values()].map((load) => load(providers)));
  return [...loaded.flat(), ...otherRoutes];
}

/** The group of `/api/accounts/…` is `accounts`, whether there is one of that name or not. */
export const groupOf = (path: string): string => /^\/api\/([^/]*)/.exec(path)?.[1] ?? '';

export const namesOf = (providers: readonly Provider[]): string[] => providers.map(({ account }) => account.name);
