import type { Secrets } from '#lib/domain/ports.ts';
import { faultsOfCondition } from '#lib/domain/reaction/condition.ts';
import { type Action, faultsOfHeaders, isEmailAddress, type NewRule } from '#lib/domain/reaction/rule.ts';
import type { Issue } from '#lib/domain/schema.ts';
import type { Reach } from '#lib/domain/url.ts';
import { accountsNamed, quotes, type Reaches } from '#lib/outbox/accounts.ts';
import { faultsOfTarget, readFile } from '#lib/outbox/request.ts';
import { countryOf } from '#lib/outbox/submit.ts';
import type { StorePorts } from '#lib/store/retry.ts';
import { accountsOf } from '#lib/tenants/directory.ts';
import type { Tasks } from './delivery.ts';
import { refusedUrl } from './endpoint.ts';
import { findEndpoint } from './endpoints.ts';
import { inWordsOfRules } from './react.ts';
import { type BudgetPorts, patternFault, templateFault } from './untrusted.ts';

/*
 * What the schema of a rule cannot see. What could never work is told when a rule is written, with the path of the field,
 * rather than by each of its runs.
 */

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

/**
 * Everything that is wrong; `origins`: of the hub itself. What stood in the rule `before` was checked when it was written:
 * it can be switched off whatever has become of its URLs and accounts since.
 */
export async function faultsOf(
  ports: RulePorts,
  workspace: string,
  wanted: NewRule,
  origins: readonly string[],
  before?: NewRule,
): Promise<readonly Issue[]> {
  const isSame = (name: 'do' | 'when' | 'accounts') => JSON.stringify(wanted[name]) === JSON.stringify(before?.[name]);
  const isOld = (name: 'when' | 'accounts') => before !== undefined && isSame('do') && isSame(name);
  const { when, accounts = [], do: actions } = wanted;
  const ofActions = before && isSame('do') ? [] : actions;
  const each = await Promise.all(
    ofActions.map(async (action, i) => {
      const faults = await faultsOfAction(ports, workspace, action, origins);
      return faults.map(({ path, message }) => ({ path: `do.${i}.${path}`, message }));
    }),
  );
  const named = accounts.map((id, i) => [`accounts.${i}`, id] as const);
  return [
    ...(when && !isOld('when') ? faultsOfCondition(when, 'when', patternFault) : []),
    // Of a rule that is kept to an account which is not there nothing would ever come.
    ...(isOld('accounts') ? [] : await missingAccounts(ports, workspace, named)),
    ...each.flat(),
    ...(isOld('accounts') ? [] : await vainQuotes(ports, workspace, wanted)),
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
      return faultsOfMessage(action);
    case 'send':
      return [
        ...faultsOfMessage(action),
        ...faultsOfTexts(stringsIn(action.to, 'to')),
        ...(await vainRecipient(ports, workspace, action.to)),
        ...(await missingAccounts(
          ports,
          workspace,
          action.accountId === undefined ? [] : [['accountId', action.accountId]],
        )),
      ];
    case 'forward':
      // One that forwards to nobody would say of each run that it was done.
      if (await findEndpoint(store, workspace, action.endpoint)) return [];
      return [{ path: 'endpoint', message: 'is no endpoint of this workspace: see GET /api/endpoints' }];
    case 'call': {
      const texts = stringsIn(action.json, 'json');
      const url = refusedUrl(action.url, endpointReach, origins);
      return [
        ...faultsOfTexts([...stringsIn(action.text, 'text'), ...texts]),
        ...(texts.length > MOST_TEXTS ? [{ path: 'json', message: `must have at most ${MOST_TEXTS} texts` }] : []),
        ...(url === undefined ? [] : [{ path: 'url', message: url }]),
        ...faultsOfHeaders(action.headers ?? {}, 'headers'),
      ];
    }
    case 'email': {
      const isSendable = mailFrom !== undefined && isEmailAddress(mailFrom);
      const texts = [...stringsIn(action.subject, 'subject'), ...stringsIn(action.text, 'text')];
      return [...faultsOfTexts(texts), ...(isSendable ? [] : [{ path: 'action', message: NO_MAIL }])];
    }
  }
}

interface Text {
  readonly path: string;
  readonly template: string;
}

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

const isTemplate = (text: string): boolean => /\{[{%]/.test(text);

/** Of a template only rendering shows what it leads to. */
const ANY_URL = 'https://files.example/offer.pdf';

/** A file without a name, or under no URL, is taken by no send. */
function faultsOfMessage({ text, fileUrl, fileName }: Extract<Action, { action: 'reply' | 'send' }>): readonly Issue[] {
  const issues: Issue[] = [];
  // Which hosts may be reached is asked when it is sent.
  if (fileUrl !== undefined)
    readFile(isTemplate(fileUrl) ? ANY_URL : fileUrl, fileName, { allowPrivateHosts: true }, issues);
  const texts = Object.entries({ text, fileUrl, fileName }).flatMap(([name, one]) => stringsIn(one, name));
  return [...faultsOfTexts(texts), ...issues.map(({ path, message }) => ({ path: inWordsOfRules(path), message }))];
}

/** Whom no message could reach, as a number of letters. */
async function vainRecipient(
  { store }: RulePorts,
  workspace: string,
  to: Extract<Action, { action: 'send' }>['to'],
): Promise<readonly Issue[]> {
  if (Object.values(to).some(isTemplate)) return [];
  const issues = await faultsOfTarget(to, () => countryOf(store, { workspace }));
  return issues.map(({ path, message }) => ({ path: path === '' ? 'to' : `to.${path}`, message }));
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
  const message = `is nothing that ${whose} can do: none of them can quote, so leave it out`;
  return places.map((path) => ({ path, message }));
}
