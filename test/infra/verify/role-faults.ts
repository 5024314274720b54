import { change, granting, type PlantedFault } from './plant.ts';

type Path = readonly (string | number)[];

/** A fault within the statement of a role that grants an action. */
const inRole = (
  name: string,
  [role, action]: readonly [role: string, action: string],
  fault: Readonly<Record<string, unknown>>,
  found: RegExp,
): PlantedFault => ({
  name,
  plant: (resources) => {
    const path: Path = granting(resources, role, action);
    for (const [part, value] of Object.entries(fault)) change(resources, [...path, part], value);
  },
  found,
});

const keys = (...given: string[]) => ({
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': given },
  Null: { 'dynamodb:LeadingKeys': 'false' },
});
const partition = { Ref: 'AWS::Partition' };
const READS = ['CoobyRole', 'dynamodb:GetItem'] as const;
const KEEPS = ['CoobyRole', 'sqs:SendMessage'] as const;

export const roleFaults: readonly PlantedFault[] = [
  inRole('all actions', KEEPS, { Action: '*' }, /CoobyRole, \w+: grants \*/),
  inRole('a star within an action', READS, { Action: 'dynamodb:Get*' }, /CoobyRole, \w+: grants dynamodb:Get\*/),
  inRole('a star within a service', KEEPS, { Action: 's?s:SendMessage' }, /CoobyRole, \w+: grants s\?s:SendMessage/),
  inRole(
    'an action that is put together',
    KEEPS,
    { Action: { Ref: 'What' } },
    /CoobyRole, \w+: grants \{"Ref":"What"\}/,
  ),
  inRole('a scan', READS, { Action: 'dynamodb:Scan' }, /CoobyRole, \w+: grants dynamodb:Scan/),
  inRole('all actions but some', KEEPS, { NotAction: 'iam:*', Action: undefined }, /CoobyRole, \w+: has NotAction/),
  inRole('all resources but some', KEEPS, { NotResource: 'a', Resource: undefined }, /CoobyRole, \w+: has NotResource/),
  inRole('a principal', KEEPS, { NotPrincipal: { AWS: 'a' } }, /CoobyRole, \w+: has NotPrincipal/),
  inRole(
    'stars in parts of a resource',
    KEEPS,
    { Resource: { 'Fn::Join': ['', ['arn:', partition, ':sqs:*:*:*']] } },
    /CoobyRole, \w+: \{"Fn::Join".* cannot be read here: write Fn::GetAtt/,
  ),
  inRole(
    'stars at a depth',
    KEEPS,
    { Resource: { 'Fn::If': ['HasAlarmAddress', { 'Fn::Sub': '*' }, { 'Fn::GetAtt': ['FallbackQueue', 'Arn'] }] } },
    /CoobyRole, \w+: \{"Fn::If".* cannot be read here/,
  ),
  inRole(
    'a resource that a parameter names',
    KEEPS,
    { Resource: { Ref: 'AlarmAddress' } },
    /CoobyRole, \w+: \{"Ref":"AlarmAddress"\} cannot be read here/,
  ),
  inRole(
    'a parameter within a resource',
    KEEPS,
    { Resource: { 'Fn::Sub': ['arn:aws:sqs:', '{AlarmAddress}'].join('$') } },
    /CoobyRole, \w+: \{"Fn::Sub".* cannot be read here/,
  ),
  inRole(
    "another function's queue",
    KEEPS,
    { Resource: { 'Fn::GetAtt': ['TicksQueue', 'Arn'] } },
    /CoobyRole, \w+: sqs:SendMessage reaches TicksQueue, which is not the work of cooby/,
  ),
  inRole(
    "another function's log",
    ['CoobyRole', 'logs:PutLogEvents'],
    { Resource: 'arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/hookline-prod-admin:*' },
    /CoobyRole, \w+: logs:PutLogEvents reaches .*-admin:\*, which is not the work of cooby/,
  ),
  inRole(
    'admin keys for a webhook',
    READS,
    { Condition: keys('EVT#*', 'KEY#*') },
    /dynamodb:GetItem reaches KEY#\*, which/,
  ),
  inRole(
    'accounts for a webhook',
    READS,
    { Condition: keys('ACC#*') },
    /CoobyRole, \w+: dynamodb:GetItem reaches ACC#\*/,
  ),
  inRole(
    'keys with a star too early',
    READS,
    { Condition: keys('E*') },
    /CoobyRole, \w+: dynamodb:GetItem reaches E\*/,
  ),
  inRole(
    'tokens for the sender',
    ['SenderRole', 'dynamodb:GetItem'],
    { Condition: keys('HOOK#*') },
    /SenderRole, \w+: dynamodb:GetItem reaches HOOK#\*, which is not the work of sender/,
  ),
  inRole(
    'admin keys for sending',
    ['SendRole', 'dynamodb:UpdateItem'],
    { Condition: keys('MSG#*', 'KEY#*') },
    /SendRole, \w+: dynamodb:UpdateItem reaches KEY#\*/,
  ),
  inRole(
    'a request without a key',
    READS,
    { Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['EVT#*'] } } },
    /CoobyRole, \w+: dynamodb:GetItem reaches every key of the table when it names none/,
  ),
  inRole(
    "another stage's secrets",
    ['WatchdogRole', 'ssm:GetParameter'],
    { Resource: { 'Fn::Sub': 'arn:aws:ssm:eu-west-1:1:parameter/hookline/dev/accounts/*' } },
    /WatchdogRole, \w+: ssm:GetParameter reaches .*dev\/accounts/,
  ),
  {
    name: 'a policy that a condition chooses',
    plant: (resources) =>
      change(resources, ['CoobyRole', 'Properties', 'Policies', 0], {
        'Fn::If': ['HasAlarmAddress', { PolicyName: 'all' }, { Ref: 'AWS::NoValue' }],
      }),
    found: /CoobyRole has a policy that cannot be read here: write its statements out/,
  },
  {
    name: 'a role that others may take as well',
    plant: (resources) =>
      change(
        resources,
        ['CoobyRole', 'Properties', 'AssumeRolePolicyDocument', 'Statement', 0, 'Principal', 'AWS'],
        '*',
      ),
    found: /CoobyRole can be taken by others than Lambda/,
  },
  {
    name: 'a role of nobody',
    plant: (resources) => change(resources, ['Spare'], structuredClone(Reflect.get(Object(resources), 'CoobyRole'))),
    found: /Spare belongs to no function of this template: remove it/,
  },
];
