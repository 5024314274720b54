import * as v from 'valibot';
import { tally } from '#lib/domain/schema.ts';
import { DAY_MS, SHORTEST_DAYS, toIso } from '#lib/domain/time.ts';
import { deleteEndpoint, type EndpointPorts } from '#lib/reactions/endpoints.ts';
import { deleteRule, type RulePorts } from '#lib/reactions/rules.ts';
import { ENDPOINT_PREFIX, entryId, RULE_PREFIX, workspacePartition } from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import { deleteKey } from '#lib/tenants/api-keys.ts';
import { deleteWebhook } from '#lib/tenants/webhooks.ts';
import {
  closeWorkspace,
  findWorkspace,
  reopenWorkspace,
  sweptWorkspace,
  type Workspace,
  wholeDirectory,
} from '#lib/tenants/workspaces.ts';

export const Swept = v.object({
  keys: tally('They open nothing from now on, nor do browsers that signed in with them'),
  webhooks: tally('Their URLs answer 404 from now on'),
  endpoints: tally('Nothing is posted to them any more'),
  rules: tally('They act on nothing any more'),
});
type Swept = v.InferOutput<typeof Swept>;

type Deleted =
  | { readonly kind: 'has accounts'; readonly accounts: number }
  | {
      readonly kind: 'deleted';
      readonly workspace: Workspace & { readonly deletedAt: string };
      readonly swept: Swept;
      /** When the last of what it received and sent ends. */
      readonly endsAt: string;
    };

/**
 * Closes a workspace without accounts, and deletes whatever opens it or acts in it. What it received and sent follows the
 * shortest retention there is. Undefined where there is no such workspace. Broken off, it is gone on with by a repeat.
 */
export async function deleteWorkspace(ports: EndpointPorts & RulePorts, id: string): Promise<Deleted | undefined> {
  const { store, clock, random } = ports;
  const before = await findWorkspace(store, id);
  const accounts = async () => (await wholeDirectory(store, id, 'ACCOUNT')).length;
  const inTheWay = before ? await accounts() : 0;
  if (inTheWay > 0) return { kind: 'has accounts', accounts: inTheWay };
  const workspace = await closeWorkspace(store, clock, id);
  if (workspace?.deletedAt === undefined) return undefined;
  // Who connected an account a moment ago did so before it was closed: none can be connected any more.
  const late = await accounts();
  if (late > 0) {
    await reopenWorkspace(store, id, before?.retentionDays);
    return { kind: 'has accounts', accounts: late };
  }
  const of = async (prefix: string) =>
    (await queryAll(store, { pk: workspacePartition(id), prefix, limit: 1000, consistent: true })).map(entryId);
  const each = async (ids: readonly string[], remove: (one: string) => Promise<boolean>) => {
    for (const one of ids) await remove(one);
    return ids.length;
  };
  const named = async (entry: 'KEY' | 'WEBHOOK') => (await wholeDirectory(store, id, entry)).map(entryId);
  const swept = {
    keys: await each(await named('KEY'), (key) => deleteKey(store, random, id, key)),
    webhooks: await each(await named('WEBHOOK'), (webhook) => deleteWebhook(ports, id, webhook)),
    endpoints: await each(await of(ENDPOINT_PREFIX), (endpoint) => deleteEndpoint(ports, id, endpoint)),
    rules: await each(await of(RULE_PREFIX), (rule) => deleteRule(ports, id, rule)),
  };
  await sweptWorkspace(store, id);
  const { deletedAt } = workspace;
  const endsAt = toIso(Date.parse(deletedAt) + SHORTEST_DAYS * DAY_MS);
  return { kind: 'deleted', workspace: { ...workspace, deletedAt }, swept, endsAt };
}
