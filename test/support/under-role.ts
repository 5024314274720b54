import type { Check, Delete, Key, Put, Store, Update } from '#lib/store/store.ts';
import { hasRole, tableGrantsOf } from './grants.ts';
import { keyOf } from './memory-store.ts';
import { note, refuse } from './role-use.ts';

/** A store that refuses what the role of a function refuses: what passes here has the permissions that it needs on AWS. */
export function underRole(store: Store, role: string): Store {
  const grants = tableGrantsOf(role);
  const need = (action: string, pks: readonly string[], on = 'Table') => {
    const granted = grants.find((grant) => grant.action === action && grant.on === on)?.keys ?? [];
    const missing = pks.filter((pk) => !granted.some((key) => matches(key, pk)));
    if (missing.length > 0)
      refuse(`infra/grants.ts does not grant ${role} ${action} on ${on} for ${missing.join(', ')}`);
    for (const key of granted.filter((one) => pks.some((pk) => matches(one, pk)))) note(role, `${action} ${on} ${key}`);
  };
  const needWrites = (...writes: readonly (Put | Update | Delete | Check)[]) => {
    for (const [kind, alike] of Map.groupBy(writes, (write) => write.kind)) need(WRITES[kind], pksOf(alike.map(keyOf)));
  };
  return {
    get: async (key, options) => {
      need('GetItem', [key.pk]);
      return store.get(key, options);
    },
    getMany: async (keys, options) => {
      if (keys.length > 0) need('BatchGetItem', pksOf(keys));
      return store.getMany(keys, options);
    },
    query: async (query) => {
      need('Query', [query.pk], query.index);
      return store.query(query);
    },
    write: async (write, options) => {
      needWrites(write);
      return store.write(write, options);
    },
    transact: async (writes, token) => {
      needWrites(...writes);
      return store.transact(writes, token);
    },
    writeMany: async (writes) => {
      if (writes.length > 0) need('BatchWriteItem', pksOf(writes.map(keyOf)));
      return store.writeMany(writes);
    },
  };
}

/** The same for a provider's function. One that a test invents has no role. */
export const underRoleOf = (store: Store, provider: string): Store =>
  hasRole(provider) ? underRole(store, provider) : store;

const WRITES = { put: 'PutItem', update: 'UpdateItem', delete: 'DeleteItem', check: 'ConditionCheckItem' } as const;

const pksOf = (keys: readonly Key[]): string[] => [...new Set(keys.map(({ pk }) => pk))];

const patterns = new Map<string, RegExp>();

function matches(key: string, pk: string): boolean {
  const pattern = patterns.get(key) ?? patternOf(key);
  patterns.set(key, pattern);
  return pattern.test(pk);
}

function patternOf(key: string): RegExp {
  const parts = key.split('*').map((part) => part.replaceAll(/[.\\^$|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}
