import { newId } from '#lib/domain/ids.ts';
import type { Secrets } from '#lib/domain/ports.ts';
import { faultsOfCondition } from '#lib/domain/reaction/condition.ts';
import { draining } from '#lib/domain/reaction/delivery.ts';
import { type Action, isEmailAddress, type NewRule } from '#lib/domain/reaction/rule.ts';
import { type Issue, known } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import type { Reach } from '#lib/domain/url.ts';
import { accountsNamed } from '#lib/outbox/resolve.ts';
import { type Readable, readEach } from '#lib/store/items.ts';
import { healthKey, RULE_PREFIX, ruleKey, waitingList, workspacePartition } from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import { AGAIN, retryOnConflict, type StorePorts } from '#lib/store/retry.ts';
import { absent, any, del, equal, exists, newTransaction, put, type Store, update } from '#lib/store/store.ts';
import { former } from '#lib/tenants/workspaces.ts';
import { faultsOfSize, newSecret, readSecret, ruleSecret, type SigningSecret } from './call.ts';
import { CALLS_KEPT_SECONDS, type Tasks } from './delivery.ts';
import { calleeOfRule, healthChanges, isSamePlace, ofRule, refusedUrl } from './endpoint.ts';
import { findEndpoint } from './endpoints.ts';
import { inOrder, type Rule, readRule, ruleItem } from './rule.ts';
import { type BudgetPorts, patternFault, templateFault } from './untrusted.ts';

export interface RulePorts extends StorePorts, BudgetPorts {
  readonly secrets: Secrets;
  readonly tasks: Tasks;
  /** What calls may lead to. */
  readonly endpointReach: Reach;
  /** The address that rules send e-mail from; undefined where this hub sends none. */
  readonly mailFrom: string | undefined;
}

const MOST_RULES = 200;
const TOO_MANY = `a workspace has ${MOST_RULES} rules at most: delete one first`;

/** What its secret signs, and whose it is. */
interface WithSecret {
  readonly rule: Rule;
  /** Of a rule that calls: shown this once. */
  readonly secret?: string;
}

interface Refused {
  readonly issues: readonly Issue[];
}

/** Checks what the schema cannot see, keeps the headers of calls apart, and writes the rule. */
export async function createRule(
  ports: RulePorts,
  workspace: string,
  wanted: NewRule,
  origins: readonly string[],
): Promise<WithSecret | Refused> {
  const { store, clock, random } = ports;
  const issues = await faultsOf(ports, workspace, wanted, origins);
  if (issues.length > 0) return { issues };
  if ((await listRules(store, workspace)).items.length >= MOST_RULES)
    return { issues: [{ path: '', message: TOO_MANY }] };
  const at = toIso(clock.now());
  const id = newId('rule', clock.now(), random.bytes(10));
  const kept = { id, workspace, failures: 0, createdAt: at, updatedAt: at };
  const keeping = await keepSecret(ports, id, wanted);
  if ('issues' in keeping) return keeping;
  const { rule, secret, secretVersion } = keeping;
  const item = ruleItem({ ...rule, ...kept, ...known({ secretVersion }) });
  await store.write(put(item, absent()));
  return { rule: readRule(item), ...known({ secret }) };
}

/**
 * A rule that calls signs its calls, as an endpoint is called. What signs them and the values of their headers are kept in
 * the parameter store; the rule itself holds the names of the headers. A header without a value keeps the one it had.
 */
async function keepSecret(
  ports: RulePorts,
  id: string,
  wanted: NewRule,
  before?: Rule,
): Promise<{ readonly rule: NewRule; readonly secretVersion?: number; readonly secret?: string } | Refused> {
  const calls = wanted.do.flatMap((action, i) =>
    action.action === 'call' ? [[String(i), action.headers ?? {}] as const] : [],
  );
  if (calls.length === 0) return { rule: wanted };
  const { secrets, random } = ports;
  const kept =
    before?.secretVersion === undefined ? undefined : await readSecret(secrets, ruleSecret(id), before.secretVersion);
  const fresh = newSecret(random);
  const headers = calls.map(([i, given]): [string, Record<string, string>] => {
    const had = kept?.calls?.[i] ?? {};
    return [i, Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value || (had[name] ?? '')]))];
  });
  const issues = faultsOfSize(Object.fromEntries(headers), 'do');
  if (issues.length > 0) return { issues };
  const secret: SigningSecret = { secrets: kept?.secrets ?? [{ secret: fresh }], calls: Object.fromEntries(headers) };
  const secretVersion = await secrets.put(ruleSecret(id), JSON.stringify(secret));
  const actions = wanted.do.map((action) =>
    action.action === 'call' && action.headers
      ? { ...action, headers: Object.fromEntries(Object.keys(action.headers).map((name) => [name, ''])) }
      : action,
  );
  return { rule: { ...wanted, do: actions }, secretVersion, ...(kept ? {} : { secret: fresh }) };
}

