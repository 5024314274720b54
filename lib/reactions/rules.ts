import * as v from 'valibot';
import { currentChat } from '#lib/chats/chat.ts';
import type { Reach } from '#lib/domain/base-url.ts';
import type { MessageEvent } from '#lib/domain/event.ts';
import { newId } from '#lib/domain/ids.ts';
import type { Secrets } from '#lib/domain/ports.ts';
import type { Told } from '#lib/domain/reaction/condition.ts';
import { draining } from '#lib/domain/reaction/delivery.ts';
import { MUTED_MS } from '#lib/domain/reaction/guard.ts';
import { typeOf } from '#lib/domain/reaction/notice.ts';
import { type Action, faultsOfHeaders, isEmailAddress, type NewRule } from '#lib/domain/reaction/rule.ts';
import { Instant, type Issue, known, optional, tally } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { findEvent, isReplayed, listEvents } from '#lib/inbox/events.ts';
import { accountsNamed, accountsOf, quotes, type Reaches } from '#lib/outbox/accounts.ts';
import { readFile, readTarget } from '#lib/outbox/request.ts';
import { countryOf } from '#lib/outbox/submit.ts';
import { itemReader } from '#lib/store/items.ts';
import {
  chatKey,
  dueSortKey,
  healthKey,
  MUTED_PREFIX,
  RULE_PREFIX,
  RUN_PREFIX,
  ruleKey,
  rulesPausedKey,
  runPartition,
  workspacePartition,
} from '#lib/store/keys.ts';
import { type ListPage, type PageRequest, pageOf } from '#lib/store/page.ts';
import { beginningWith, getAll, newestPage, ofLastDay, queryAll } from '#lib/store/query.ts';
import type { StorePorts } from '#lib/store/retry.ts';
import {
  absent,
  del,
  equal,
  exists,
  type Item,
  newTransaction,
  put,
  type Store,
  set,
  update,
} from '#lib/store/store.ts';
import { former } from '#lib/tenants/directory.ts';
import { toldOf } from './account-phone.ts';
import { askGuard, minuteOf } from './auto.ts';
import { type Budget, type BudgetPorts, budgetOf, WHY_UNDECIDED } from './budget.ts';
import { faultsOfSize, newSecret, readSecret, ruleSecret, type SigningSecret } from './call.ts';
import { CALLS_KEPT_SECONDS } from './delivery.ts';
import { isSamePlace, refusedUrl } from './endpoint.ts';
import { findEndpoint } from './endpoints.ts';
import { calleeOfRule, healthChanges, ofRule } from './health.ts';
import { type Mail, mailOf } from './mail.ts';
import { bodyOf, guardOf, inWordsOfRules, matchOf } from './react.ts';
import { faultsOfRule, inOrder, type Rule, readRule, ruleItem } from './rule.ts';
import { bodyOfCall } from './rule-target.ts';
import { bodyOf as noticeBody } from './target.ts';
import type { Tasks } from './task.ts';
import { scopeOf } from './templates.ts';

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

const RESULTS = ['done', 'guarded', 'refused', 'failed'] as const;

