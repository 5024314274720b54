import { change, granting, type PlantedFault } from './plant.ts';

export const plantedFaults: readonly PlantedFault[] = [
  {
    name: 'a wildcard action',
    plant: (resources) =>
      change(resources, [...granting(resources, 'CoobyRole', 'dynamodb:GetItem'), 'Action'], 'dynamodb:*'),
    found: /CoobyRole, \w+: grants dynamodb:\*/,
  },
  {
    name: 'a bare * resource',
    plant: (resources) =>
      change(resources, [...granting(resources, 'SenderRole', 'sqs:ReceiveMessage'), 'Resource'], '*'),
    found: /SenderRole, \w+: sqs:ReceiveMessage reaches \*/,
  },
  {
    name: 'every key of the table',
    plant: (resources) => change(resources, [...granting(resources, 'ZenderRole', 'dynamodb:GetItem'), 'Condition']),
    found: /ZenderRole, \w+: dynamodb:GetItem reaches every key/,
  },
  {
    name: 'two functions with one role',
    plant: (resources) =>
      change(resources, ['CoobyLambdaFunction', 'Properties', 'Role'], { 'Fn::GetAtt': ['AdminRole', 'Arn'] }),
    found: /CoobyLambdaFunction and AdminLambdaFunction share AdminRole/,
  },
  {
    name: 'a loop that Lambda will stop',
    plant: (resources) => change(resources, ['SenderLambdaFunction', 'Properties', 'RecursiveLoop']),
    found: /SenderLambdaFunction feeds its own queue/,
  },
  {
    name: 'a message shown again too soon',
    plant: (resources) => change(resources, ['TicksQueue', 'Properties', 'VisibilityTimeout'], 60),
    found: /TicksQueue shows a message again/,
  },
  {
    name: 'batches that fail as a whole',
    plant: (resources) =>
      change(resources, ['FallbackEventSourceMappingSQSFallbackQueue', 'Properties', 'FunctionResponseTypes']),
    found: /FallbackEventSourceMappingSQSFallbackQueue takes a batch for done or failed/,
  },
  {
    name: 'a queue without a dead-letter queue',
    plant: (resources) => change(resources, ['FallbackQueue', 'Properties', 'RedrivePolicy']),
    found: /FallbackQueue has no queue for its dead letters/,
  },
  {
    name: 'paths in the access log',
    plant: (resources) =>
      change(
        resources,
        ['HttpApiStage', 'Properties', 'AccessLogSettings', 'Format'],
        '$context.routeKey $context.path',
      ),
    found: /HttpApiStage logs the path/,
  },
  {
    name: 'a log that is kept for ever',
    plant: (resources) => change(resources, ['SendLogGroup', 'Properties', 'RetentionInDays']),
    found: /SendLogGroup is kept for ever/,
  },
  {
    name: 'a table that goes away with its stack',
    plant: (resources) => change(resources, ['Table', 'DeletionPolicy'], 'Delete'),
    found: /Table goes away with its stack/,
  },
  {
    name: 'a table that cannot be restored',
    plant: (resources) => change(resources, ['Table', 'Properties', 'PointInTimeRecoverySpecification']),
    found: /Table cannot be restored/,
  },
  {
    name: 'an alarm on a metric that nobody counts',
    plant: (resources) => change(resources, ['HeldAccountsAlarm', 'Properties', 'MetricName'], 'PausedAccounts'),
    found: /HeldAccountsAlarm looks at PausedAccounts/,
  },
  {
    name: 'an alarm that tells nobody',
    plant: (resources) => change(resources, ['TicksDeadAlarm', 'Properties', 'AlarmActions']),
    found: /TicksDeadAlarm tells nobody/,
  },
  {
    name: "CORS of the API's own",
    plant: (resources) => change(resources, ['HttpApi', 'Properties', 'CorsConfiguration'], { AllowOrigins: ['*'] }),
    found: /HttpApi sets CORS/,
  },
  {
    name: 'no limit on requests',
    plant: (resources) => change(resources, ['HttpApiStage', 'Properties', 'DefaultRouteSettings']),
    found: /HttpApiStage has no limit/,
  },
  {
    name: 'a property that CloudFormation does not know',
    plant: (resources) => change(resources, ['TicksQueue', 'Properties', 'VisibilityTimeOut'], 270),
    found: /TicksQueue: there is no VisibilityTimeOut/,
  },
  {
    name: 'a property that is missing',
    plant: (resources) => change(resources, ['SenderLambdaFunction', 'Properties', 'Code']),
    found: /SenderLambdaFunction: Code is missing/,
  },
  {
    name: 'a kind of resource that does not exist',
    plant: (resources) => change(resources, ['AlarmTopic', 'Type'], 'AWS::SNS::Topics'),
    found: /CloudFormation knows no AWS::SNS::Topics/,
  },
];
