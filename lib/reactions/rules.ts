import type { Reach } from '#lib/domain/base-url.ts';
import { newId } from '#lib/domain/ids.ts';
import type { Secrets } from '#lib/domain/ports.ts';
import { draining } from '#lib/domain/reaction/delivery.ts';
import { type Action, faultsOfHeaders, isEmailAddress, type NewRule } from '#lib/domain/reaction/rule.ts';
import { type Issue, known } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { accountsNamed, accountsOf, quotes, type Reaches } from '#lib/outbox/accounts.ts';
import { readFile, readTarget } from '#lib/outbox/request.ts';
import { countryOf } from '#lib/outbox/submit.ts';
import { dueSortKey, healthKey, RULE_PREFIX, ruleKey, workspacePartition } from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import type { StorePorts } from '#lib/store/retry.ts';
import { absent, del, equal, exists, newTransaction, put, type Store, set, update } from '#lib/store/store.ts';
import { former } from '#lib/tenants/directory.ts';
import { faultsOfSize, newSecret, readSecret, ruleSecret, type SigningSecret } from './call.ts';
import { CALLS_KEPT_SECONDS, type Tasks } from './delivery.ts';
import { calleeOfRule, healthChanges, isSamePlace, ofRule, refusedUrl } from './endpoint.ts';
import { findEndpoint } from './endpoints.ts';
import { inWordsOfRules } from './react.ts';
import { faultsOfRule, inOrder, type Rule, readRule, ruleItem } from './rule.ts';
import type { BudgetPorts } from './untrusted.ts';

const MOST_RULES = 200;
const TOO_MANY = `a workspace has ${MOST_RULES} rules at most: delete one first`;

export interface RulePorts extends StorePorts, BudgetPorts {
  readonly secrets: Secrets;
  readonly tasks: Tasks;
  /** What calls may lead to. */
  readonly endpointReach: Reach;
  /** What accounts can send. */
  readonly reaches: Reaches;
  /** The address that rules send e-mail from; undefined where this hub sends none. */
  readonly mailFrom: string | undefined;
}

/** What its secret signs, and whose it is. */
interface WithSecret {
  readonly rule: Rule;
  /** Of a rule that calls: shown this once. */
  readonly secret?: string;
}

type Made = ({ readonly kind: 'made' } & WithSecret) | Refused;
interface Refused {
  readonly kind: 'refused';
  readonly issues: readonly Issue[];
}

/** What cannot be delivered is told now, rather than by the first attempt; `origins`: of the hub itself. */
export async function faultsOf(
  ports: RulePorts,
  workspace: string,
  wanted: NewRule,
  origins: readonly string[],
): Promise<readonly Issue[]> {
  const { endpointReach, mailFrom } = ports;
  const deliveries = wanted.do.flatMap((action, i) => {
    if (action.action === 'email' && !(mailFrom !== undefined && isEmailAddress(mailFrom)))
      return [{ path: `do.${i}.action`, message: NO_MAIL }];
    if (action.action !== 'call') return [];
    const message = refusedUrl(action.url, endpointReach, origins);
    const headers = faultsOfHeaders(action.headers ?? {}, `do.${i}.headers`);
    return message === undefined ? headers : [{ path: `do.${i}.url`, message }, ...headers];
  });
  const missing = await Promise.all([
    missingEndpoints(ports, workspace, wanted),
    missingAccounts(ports, workspace, wanted),
    vainQuotes(ports, workspace, wanted),
    vainRecipients(ports, workspace, wanted),
  ]);
  return [...faultsOfRule(wanted), ...vainFiles(wanted.do), ...deliveries, ...missing.flat()];
}