const RunAction = v.object({
  action: v.string(),
  result: v.picklist(RESULTS),
  send: optional(v.string(), 'The send that was accepted'),
  delivery: optional(v.string(), 'What is delivered: `GET /api/deliveries/{id}` shows it from its first attempt on'),
  why: v.exactOptional(v.string()),
});
export const Run = v.object({
  event: v.string(),
  at: Instant,
  result: v.pipe(
    v.picklist(RESULTS),
    v.description('`guarded`: it was kept from sending. `refused`: no credits. Of several actions, the worst'),
  ),
  why: optional(v.string(), 'Why nothing was done, where its condition took too long to be decided'),
  actions: v.array(RunAction),
});
export type Run = v.InferOutput<typeof Run>;
const readRun = itemReader(Run);

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
async function faultsOf(
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

/** What a rule did, newest first; kept for 30 days. */
export async function listRuns(store: Store, rule: string, page: PageRequest): Promise<ListPage<Run>> {
  const { entries, position } = await newestPage(store, beginningWith(runPartition(rule), RUN_PREFIX), page);
  return pageOf('runs', entries.map(readRun), position);
}

export const RunsOfDay = v.pipe(
  v.object({
    total: tally('Events that it has run on'),
    failed: tally('Of these, runs that failed'),
    guarded: tally('Of these, runs that were kept from sending'),
    more: v.pipe(v.boolean(), v.description('There were more: these are the newest 200')),
  }),
  v.description('What a rule did with what was stored in the last 24 hours; in a list where it is asked for'),
);

/** How much each rule did in the last 24 hours, in their order: a look at the runs of each, at the same time. */
export const runsOfDay = (store: Store, rules: readonly Rule[], now: number) =>
  Promise.all(
    rules.map(async ({ id }): Promise<v.InferOutput<typeof RunsOfDay>> => {
      const { items, isMore } = await ofLastDay(store, beginningWith(runPartition(id), RUN_PREFIX), now);
      const count = (result: Run['result']) => items.filter((item) => item.result === result).length;
      return { total: items.length, failed: count('failed'), guarded: count('guarded'), more: isMore };
    }),
  );

const KeptMuted = v.object({ chatId: v.string(), rule: v.string(), why: v.string(), until: Instant });
const readMuted = itemReader(KeptMuted);
export const Muted = v.object({
  ...KeptMuted.entries,
  since: Instant,
  title: optional(v.string(), 'Of the chat'),
  phone: optional(v.string(), 'Of the person with whom the chat is, where it is known'),
});

export async function listMuted({ store, clock }: Pick<RulePorts, 'store' | 'clock'>, workspace: string) {
  const pk = workspacePartition(workspace);
  const items = await queryAll(store, { pk, prefix: MUTED_PREFIX, limit: 1000, consistent: true });
  const now = toIso(clock.now());
  const muted = items.map(readMuted).filter(({ until }) => until > now);
  const chats = await getAll(
    store,
    muted.map(({ chatId }) => chatKey(chatId)),
  );
  const found = new Map(chats.map((chat) => [chat.pk, chat]));
  return Promise.all(
    muted.map(async (one) => ({
      ...one,
      since: toIso(Date.parse(one.until) - MUTED_MS),
      ...(await namesOf(store, workspace, found.get(chatKey(one.chatId).pk))),
    })),
  );
}

/** A chat that was merged into another one is called as that one is. */
async function namesOf(store: Store, workspace: string, chat: Item | undefined) {
  const current = chat?.mergedInto === undefined ? chat : await currentChat(store, workspace, String(chat.chatId));
  if (!current) return {};
  const { title, phone } = current;
  return { ...(typeof title === 'string' && { title }), ...(typeof phone === 'string' && { phone }) };
}

export const Paused = v.object({ at: Instant, why: v.string() });
const readPaused = itemReader(Paused);

export async function pausedOf(store: Store, workspace: string) {
  const item = await store.get(rulesPausedKey(workspace), { consistent: true });
  return item && readPaused(item);
}

/** What they sent in this minute counts no more, or the next message would have them pause again. */
export async function resumeRules(
  { store, clock, random }: Pick<RulePorts, 'store' | 'clock' | 'random'>,
  workspace: string,
): Promise<boolean> {
  const writes = [del(rulesPausedKey(workspace), exists()), del(minuteOf(workspace, clock.now()))];
  return (await store.transact(writes, newTransaction(random))).done;
}

export const Trial = v.object({
  event: v.string(),
  type: v.exactOptional(v.string()),
  matched: v.boolean(),
  why: optional(v.string(), 'Where its condition takes too long to be decided, or those of the events before it did'),
  trace: v.pipe(
    v.array(
      v.object({
        at: v.string(),
        field: v.string(),
        operator: v.string(),
        found: optional(v.unknown(), 'What the event has there, a text shortened'),
        holds: v.boolean(),
      }),
    ),
    v.description('Each comparison; none where the type or the account already says no'),
  ),
  guard: optional(v.object({ may: v.boolean(), why: v.exactOptional(v.string()) }), 'Of a rule that would answer'),
  actions: v.array(v.object({ action: v.string(), would: v.unknown(), why: v.exactOptional(v.string()) })),
});
export type Trial = v.InferOutput<typeof Trial>;

export interface Asked {
  readonly eventIds?: readonly string[] | undefined;
  readonly last?: number | undefined;
}

/** Fifty events with texts that take long would hold up everybody who asks the API. */
const MOST_OF_A_TRIAL_MS = 2000;
const NOT_TRIED = 'the events before it took all the time that a trial has: try the rule on fewer';

/** What the rule would do with these events. Nothing is sent, and nothing counted. */
export async function tryRule(
  ports: RulePorts,
  workspace: string,
  wanted: NewRule,
  origins: readonly string[],
  asked: Asked,
) {
  const issues = await faultsOf(ports, workspace, wanted, origins);
  if (issues.length > 0) return { issues };
  const { store, clock } = ports;
  const now = clock.now();
  const at = toIso(now);
  const rule: Rule = { ...wanted, id: 'rule_trial', workspace, failures: 0, createdAt: at, updatedAt: at };
  const seconds = Math.floor(now / 1000);
  const events = asked.eventIds
    ? (await Promise.all(asked.eventIds.map((id) => findEvent(store, workspace, id, seconds)))).flatMap(
        (one) => one ?? [],
      )
    : (await listEvents(store, workspace, {}, { limit: asked.last ?? 50 }, seconds)).items;
  const trials: Trial[] = [];
  const budget = budgetOf(ports, MOST_OF_A_TRIAL_MS);
  for (const event of events) {
    const type = typeOf(event);
    if (budget.isSpent()) {
      trials.push({
        ...{ event: event.id, matched: false, trace: [], actions: [] },
        ...known({ type }),
        why: NOT_TRIED,
      });
      continue;
    }
    const told = await toldOf(store, rule, event);
    const asked = type && matchOf(rule, { ...told, type }, now, budget);
    const { holds, trace, undecided } = asked ?? { holds: false, trace: [] };
    const guard = holds ? await guardOn(ports, rule, told, now, budget) : undefined;
    trials.push({
      ...{ event: event.id, matched: holds, trace: [...trace] },
      ...known({ type, guard, why: undecided && (undecided === 'too long' ? WHY_UNDECIDED[undecided] : NOT_TRIED) }),
      // What is rendered is so before the first wait of each.
      actions: holds
        ? await Promise.all(
            rule.do.map((action, index) => budget.spend(() => would(ports, rule, action, index, told, now))),
          )
        : [],
    });
  }
  return { items: trials };
}

/** What the guard would say to the messages of a rule, the first refusal counting; undefined where it sends none. */
async function guardOn(ports: RulePorts, rule: Rule, told: Told, now: number, budget: Budget) {
  const { event } = told;
  const seconds = Math.floor(now / 1000);
  const asked = { isReplay: await isReplayed(ports.store, rule.workspace, event.id, seconds), now };
  const ask = async (message: MessageEvent) => (await askGuard(ports, rule, message, asked)).verdict;
  let verdict: { readonly may: boolean } | undefined;
  for (const action of rule.do) {
    if (action.action !== 'reply' && action.action !== 'send') continue;
    const written = budget.spend(() => bodyOf(rule, action, told, now));
    if (!('body' in written)) {
      if (written.result === 'guarded') return { may: false, ...known({ why: written.why }) };
      continue;
    }
    const allowed = await guardOf(ports.store, rule, action, written.body, { event, ...asked }, ask);
    if (!allowed.may) return { may: false, why: allowed.why };
    verdict = { may: true };
  }
  return verdict;
}

async function would(
  ports: RulePorts,
  rule: Rule,
  action: Action,
  index: number,
  told: Told,
  now: number,
): Promise<Trial['actions'][number]> {
  const { action: name } = action;
  const { event } = told;
  if (action.action === 'email') {
    const { store, mailFrom: from = '' } = ports;
    const mail = await mailOf(store, rule, action, index, told, { from, now });
    return 'why' in mail ? { action: name, would: {}, why: mail.why } : { action: name, would: shownMail(mail) };
  }
  if (action.action === 'forward') {
    const endpoint = await findEndpoint(ports.store, rule.workspace, action.endpoint);
    const type = typeOf(event);
    const posted = endpoint && type ? shownBody(noticeBody(endpoint, type, event)) : {};
    return { action: name, would: { endpoint: action.endpoint, ...posted } };
  }
  if (action.action === 'call') {
    const posted = bodyOfCall(action, event, scopeOf(told, now, rule.timeZone), budgetOf(ports));
    return 'why' in posted
      ? { action: name, would: {}, why: posted.why }
      : { action: name, would: shownCall(action, posted) };
  }
  const written = bodyOf(rule, action, told, now);
  return 'body' in written
    ? { action: name, would: written.body }
    : { action: name, would: {}, ...known({ why: written.why }) };
}

/** Fifty events have to fit into an answer. */
const LONGEST_SHOWN = 4000;

function shownCall(
  { url, method }: Pick<Extract<Action, { action: 'call' }>, 'url' | 'method'>,
  { body, contentType }: { readonly body: string; readonly contentType: string },
) {
  return { url, method, contentType, ...shownBody(body) };
}

function shownBody(body: string) {
  if (body.length <= LONGEST_SHOWN) return { body };
  return { body: `${body.slice(0, LONGEST_SHOWN).toWellFormed()}…`, bytes: Buffer.byteLength(body) };
}

function shownMail({ from, to, subject, text, attachment }: Mail) {
  const { name, contentType, content } = attachment ?? {};
  return { from, to, subject, text, ...(content && { attachment: { name, contentType, bytes: content.length } }) };
}