/** In the order in which they are asked. */
export async function listRules(store: Store, workspace: string): Promise<Readable<Rule>> {
  const pk = workspacePartition(workspace);
  const items = await queryAll(store, { pk, prefix: RULE_PREFIX, limit: 1000, consistent: true });
  const { items: rules, damaged } = readEach(items, readRule);
  return { items: inOrder(rules), damaged };
}

export async function findRule(store: Store, workspace: string, id: string): Promise<Rule | undefined> {
  const item = await store.get(ruleKey(workspace, id), { consistent: true });
  return item && readRule(item);
}

/**
 * Puts another rule in its place, as `writtenAfter` makes it of the one that is there; what is left out gets its default.
 * A rule that was switched off for failing begins anew.
 */
export async function replaceRule(
  ports: RulePorts,
  workspace: string,
  id: string,
  writtenAfter: (before: Rule) => NewRule,
  origins: readonly string[],
): Promise<WithSecret | Refused | undefined> {
  const { store, clock } = ports;
  return retryOnConflict(`the rule ${id}`, async () => {
    const before = await findRule(store, workspace, id);
    if (!before) return undefined;
    const wanted = writtenAfter(before);
    const issues = await faultsOf(ports, workspace, wanted, origins, before);
    if (issues.length > 0) return { issues };
    const moved = movedHeaders(before, wanted);
    if (moved.length > 0) return { issues: moved };
    const keeping = await keepSecret(ports, id, wanted, before);
    if ('issues' in keeping) return keeping;
    const { rule, secret, secretVersion } = keeping;
    const kept = { id, workspace, failures: 0, createdAt: before.createdAt, updatedAt: toIso(clock.now()) };
    const item = ruleItem({ ...rule, ...kept, ...known({ secretVersion }) });
    const { done } = await store.write(put(item, equal('updatedAt', before.updatedAt)));
    if (!done) return AGAIN;
    await goOn(ports, workspace, id);
    return { rule: readRule(item), ...known({ secret }) };
  });
}

/** Headers that are to keep the value they had, where the call leads to somebody else by now: it may be a key. */
function movedHeaders({ do: before }: Rule, { do: wanted }: NewRule): readonly Issue[] {
  return wanted.flatMap((action, i) => {
    const had = before[i];
    if (action.action !== 'call' || had?.action !== 'call' || isSamePlace(action.url, had.url)) return [];
    const kept = Object.entries(action.headers ?? {}).filter(
      ([name, value]) => value === '' && had.headers?.[name] === '',
    );
    const message = 'needs its value again: the call leads to another host now';
    return kept.map(([name]) => ({ path: `do.${i}.headers.${name}`, message }));
  });
}

/**
 * What it calls may be another URL now: where that was failing, what waits is called at once. So is what waits and nobody
 * drains: an earlier version put off what was for a rule that was off, until that was on again.
 */
async function goOn({ store, clock, tasks }: RulePorts, workspace: string, id: string): Promise<void> {
  const at = clock.now();
  const { items } = await store.query({ index: 'gsi3', pk: waitingList(id), limit: 1 });
  const isFailing = equal('state', 'failing');
  const well = update(
    healthKey(workspace, id),
    [...healthChanges(id, draining(at)), ...ofRule(id, workspace, at)],
    items.length > 0 ? any(isFailing, absent('drainAt')) : isFailing,
  );
  if ((await store.write(well)).done) await tasks.send({ kind: 'drain', workspace, endpoint: id, at });
}

/** Since when what it calls fails, and is spared; milliseconds. */
export async function callsFailingSince(store: Store, { workspace, id }: Rule): Promise<number | undefined> {
  const { state, failingSince } = await calleeOfRule(store, workspace, id);
  return state === 'failing' ? failingSince : undefined;
}

export async function deleteRule(
  { store, secrets, clock, random }: RulePorts,
  workspace: string,
  id: string,
): Promise<boolean> {
  const writes = [
    del(ruleKey(workspace, id), exists()),
    del(healthKey(workspace, id)),
    former(workspace, id, clock.now(), CALLS_KEPT_SECONDS),
  ];
  const { done } = await store.transact(writes, newTransaction(random));
  if (done) await secrets.delete(ruleSecret(id));
  return done;
}

