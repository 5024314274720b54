import { at, listOf, type Named, ofType, referred, type Template } from '../template.ts';

/** Least privilege: each function its own role, and in each role every action and every thing it may be done to by name. */
export function roleFaults(template: Template): string[] {
  const roles = ofType(template, 'AWS::IAM::Role');
  return [...sharedRoles(template), ...roles.flatMap(trustFaults), ...roles.flatMap(grantFaults)];
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
  const [trust, ...others] = listOf(at(Properties.AssumeRolePolicyDocument, 'Statement'));
  const isOurs = at(trust, 'Principal', 'Service') === 'lambda.amazonaws.com' && others.length === 0;
  const attached = listOf(Properties.ManagedPolicyArns);
  return [
    ...(isOurs ? [] : [`${id} can be taken by others than Lambda`]),
    ...(attached.length > 0 ? [`${id} has policies whose statements are not written out here`] : []),
  ];
}

function grantFaults({ id, Properties }: Named): string[] {
  const statements = listOf(Properties.Policies).flatMap((policy) => listOf(at(policy, 'PolicyDocument', 'Statement')));
  return statements.flatMap((statement) => [
    ...actionFaults(id, statement),
    ...resourceFaults(id, statement),
    ...keyFaults(id, statement),
  ]);
}

/** Reading a whole table is the work of no function. */
const NEVER = ['dynamodb:Scan', 'iam:PassRole'];

function actionFaults(id: string, statement: unknown): string[] {
  if (at(statement, 'NotAction') !== undefined) return [`${id} grants every action but some`];
  const actions = listOf(at(statement, 'Action')).map(String);
  return actions
    .filter((action) => !/^[a-z]+:[A-Za-z]+$/.test(action) || NEVER.includes(action))
    .map((action) => `${id} grants ${action}`);
}

/** A function may make streams in its own log group, and reach the secrets of all accounts. Nothing else has a star. */
const STARS = [/:log-group:\/aws\/lambda\/[\w-]+:\*$/, /:parameter\/hookline\/[\w-]+\/accounts\/\*$/];

function resourceFaults(id: string, statement: unknown): string[] {
  const resources = listOf(at(statement, 'Resource'));
  if (resources.length === 0) return [`${id} has a statement that names no resource`];
  return resources
    .map((resource) => String(at(resource, 'Fn::Sub') ?? (typeof resource === 'string' ? resource : '')))
    .filter((resource) => resource.includes('*') && !STARS.some((star) => star.test(resource)))
    .map((resource) => `${id} reaches ${resource}`);
}

/** A function reaches only the keys that it works on: the table holds everybody's. */
function keyFaults(id: string, statement: unknown): string[] {
  const actions = listOf(at(statement, 'Action')).map(String);
  if (!actions.some((action) => action.startsWith('dynamodb:'))) return [];
  const keys = listOf(at(statement, 'Condition', 'ForAllValues:StringLike', 'dynamodb:LeadingKeys')).map(String);
  const isGuarded = String(at(statement, 'Condition', 'Null', 'dynamodb:LeadingKeys')) === 'false';
  const vague = keys.filter((key) => !/^[A-Z]{2,}(#|$)/.test(key));
  const sid = `${id}, ${String(at(statement, 'Sid'))}`;
  return [
    ...(keys.length === 0 ? [`${sid}: reaches every key of the table`] : []),
    ...(isGuarded ? [] : [`${sid}: a request that names no key counts as one whose keys all match`]),
    ...vague.map((key) => `${sid}: ${key} is no kind of key`),
  ];
}