const isTemplate = (text: string): boolean => /\{[{%]/.test(text);

/** Whom no message could reach, as a number of letters. Of a template only rendering shows whom it names. */
async function vainRecipients({ store }: RulePorts, workspace: string, { do: actions }: NewRule) {
  const faults = actions.map(async (action, i): Promise<readonly Issue[]> => {
    if (action.action !== 'send' || Object.values(action.to).some(isTemplate)) return [];
    const issues: Issue[] = [];
    await readTarget(action.to, () => countryOf(store, { workspace }), issues);
    return issues.map(({ path, message }) => ({ path: `do.${i}.to.${path}`, message }));
  });
  return (await Promise.all(faults)).flat();
}

/** Files without a name, or under no URL, which no send takes. Of a template only rendering shows what it leads to. */
function vainFiles(actions: readonly Action[]): readonly Issue[] {
  return actions.flatMap((action, i) => {
    if ((action.action !== 'reply' && action.action !== 'send') || action.fileUrl === undefined) return [];
    const url = isTemplate(action.fileUrl) ? 'https://files.example/offer.pdf' : action.fileUrl;
    const issues: Issue[] = [];
    // Which hosts may be reached is asked when it is sent.
    readFile(url, action.fileName, { allowPrivateHosts: true }, issues);
    return issues.map(({ path, message }) => ({ path: `do.${i}.${inWordsOfRules(path)}`, message }));
  });
}

/** A quote that no account of the rule, or of its workspace, could ever send. */
async function vainQuotes(
  { store, reaches }: RulePorts,
  workspace: string,
  { accounts: named, do: actions }: NewRule,
): Promise<readonly Issue[]> {
  const places = actions.flatMap((action, i) => (action.action === 'reply' && action.quote ? [`do.${i}.quote`] : []));
  if (places.length === 0) return [];
  const accounts = await (named ? accountsNamed(store, workspace, named) : accountsOf(store, workspace));
  if (accounts.length === 0) return [];
  if (accounts.some(({ provider, channel }) => quotes(channel, reaches.get(provider)))) return [];
  const whose = named ? 'the accounts of the rule' : 'the accounts of the workspace';
  return places.map((path) => ({
    path,
    message: `is nothing that ${whose} can do: none of them can quote, so leave it out`,
  }));
}

/** Of a rule that is kept to an account which is not there nothing would ever come, and what it sends by one would fail. */
async function missingAccounts(
  { store }: RulePorts,
  workspace: string,
  { accounts = [], do: actions }: NewRule,
): Promise<readonly Issue[]> {
  const named = [
    ...accounts.map((id, i) => ({ id, path: `accounts.${i}` })),
    ...actions.flatMap((action, i) =>
      action.action === 'send' && action.accountId !== undefined
        ? [{ id: action.accountId, path: `do.${i}.accountId` }]
        : [],
    ),
  ];
  if (named.length === 0) return [];
  const found = await accountsNamed(store, workspace, [...new Set(named.map(({ id }) => id))]);
  const message = 'is no account of this workspace: see GET /api/accounts';
  return named.flatMap(({ id, path }) => (found.some((one) => one.id === id) ? [] : [{ path, message }]));
}

/** A rule that forwards to nobody would say of each run that it was done. */
async function missingEndpoints({ store }: RulePorts, workspace: string, { do: actions }: NewRule) {
  const issues = actions.map(async (action, i): Promise<readonly Issue[]> => {
    if (action.action !== 'forward' || (await findEndpoint(store, workspace, action.endpoint))) return [];
    return [{ path: `do.${i}.endpoint`, message: 'is no endpoint of this workspace: see GET /api/endpoints' }];
  });
  return (await Promise.all(issues)).flat();
}

const NO_MAIL =
  'cannot be email: this hub has no address to send from. Who runs it sets the parameter mailFrom to one and deploys again';

/** Checks what the schema cannot see, keeps the headers of calls apart, and writes the rule. */
export async function createRule(
  ports: RulePorts,
  workspace: string,
  wanted: NewRule,
  origins: readonly string[],
): Promise<Made> {
  const { store, clock, random } = ports;
  const issues = await faultsOf(ports, workspace, wanted, origins);
  if (issues.length > 0) return { kind: 'refused', issues };
  if ((await allRules(store, workspace)).length >= MOST_RULES)
    return { kind: 'refused', issues: [{ path: '', message: TOO_MANY }] };
  const at = toIso(clock.now());
  const id = newId('rule', clock.now(), random.bytes(10));
  const kept = { id, workspace, failures: 0, createdAt: at, updatedAt: at };
  const keeping = await keepSecret(ports, id, wanted);
  if ('issues' in keeping) return { kind: 'refused', ...keeping };
  const { rule, secret, secretVersion } = keeping;
  const item = ruleItem({ ...kept, ...known({ secretVersion }) }, rule);
  await store.write(put(item, absent()));
  return { kind: 'made', rule: readRule(item), ...known({ secret }) };
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
): Promise<
  | { readonly rule: NewRule; readonly secretVersion?: number; readonly secret?: string }
  | { readonly issues: readonly Issue[] }
> {
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

async function allRules(store: Store, workspace: string): Promise<readonly Rule[]> {
  const items = await queryAll(store, {
    ...{ pk: workspacePartition(workspace), prefix: RULE_PREFIX },
    ...{ limit: 1000, consistent: true },
  });
  return items.map(readRule);
}

/** In the order in which they are asked. */
export async function listRules(store: Store, workspace: string): Promise<readonly Rule[]> {
  return inOrder(await allRules(store, workspace));
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
  const before = await findRule(store, workspace, id);
  if (!before) return undefined;
  const wanted = writtenAfter(before);
  // What stands already was checked when it was written: it can be switched off whatever has become of its URLs since.
  const isSame = (name: 'do' | 'when' | 'accounts') => JSON.stringify(wanted[name]) === JSON.stringify(before[name]);
  const issues = isSame('do')
    ? [
        ...(isSame('when') ? [] : faultsOfRule(wanted)),
        ...(isSame('accounts')
          ? []
          : [
              ...(await missingAccounts(ports, workspace, { ...wanted, do: [] })),
              ...(await vainQuotes(ports, workspace, wanted)),
            ]),
      ]
    : await faultsOf(ports, workspace, wanted, origins);
  if (issues.length > 0) return { kind: 'refused', issues };
  const moved = movedHeaders(before, wanted);
  if (moved.length > 0) return { kind: 'refused', issues: moved };
  const keeping = await keepSecret(ports, id, wanted, before);
  if ('issues' in keeping) return { kind: 'refused', ...keeping };
  const { rule, secret, secretVersion } = keeping;
  const kept = { id, workspace, failures: 0, createdAt: before.createdAt, updatedAt: toIso(clock.now()) };
  const item = ruleItem({ ...kept, ...known({ secretVersion }) }, rule);
  const { done } = await store.write(put(item, equal('updatedAt', before.updatedAt)));
  if (!done) return replaceRule(ports, workspace, id, writtenAfter, origins);
  const mayWait = rule.do.some(({ action }) => action === 'call' || action === 'email');
  if (rule.enabled && !before.enabled && mayWait) await goOn(ports, workspace, id);
  else await askSoon(store, workspace, id, clock.now());
  return { rule: readRule(item), ...known({ secret }) };
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

/** What waited while it was off is called, oldest first. */
async function goOn({ store, clock, tasks }: RulePorts, workspace: string, id: string): Promise<void> {
  const now = clock.now();
  const health = draining(now);
  const { drainAt = now } = health;
  await store.write(update(healthKey(workspace, id), [...healthChanges(id, health), ...ofRule(id, workspace, now)]));
  await tasks.send({ kind: 'drain', workspace, endpoint: id, at: drainAt });
}

/** What it calls may be another URL now: the next run of the watchdog asks, which waits for no task that may be under way. */
async function askSoon(store: Store, workspace: string, id: string, now: number): Promise<void> {
  const soon = [set('probeAt', now), set('gsi3sk', dueSortKey(0, id))];
  await store.write(update(healthKey(workspace, id), soon, equal('state', 'failing')));
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

/** The rule as it was written. */
export function writtenOf({
  name,
  enabled,
  on,
  accounts,
  when,
  timeZone,
  order,
  stop,
  do: actions,
  guard,
}: Rule): NewRule {
  return { name, enabled, on, timeZone, order, stop, do: actions, guard, ...known({ accounts, when }) };
}