/*
 * What the schema of a rule cannot see. What could never work is told when a rule is written, with the path of the field,
 * rather than by each of its runs.
 */

/** Everything that is wrong; `origins`: of the hub itself. What stood in the rule `before` was checked when it was written. */
export async function faultsOf(
  ports: RulePorts,
  workspace: string,
  wanted: NewRule,
  origins: readonly string[],
  before?: NewRule,
): Promise<readonly Issue[]> {
  const isSame = (name: 'do' | 'when' | 'accounts') => JSON.stringify(wanted[name]) === JSON.stringify(before?.[name]);
  if (before && isSame('do') && isSame('when') && isSame('accounts')) return [];
  const { when, accounts = [], do: actions } = wanted;
  const each = await Promise.all(
    actions.map(async (action, i) => {
      const faults = await faultsOfAction(ports, workspace, action, origins);
      return faults.map(({ path, message }) => ({ path: `do.${i}.${path}`, message }));
    }),
  );
  const named = accounts.map((id, i) => [`accounts.${i}`, id] as const);
  return [
    ...(when ? faultsOfCondition(when, 'when', patternFault) : []),
    // Of a rule that is kept to an account which is not there nothing would ever come.
    ...(await missingAccounts(ports, workspace, named)),
    ...each.flat(),
  ];
}

const NO_MAIL =
  'cannot be email: this hub has no address to send from. Who runs it sets the parameter mailFrom to one and deploys again';
/** Each text of a call takes its time, and the call is made beside those of others. */
const MOST_TEXTS = 100;

/** Paths are those within the action. */
async function faultsOfAction(
  ports: RulePorts,
  workspace: string,
  action: Action,
  origins: readonly string[],
): Promise<readonly Issue[]> {
  const { store, endpointReach, mailFrom } = ports;
  switch (action.action) {
    case 'reply':
      return faultsOfTexts(textsOf(action, ['text', 'fileUrl', 'fileName']));
    case 'send':
      return [
        ...faultsOfTexts(textsOf(action, ['text', 'fileUrl', 'fileName', 'to'])),
        ...(await missingAccounts(ports, workspace, action.accountId ? [['accountId', action.accountId]] : [])),
      ];
    case 'forward':
      // One that forwards to nobody would say of each run that it was done.
      if (await findEndpoint(store, workspace, action.endpoint)) return [];
      return [{ path: 'endpoint', message: 'is no endpoint of this workspace: see GET /api/endpoints' }];
    case 'call': {
      const texts = textsOf(action, ['json']);
      const url = refusedUrl(action.url, endpointReach, origins);
      return [
        ...faultsOfTexts(textsOf(action, ['text', 'json'])),
        ...(texts.length > MOST_TEXTS ? [{ path: 'json', message: `must have at most ${MOST_TEXTS} texts` }] : []),
        ...(url === undefined ? [] : [{ path: 'url', message: url }]),
      ];
    }
    case 'email': {
      const isSendable = mailFrom !== undefined && isEmailAddress(mailFrom);
      const faults = faultsOfTexts(textsOf(action, ['subject', 'text']));
      return isSendable ? faults : [...faults, { path: 'action', message: NO_MAIL }];
    }
  }
}

interface Text {
  readonly path: string;
  readonly template: string;
}

const textsOf = <Of extends Action>(action: Of, names: readonly (keyof Of & string)[]): readonly Text[] =>
  names.flatMap((name) => stringsIn(action[name], name));

function stringsIn(value: unknown, path: string): readonly Text[] {
  if (typeof value === 'string') return [{ path, template: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) => stringsIn(one, `${path}.${name}`));
}

function faultsOfTexts(texts: readonly Text[]): readonly Issue[] {
  return texts.flatMap(({ path, template }) => {
    const message = templateFault(template);
    return message === undefined ? [] : [{ path, message }];
  });
}

/** Each with the path at which it stands. */
async function missingAccounts(
  { store }: RulePorts,
  workspace: string,
  named: readonly (readonly [path: string, id: string])[],
): Promise<readonly Issue[]> {
  if (named.length === 0) return [];
  const found = await accountsNamed(store, workspace, [...new Set(named.map(([, id]) => id))]);
  const message = 'is no account of this workspace: see GET /api/accounts';
  return named.flatMap(([path, id]) => (found.some((one) => one.id === id) ? [] : [{ path, message }]));
}
