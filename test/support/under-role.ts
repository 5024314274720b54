import { existsSync, readFileSync } from 'node:fs';
import { parse, type ScalarTag } from 'yaml';
import { at, listOf } from '#infra/verify/template.ts';
import type { Check, Delete, Key, Put, Store, Update } from '#lib/app/store.ts';
import { keyOf } from './memory-store.ts';

interface Grant {
  readonly actions: readonly string[];
  /** `Table`, or `gsi1` to `gsi3`. */
  readonly on: readonly string[];
  /** In IAM's spelling: a star stands for any characters. */
  readonly keys: readonly string[];
}

/** A store that refuses what the role of a function refuses: what passes here has the permissions that it needs on AWS. */
export function underRole(store: Store, role: string): Store {
  const grants = grantsOf(role);
  const need = (action: string, pk: string, on = 'Table') => {
    const isGranted = grants.some(
      (grant) => grant.actions.includes(action) && grant.on.includes(on) && grant.keys.some((key) => matches(key, pk)),
    );
    if (!isGranted) throw new Error(`infra/roles/${role}.yml does not grant ${action} on ${on} for ${pk}`);
  };
  const needAll = (action: string, keys: readonly Key[]) => {
    for (const { pk } of keys) need(action, pk);
  };
  const needWrites = (...writes: readonly (Put | Update | Delete | Check)[]) => {
    for (const write of writes) need(WRITES[write.kind], keyOf(write).pk);
  };
  return {
    get: async (key, options) => {
      need('GetItem', key.pk);
      return store.get(key, options);
    },
    getMany: async (keys, options) => {
      needAll('BatchGetItem', keys);
      return store.getMany(keys, options);
    },
    query: async (query) => {
      need('Query', query.pk, query.index);
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
      needAll('BatchWriteItem', writes.map(keyOf));
      return store.writeMany(writes);
    },
  };
}

const WRITES = { put: 'PutItem', update: 'UpdateItem', delete: 'DeleteItem', check: 'ConditionCheckItem' } as const;

const tags: ScalarTag[] = ['!Ref', '!Sub', '!GetAtt'].map((tag) => ({ tag, resolve: (text: string) => text }));

const fileOf = (role: string) => new URL(`../../infra/roles/${role}.yml`, import.meta.url);

/** Providers that a test invents have none. */
export const hasRole = (role: string): boolean => existsSync(fileOf(role));

export function grantsOf(role: string): Grant[] {
  const [resource] = Object.values(parse(readFileSync(fileOf(role), 'utf8'), { customTags: tags }).Resources);
  const statements = listOf(at(resource, 'Properties', 'Policies', 0, 'PolicyDocument', 'Statement'));
  return statements.map((statement) => ({
    actions: listOf(at(statement, 'Action')).map((action) => String(action).replace('dynamodb:', '')),
    on: listOf(at(statement, 'Resource')).map((arn) => String(arn).replace(/^.*\/|\.Arn$/g, '')),
    keys: listOf(at(statement, 'Condition', 'ForAllValues:StringLike', 'dynamodb:LeadingKeys')).map(String),
  }));
}

function matches(key: string, pk: string): boolean {
  const parts = key.split('*').map((part) => part.replaceAll(/[.\\^$|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(pk);
}
