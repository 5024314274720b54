import { isDeepStrictEqual } from 'node:util';
import { at, folderOf, listOf, type Named, ofType, referred, statementsOf, type Template } from '../template.ts';
import { type Grant, grantsOf } from './grants.ts';
import { type Reach, reachOf } from './reach.ts';

/** Least privilege: each function its own role, and in each role what the work of its function takes, and nothing else. */
export function roleFaults(template: Template): string[] {
  const roles = ofType(template, 'AWS::IAM::Role');
  return [...sharedRoles(template), ...roles.flatMap(trustFaults), ...roles.flatMap((role) => taken(template, role))];
}

function sharedRoles(template: Template): string[] {
  const owners = new Map<string, string>();
  return ofType(template, 'AWS::Lambda::Function').flatMap(({ id, Properties }) => {
    const role = referred(Properties.Role);
    if (role === undefined || template.Resources[role] === undefined) return [`${id} has no role of this template`];
    const other = owners.get(role);
    owners.set(role, id);
    return other === undefined ? [] : [`${id} and ${other} share ${role}`];
  });
}

function trustFaults({ id, Properties }: Named): string[] {
  const [trust, ...others] = statementsOf(Properties.AssumeRolePolicyDocument) ?? [];
  const isLambda = isDeepStrictEqual(at(trust, 'Principal'), { Service: 'lambda.amazonaws.com' });
  const isOurs = isLambda && at(trust, 'Action') === 'sts:AssumeRole' && others.length === 0;
  const attached = listOf(Properties.ManagedPolicyArns);
  return [
    ...(isOurs ? [] : [`${id} can be taken by others than Lambda`]),
    ...(attached.length > 0 ? [`${id} has policies whose statements are not written out here`] : []),
  ];
}

/** The function that a role is for. */
interface Owner {
  readonly itself: Named;
  readonly folder: string;
  readonly reach: Reach;
  readonly template: Template;
}

function taken(template: Template, role: Named): string[] {
  const itself = ofType(template, 'AWS::Lambda::Function').find(
    ({ Properties }) => referred(Properties.Role) === role.id,
  );
  if (!itself) return [`${role.id} belongs to no function of this template: remove it`];
  const folder = folderOf(itself);
  const { grants, faults } = grantsOf(template, role);
  const owner = { itself, folder, reach: reachOf(folder), template };
  return [...faults, ...grants.flatMap((grant) => grantFaults(grant, owner))];
}

function grantFaults(grant: Grant, owner: Owner): readonly string[] {
  const { by, action, on } = grant;
  const check = Object.hasOwn(WORKS, action) ? WORKS[action] : undefined;
  if (!check) return [`${by}: grants ${action}, which is the work of no function here: name the actions that it needs`];
  const { onIt, faults } = check(grant, owner);
  return onIt ? faults : [`${by}: ${action} reaches ${on}, ${notItsWork(owner)}`];
}

const notItsWork = ({ folder }: Owner): string => `which is not the work of ${folder}: remove it, or add it to ${LIST}`;

const LIST = 'infra/verify/rules/reach.ts';

type Check = (grant: Grant, owner: Owner) => { readonly onIt: boolean; readonly faults: readonly string[] };

/** Every action that a role may have, with what it may be done to. No star, no Scan, no PassRole. */
const WORKS: Readonly<Record<string, Check | undefined>> = {
  'logs:CreateLogStream': ownLog,
  'logs:PutLogEvents': ownLog,
  'dynamodb:GetItem': keyed(({ reads }) => reads),
  'dynamodb:BatchGetItem': keyed(({ reads }) => reads),
  'dynamodb:Query': (grant, owner) =>
    /\/index\//.test(grant.on) ? keyed(({ lists }) => lists)(grant, owner) : keyed(({ reads }) => reads)(grant, owner),
  'dynamodb:ConditionCheckItem': keyed(({ reads, writes }) => [...reads, ...writes]),
  'dynamodb:PutItem': keyed(({ writes }) => writes),
  'dynamodb:UpdateItem': keyed(({ writes }) => writes),
  'dynamodb:DeleteItem': keyed(({ writes }) => writes),
  'dynamodb:BatchWriteItem': keyed(({ writes }) => writes),
  'sqs:SendMessage': ({ on }, { reach, template }) => only(reach.sends.includes(readerOf(template, on))),
  'sqs:ReceiveMessage': ownQueue,
  'sqs:DeleteMessage': ownQueue,
  'sqs:ChangeMessageVisibility': ownQueue,
  'sqs:GetQueueAttributes': ownQueue,
  'ssm:GetParameter': parameter,
  'ssm:PutParameter': parameter,
  'ssm:DeleteParameter': parameter,
};

function only(onIt: boolean) {
  return { onIt, faults: [] };
}

function ownLog({ on }: Grant, { itself }: Owner) {
  const name = String(itself.Properties.FunctionName);
  return only(on === `${ofThisAccount('logs')}:log-group:/aws/lambda/${name}:*`);
}

const ofThisAccount = (service: string): string =>
  `arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}`;

function ownQueue({ on }: Grant, { folder, template }: Owner) {
  return only(readerOf(template, on) === folder);
}

/** The folder of the function that a queue calls; empty where there is none. */
function readerOf(template: Template, queue: string): string {
  const mapping = ofType(template, 'AWS::Lambda::EventSourceMapping').find(
    ({ Properties }) => referred(Properties.EventSourceArn) === queue,
  );
  const reader = template.Resources[referred(mapping?.Properties.FunctionName) ?? ''];
  return reader ? folderOf(reader) : '';
}

function parameter({ action, on }: Grant, { reach, itself }: Owner) {
  const prefix = String(at(itself.Properties.Environment, 'Variables', 'HOOKLINE_SECRETS_PREFIX'));
  const names = reach.parameters.filter(([may]) => may === action).map(([, name]) => name);
  return only(names.some((name) => on === `${ofThisAccount('ssm')}:parameter${prefix}/${name}`));
}

/** A function reaches only the keys that it works on: the table holds everybody's. */
function keyed(keysOf: (reach: Reach) => readonly string[]): Check {
  return ({ by, action, on, keys, guarded }, owner) => {
    const [, ofIndex] = /^\$\{(\w+)\.Arn\}\/index\/\w+$/.exec(on) ?? [];
    const strange = keys.filter((key) => !keysOf(owner.reach).some((known) => covers(known, key)));
    const all = `${by}: ${action} reaches every key of the table`;
    return {
      onIt: owner.template.Resources[ofIndex ?? on]?.Type === 'AWS::DynamoDB::Table',
      faults: [
        ...(keys.length === 0 ? [`${all}: bind it by dynamodb:LeadingKeys`] : []),
        ...(guarded ? [] : [`${all} when it names none: refuse that by Null, dynamodb:LeadingKeys`]),
        ...strange.map((key) => `${by}: ${action} reaches ${key}, ${notItsWork(owner)}`),
      ],
    };
  };
}

const covers = (known: string, key: string): boolean =>
  known === key || (known.endsWith('*') && key.startsWith(known.slice(0, -1)));
