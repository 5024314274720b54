import type { Provider } from '#lib/tenants/account.ts';
import * as registry from './registry.ts';

/** Every provider of this hub, by name. */
export const providers: readonly Provider[] = Object.values(registry).toSorted((a, b) =>
  a.account.name < b.account.name ? -1 : 1,
);

/** Whoever's deliveries may come through the fallback queue, by name. */
export const readers = new Map(providers.map(({ receiving }) => [receiving.name, receiving]));
